"""What HL7's own validator says of its CDS Hooks cases, and what is said here: the same, or the reason is below."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.api.cds.answers.response_rules import broken
from fhirtwin.api.cds.calls import request
from fhirtwin.api.cds.discovery import discovery
from fhirtwin.api.cds.service import Response, Service
from fhirtwin.api.cds.services import registry
from fhirtwin.errors import FhirtwinError, Incorrect
from fhirtwin.fhir import codec
from fhirtwin.intake import prefetch
from fhirtwin.intake.templates import Template
from fhirtwin.settings import Settings
from fhirtwin.twin.state import PatientKey

SETTINGS = Settings(open=True)
NOT_HERE = {
    "each entry in a Bundle must have a fullUrl": "R4 has no such invariant, and hardly a client sends one",
    "Bundle entry missing fullUrl": "the same",
    "Relative Reference appears inside Bundle whose entry is missing a fullUrl": "the same",
    "could not be found so is not allowed here": "needs knowledge of extensions; `$validate` names them as information",
    "Resource requires an id, but none is present": "what a `create` brings is new; whoever makes it gives it its id",
}
"""What HL7's validator finds and is not found here, each with why."""

OURS = {
    "CDSHooksRequest.context.patientId": "context.patientId",
    "CDSHooksRequest.context.encounterId": "context.encounterId",
    "CDSHooksRequest.context.selections[0]": "context.selections[0]",
    "CDSHooksResponse.cards[0]": "cards[0].selectionBehavior",
    "CDSHooksRequest.prefetch[0].value": "prefetch.item1",
    "CDSHooksRequest.prefetch[1].value": "prefetch.item2",
}
"""Where HL7's validator sees a fault, and where it is told here."""


def cases(shared: Path) -> list[dict[str, Any]]:
    return list(json.loads((shared / "data" / "cds-hooks" / "expected_dev.json").read_text()))


def sent(shared: Path, case: dict[str, Any]) -> dict[str, Any]:
    name = "validator__" + case["file"].replace("/", "__")
    path = shared / "data" / "cds-hooks" / "requests" / "fhir-test-cases" / name
    return codec.decode(path.read_bytes())


def faults(body: dict[str, Any], kind: str) -> set[str]:
    """Every place that is found fault with, of the call and, as if templates asked for every key, of its prefetch."""
    if kind == "CDSHooksResponse":
        return {place for place, _ in broken(body)}
    if kind == "CDSHooksServices":
        return refused(body)
    found: set[str] = set()
    service = Service("s", (body["hook"],), "S", "Says nothing.", {}, lambda _: Response())
    patient = PatientKey("", body["context"]["patientId"].rpartition("/")[2])
    asked = {key: Template("Patient/{{context.patientId}}") for key, value in body.get("prefetch", {}).items() if value}
    for judge in (
        lambda: request.read(body, service, SETTINGS),
        lambda: prefetch.read(body.get("prefetch"), asked, patient),
    ):
        try:
            judge()
        except FhirtwinError as error:
            found |= {place for issue in error.issues for place in issue.expression}
    return found


def refused(body: dict[str, Any]) -> set[str]:
    """A discovery document is written here and never read: whether services like these would be told so."""
    services = [
        Service(
            each["id"],
            (each["hook"],),
            each["title"],
            each["description"],
            {key: Template(query) for key, query in each.get("prefetch", {}).items()},
            lambda _: Response(),
            usage_requirements=each.get("usageRequirements", ""),
        )
        for each in body["services"]
    ]
    try:
        admitted = registry.admit(services)
    except Incorrect as error:
        return {str(error)}
    told = discovery(admitted.values(), SETTINGS.cds_hooks_version)["services"]
    return set() if sorted(told, key=str) == sorted(body["services"], key=str) else {"services"}


@pytest.mark.parametrize("number", range(11))
def test_the_verdict_is_that_of_hl7s_validator(shared: Path, number: int) -> None:
    case = cases(shared)[number]
    found = faults(sent(shared, case), case["type"])
    assert (not found) is case["valid"], found
    for issue in case["issues"]:
        if any(reason in issue["text"] for reason in NOT_HERE):
            continue
        place = OURS[issue["expression"][0]]
        assert any(each == place or each.startswith(f"{place}.") for each in found), (issue, found)


def test_every_case_that_is_given_is_judged(shared: Path) -> None:
    assert len(cases(shared)) == 11
