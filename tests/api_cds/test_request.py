from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.api.cds.request import read
from fhirtwin.api.cds.service import Response, Service
from fhirtwin.errors import Incorrect
from fhirtwin.settings import Settings
from fhirtwin.twin.state import PatientKey

SERVICE = Service("s", ("patient-view",), "S", "Says nothing.", {}, lambda _: Response())
SETTINGS = Settings(base_url="https://twin.example/fhir")


def body(**changes: Any) -> dict[str, Any]:
    sent = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": "https://ehr.example/fhir/",
        "context": {"userId": "Practitioner/p", "patientId": "1", "encounterId": "e"},
        **changes,
    }
    return {name: value for name, value in sent.items() if value is not ...}


def context(**changes: Any) -> dict[str, Any]:
    sent = {"userId": "Practitioner/p", "patientId": "1", **changes}
    return {name: value for name, value in sent.items() if value is not ...}


def places(sent: dict[str, Any]) -> list[str]:
    with pytest.raises(Incorrect) as caught:
        read(sent, SERVICE, SETTINGS)
    return [issue.expression[0] for issue in caught.value.issues]


def test_a_call_names_its_patient_by_server_and_id() -> None:
    asked = read(body(), SERVICE, SETTINGS)
    assert asked.patient == PatientKey("https://ehr.example/fhir", "1")
    assert asked.bases >= {"https://ehr.example/fhir"}


def test_unknown_members_are_passed_over() -> None:
    sent = body(context=context(extra={"a": 1}), extension={"com.example.x": 1}, novelty=True)
    assert read(sent, SERVICE, SETTINGS).patient.id == "1"


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        (body(hook="order-sign"), "hook"),
        (body(hook=...), "hook"),
        (body(hookInstance=...), "hookInstance"),
        (body(hookInstance="1"), "hookInstance"),
        (body(hookInstance="{d1577c69-dfbe-44ad-ba6d-3e05e953b2ea}"), "hookInstance"),
        (body(hookInstance=5), "hookInstance"),
        (body(fhirServer=None), "fhirServer"),
        (body(fhirServer=..., fhirAuthorization={"access_token": "x"}), "fhirServer"),
        (body(fhirAuthorization=None), "fhirAuthorization"),
        (body(context=...), "context"),
        (body(context=[]), "context"),
        (body(context=context(userId=...)), "context.userId"),
        (body(context=context(userId="p")), "context.userId"),
        (body(context=context(userId="Device/p")), "context.userId"),
        (body(context=context(patientId=...)), "context.patientId"),
        (body(context=context(patientId="Patient/1")), "context.patientId"),
        (body(context=context(patientId="1\n")), "context.patientId"),
        (body(context=context(patientId=1)), "context.patientId"),
    ],
)
def test_each_wrong_member_is_named(sent: dict[str, Any], place: str) -> None:
    assert places(sent) == [place]


def test_all_wrong_members_are_named_at_once() -> None:
    assert places({}) == ["hook", "hookInstance", "context"]
