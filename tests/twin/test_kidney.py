"""CKD-EPI 2021, chronicity and stability of kidney function."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from fhirtwin.twin import kidney
from fhirtwin.twin.state import Fact, Source
from tests.conftest import ROOT
from tests.twin.builders import measured


def test_equation_agrees_with_independent_values_to_half_their_last_digit(shared: Path) -> None:
    with (shared / "data/clinical/dev/ckdepi2021_vectors.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if int(row["age"]) >= kidney.ADULT_YEARS]
    assert len(rows) > 300
    for row in rows:
        computed = kidney.ckd_epi_2021(Decimal(row["scr_mg_dl"]), int(row["age"]), row["sex"])
        assert abs(computed - Decimal(row["egfr_cr_2021"])) <= Decimal("0.005"), row["id"]


def test_equation_agrees_with_the_golden_values_to_half_their_last_digit() -> None:
    with (ROOT / "fixtures" / "golden" / "ckd-epi-2021.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["sex"] for row in rows} == {"female", "male"}
    for row in rows:
        computed = kidney.ckd_epi_2021(Decimal(row["creatinine_mg_dl"]), int(row["age_years"]), row["sex"])
        assert abs(computed - Decimal(row["egfr"])) <= Decimal("0.005"), row


def test_creatinine_clearance_agrees_with_independent_values_to_half_their_last_digit(shared: Path) -> None:
    with (shared / "data/clinical/dev/score_cockcroft_gault.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if int(row["age"]) >= kidney.ADULT_YEARS]
    assert len(rows) > 100
    for row in rows:
        assert row["creatinine_unit"] == "mg/dL"
        weight = Decimal(row["weight_kg"])
        computed = kidney.cockcroft_gault(Decimal(row["creatinine"]), int(row["age"]), weight, row["sex"])
        # The other side rounds to one decimal, ours to two: half of each.
        assert abs(computed - Decimal(row["result"])) <= Decimal("0.055"), row["id"]


@pytest.mark.parametrize(("sex", "clearance"), [("male", Decimal("100.00")), ("female", Decimal("85.00"))])
def test_creatinine_clearance_by_hand(sex: str, clearance: Decimal) -> None:
    """(140 - 40) x 72 / (72 x 1) is 100."""
    assert kidney.cockcroft_gault(Decimal(1), 40, Decimal(72), sex) == clearance


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "egfr"),
    [  # at kappa both min and max are 1, so only 142, age and sex are left (Inker 2021)
        ("0.7", 50, "female", round(142 * 0.9938**50 * 1.012, 2)),
        ("0.9", 50, "male", round(142 * 0.9938**50, 2)),
        ("1.4", 50, "female", round(142 * 2**-1.2 * 0.9938**50 * 1.012, 2)),
        ("0.45", 50, "male", round(142 * 0.5**-0.302 * 0.9938**50, 2)),
    ],
)
def test_equation_at_its_corners(creatinine: str, age: int, sex: str, egfr: float) -> None:
    assert kidney.ckd_epi_2021(Decimal(creatinine), age, sex) == Decimal(str(egfr))


def egfrs(*rows: tuple[str, str]) -> list:
    return [measured("egfr", value, day) for day, value in rows]


@pytest.mark.parametrize(
    ("rows", "shown_by"),
    [
        ((), None),
        ((("2024-01-01", "59"),), None),
        ((("2024-01-01", "61"),), None),
        ((("2024-01-01", "59.99"), ("2024-03-31", "58")), "2024-01-01"),
        ((("2024-01-01", "59"), ("2024-03-30", "58")), None),
        ((("2024-01-01", "60.00"), ("2024-03-31", "58")), None),
        ((("2024-01-01", "59"), ("2024-02-01", "60"), ("2024-06-01", "58")), None),
        ((("2024-01-01", "59"), ("2024-06-01", "60")), None),
        ((("2023-01-01", "80"), ("2024-01-01", "50"), ("2024-02-01", "45"), ("2024-06-01", "44")), "2024-02-01"),
        ((("2024-01-01T09:00:00Z", "50"), ("2024-03-31T08:59:59Z", "50")), None),
        ((("2024-01-01T09:00:00Z", "50"), ("2024-03-31T09:00:00Z", "50")), "2024-01-01T09:00:00Z"),
    ],
)
def test_chronicity_needs_two_low_values_ninety_days_apart_and_none_between(
    rows: tuple[tuple[str, str], ...], shown_by: str | None
) -> None:
    found = kidney.shown_by(egfrs(*rows))
    assert (found.time if found else None) == shown_by


@pytest.mark.parametrize(
    ("rows", "shown_by"),
    [  # a month may be its last day, and a year may be any
        ((("2024-01", "50"), ("2024-04-15", "50")), None),
        ((("2024-01", "50"), ("2024-04-30", "50")), "2024-01"),
        ((("2023", "50"), ("2024-03-29", "50")), None),
        ((("2023", "50"), ("2024-03-30", "50")), "2023"),
        ((("2023", "70"), ("2023-06-01", "50"), ("2023-12-01", "50")), None),
        ((("2022", "70"), ("2023-06-01", "50"), ("2023-12-01", "50")), "2023-06-01"),
    ],
)
def test_chronicity_reckons_with_the_worst_day_of_a_partial_date(
    rows: tuple[tuple[str, str], ...], shown_by: str | None
) -> None:
    found = kidney.shown_by(egfrs(*rows))
    assert (found.time if found else None) == shown_by


def creatinines(*rows: tuple[str, str]) -> list:
    return [measured("creatinine", value, time) for time, value in rows]


@pytest.mark.parametrize(
    ("rows", "unstable"),
    [
        ((), None),
        ((("2024-01-01", "0.9"),), False),
        ((("2024-01-01", "0.8"), ("2024-01-06", "2.6")), True),
        ((("2024-01-01", "2.6"), ("2024-01-06", "0.8")), True),
        ((("2024-01-01T08:00:00Z", "1.0"), ("2024-01-03T08:00:00Z", "1.3")), True),
        ((("2024-01-01T08:00:00Z", "1.0"), ("2024-01-03T08:00:01Z", "1.3")), False),
        ((("2024-01-01T08:00:00Z", "1.0"), ("2024-01-03T08:00:00Z", "1.29")), False),
        ((("2024-01-01", "1.0"), ("2024-01-08", "1.5")), True),
        ((("2024-01-01", "1.0"), ("2024-01-09", "1.5")), False),
        ((("2024-01-01", "1.0"), ("2024-01-08", "1.49")), False),
        ((("2023-01-01", "0.8"), ("2023-01-06", "2.6"), ("2023-06-01", "0.9"), ("2024-01-01", "0.9")), False),
        ((("2024-01-01", "0.8"), ("2024-01-06", "2.6"), ("2024-04-05", "0.9")), True),
        ((("2024-01-01", "0.8"), ("2024-01-06", "2.6"), ("2024-04-06", "0.9")), False),
        ((("2024-01", "0.8"), ("2024-02-03", "2.6")), True),
        ((("2024-01", "0.8"), ("2024-02-08", "2.6")), False),
        ((("0001-01-01T00:00:00+14:00", "0.8"), ("2024-02-08", "2.6")), False),
    ],
)
def test_change_as_in_acute_kidney_injury_makes_kidney_function_unstable(
    rows: tuple[tuple[str, str], ...], unstable: bool | None
) -> None:
    assert kidney.unstable(creatinines(*rows)) is unstable


def test_change_counts_from_the_value_on_that_shows_chronic_disease() -> None:
    rows = creatinines(("2023-01-01", "0.8"), ("2023-01-06", "2.6"), ("2023-06-01", "1.4"), ("2024-01-01", "1.4"))
    assert kidney.unstable(rows, "2023-01-06") is True
    assert kidney.unstable(rows, "2023-01-07") is False


def test_word_where_a_number_must_stand_is_refused() -> None:
    fact = Fact("creatinine", "high", (Source("", "Observation", "1"),), time="2024-01-01")
    with pytest.raises(TypeError, match="creatinine must be a number"):
        kidney.unstable([fact, fact])
