"""From a twin to a vector, or to every reason why not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from fhirtwin.features.vector import build
from fhirtwin.predictors.cardiovascular.prevent import PREDICTOR as PREVENT
from fhirtwin.predictors.kidney.kfre import PREDICTOR as KFRE
from fhirtwin.predictors.model import FeatureVector, Input, Predictor, Refusal, Rule
from fhirtwin.settings import Settings
from fhirtwin.terms.facts import FLAGS, UNITS
from fhirtwin.twin.mappers.patient import OTHER_GENDER
from fhirtwin.twin.state import LOCAL, Fact, PatientKey, Source, TwinState, Unused, in_order

DAY = date(2026, 3, 1)
LISTS = frozenset(kind for groups in FLAGS.values() for group in groups for kind in group)


def fact(name: str, value: str | bool, days_ago: int | None = 30, kind: str = "Observation") -> Fact:
    time = "" if days_ago is None else (DAY - timedelta(days=days_ago)).isoformat()
    source = Source(LOCAL, kind, f"{name}-{days_ago}", "1")
    kept = Decimal(value) if name in UNITS and isinstance(value, str) else value
    return Fact(name, kept, (source,), unit=UNITS.get(name, ""), time=time)


PERSON = (fact("birth-date", "1976-02-01", None, "Patient"), fact("sex", "female", None, "Patient"))
HEART = (
    *PERSON,
    fact("total-cholesterol", "200"),
    fact("hdl-cholesterol", "45"),
    fact("systolic-bp", "160"),
    fact("bmi", "35"),
    fact("creatinine", "0.80"),
    fact("smoking-status", "never"),
    fact("diabetes", True, 900, "Condition"),
    fact("antihypertensive", True, 900, "MedicationRequest"),
)
KIDNEY = (*PERSON, fact("creatinine", "2.1", 200), fact("creatinine", "2.2", 20), fact("uacr", "300"))


def state(facts: Iterable[Fact], lists: frozenset[str] = LISTS) -> TwinState:
    return TwinState(PatientKey(LOCAL, "p"), 1, in_order(facts), lists)


def without(facts: tuple[Fact, ...], *names: str) -> tuple[Fact, ...]:
    return tuple(f for f in facts if f.name not in names)


def calculated(facts: Iterable[Fact], predictor: Predictor = PREVENT, **how: object) -> FeatureVector:
    result = run(facts, predictor, **how)
    assert isinstance(result, FeatureVector), result
    return result


def refused(facts: Iterable[Fact], predictor: Predictor = PREVENT, **how: object) -> tuple[str, ...]:
    result = run(facts, predictor, **how)
    assert isinstance(result, Refusal), result
    assert result.output is None
    return result.reasons


def run(
    facts: Iterable[Fact],
    predictor: Predictor,
    *,
    lists: frozenset[str] = LISTS,
    settings: Settings | None = None,
    day: date = DAY,
) -> FeatureVector | Refusal:
    return build(state(facts, lists), predictor, day, settings or Settings())


def test_a_whole_record_gives_every_output() -> None:
    vector = calculated(HEART)
    assert vector.outputs == PREVENT.outputs
    assert vector.refusals == ()
    assert vector.age_years == 50
    assert vector.features.keys() == {f.name for f in PREVENT.features}
    assert [used.fact for used in vector.inputs] == [i.fact for i in PREVENT.inputs]


def test_every_input_says_where_it_is_from() -> None:
    used = {u.fact: u for u in calculated(HEART).inputs}
    assert used["total-cholesterol"].sources == ("Observation/total-cholesterol-30/_history/1",)
    assert used["total-cholesterol"].time == "2026-01-30"
    assert used["total-cholesterol"].unit == "mg/dL"
    assert "CKD-EPI 2021" in used["egfr"].note
    assert used["egfr"].sources == ("Observation/creatinine-30/_history/1",)
    assert used["current-smoker"].value is False


def test_age_is_whole_years_and_has_no_date_so_that_a_result_is_the_same_tomorrow() -> None:
    today, tomorrow = calculated(HEART), calculated(HEART, day=DAY + timedelta(days=1))
    assert today.inputs == tomorrow.inputs
    assert today.features == tomorrow.features


def test_statin_that_is_on_no_list_counts_as_none_recorded() -> None:
    used = {u.fact: u for u in calculated(HEART).inputs}
    assert (used["statin"].value, used["statin"].note, used["statin"].sources) == (False, "none recorded", ())


def test_a_list_that_was_not_obtained_is_no_empty_list() -> None:
    vector = calculated(HEART, lists=LISTS - {"MedicationRequest", "MedicationStatement"})
    assert {o.outcome.code for o in vector.outputs} == {"heart-failure"}  # it weighs no statin
    for refusal in vector.refusals:
        assert refusal.reasons == ("statin is not known: medication list was not obtained",)


def test_one_of_two_medication_lists_is_enough() -> None:
    vector = calculated(HEART, lists=LISTS - {"MedicationStatement"})
    assert vector.outputs == PREVENT.outputs


def test_without_the_problem_list_nothing_can_be_ruled_out() -> None:
    reasons = refused(without(HEART, "diabetes"), lists=LISTS - {"Condition"})
    assert "known cardiovascular disease cannot be ruled out: problem list was not obtained" in reasons
    assert "heart failure cannot be ruled out: problem list was not obtained" in reasons
    assert "diabetes is not known: problem list was not obtained" in reasons


def test_exclusions_that_were_looked_for_are_on_record() -> None:
    checks = {c.fact: c.note for c in calculated(HEART).checks}
    assert checks["cardiovascular-disease"] == "none recorded"
    assert checks.keys() == {rule.fact for rule in PREVENT.rules}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cardiovascular-disease", "known cardiovascular disease"),
        ("heart-failure", "heart failure"),
        ("dialysis", "dialysis"),
        ("pregnancy", "pregnancy"),
        ("deceased", "deceased"),
    ],
)
def test_prevent_is_not_for_them(name: str, reason: str) -> None:
    assert reason in refused((*HEART, fact(name, True, 60, "Condition")))


def test_all_reasons_are_told_not_only_the_first() -> None:
    facts = (*without(HEART, "systolic-bp", "smoking-status"), fact("heart-failure", True, 60, "Condition"))
    reasons = refused(facts)
    assert "heart failure" in reasons
    assert "systolic blood pressure is missing (LOINC 8480-6)" in reasons
    assert "current smoking is missing (LOINC 72166-2)" in reasons


@pytest.mark.parametrize("name", ["systolic-bp", "creatinine", "smoking-status", "sex", "birth-date"])
def test_what_all_outputs_weigh_is_never_assumed(name: str) -> None:
    assert any("missing" in reason for reason in refused(without(HEART, name)))


def test_missing_body_mass_index_refuses_only_heart_failure() -> None:
    vector = calculated(without(HEART, "bmi"))
    assert {o.outcome.code for o in vector.outputs} == {"total-cvd", "ascvd"}
    assert {r.output.id for r in vector.refusals if r.output} == {"heart-failure-10y", "heart-failure-30y"}
    assert {reason for r in vector.refusals for reason in r.reasons} == {
        "body mass index is missing (LOINC 39156-5)",
    }


def test_missing_cholesterol_refuses_all_but_heart_failure() -> None:
    vector = calculated(without(HEART, "total-cholesterol"))
    assert {o.id for o in vector.outputs} == {"heart-failure-10y", "heart-failure-30y"}


@pytest.mark.parametrize(
    ("name", "value", "range_told"),
    [
        ("systolic-bp", "181", "systolic blood pressure is outside the published range 90 to 180 mm[Hg]"),
        ("total-cholesterol", "129.9", "total cholesterol is outside the published range 130 to 320 mg/dL"),
        ("hdl-cholesterol", "100.1", "HDL cholesterol is outside the published range 20 to 100 mg/dL"),
        ("bmi", "40", "body mass index is outside the published range 18.5 to below 40 kg/m2"),
    ],
)
def test_a_value_out_of_range_refuses_everything_and_is_not_told(name: str, value: str, range_told: str) -> None:
    assert refused((*without(HEART, name), fact(name, value))) == (range_told,)


def test_the_newest_value_counts_and_not_an_older_one() -> None:
    facts = (*HEART, fact("systolic-bp", "120", 5), fact("systolic-bp", "150", 90))
    assert calculated(facts).values["systolic-bp"] == Decimal(120)


def test_a_value_after_the_day_is_not_known_yet() -> None:
    facts = (*HEART, fact("systolic-bp", "120", -1))
    assert calculated(facts).values["systolic-bp"] == Decimal(160)


def test_two_values_of_one_time_choose_none() -> None:
    reasons = refused(
        (*HEART, dataclasses.replace(fact("systolic-bp", "120"), sources=(Source("", "Observation", "b"),)))
    )
    assert reasons == ("systolic blood pressure has different values for its newest time (LOINC 8480-6)",)


def test_a_value_is_usable_up_to_its_age_and_not_a_day_longer() -> None:
    limit = Settings().max_age_vitals_days
    old = without(HEART, "systolic-bp")
    assert calculated((*old, fact("systolic-bp", "160", limit))).outputs
    reasons = refused((*old, fact("systolic-bp", "160", limit + 1)))
    assert reasons == (
        "systolic blood pressure is from 2024-02-29, older than 730 days (project policy) (LOINC 8480-6)",
    )


def test_how_old_a_value_may_be_is_a_setting() -> None:
    facts = (*without(HEART, "systolic-bp"), fact("systolic-bp", "160", 800))
    assert calculated(facts, settings=Settings(max_age_vitals_days=800)).outputs


def test_a_value_without_a_date_has_no_age_and_is_not_used() -> None:
    facts = (*without(HEART, "systolic-bp"), fact("systolic-bp", "160", None))
    assert "no date" in refused(facts)[0]


def test_a_year_alone_may_be_its_first_day() -> None:
    year_only = dataclasses.replace(fact("systolic-bp", "160"), time="2024")
    reasons = refused((*without(HEART, "systolic-bp"), year_only))
    assert "older than 730 days" in reasons[0]


@pytest.mark.parametrize(("birth", "outputs"), [("1967-02-01", 6), ("1966-02-01", 3), ("1946-03-02", 3)])
def test_ages_choose_the_horizons(birth: str, outputs: int) -> None:
    facts = (*without(HEART, "birth-date"), fact("birth-date", birth, None, "Patient"))
    vector = calculated(facts)
    assert len(vector.outputs) == outputs
    assert all("30-year" in r.reasons[0] for r in vector.refusals)


@pytest.mark.parametrize("birth", ["1996-03-02", "1946-03-01"])
def test_nobody_below_30_or_above_79_gets_a_prevent_score(birth: str) -> None:
    facts = (*without(HEART, "birth-date"), fact("birth-date", birth, None, "Patient"))
    assert refused(facts) == ("age is outside the published range 30 to 79 a",)


def test_kidney_failure_is_calculated_for_shown_and_stable_disease() -> None:
    vector = calculated(KIDNEY, KFRE)
    assert {o.id for o in vector.outputs} == {"kidney-failure-2y", "kidney-failure-5y"}
    shown = next(c for c in vector.checks if c.fact == "ckd-g3-g5-shown")
    assert len(shown.sources) == 2


def test_one_low_egfr_shows_no_chronic_disease() -> None:
    reasons = refused((*without(KIDNEY, "creatinine"), fact("creatinine", "2.2", 20)), KFRE)
    assert reasons == ("chronic kidney disease G3 to G5 not shown by two eGFR below 60 at least 90 days apart",)


def test_without_any_creatinine_kidney_failure_is_refused_with_what_is_missing() -> None:
    reasons = refused(without(KIDNEY, "creatinine"), KFRE)
    assert "eGFR is missing (LOINC 2160-0)" in reasons
    assert "chronic kidney disease G3 to G5 not shown by two eGFR below 60 at least 90 days apart" in reasons


def test_creatinine_that_trebles_in_five_days_is_no_chronic_disease() -> None:
    rising = (*PERSON, fact("uacr", "300"), fact("creatinine", "0.8", 10), fact("creatinine", "2.6", 5))
    reasons = refused(rising, KFRE)
    assert "acute kidney injury or rapidly changing kidney function" in reasons


@pytest.mark.parametrize(
    ("name", "reason"), [("kidney-transplant", "kidney transplant"), ("acute-kidney-injury", "acute kidney injury")]
)
def test_kfre_is_not_for_them(name: str, reason: str) -> None:
    assert reason in refused((*KIDNEY, fact(name, True, 60, "Condition")), KFRE)


def test_a_fact_in_another_unit_is_not_used() -> None:
    wrong = dataclasses.replace(fact("systolic-bp", "160"), unit="kPa")
    assert refused((*without(HEART, "systolic-bp"), wrong)) == ("systolic blood pressure is missing (LOINC 8480-6)",)


def test_reasons_carry_no_value_of_the_patient() -> None:
    facts = (*without(HEART, "systolic-bp", "bmi"), fact("systolic-bp", "187.25"), fact("bmi", "47.75"))
    text = " ".join(refused(facts))
    assert "187" not in text
    assert "47" not in text


def test_an_output_whose_age_window_cannot_be_held_against_an_age_is_refused() -> None:
    ageless = dataclasses.replace(KFRE, inputs=KFRE.inputs[1:], rules=(), prepare=lambda _values: {})
    facts = (*without(KIDNEY, "birth-date", "creatinine"), fact("egfr", "30"))
    assert refused(facts, ageless) == ("age is missing",)


def test_a_predictor_may_be_only_for_those_with_a_condition() -> None:
    only = dataclasses.replace(KFRE, rules=(Rule("diabetes", True, "no diabetes recorded"),))
    assert refused(KIDNEY, only) == ("no diabetes recorded",)
    assert calculated((*KIDNEY, fact("diabetes", True, 900, "Condition")), only).checks[0].value is True


def test_a_flag_counts_as_no_only_where_the_predictor_says_so() -> None:
    asks = dataclasses.replace(KFRE, inputs=(*KFRE.inputs, Input("statin", "statin")))
    assert refused(KIDNEY, asks) == ("statin is not recorded",)


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(None, Decimal(200), "up to 200 mg/g"), (Decimal(400), None, "from 400 mg/g")],
)
def test_a_range_may_have_one_end(low: Decimal | None, high: Decimal | None, told: str) -> None:
    inputs = tuple(dataclasses.replace(i, low=low, high=high) if i.fact == "uacr" else i for i in KFRE.inputs)
    reasons = refused(KIDNEY, dataclasses.replace(KFRE, inputs=inputs))
    assert reasons == (f"urine albumin-creatinine ratio is outside the published range {told}",)


def test_a_horizon_for_other_ages_adds_nothing_to_the_reasons_of_the_rest() -> None:
    older = (fact("birth-date", "1960-02-01", None, "Patient"), *HEART[1:])
    facts = tuple(known for known in older if known.name != "systolic-bp")
    refusal = build(state(facts), PREVENT, DAY, Settings())
    assert isinstance(refusal, Refusal)
    assert refusal.reasons == ("systolic blood pressure is missing (LOINC 8480-6)",)


def test_no_creatinine_is_asked_for_where_sex_is_what_is_missing() -> None:
    reasons = refused(without(HEART, "sex"))
    assert "eGFR cannot be calculated from the creatinine without sex and an age of 18 or more at the draw" in reasons
    assert not any("2160-0" in reason for reason in reasons)


def waits_for(facts: Iterable[Fact], predictor: Predictor = PREVENT, **unused: str) -> tuple[str, ...]:
    """What the refusal of all says a new entry would bring; `unused` are reasons by type of resource."""
    noted = tuple(Unused(Source(LOCAL, kind, "u"), reason) for kind, reason in unused.items())
    result = build(dataclasses.replace(state(facts), unused=noted), predictor, DAY, Settings())
    assert isinstance(result, Refusal), result
    return result.missing


def test_what_a_new_entry_would_bring_is_named_by_fact() -> None:
    assert waits_for(without(HEART, "systolic-bp", "smoking-status")) == ("systolic-bp", "current-smoker")
    assert waits_for(without(KIDNEY, "uacr"), KFRE) == ("uacr",)
    assert waits_for(without(HEART, "creatinine")) == ("egfr",)


def test_what_is_too_old_waits_for_a_new_one() -> None:
    assert waits_for((*without(HEART, "systolic-bp"), fact("systolic-bp", "160", 1000))) == ("systolic-bp",)


def test_what_is_there_and_wants_mending_waits_for_nothing() -> None:
    other = dataclasses.replace(fact("systolic-bp", "120"), sources=(Source("", "Observation", "b"),))
    assert waits_for((*HEART, other)) == ()
    assert waits_for((*without(HEART, "systolic-bp"), fact("systolic-bp", "160", None))) == ()
    assert waits_for(without(HEART, "creatinine"), Observation="creatinine: its unit is not known") == ()


@pytest.mark.parametrize("name", ["cardiovascular-disease", "heart-failure", "dialysis", "pregnancy", "deceased"])
def test_whom_a_disease_rules_out_waits_for_nothing(name: str) -> None:
    assert waits_for((*without(HEART, "systolic-bp"), fact(name, True, 60, "Condition"))) == ()


def test_whom_age_or_a_value_out_of_range_rules_out_waits_for_nothing() -> None:
    young = tuple(dataclasses.replace(f, value="2006-02-01") if f.name == "birth-date" else f for f in HEART)
    assert waits_for(without(young, "systolic-bp")) == ()
    assert waits_for((*without(HEART, "systolic-bp", "bmi"), fact("bmi", "41"))) == ()


def test_whose_kidney_disease_is_not_shown_waits_for_no_albumin() -> None:
    assert waits_for(PERSON, KFRE) == ()


def test_who_somebody_is_comes_first() -> None:
    assert waits_for(without(HEART, "systolic-bp", "birth-date")) == ("age",)
    assert waits_for(without(HEART, "systolic-bp", "sex")) == ("sex",)
    assert waits_for(without(HEART, "systolic-bp", "sex"), Patient=OTHER_GENDER) == ()


def test_an_output_that_is_not_for_this_age_waits_for_nothing() -> None:
    old = tuple(dataclasses.replace(f, value="1960-02-01") if f.name == "birth-date" else f for f in HEART)
    vector = calculated(without(old, "bmi"))
    assert {r.output.id: r.missing for r in vector.refusals if r.output} == {
        "total-cvd-30y": (),
        "ascvd-30y": (),
        "heart-failure-10y": ("bmi",),
        "heart-failure-30y": (),
    }
