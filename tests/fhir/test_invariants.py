from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.fhir.invariants import RULES
from fhirtwin.fhir.validator import validate

TEXT = {"text": "x"}
SUBJECT = {"reference": "Patient/1"}
UCUM = "http://unitsofmeasure.org"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
JUDGED_ELSEWHERE = {"ele-1", "txt-1", "txt-2", "dom-2", "dom-3", "dom-4", "dom-5", "ref-1"}
SAID_BY_CARDINALITY = {"sqty-1"}
ALWAYS_TRUE = {"eld-11"}
NOT_OF_R4 = {"evv-1", "sst-1"}
"""Of later releases, by some packagings of the R4 definitions."""
AT_THE_SHARED_ELEMENT = {"tst-6", "tst-8", "tst-9", "tst-11", "tst-13"}
"""Of elements that take over those of TestScript.setup, where the same is said by another key."""


def told(resource: dict[str, Any]) -> list[tuple[str, str]]:
    """Place and key of each issue."""
    return [(issue.expression[0], issue.text.rpartition("(")[2].rstrip(").")) for issue in validate(resource)]


def extended(kind: str, value: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "extension": [{"url": "http://x", f"value{kind}": value}]}


def of_type(type_: str, /, **more: Any) -> dict[str, Any]:
    required: dict[str, dict[str, Any]] = {
        "AllergyIntolerance": {"patient": SUBJECT},
        "Bundle": {"type": "collection"},
        "CareTeam": {},
        "Condition": {"subject": SUBJECT},
        "Consent": {"status": "active", "scope": TEXT, "category": [TEXT]},
        "FamilyMemberHistory": {"status": "completed", "patient": SUBJECT, "relationship": TEXT},
        "List": {"status": "current", "mode": "snapshot"},
        "Observation": {"status": "final", "code": TEXT},
        "Questionnaire": {"status": "draft"},
        "RiskAssessment": {"status": "final", "subject": SUBJECT},
        "ServiceRequest": {"status": "active", "intent": "order", "subject": SUBJECT},
        "Task": {"status": "draft", "intent": "order"},
        "ValueSet": {"status": "draft"},
    }
    return {"resourceType": type_, **required.get(type_, {}), **more}


def quantity(value: Any, unit: str = "mg") -> dict[str, Any]:
    return {"value": value, "unit": unit}


BROKEN: list[tuple[str, str, dict[str, Any]]] = [
    ("att-1", "extension[0].value", extended("Attachment", {"data": "QQ=="})),
    ("per-1", "extension[0].value", extended("Period", {"start": "2024-02", "end": "2024-01-31"})),
    (
        "per-1",
        "extension[0].value",
        extended("Period", {"start": "2024-01-01T10:00:00-02:00", "end": "2024-01-01T11:00:00Z"}),
    ),
    ("qty-3", "extension[0].value", extended("Quantity", {"code": "mg"})),
    ("qty-3", "extension[0].value", extended("Distance", {"code": "km", "value": 1})),
    ("age-1", "extension[0].value", extended("Age", {"value": -1, "code": "a", "system": UCUM})),
    ("age-1", "extension[0].value", extended("Age", {"value": 1})),
    ("cnt-3", "extension[0].value", extended("Count", {"value": Decimal("1.0"), "code": "1", "system": UCUM})),
    ("dis-1", "extension[0].value", extended("Distance", {"value": 1, "code": "km", "system": "http://x"})),
    ("drt-1", "extension[0].value", extended("Duration", {"code": "h", "system": UCUM})),
    ("rng-2", "extension[0].value", extended("Range", {"low": quantity(2), "high": quantity(Decimal("1.5"))})),
    ("rat-1", "extension[0].value", extended("Ratio", {"numerator": quantity(1)})),
    ("cpt-2", "extension[0].value", extended("ContactPoint", {"value": "1"})),
    ("tim-1", "extension[0].value.repeat", extended("Timing", {"repeat": {"duration": 1}})),
    ("tim-2", "extension[0].value.repeat", extended("Timing", {"repeat": {"period": 1}})),
    ("tim-4", "extension[0].value.repeat", extended("Timing", {"repeat": {"duration": -1, "durationUnit": "h"}})),
    ("tim-5", "extension[0].value.repeat", extended("Timing", {"repeat": {"period": -1, "periodUnit": "h"}})),
    ("tim-6", "extension[0].value.repeat", extended("Timing", {"repeat": {"periodMax": 1}})),
    ("tim-7", "extension[0].value.repeat", extended("Timing", {"repeat": {"durationMax": 1}})),
    ("tim-8", "extension[0].value.repeat", extended("Timing", {"repeat": {"countMax": 1}})),
    ("tim-9", "extension[0].value.repeat", extended("Timing", {"repeat": {"offset": 1, "when": ["CM"]}})),
    (
        "tim-10",
        "extension[0].value.repeat",
        extended("Timing", {"repeat": {"timeOfDay": ["10:00:00"], "when": ["CM"]}}),
    ),
    ("exp-1", "extension[0].value", extended("Expression", {"language": "text/cql"})),
    ("trd-3", "extension[0].value", extended("TriggerDefinition", {"type": "named-event"})),
    ("ait-1", "", of_type("AllergyIntolerance")),
    ("con-1", "stage[0]", of_type("Condition", stage=[{"type": TEXT}])),
    ("con-2", "evidence[0]", of_type("Condition", evidence=[{"extension": [{"url": "http://x", "valueCode": "a"}]}])),
    ("con-4", "", of_type("Condition", abatementString="x")),
    (
        "ctm-1",
        "participant[0]",
        of_type("CareTeam", participant=[{"member": SUBJECT, "onBehalfOf": {"reference": "Organization/1"}}]),
    ),
    ("fhs-1", "", of_type("FamilyMemberHistory", ageString="1", bornDate="2024")),
    ("fhs-2", "", of_type("FamilyMemberHistory", estimatedAge=True)),
    ("obs-3", "referenceRange[0]", of_type("Observation", referenceRange=[{"appliesTo": [TEXT]}])),
    ("obs-6", "", of_type("Observation", valueString="x", dataAbsentReason=TEXT)),
    (
        "obs-7",
        "",
        of_type(
            "Observation",
            code={"coding": [{"system": "http://x", "code": "a"}]},
            valueString="x",
            component=[{"code": {"coding": [{"system": "http://x", "code": "a"}]}}],
        ),
    ),
    ("pat-1", "contact[0]", of_type("Patient", contact=[{"gender": "male"}])),
    ("prr-1", "", of_type("ServiceRequest", orderDetail=[TEXT])),
    (
        "ras-1",
        "prediction[0]",
        of_type("RiskAssessment", prediction=[{"probabilityRange": {"low": quantity(1, "%")}}]),
    ),
    ("ras-2", "prediction[0]", of_type("RiskAssessment", prediction=[{"probabilityDecimal": Decimal("100.1")}])),
    ("bdl-1", "", of_type("Bundle", total=1)),
    ("bdl-2", "entry[0]", of_type("Bundle", entry=[{"resource": of_type("Patient"), "search": {"mode": "match"}}])),
    ("bdl-3", "entry[0]", of_type("Bundle", type="transaction", entry=[{"resource": of_type("Patient")}])),
    ("bdl-4", "entry[0]", of_type("Bundle", type="batch-response", entry=[{"resource": of_type("Patient")}])),
    ("bdl-5", "entry[0]", of_type("Bundle", entry=[{"fullUrl": "http://x/Patient/1"}])),
    (
        "bdl-7",
        "entry[1].fullUrl",
        of_type("Bundle", entry=[{"fullUrl": "http://x/Patient/1", "resource": of_type("Patient")}] * 2),
    ),
    (
        "bdl-8",
        "entry[0]",
        of_type("Bundle", entry=[{"fullUrl": "http://x/Patient/1/_history/1", "resource": of_type("Patient")}]),
    ),
    ("bdl-12", "", of_type("Bundle", type="message", entry=[{"resource": of_type("Patient")}])),
    ("ppc-1", "", of_type("Consent")),
    ("lst-1", "", of_type("List", emptyReason=TEXT, entry=[{"item": SUBJECT}])),
    ("lst-2", "entry[1]", of_type("List", entry=[{"item": SUBJECT}, {"item": SUBJECT, "deleted": True}])),
    ("lst-3", "entry[0]", of_type("List", entry=[{"item": SUBJECT, "date": "2024"}])),
    ("org-1", "", of_type("Organization", active=True)),
    ("org-2", "address[0]", of_type("Organization", name="x", address=[{"use": "home"}])),
    (
        "org-3",
        "telecom[1]",
        of_type("Organization", name="x", telecom=[{"use": "work"}, {"use": "home"}]),
    ),
    ("inv-1", "", of_type("Task", authoredOn="2024-01-02", lastModified="2024-01-01")),
    ("inv-1", "parameter[0]", {"resourceType": "Parameters", "parameter": [{"name": "a"}]}),
    ("que-1", "item[0]", of_type("Questionnaire", item=[{"linkId": "a", "type": "group"}])),
    ("que-2", "", of_type("Questionnaire", item=[{"linkId": "a", "type": "string"}] * 2)),
    ("que-3", "item[0]", of_type("Questionnaire", item=[{"linkId": "a", "type": "display", "code": [{"code": "a"}]}])),
    (
        "que-12",
        "item[0]",
        of_type(
            "Questionnaire",
            item=[
                {
                    "linkId": "a",
                    "type": "string",
                    "enableWhen": [{"question": "b", "operator": "exists", "answerBoolean": True}] * 2,
                }
            ],
        ),
    ),
    ("vsd-1", "compose.include[0]", of_type("ValueSet", compose={"include": [{"version": "1"}]})),
    (
        "vsd-2",
        "compose.include[0]",
        of_type("ValueSet", compose={"include": [{"valueSet": ["http://x"], "concept": [{"code": "a"}]}]}),
    ),
]


@pytest.mark.parametrize(("key", "place", "resource"), BROKEN, ids=[key for key, *_ in BROKEN])
def test_a_broken_invariant_is_told_by_place_and_key(key: str, place: str, resource: dict[str, Any]) -> None:
    expected = f"{resource['resourceType']}.{place}".rstrip(".")
    assert told(resource) == [(expected, key)]


@pytest.mark.parametrize(
    "resource",
    [
        extended("Period", {"start": "2024-01-31", "end": "2024-01"}),
        extended("Period", {"start": "2024-01-01T10:00:00Z", "end": "2024-01-01"}),
        extended("Period", {"start": "2024-01-01T10:00:00+02:00", "end": "2024-01-01T09:00:00Z"}),
        extended("Period", {"start": "0001-01-01T00:00:00+14:00", "end": "2024"}),
        extended("Range", {"low": quantity(2, "g"), "high": quantity(1, "kg")}),
        extended("Range", {"low": quantity(1), "high": quantity(1)}),
        extended("Ratio", {"numerator": quantity(1), "denominator": quantity(1)}),
        extended("Timing", {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}),
        of_type(
            "AllergyIntolerance",
            verificationStatus={"coding": [{"system": VERIFICATION, "code": "entered-in-error"}]},
        ),
        of_type("Observation", dataAbsentReason=TEXT, component=[{"code": TEXT, "valueString": "x"}]),
        of_type(
            "CareTeam",
            participant=[{"member": {"reference": "urn:uuid:1"}, "onBehalfOf": {"reference": "Organization/1"}}],
        ),
        of_type("Bundle", type="transaction", entry=[{"request": {"method": "DELETE", "url": "Patient/1"}}]),
        of_type("RiskAssessment", prediction=[{"probabilityDecimal": 100}]),
    ],
)
def test_what_keeps_the_invariants_passes(resource: dict[str, Any]) -> None:
    assert validate(resource) == []


def test_an_element_needs_more_than_an_id() -> None:
    assert told(of_type("Patient", name=[{"id": "a"}])) == [("Patient.name[0]", "ele-1")]
    assert told(of_type("Patient", _birthDate={"id": "a"})) == [("Patient.birthDate", "ele-1")]
    assert told(of_type("Patient", name=[{"given": ["x", None], "_given": [None, {"id": "a"}]}])) == [
        ("Patient.name[0].given[1]", "ele-1")
    ]
    assert validate(of_type("Patient", id="a", birthDate="2024", _birthDate={"id": "a"})) == []


def test_every_invariant_of_r4_is_judged(shared: Path) -> None:
    published = set()
    for name in ("profiles-types", "profiles-resources"):
        content = json.loads(gzip.decompress((shared / f"data/fhir/defs/r4/{name}.json.gz").read_bytes()))
        for definition in (entry["resource"] for entry in content["entry"]):
            if definition["resourceType"] == "StructureDefinition" and definition.get("derivation") != "constraint":
                elements = definition["snapshot"]["element"]
                constraints = (each for element in elements for each in element.get("constraint", ()))
                published |= {each["key"] for each in constraints if each["severity"] == "error"}
    judged = {rule.key for rules in RULES.values() for rule in rules}
    left_out = JUDGED_ELSEWHERE | SAID_BY_CARDINALITY | ALWAYS_TRUE | NOT_OF_R4 | AT_THE_SHARED_ELEMENT
    assert published - judged - left_out == set()
    assert judged - published == set()
