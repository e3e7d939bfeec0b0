from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from fhirtwin.report.identity import SETTINGS_THAT_MATTER, Identity, basis, identity
from fhirtwin.twin.state import LOCAL, PatientKey
from tests.report.builders import DAY, SETTINGS, built, fact, facts, occasion, state


def of(*args: object, day: date = DAY, **settings: object) -> Identity:
    whose = state(*args)  # type: ignore[arg-type]
    return identity(built(whose, day=day), occasion(whose, day, **settings))


def changed(name: str, value: str, version: str = "1", named: str = "") -> Identity:
    known = [f for f in facts() if f.name != name]
    return of(None, [*known, fact(name, value, named=named, version=version)])


def test_the_same_inputs_on_another_day_are_the_same_assessment() -> None:
    assert of(day=DAY + timedelta(days=30)) == of()


def test_a_birthday_makes_another_assessment() -> None:
    assert of(day=date(2027, 2, 3)).id != of(day=date(2027, 2, 2)).id


def test_a_corrected_input_is_the_same_assessment_with_other_content() -> None:
    corrected = changed("systolic-bp", "118", version="2")
    assert corrected.id == of().id
    assert corrected.content != of().content


def test_a_new_version_that_says_the_same_changes_nothing() -> None:
    assert changed("systolic-bp", "144", version="2") == of()


def test_another_source_makes_another_assessment() -> None:
    assert changed("systolic-bp", "144", named="a-new-measurement").id != of().id


def test_the_same_id_at_another_server_is_another_patient() -> None:
    assert of(PatientKey("https://ehr.example/fhir", "p1")).id != of(PatientKey(LOCAL, "p1")).id


@pytest.mark.parametrize("name", SETTINGS_THAT_MATTER)
def test_each_setting_that_matters_makes_another_assessment(name: str) -> None:
    other = {"kfre_region": "non-north-american", "kfre_referral_percent": 3.0}.get(name, getattr(SETTINGS, name))
    if name.startswith("max_age"):
        other = int(other) + 1
    assert of(**{name: other}).id != of().id


def test_the_oldest_age_of_results_matters_to_models_that_have_some_and_to_no_other() -> None:
    vector = built()
    inputs = tuple(replace(one, keep="results") if one.keep == "lipids" else one for one in vector.predictor.inputs)
    other = replace(vector, predictor=replace(vector.predictor, inputs=inputs))
    day, year = (occasion(state(), DAY, max_age_results_days=days) for days in (1, 365))
    assert identity(vector, day) == identity(vector, year) and identity(other, day).id != identity(other, year).id


def test_settings_that_do_not_matter_do_not() -> None:
    assert of(engine_timeout_seconds=9.0, base_url="https://moved.example/fhir") == of()


def test_ids_are_legal_in_fhir() -> None:
    made = of()
    for text in (made.id, made.provenance_id(10**9)):
        assert len(text) <= 64
        assert set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_basis_names_inputs_and_what_the_rules_looked_at_once_each() -> None:
    kidney = basis(built(which="kfre-4-variable"))
    assert kidney == (
        "Observation/creatinine-before/_history/1",
        "Observation/creatinine/_history/1",
        "Observation/uacr/_history/1",
        "Patient/p1/_history/1",
    )
