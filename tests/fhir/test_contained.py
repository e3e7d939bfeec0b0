from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.fhir.validator import validate

PATIENT = {"resourceType": "Patient", "id": "p"}


def observation(*contained: dict[str, Any], **more: Any) -> dict[str, Any]:
    resource = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, **more}
    return resource | ({"contained": list(contained)} if contained else {})


def told(resource: dict[str, Any]) -> list[tuple[str, str]]:
    """Place and key of each issue."""
    return [(issue.expression[0], issue.text.rpartition("(")[2].rstrip(").")) for issue in validate(resource)]


SUBJECT = {"reference": "#p"}


@pytest.mark.parametrize(
    "resource",
    [
        observation(PATIENT, subject=SUBJECT),
        observation({**PATIENT, "managingOrganization": {"reference": "#"}}),
        observation(
            {**PATIENT, "managingOrganization": {"reference": "#o"}},
            {"resourceType": "Organization", "id": "o", "name": "x"},
            subject=SUBJECT,
        ),
        observation(PATIENT, extension=[{"url": "http://x", "valueReference": SUBJECT}]),
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": observation(PATIENT, subject=SUBJECT)}],
        },
    ],
)
def test_a_contained_resource_that_is_referred_to_passes(resource: dict[str, Any]) -> None:
    assert validate(resource) == []


def test_a_contained_resource_that_nothing_refers_to_is_refused() -> None:
    assert told(observation(PATIENT)) == [("Observation.contained[0]", "dom-3")]
    assert told(observation({"resourceType": "Patient"}, subject={"display": "x"})) == [
        ("Observation.contained[0]", "dom-3")
    ]


def test_a_contained_resource_contains_nothing_and_has_no_version_or_label() -> None:
    inner = {**PATIENT, "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}]}
    assert told(observation(inner, subject=SUBJECT)) == [("Observation.contained[0]", "dom-2")]
    meta = {"versionId": "1", "security": [{"code": "R"}]}
    assert told(observation({**PATIENT, "meta": meta}, subject=SUBJECT)) == [
        ("Observation.contained[0]", "dom-4"),
        ("Observation.contained[0]", "dom-5"),
    ]


def test_a_local_reference_to_nothing_is_refused_where_it_stands() -> None:
    assert told(observation(subject=SUBJECT)) == [("Observation.subject.reference", "ref-1")]
    assert told(observation(PATIENT, subject=SUBJECT, performer=[{"reference": "#q"}])) == [
        ("Observation.performer[0].reference", "ref-1")
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": observation(subject=SUBJECT)}]}
    assert told(bundle) == [("Bundle.entry[0].resource.subject.reference", "ref-1")]


def test_entries_of_a_bundle_do_not_share_what_they_contain() -> None:
    entries = [{"resource": observation(PATIENT, subject=SUBJECT)}, {"resource": observation(subject=SUBJECT)}]
    assert told({"resourceType": "Bundle", "type": "collection", "entry": entries}) == [
        ("Bundle.entry[1].resource.subject.reference", "ref-1")
    ]
