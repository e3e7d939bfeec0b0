import re

import pytest

from fhirtwin.terms import concepts
from fhirtwin.terms.concepts import Code, conditions, observations
from fhirtwin.terms.concepts.model import HIERARCHIES
from fhirtwin.terms.facts import FLAGS, LISTS, UNITS
from fhirtwin.terms.systems import ATC, ICD10, ICD10CM, LOINC, RXNORM, SNOMED
from tests.conftest import ROOT


def facts_of(code: Code) -> set[str]:
    return {m.fact for m in concepts.condition(code)}


@pytest.mark.parametrize("code", ["E11", "E11.9", "E11.65", "E10.10", "E08.00", "E13.9", "O24.011", "O24.811"])
def test_icd_category_covers_the_codes_below_it(code: str) -> None:
    assert "diabetes" in facts_of(Code(ICD10CM, code))


@pytest.mark.parametrize("code", ["O24.419", "R73.03", "Z83.3", "Z86.32", "E1", "E"])
def test_gestational_diabetes_prediabetes_and_family_history_are_not_diabetes(code: str) -> None:
    assert "diabetes" not in facts_of(Code(ICD10CM, code))


@pytest.mark.parametrize("code", ["11687002", "15777000"])
def test_code_left_out_on_purpose_gives_its_reason(code: str) -> None:
    assert concepts.condition(Code(SNOMED, code)) == ()
    assert "not counted as diabetes" in str(concepts.not_counted(Code(SNOMED, code)))


@pytest.mark.parametrize("code", ["I21.4", "I25.2", "I25.10", "I63.9", "G45.9", "I70.213", "I73.9", "Z95.1", "Z86.73"])
def test_icd_code_of_known_cardiovascular_disease(code: str) -> None:
    assert facts_of(Code(ICD10CM, code)) == {"cardiovascular-disease"}


@pytest.mark.parametrize("code", ["G45.4", "I10", "I48.91", "I26.99", "I73.00", "Z82.49"])
def test_icd_code_beside_cardiovascular_disease_is_not_taken_for_it(code: str) -> None:
    assert facts_of(Code(ICD10CM, code)) == set()


def test_code_of_two_things_gives_both() -> None:
    assert facts_of(Code(ICD10CM, "O24.011")) == {"diabetes", "pregnancy"}


def test_snomed_code_is_matched_whole() -> None:
    assert facts_of(Code(SNOMED, "44054006")) == {"diabetes"}
    assert facts_of(Code(SNOMED, "440540061")) == set()


def test_code_means_nothing_in_another_system() -> None:
    assert facts_of(Code("http://example.org/codes", "44054006")) == set()


def test_atc_class_covers_its_substances() -> None:
    assert {m.fact for m in concepts.medicine(Code(ATC, "C10AA05"))} == {"statin"}
    assert {m.fact for m in concepts.medicine(Code(ATC, "C09AA03"))} == {"antihypertensive"}
    assert concepts.medicine(Code(ATC, "C10AB05")) == ()


@pytest.mark.parametrize("code", ["36567", "314231", "312961", "198211", "200345", "859753"])
def test_simvastatin_and_rosuvastatin_count_as_ingredient_as_tablet_and_as_brand(code: str) -> None:
    assert [m.fact for m in concepts.medicine(Code(RXNORM, code))] == ["statin"]


def test_tablet_of_amlodipine_and_atorvastatin_counts_for_both_its_classes() -> None:
    assert {m.fact for m in concepts.medicine(Code(RXNORM, "597980"))} == {"statin", "antihypertensive"}


@pytest.mark.parametrize("code", ["11101003", "36969009", "415070008", "14323007"])
def test_coronary_revascularisation_makes_cardiovascular_disease_known(code: str) -> None:
    meaning = concepts.procedure(Code(SNOMED, code))
    assert meaning is not None
    assert meaning.fact == "cardiovascular-disease"


@pytest.mark.parametrize("code", ["266927001", "LA18980-5", "LA18979-7"])
def test_unknown_smoking_status_is_no_answer(code: str) -> None:
    assert concepts.smoking(Code(LOINC if code.startswith("LA") else SNOMED, code)) is None


@pytest.mark.parametrize("code", ["33914-3", "62238-1", "48642-3", "48643-1"])
def test_egfr_of_another_equation_is_known_and_not_used(code: str) -> None:
    assert concepts.observation(Code(LOINC, code)) is None
    assert "CKD-EPI 2021" in str(concepts.not_counted(Code(LOINC, code)))


def test_every_set_names_its_source_and_a_fact_of_the_vocabulary() -> None:
    for rows in concepts.all_sets():
        assert rows.source
        assert rows.fact in {*UNITS, *FLAGS, *LISTS, "smoking-status"}
        assert all(rows.rows.values())


def test_no_code_is_written_twice_for_one_fact() -> None:
    rows = [(s.fact, s.system, code) for s in concepts.all_sets() for code in s.rows]
    assert len(rows) == len(set(rows))


def test_every_code_has_the_form_its_system_gives_codes() -> None:
    forms = {
        LOINC: r"\d{1,7}-\d",
        SNOMED: r"\d{6,18}",
        RXNORM: r"\d{3,8}",
        ICD10: r"[A-Z]\d\d(\.\d)?",
        ICD10CM: r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?",
        ATC: r"[A-Z]\d\d[A-Z]([A-Z](\d\d)?)?|[A-Z]\d\d",
    }
    for rows in concepts.all_sets():
        assert all(re.fullmatch(forms[rows.system], code) for code in rows.rows), rows.fact


def luhn_10(code: str) -> int:
    """The LOINC check digit of the number before the hyphen."""
    digits = [int(d) for d in reversed(code)]
    doubled = sum(sum(divmod(2 * d, 10)) for d in digits[::2])
    return -(doubled + sum(digits[1::2])) % 10


def codes_of(system: str) -> set[str]:
    """Every code of a system that any table knows: rows, panels, answers and what is left out on purpose."""
    answers = {*observations.PANELS, *observations.SMOKING, *observations.PREGNANCY}
    left_out = {*observations.NOT_COUNTED, *conditions.NOT_COUNTED}
    rows = {c for s in concepts.all_sets() if s.system == system for c in s.rows}
    return rows | {c.code for c in answers | left_out if c.system == system}


def test_check_digit_of_every_loinc_code_is_right() -> None:
    codes = {c for c in codes_of(LOINC) if not c.startswith("LA")}  # answers count their letters too
    assert {c for c in codes if luhn_10(c.partition("-")[0]) != int(c[-1])} == set()


_DIHEDRAL = (
    "0123456789 1234067895 2340178956 3401289567 4012395678 5987604321 6598710432 7659821043 8765932104 9876543210"
)
_PERMUTE = "0123456789 1576283094 5803796142 8916043527 9453126870 4286573901 2793806415 7046913258"


def verhoeff(code: str) -> int:
    """0 when the check digit of a SNOMED CT identifier is right."""
    table, permute, check = _DIHEDRAL.split(), _PERMUTE.split(), 0
    for place, digit in enumerate(reversed(code)):
        check = int(table[check][int(permute[place % 8][int(digit)])])
    return check


def test_check_digit_of_every_snomed_code_is_right() -> None:
    assert {c for c in codes_of(SNOMED) if verhoeff(c)} == set()


def test_page_of_codes_lists_every_row_with_its_source() -> None:
    page = (ROOT / "docs" / "codes.md").read_text()
    for rows in concepts.all_sets():
        assert f"from {rows.source}:" in page
        below = "…" if rows.system in HIERARCHIES else ""
        assert [c for c, d in rows.rows.items() if f"* `{c}`{below} {d}\n" not in page] == []
    assert page.count("\n* `") == sum(len(rows.rows) for rows in concepts.all_sets())


@pytest.mark.parametrize(
    ("system", "code"),
    [
        *((ICD10CM, code) for code in ("E72.20", "E72.29", "E72.23", "E72.4")),
        *((ICD10, code) for code in ("E72.2", "E72.4")),
        *((SNOMED, code) for code in ("36444000", "80908008", "398680004")),
    ],
)
def test_codes_of_urea_cycle_disorders(system: str, code: str) -> None:
    assert facts_of(Code(system, code)) == {"urea-cycle-disorder"}


def test_alpers_disease_is_not_read_from_an_icd_10_that_countries_part_differently() -> None:
    assert facts_of(Code(SNOMED, "20415001")) == facts_of(Code(ICD10CM, "G31.81")) == {"polg-disease"}
    assert facts_of(Code(ICD10, "G31.81")) == set()
