from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.client.record import LISTS, twin_of
from fhirtwin.errors import Incorrect, Unprocessable
from fhirtwin.terms.systems import RXNORM
from tests.parts import condition, observation, patient

Json = dict[str, Any]


def record(*resources: Json, **members: Any) -> Json:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": {"id": f"r{n}", **one}} for n, one in enumerate(resources)],
        **members,
    }


ME = patient(id="me")
CHOLESTEROL = observation("Patient/me")
FAILURE = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}


def test_it_holds_what_the_record_says() -> None:
    state = twin_of(record(ME, CHOLESTEROL, condition("Patient/me")), whole=False)
    assert {fact.name for fact in state.facts} >= {"birth-date", "sex", "total-cholesterol", "diabetes"}
    assert state.lists == frozenset()


def test_only_a_whole_record_tells_what_is_not_there() -> None:
    assert twin_of(record(ME), whole=True).lists == LISTS
    with pytest.raises(Unprocessable, match="not whole"):
        twin_of(record(ME, link=[{"relation": "next", "url": "http://x.test"}]), whole=True)


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"resourceType": "Patient"}, Incorrect, "Bundle"),
        (record(ME, type="history"), Incorrect, "collection"),
        (record(ME, observation("Patient/me", status="nonsense")), Incorrect, "not valid"),
        (record(CHOLESTEROL), Unprocessable, "one Patient"),
        (record(ME, patient(id="you")), Unprocessable, "one Patient"),
        (record(ME, observation("Patient/you")), Unprocessable, "not this patient's"),
        (record(ME, FAILURE), Unprocessable, "did not run to its end"),
    ],
)
def test_what_is_no_record_of_one_patient_is_refused(given: Json, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        twin_of(given, whole=True)


@pytest.mark.parametrize(("server", "read"), [("", True), ("https://other.test/fhir/", False)])
def test_a_medication_of_another_server_is_not_taken_for_that_of_the_record(server: str, read: bool) -> None:
    statin = {"resourceType": "Medication", "id": "m", "code": {"coding": [{"system": RXNORM, "code": "83367"}]}}
    taken = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "subject": {"reference": "Patient/me"},
        "medicationReference": {"reference": f"{server}Medication/m"},
        "effectivePeriod": {"start": "2024-01-01"},
    }
    state = twin_of(record(ME, statin, taken), whole=False)
    assert ("statin" in {fact.name for fact in state.facts}) is read
