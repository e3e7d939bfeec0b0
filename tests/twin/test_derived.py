"""What is known as of a day, and what follows from it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from fhirtwin.twin.derived import age_on, ambiguous, as_of, ended, forgotten_pregnancies, newest, over_undated
from fhirtwin.twin.state import Fact, Source, TwinState
from tests.twin.builders import (
    concept,
    condition,
    facts_of,
    measured,
    observation,
    patient,
    person,
    procedure,
    request,
    smoking,
    statement,
)

DAY = date(2024, 6, 1)


def value(state: TwinState, name: str, day: date = DAY) -> Decimal | bool | str | None:
    fact = newest(as_of(state, day), name)
    return fact.value if fact else None


def test_fact_of_a_later_day_is_not_known_yet() -> None:
    state = person(measured("systolic-bp", "120", "2024-01-01"), measured("systolic-bp", "150", "2024-06-02"))
    assert value(state, "systolic-bp") == 120
    assert value(state, "systolic-bp", date(2024, 6, 2)) == 150


def test_fact_of_the_day_is_known_by_the_day_it_was_written_on() -> None:
    state = person(measured("systolic-bp", "120", "2024-06-01T23:30:00-05:00"))
    assert value(state, "systolic-bp") == 120


def test_all_values_are_kept_oldest_first() -> None:
    times = ["2024-01-01T01:00:00+05:00", "2023-12-31T23:00:00Z", "2023"]
    state = as_of(person(*(measured("bmi", str(20 + i), t) for i, t in enumerate(times))), DAY)
    assert [f.time for f in state.named("bmi")] == [times[2], times[0], times[1]]


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        ("1970-05-20", date(2024, 5, 19), 53),
        ("1970-05-20", date(2024, 5, 20), 54),
        ("2000-02-29", date(2023, 2, 28), 22),
        ("2000-02-29", date(2023, 3, 1), 23),
        ("1970", date(2024, 12, 31), 54),
        ("1970", date(2024, 6, 1), None),
        ("1970-05", date(2024, 6, 1), 54),
        ("1970-05", date(2024, 5, 15), None),
        ("2024-06-02", date(2024, 6, 1), None),
        ("2024-06-01", date(2024, 6, 1), 0),
    ],
)
def test_age_is_completed_years_or_unknown_when_the_birth_date_leaves_two(
    birth: str, day: date, age: int | None
) -> None:
    assert age_on(birth, day) == age
    assert value(person(birth=birth), "age", day) == age


def test_age_names_the_patient_as_its_source_and_the_day_as_its_time() -> None:
    age = newest(as_of(person(), DAY), "age")
    assert age is not None
    assert (age.unit, age.time, [s.type for s in age.sources]) == ("a", "2024-06-01", ["Patient"])


def test_egfr_is_calculated_from_creatinine_at_the_age_of_the_draw() -> None:
    state = person(measured("creatinine", "1.4", "2020-06-01"))
    assert value(state, "egfr") == Decimal(str(round(142 * 2**-1.2 * 0.9938**50 * 1.012, 2)))


def test_egfr_from_creatinine_wins_over_a_reported_one_of_the_same_time() -> None:
    state = person(measured("creatinine", "1.4", "2020-06-01"), measured("egfr", "44", "2020-06-01"))
    egfr = newest(as_of(state, DAY), "egfr")
    assert egfr is not None
    assert egfr.note == "calculated from creatinine (CKD-EPI 2021)"
    assert [s.id for s in egfr.sources] == ["creatinine-2020-06-01-1.4"]


def test_reported_egfr_counts_when_it_is_newer_or_alone() -> None:
    reported = measured("egfr", "44", "2021-06-01")
    assert value(person(measured("creatinine", "1.4", "2020-06-01"), reported), "egfr") == 44
    assert value(person(reported), "egfr") == 44


def test_egfr_of_a_child_or_of_unknown_sex_is_not_calculated() -> None:
    creatinine = measured("creatinine", "0.6", "2020-06-01")
    assert value(person(creatinine, birth="2003-01-01"), "egfr") is None
    assert value(facts_of([patient(gender="other"), observation("2160-0", "0.9")]), "egfr") is None


def test_bmi_is_calculated_from_weight_and_height() -> None:
    state = person(measured("body-weight", "80", "2024-03-01"), measured("body-height", "175", "2024-02-01"))
    bmi = newest(as_of(state, DAY), "bmi")
    assert bmi is not None
    assert (bmi.value, bmi.time, len(bmi.sources)) == (Decimal("26.12"), "2024-02-01", 2)


def test_reported_bmi_of_the_same_time_or_later_wins() -> None:
    parts = (measured("body-weight", "80", "2024-03-01"), measured("body-height", "175", "2024-02-01"))
    assert value(person(*parts, measured("bmi", "27", "2024-02-01")), "bmi") == 27
    assert value(person(*parts, measured("bmi", "27", "2024-01-31")), "bmi") == Decimal("26.12")


def test_absurd_numbers_are_calculated_and_left_to_the_ranges_of_predictors() -> None:
    parts = (measured("body-weight", "1E+30", "2024-03-01"), measured("body-height", "1E-30", "2024-02-01"))
    assert value(person(*parts), "bmi") == Decimal("1E+94")
    assert value(person(measured("creatinine", "1E+30", "2024-03-01")), "egfr") == 0
    assert value(person(measured("creatinine", "1E-30", "2024-03-01")), "egfr") > 10**9


def test_height_of_a_child_makes_no_adult_bmi() -> None:
    parts = (measured("body-weight", "80", "2024-03-01"), measured("body-height", "150", "1982-02-01"))
    assert value(person(*parts), "bmi") is None


@pytest.mark.parametrize(("answer", "smoker"), [("449868002", True), ("8517006", False), ("266919005", False)])
def test_current_smoker_follows_the_newest_answer(answer: str, smoker: bool) -> None:
    older = smoking(concept("snomed", "449868002"), effectiveDateTime="2019-01-01")
    assert value(facts_of([older, smoking(concept("snomed", answer))]), "current-smoker") is smoker


def test_without_an_answer_nothing_is_said_of_smoking() -> None:
    assert value(facts_of([smoking(concept("snomed", "266927001"))]), "current-smoker") is None


def test_two_values_of_one_time_are_ambiguous_and_none_is_chosen() -> None:
    state = as_of(
        person(
            measured("creatinine", "0.8", "2024-01-01", "a"),
            measured("creatinine", "2.6", "2024-01-01", "b"),
            measured("creatinine", "0.9", "2023-01-01", "c"),
        ),
        DAY,
    )
    assert newest(state, "creatinine") is None
    assert ambiguous(state, "creatinine")
    assert newest(state, "egfr") is None
    text = "different values for the same time, so it cannot be told which holds"
    listed = {(u.source.id, u.reason) for u in state.unused}
    assert listed == {(i, f"{name}: {text}") for i in ("a", "b") for name in ("creatinine", "egfr")}


def test_value_of_a_day_and_another_within_it_cannot_be_put_in_order() -> None:
    state = person(measured("systolic-bp", "120", "2024-01-01"), measured("systolic-bp", "160", "2024-01-01T10:00:00Z"))
    assert newest(as_of(state, DAY), "systolic-bp") is None


def test_equal_values_of_one_time_are_one_with_both_sources() -> None:
    state = person(measured("creatinine", "0.80", "2024-01-01", "a"), measured("creatinine", "0.8", "2024-01-01", "b"))
    newest_creatinine = newest(as_of(state, DAY), "creatinine")
    assert newest_creatinine is not None
    assert [s.id for s in newest_creatinine.sources] == ["a", "b"]
    assert not ambiguous(as_of(state, DAY), "creatinine")


@pytest.mark.parametrize(
    ("system", "code", "name"),
    [
        ("snomed", "22298006", "cardiovascular-disease"),
        ("snomed", "84114007", "heart-failure"),
        ("icd", "Z94.0", "kidney-transplant"),
    ],
)
def test_history_counts_even_when_resolved(system: str, code: str, name: str) -> None:
    state = facts_of([condition(system, code, "resolved", abatementDateTime="2021-01-01")])
    assert value(state, name) is True
    assert value(state, name, date(2020, 1, 14)) is None


def test_diabetes_counts_only_while_active_and_until_it_ended() -> None:
    assert value(facts_of([condition("snomed", "44054006")]), "diabetes") is True
    over = facts_of([condition("snomed", "44054006", "resolved", abatementDateTime="2022-05-05")])
    assert value(over, "diabetes") is None
    assert value(over, "diabetes", date(2022, 5, 5)) is True
    assert value(facts_of([condition("snomed", "44054006", "remission")]), "diabetes", date(2021, 1, 1)) is None


def test_pregnancy_counts_while_current_and_at_most_300_days() -> None:
    pregnant = condition("snomed", "72892002", onsetDateTime="2024-01-01")
    assert value(facts_of([pregnant]), "pregnancy") is True
    assert value(facts_of([pregnant]), "pregnancy", date(2024, 10, 27)) is True
    assert value(facts_of([pregnant]), "pregnancy", date(2024, 10, 28)) is None
    over = condition("snomed", "72892002", "resolved", onsetDateTime="2024-01-01", abatementDateTime="2024-05-01")
    assert value(facts_of([over]), "pregnancy") is None


@pytest.mark.parametrize(
    ("day", "end", "number"), [("2024-10-27", "", 0), ("2024-10-28", "", 1), ("2024-10-28", "x", 0)]
)
def test_a_pregnancy_without_an_end_that_no_longer_counts_is_given_as_forgotten(
    day: str, end: str, number: int
) -> None:
    ended = {"abatementDateTime": "2024-09-01"} if end else {}
    state = facts_of([condition("snomed", "72892002", onsetDateTime="2024-01-01", **ended)])
    assert len(forgotten_pregnancies(state, date.fromisoformat(day))) == number


def test_newest_pregnancy_status_counts_and_an_active_condition_outweighs_it() -> None:
    def said(code: str, day: str) -> dict:
        return observation(
            "82810-3", valueQuantity=None, valueCodeableConcept=concept("snomed", code), effectiveDateTime=day
        )

    yes, no = said("77386006", "2024-03-01"), said("60001007", "2024-04-01")
    assert value(facts_of([yes]), "pregnancy") is True
    assert value(facts_of([yes, no]), "pregnancy") is None
    assert value(facts_of([yes, no, condition("snomed", "72892002", onsetDateTime="2024-02-01")]), "pregnancy") is True


def test_dialysis_counts_from_a_session_on_and_while_a_condition_says_so() -> None:
    assert value(facts_of([procedure("265764009")]), "dialysis") is True
    assert value(facts_of([procedure("265764009")]), "dialysis", date(2021, 5, 31)) is None
    assert value(facts_of([condition("icd", "Z99.2")]), "dialysis") is True
    assert value(facts_of([condition("icd", "Z99.2", "resolved", abatementDateTime="2022-01-01")]), "dialysis") is None


def test_acute_kidney_injury_counts_for_ninety_days_after_its_end() -> None:
    injury = facts_of(
        [condition("icd", "N17.9", "resolved", onsetDateTime="2024-02-20", abatementDateTime="2024-03-03")]
    )
    assert value(injury, "acute-kidney-injury") is True
    assert value(injury, "kidney-function-unstable") is True
    assert value(injury, "acute-kidney-injury", date(2024, 6, 2)) is None


@pytest.mark.parametrize("build", [request, statement])
def test_medicine_counts_from_its_start_to_its_end(build) -> None:
    assert value(facts_of([build()]), "statin") is True
    assert value(facts_of([build()]), "statin", date(2023, 1, 31)) is None
    assert value(facts_of([build(status="stopped")]), "statin") is None


def test_order_that_ran_out_counts_no_longer() -> None:
    ran_out = facts_of([request(dispenseRequest={"validityPeriod": {"end": "2024-05-31"}})])
    assert value(ran_out, "statin") is None
    assert value(ran_out, "statin", date(2024, 5, 31)) is True


def test_statement_with_an_end_counts_until_then() -> None:
    taken = facts_of([statement(status="completed", effectivePeriod={"start": "2023-01-01", "end": "2023-12"})])
    assert value(taken, "statin", date(2023, 12, 31)) is True
    assert value(taken, "statin") is None


def test_flag_is_one_fact_with_all_its_sources() -> None:
    state = as_of(facts_of([condition("snomed", "22298006"), procedure("232717009")]), DAY)
    (known,) = state.named("cardiovascular-disease")
    assert [s.type for s in known.sources] == ["Condition", "Procedure"]


def test_death_counts_from_its_day() -> None:
    died = facts_of([patient(deceasedDateTime="2024-05-05T01:00:00Z")])
    assert value(died, "deceased") is True
    assert value(died, "deceased", date(2024, 5, 4)) is None


def test_rapid_creatinine_is_unstable_kidney_function_and_names_its_sources() -> None:
    state = as_of(person(measured("creatinine", "0.8", "2024-05-01"), measured("creatinine", "2.6", "2024-05-06")), DAY)
    unstable = newest(state, "kidney-function-unstable")
    assert unstable is not None
    assert unstable.value is True
    assert len(unstable.sources) == 2


def test_chronic_kidney_disease_is_shown_by_creatinine_alone() -> None:
    state = person(measured("creatinine", "2.0", "2023-05-01"), measured("creatinine", "2.1", "2024-05-01"))
    assert value(state, "ckd-g3-g5-shown") is True
    assert value(state, "kidney-function-unstable") is False


def chronic(*more: dict) -> TwinState:
    """Somebody whose newest eGFR and the one of five months before are low, with what else is known."""
    draws = [observation("2160-0", "2.0", effectiveDateTime=day) for day in ("2024-01-01", "2024-05-25")]
    return facts_of([patient(), *draws, *more])


@pytest.mark.parametrize(
    ("onset", "end", "unstable"),
    [
        ("2024-01-10", "2024-01-20", True),
        ("2023-12-01", "2024-01-01", True),
        ("2023-12-01", "2023-12-31", False),
    ],
)
def test_acute_injury_between_the_two_low_values_is_told_though_it_is_over(
    onset: str, end: str, unstable: bool
) -> None:
    injury = condition("icd", "N17.9", "resolved", onsetDateTime=onset, abatementDateTime=end)
    state = as_of(chronic(injury), DAY)
    assert state.named("acute-kidney-injury") == ()
    told = newest(state, "kidney-function-unstable")
    assert told is not None and told.value is unstable
    assert any(s.type == "Condition" for s in told.sources) is unstable


def test_low_value_of_an_acute_injury_shows_no_chronic_disease() -> None:
    before = observation("2160-0", "0.8", effectiveDateTime="2023-12-28")
    assert value(chronic(), "kidney-function-unstable") is False
    assert value(chronic(before), "ckd-g3-g5-shown") is True
    assert value(chronic(before), "kidney-function-unstable") is True


def test_nothing_is_said_of_the_kidney_without_a_value() -> None:
    state = as_of(person(), DAY)
    assert state.named("ckd-g3-g5-shown", "kidney-function-unstable") == ()


def test_looking_again_from_the_same_day_changes_nothing() -> None:
    state = facts_of(
        [
            patient(),
            observation("2160-0", "2.0"),
            observation("29463-7", "80", "kg"),
            observation("8302-2", "175", "cm"),
            smoking(concept("snomed", "8517006")),
            condition("snomed", "22298006", "resolved"),
            condition("icd", "N17.9"),
            procedure("265764009"),
            request(),
        ]
    )
    once = as_of(state, DAY)
    assert as_of(once, DAY) == once


def test_current_smoking_is_ambiguous_when_the_newest_answers_contradict() -> None:
    answers = [smoking(concept("snomed", code), effectiveDateTime="2024-05-01") for code in ("8517006", "77176002")]
    state = as_of(facts_of([smoking(concept("snomed", "266919005"), effectiveDateTime="2023"), *answers]), DAY)
    assert newest(state, "current-smoker") is None
    assert ambiguous(state, "current-smoker")
    assert not ambiguous(as_of(facts_of(answers[:1]), DAY), "current-smoker")


@pytest.mark.parametrize(
    ("time", "known"),
    [
        ("2024-06-02T08:00:00+12:00", True),  # 1 June, 20:00 UTC
        ("2024-06-02T12:00:00+12:00", False),
        ("2024-06-01T23:30:00-05:00", True),  # 2 June, 4:30 UTC
        ("2024-06-02T00:00:00-05:00", False),
        ("2024-06-02", False),
    ],
)
def test_result_counts_when_its_day_has_come_where_it_was_measured_or_in_utc(time: str, known: bool) -> None:
    state = as_of(person(measured("systolic-bp", "130", time)), date(2024, 6, 1))
    assert (newest(state, "systolic-bp") is not None) is known


def test_what_is_over_without_a_day_is_told_apart_from_what_ended_on_one() -> None:
    order = Fact("medicine", "1", (Source("", "MedicationRequest", "m", "1"),), time="2026-01-01", active=False)
    held = replace(order, active=True)
    dated = replace(order, end="2026-02-01")
    later = replace(order, time="2027-01-01")
    state = person(order, held, dated, later)
    assert over_undated(state, "medicine", date(2026, 6, 1)) == (order,)
    assert ended(state, "medicine", date(2026, 6, 1)) == (dated,)
