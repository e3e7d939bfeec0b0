"""The copy of a RiskAssessment for another record stands alone there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhirtwin.fhir import validator
from fhirtwin.report import filing
from fhirtwin.report.identity import identity
from fhirtwin.report.risk_assessment import risk_assessment
from fhirtwin.twin.state import LOCAL, PatientKey, TwinState
from tests.report.builders import fact, facts, occasion, result, state

EHR = "https://ehr.example/fhir"
CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"


def copy(of: TwinState, which: str = "prevent-base", **changes: Any) -> dict[str, Any]:
    found, when = result(of, which), occasion(of)
    ours = {
        **risk_assessment(found, identity(found.vector, when), when),
        "meta": {"versionId": "2", "lastUpdated": "2026-06-01T12:00:00Z"},
        **changes,
    }
    return filing.for_their_server(ours, when)


@pytest.mark.parametrize("which", ["prevent-base", "kfre-4-variable"])
@pytest.mark.parametrize("origin", [EHR, LOCAL])
def test_the_copy_is_valid_and_has_no_id_and_no_address_of_ours(which: str, origin: str) -> None:
    made = copy(state(PatientKey(origin, "4711")), which)
    assert validator.validate(made, type="RiskAssessment") == []
    assert {"id", "meta"}.isdisjoint(made)
    assert "//twin.example" not in json.dumps(made, default=str)
    assert "ehr.example" not in json.dumps(made, default=str)
    assert made["subject"] == {"reference": "Patient/4711"}
    references = [each["reference"] for each in made["basis"]]
    assert "Observation/creatinine/_history/1" in references
    assert all(text.startswith(("Observation/", "Patient/")) for text in references)


def test_what_only_this_server_holds_is_referred_to_here() -> None:
    known = [f for f in facts(EHR) if f.name != "systolic-bp"]
    made = copy(state(PatientKey(EHR, "4711"), [*known, fact("systolic-bp", "144", origin=LOCAL)]))
    assert {"reference": "https://twin.example/fhir/Observation/systolic-bp/_history/1"} in made["basis"]
    assert {"reference": "Observation/creatinine/_history/1"} in made["basis"]


def test_a_server_whose_address_only_begins_alike_is_another() -> None:
    known = [f for f in facts(EHR) if f.name != "systolic-bp"]
    made = copy(state(PatientKey(EHR, "4711"), [*known, fact("systolic-bp", "144", origin=f"{EHR}2")]))
    assert {"reference": f"{EHR}2/Observation/systolic-bp/_history/1"} in made["basis"]


def test_a_source_without_a_reference_is_kept_as_it_is_told() -> None:
    told = {"type": "Observation", "display": "sent with the call, not stored on this server"}
    assert copy(state(PatientKey(EHR, "1")), basis=[told])["basis"] == [told]


def test_numbers_model_notes_and_identifiers_are_those_that_are_stored_here() -> None:
    of = state(PatientKey(EHR, "4711"))
    found, when = result(of), occasion(of)
    ours = risk_assessment(found, identity(found.vector, when), when)
    made = filing.for_their_server(ours, when)
    for name in ("identifier", "method", "occurrenceDateTime", "prediction", "note"):
        assert made[name] == ours[name]


def test_a_corrected_one_is_final_where_nothing_stood_before() -> None:
    assert copy(state(PatientKey(EHR, "4711")), status="corrected")["status"] == "final"


def test_what_is_stored_here_is_not_changed() -> None:
    of = state(PatientKey(EHR, "4711"))
    found, when = result(of), occasion(of)
    ours = risk_assessment(found, identity(found.vector, when), when)
    before = json.dumps(ours, default=str)
    filing.for_their_server(ours, when)
    assert json.dumps(ours, default=str) == before


def test_suggestion_creates_it_under_a_uuid_of_the_card() -> None:
    of = state(PatientKey(EHR, "4711"))
    made = filing.suggestion(copy(of), CARD, occasion(of))
    assert made["label"] == "File this risk in the record"
    assert made["uuid"] == filing.suggestion(copy(of), CARD, occasion(of))["uuid"] != CARD
    assert [action["type"] for action in made["actions"]] == ["create"]


@pytest.mark.parametrize(
    ("origin", "stored", "there"), [(LOCAL, True, True), (LOCAL, False, False), (EHR, True, False)]
)
def test_only_what_is_stored_beside_the_patient_is_in_the_record(origin: str, stored: bool, there: bool) -> None:
    assert filing.is_in_the_record(occasion(state(PatientKey(origin, "1"))), stored=stored) is there
