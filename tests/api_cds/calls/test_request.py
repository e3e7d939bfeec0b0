from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.api.cds.calls.request import read
from fhirtwin.api.cds.service import Response, Service
from fhirtwin.errors import Incorrect, Unprocessable
from fhirtwin.settings import Settings
from fhirtwin.twin.state import PatientKey

SERVICE = Service("s", ("patient-view",), "S", "Says nothing.", {}, lambda _: Response())
SETTINGS = Settings(base_url="https://twin.example/fhir")


AUTHORIZATION = {
    "access_token": "some-opaque-token",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.rs",
    "subject": "fhirtwin",
    "patient": "1",
}


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
        (body(fhirServer=..., fhirAuthorization=AUTHORIZATION), "fhirServer"),
        (body(fhirAuthorization={**AUTHORIZATION, "token_type": "bearer"}), "fhirAuthorization.token_type"),
        (body(fhirAuthorization={**AUTHORIZATION, "expires_in": "300"}), "fhirAuthorization.expires_in"),
        (body(fhirAuthorization={**AUTHORIZATION, "expires_in": True}), "fhirAuthorization.expires_in"),
        (body(fhirAuthorization={**AUTHORIZATION, "scope": None}), "fhirAuthorization.scope"),
        (body(fhirAuthorization={**AUTHORIZATION, "subject": ""}), "fhirAuthorization.subject"),
        (body(fhirAuthorization={**AUTHORIZATION, "patient": None}), "fhirAuthorization.patient"),
        (body(fhirAuthorization={**AUTHORIZATION, "access_token": "x\r\ny: z"}), "fhirAuthorization.access_token"),
        (body(fhirAuthorization={**AUTHORIZATION, "access_token": ""}), "fhirAuthorization.access_token"),
        (body(prefetch=None), "prefetch"),
        (body(prefetch=[]), "prefetch"),
        (body(extension=[]), "extension"),
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


def test_a_token_is_shown_nowhere() -> None:
    asked = read(body(fhirAuthorization=AUTHORIZATION), SERVICE, SETTINGS)
    assert asked.authorization is not None
    assert asked.authorization.token == "some-opaque-token"
    assert "opaque" not in repr(asked)
    for change in ({"token_type": "x"}, {"access_token": "opaque token"}, {"scope": 5}):
        with pytest.raises(Incorrect) as caught:
            read(body(fhirAuthorization={**AUTHORIZATION, **change}), SERVICE, SETTINGS)
        assert "opaque" not in str(caught.value) + str(caught.value.issues)


def test_a_token_for_another_patient_refuses_the_call() -> None:
    assert read(body(fhirAuthorization={**AUTHORIZATION, "patient": "1"}), SERVICE, SETTINGS).authorization
    with pytest.raises(Unprocessable) as caught:
        read(body(fhirAuthorization={**AUTHORIZATION, "patient": "2"}), SERVICE, SETTINGS)
    assert caught.value.issues[0].expression == ("fhirAuthorization.patient",)
