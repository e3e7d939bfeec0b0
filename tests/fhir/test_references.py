from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.fhir.references import Reference, parse, subject_of, walk


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("Patient/1", Reference("relative", type="Patient", id="1")),
        ("Patient/a-B.1/_history/2", Reference("relative", type="Patient", id="a-B.1", version="2")),
        (
            "https://a.example:8443/r4/x/Patient/1/_history/2",
            Reference("absolute", base="https://a.example:8443/r4/x", type="Patient", id="1", version="2"),
        ),
        ("http://a.example/Patient/1", Reference("absolute", base="http://a.example", type="Patient", id="1")),
        ("http://a.example/thing", Reference("absolute")),
        ("https://a.example/x?y=/Patient/1", Reference("absolute")),
        ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", Reference("urn")),
        ("urn:oid:1.2", Reference("urn")),
        ("#p1", Reference("contained", id="p1")),
        ("#", Reference("contained")),
        (
            "Patient?identifier=s|1&active=true",
            Reference("conditional", type="Patient", query="identifier=s|1&active=true"),
        ),
        ("Patient?", Reference("conditional", type="Patient")),
        (
            "Practitioner?name=Anna Maria",
            Reference("conditional", type="Practitioner", query="name=Anna Maria"),
        ),
        ("Unknown/1", Reference("other")),
        ("patient/1", Reference("other")),
        ("Patient/", Reference("other")),
        ("Patient/a_b", Reference("other")),
        ("Patient", Reference("other")),
        ("", Reference("other")),
        ("Unknown?x=y", Reference("other")),
    ],
)
def test_a_reference_is_taken_apart(text: str, reference: Reference) -> None:
    assert parse(text) == reference


def test_walk_finds_references_wherever_they_are_with_their_places() -> None:
    extension = {"url": "http://x", "valueReference": {"reference": "Device/1"}}
    resource = {
        "resourceType": "Bundle",
        "entry": [
            {
                "resource": {
                    "resourceType": "Observation",
                    "status": "final",
                    "_status": {"extension": [extension]},
                    "subject": {"reference": "Patient/1", "identifier": {"assigner": {"reference": "Organization/1"}}},
                    "performer": [{"display": "x"}, {"reference": "#p"}],
                    "contained": [{"resourceType": "RelatedPerson", "id": "p", "patient": {"reference": "Patient/2"}}],
                }
            }
        ],
    }
    at = "Bundle.entry[0].resource"
    assert sorted(walk(resource)) == [
        (f"{at}.contained[0].patient", "Patient/2"),
        (f"{at}.performer[1]", "#p"),
        (f"{at}.status.extension[0].value", "Device/1"),
        (f"{at}.subject", "Patient/1"),
        (f"{at}.subject.identifier.assigner", "Organization/1"),
    ]


def test_walk_passes_over_uris_named_reference_and_over_what_is_no_resource() -> None:
    assert list(walk({"resourceType": "DetectedIssue", "reference": "http://a", "status": "final"})) == []
    broken: list[dict[str, Any]] = [
        {},
        {"resourceType": "Nothing"},
        {"resourceType": []},
        {"resourceType": "Observation", "subject": [1, None], "performer": "x", "contained": [{"resourceType": 1}]},
        {"resourceType": "Observation", "subject": {"reference": 1}},
    ]
    assert [list(walk(resource)) for resource in broken] == [[]] * 5


@pytest.mark.parametrize(
    ("resource", "subject"),
    [
        ({"resourceType": "Observation", "subject": {"reference": "Patient/1"}}, "Patient/1"),
        ({"resourceType": "Condition", "subject": {"reference": "https://a/Patient/1"}}, "https://a/Patient/1"),
        ({"resourceType": "AllergyIntolerance", "patient": {"reference": "urn:uuid:1"}}, "urn:uuid:1"),
        ({"resourceType": "Coverage", "beneficiary": {"reference": "Patient/1"}}, "Patient/1"),
        ({"resourceType": "Task", "for": {"reference": "Patient/1"}}, "Patient/1"),
        ({"resourceType": "ResearchSubject", "individual": {"reference": "Patient/1"}}, "Patient/1"),
        ({"resourceType": "GuidanceResponse", "subject": {"reference": "Patient/1"}}, "Patient/1"),
        ({"resourceType": "Patient", "id": "1"}, "Patient/1"),
        ({"resourceType": "Patient"}, None),
        ({"resourceType": "Observation", "subject": {"reference": "Group/1"}}, None),
        ({"resourceType": "Observation", "performer": [{"reference": "Patient/1"}]}, None),
        ({"resourceType": "Observation", "subject": {"identifier": {"value": "x"}}}, None),
        ({"resourceType": "Observation", "subject": "Patient/1"}, None),
        ({"resourceType": "Practitioner", "id": "1"}, None),
        ({"resourceType": ["Observation"]}, None),
        ({}, None),
    ],
)
def test_whom_a_resource_is_about(resource: dict[str, Any], subject: str | None) -> None:
    assert subject_of(resource) == subject
