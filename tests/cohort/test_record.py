"""Records on lines: one patient each, whole, and what is of somebody else refuses the line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import patients
from fhirtwin.cohort import record
from fhirtwin.errors import Unprocessable
from fhirtwin.features import case
from fhirtwin.fhir import codec
from fhirtwin.predictors import registry
from fhirtwin.settings import Settings
from fhirtwin.twin.state import PatientKey
from tests.cohort.people import DAY
from tests.gateway_in_process import gateway, maria


def bundle(number: int = 1) -> dict[str, Any]:
    _, resources = patients.patient(number, DAY)
    entries = [{"resource": one} for found in resources.values() for one in found]
    made = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return codec.decode(json.dumps(made).encode())


def test_a_record_gives_the_twin_that_storing_it_gives(tmp_path: Any) -> None:
    parts = gateway(tmp_path)
    for one in bundle()["entry"]:
        resource = one["resource"]
        path = f"/fhir/{resource['resourceType']}/{resource['id']}"
        answer = parts.http.put(path, data=codec.encode(resource), content_type="application/fhir+json")
        assert answer.status_code == 201
    with parts.parts.store.snapshot() as reader:
        stored = reader.twin(PatientKey("", "bench-1"))
    assert stored is not None
    read = record.twin(bundle(), "")
    predictors = registry.all_predictors()
    made, kept = (case.of(one, DAY, predictors, Settings()) for one in (read, stored))
    assert [v.features for v in made.vectors] == [v.features for v in kept.vectors]
    assert made.notes == kept.notes
    assert read.lists == stored.lists
    assert len(made.vectors) == 2


def test_a_transaction_with_names_of_its_own_is_read() -> None:
    given = codec.decode(maria().encode())
    assert any("urn:uuid:" in str(one.get("fullUrl")) for one in given["entry"])
    read = record.twin(given, "https://ehr.example/fhir")
    assert read.reference.startswith("https://ehr.example/fhir/Patient/")
    assert len(read.facts) > 10


def test_the_server_is_told_by_the_full_url() -> None:
    given = bundle()
    given["entry"][0]["fullUrl"] = "https://ehr.example/fhir/Patient/bench-1"
    assert record.twin(given, "").patient == PatientKey("https://ehr.example/fhir", "bench-1")
    assert record.twin(bundle(), "").patient == PatientKey("", "bench-1")
    with pytest.raises(Unprocessable, match="another server"):
        record.twin(given, "https://other.example/fhir")


def _resource(given: dict[str, Any], kind: str) -> Any:
    return next(one["resource"] for one in given["entry"] if one["resource"]["resourceType"] == kind)


Change = Callable[[dict[str, Any]], object]
CHANGES: dict[str, tuple[str, Change]] = {
    "stranger": (
        "not shown to be this patient's",
        lambda g: _resource(g, "Observation").update(subject={"reference": "Patient/bench-2"}),
    ),
    "no subject": ("not valid|not shown", lambda g: _resource(g, "Condition").pop("subject")),
    "two patients": (
        "has one Patient, and this has 2",
        lambda g: g["entry"].append({"resource": bundle(2)["entry"][0]["resource"]}),
    ),
    "no patient": ("this has 0", lambda g: g["entry"].pop(0)),
    "replaced": (
        "was replaced",
        lambda g: _resource(g, "Patient").update(link=[{"other": {"reference": "Patient/x"}, "type": "replaced-by"}]),
    ),
    "contradicts": (
        "contradicts",
        lambda g: g["entry"].append({"resource": {**_resource(g, "Observation"), "effectiveDateTime": "2020-01-01"}}),
    ),
    "a page": ("next", lambda g: g.update(type="searchset", link=[{"relation": "next", "url": "https://x"}])),
    "history": ("Bundle of type", lambda g: (g.update(type="history"), g.pop("entry"))),
    "deletes": (
        "neither POST nor PUT",
        lambda g: (
            g.update(type="transaction"),
            [one.update(request={"method": "PUT", "url": "X/x"}) for one in g["entry"]],
            g["entry"][3]["request"].update(method="DELETE"),
        ),
    ),
    "failed search": (
        "OperationOutcome",
        lambda g: g["entry"].append(
            {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}}
        ),
    ),
    "invalid": ("not valid FHIR R4 at", lambda g: _resource(g, "Patient").update(gender="robot")),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_must_not_be_acted_upon_refuses_the_line(what: str) -> None:
    text, change = CHANGES[what]
    given = bundle()
    change(given)
    with pytest.raises(Unprocessable, match=text) as told:
        record.twin(given, "")
    assert "bench" not in str(told.value)
    assert "robot" not in str(told.value)


def test_lists_are_obtained_by_members_that_count_and_by_lists_that_say_none() -> None:
    given = bundle()
    given["entry"] = [one for one in given["entry"] if one["resource"]["resourceType"] in ("Patient", "Condition")]
    assert record.twin(given, "").lists == {"Condition"}
    wrong = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "entered-in-error"}]
    }
    for one in given["entry"][1:]:
        one["resource"]["verificationStatus"] = wrong
        one["resource"].pop("clinicalStatus")
        one["resource"].pop("abatementDateTime", None)
    assert record.twin(given, "").lists == frozenset()
    none = {
        "resourceType": "List",
        "id": "l",
        "status": "current",
        "mode": "snapshot",
        "code": {"coding": [{"system": "http://loinc.org", "code": "11450-4"}]},
        "subject": {"reference": "Patient/bench-1"},
        "emptyReason": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/list-empty-reason", "code": "nilknown"}]
        },
    }
    given["entry"].append({"resource": none})
    assert record.twin(given, "").lists == {"Condition"}
