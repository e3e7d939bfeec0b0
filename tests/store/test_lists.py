"""Which lists a store says were obtained, for resources as they come in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhirtwin import ingest
from fhirtwin.twin.state import LOCAL, PatientKey
from tests import parts

PROBLEM = {"code": {"text": "a problem"}}
MEDICINE = {"medicationCodeableConcept": {"text": "a medicine"}}
STATUS = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def _verified(code: str) -> dict[str, Any]:
    return {**PROBLEM, "verificationStatus": {"coding": [{"system": STATUS, "code": code}]}}


@pytest.mark.parametrize(
    ("type_", "members", "obtained"),
    [
        ("Condition", _verified("confirmed"), True),
        ("Condition", _verified("refuted"), True),
        ("Condition", _verified("entered-in-error"), False),
        ("Procedure", {"status": "completed"}, True),
        ("Procedure", {"status": "entered-in-error"}, False),
        ("MedicationRequest", {**MEDICINE, "status": "stopped", "intent": "order"}, True),
        ("MedicationRequest", {**MEDICINE, "status": "entered-in-error", "intent": "order"}, False),
        ("MedicationStatement", {**MEDICINE, "status": "entered-in-error"}, False),
    ],
)
def test_what_was_entered_in_error_shows_no_list(
    tmp_path: Path, type_: str, members: dict[str, Any], obtained: bool
) -> None:
    services = parts.services(tmp_path)
    sent = {"resourceType": type_, "subject": {"reference": "Patient/p"}, **members}
    received = ingest.receive(json.dumps(sent).encode(), type_, services.settings)
    with services.store.write() as write:
        ingest.keep(write, received, None, services.base_url)
    state = services.store.twin(PatientKey(LOCAL, "p"))
    assert state is not None
    assert (type_ in state.lists) is obtained
    services.store.close()
