from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.errors import Issue
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import MAX_ISSUES, RESOURCE_TYPES, is_resource_type, validate
from tests.cost import growth

ROOT = Path(__file__).resolve().parents[2]

DEFECTIVE_EXAMPLES = {
    "DeviceMetric-example.json",  # parent is a DeviceDefinition where only a Device may stand
    "MedicationRequest-medrx0301.json",  # a Practitioner dispenses where only an Organization may
    "Observation-clinical-gender.json",  # an Encounter performs
    "Questionnaire-qs1.json",  # items without linkId
}
"""Official examples that break R4's structure themselves."""


def observation(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, **more}


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **more}


def told(resource: Any, **named: Any) -> list[tuple[str, str]]:
    """Code and place of each issue."""
    return [(issue.code, *issue.expression) for issue in validate(resource, **named)]


# ---- elements and cardinality --------------------------------------------------------------------------------------


def test_a_right_resource_has_no_issues() -> None:
    assert validate(observation(valueQuantity={"value": Decimal("0.010"), "unit": "mg/dL"})) == []


def test_an_unknown_element_is_named() -> None:
    assert told(patient(surname="x")) == [("structure", "Patient.surname")]
    assert told(patient(name=[{"family": "a"}, {"first": "b"}])) == [("structure", "Patient.name[1].first")]


def test_a_name_that_is_no_element_name_is_not_repeated() -> None:
    (issue,) = validate(patient(**{"Miller, Ann": 1}))
    assert issue.expression == ("Patient",)
    assert "Miller" not in issue.text


def test_a_missing_required_element_is_named_by_its_element() -> None:
    assert told({"resourceType": "Observation", "status": "final"}) == [("required", "Observation.code")]
    request = {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": {"display": "x"}}
    assert told(request) == [("required", "MedicationRequest.medication")]


def test_a_required_primitive_may_consist_of_an_extension_only() -> None:
    absent = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
    }
    assert validate({"resourceType": "Observation", "_status": absent, "code": {"text": "x"}}) == []


def test_one_value_and_many_are_told_apart() -> None:
    assert told(patient(name={"family": "x"})) == [("structure", "Patient.name")]
    assert told(patient(gender=["male"])) == [("structure", "Patient.gender")]
    assert told(patient(name=[{"given": "x"}])) == [("structure", "Patient.name[0].given")]


def test_empty_objects_arrays_strings_and_nulls_are_refused() -> None:
    assert told(patient(name=[])) == [("structure", "Patient.name")]
    assert told(patient(name=[{}])) == [("structure", "Patient.name[0]")]
    assert told(patient(maritalStatus={})) == [("structure", "Patient.maritalStatus")]
    assert told(patient(gender="")) == [("value", "Patient.gender")]
    assert told(patient(gender=None)) == [("structure", "Patient.gender")]
    assert told(patient(name=[None])) == [("structure", "Patient.name[0]")]
    assert told(patient(name=[{"given": [None]}])) == [("structure", "Patient.name[0].given[0]")]


def test_every_problem_is_told_up_to_a_number() -> None:
    assert told(patient(gender=1, birthDate="x", active="y")) == [
        ("structure", "Patient.gender"),
        ("value", "Patient.birthDate"),
        ("structure", "Patient.active"),
    ]
    issues = validate(patient(name=[{}] * 10_000))
    assert len(issues) == MAX_ISSUES + 1
    assert issues[-1].severity == "information"


def test_texts_never_repeat_a_value() -> None:
    secret = "Miller Ann"
    resources = [
        patient(birthDate=secret, id=secret, gender=f" {secret}", photo=[{"data": secret, "url": secret}]),
        observation(
            valueQuantity={"value": secret}, effectiveInstant=secret, subject={"reference": f"Device/{secret}"}
        ),
        {"resourceType": secret},
        observation(performer=[{"reference": "Device/MillerAnn"}]),
    ]
    for resource in resources:
        issues = validate(resource)
        assert issues
        assert not any("Miller" in issue.text or "Miller" in "".join(issue.expression) for issue in issues)


# ---- primitives ----------------------------------------------------------------------------------------------------

PRIMITIVES: dict[str, tuple[list[Any], list[Any]]] = {
    "Boolean": ([True, False], ["true", 1, 0, None]),
    "Integer": ([0, -1, 2**31 - 1, -(2**31)], [2**31, -(2**31) - 1, Decimal("1.0"), "1", True]),
    "PositiveInt": ([1, 2**31 - 1], [0, -1, 2**31]),
    "UnsignedInt": ([0, 2**31 - 1], [-1, 2**31]),
    "Decimal": ([1, Decimal("0.010"), Decimal("-1E+2")], ["1.0", True, 1.5]),
    "String": (["a", " ", "a\n\tb", "\u00e9\U0001f600", "x" * 1_048_576], ["", "a\x0bb", "x" * 1_048_577, 1]),
    "Markdown": (["# a\n\nb"], ["", "x" * 1_048_577]),
    "Code": (["a", "a b"], ["", " a", "a ", "a  b", "a\tb", "\n"]),
    "Id": (["a", "A-1.b", "x" * 64], ["", "a_b", "x" * 65, "a\n"]),
    "Uri": (["a", "urn:x:y", "http://a/b#c"], ["", "a b", "a\n"]),
    "Url": (["http://a"], ["http://a b"]),
    "Canonical": (["http://a|1.0#b"], ["http://a b"]),
    "Oid": (["urn:oid:1.2.0"], ["urn:oid:3.1", "1.2.3", "urn:oid:1.02", "urn:oid:1"]),
    "Uuid": (
        ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
        ["urn:uuid:C757873D-EC9A-4326-A141-556F43239520", "c757873d-ec9a-4326-a141-556f43239520"],
    ),
    "Base64Binary": (
        ["QQ==", "QUI=", "QUJD", "QUJD\n QUJD\r\n"],
        ["", " ", "Q", "QQ=", "QQ==QQ==", "Q!==", "QUJD\u00a0QUJD"],
    ),
    "Date": (
        ["2024", "2024-02", "2024-02-29", "1900-12-31", "0001"],
        [
            "0000",
            "2023-02-29",
            "1900-02-29",
            "2024-04-31",
            "2024-13",
            "2024-00-01",
            "24-01-01",
            "2024-1-1",
            "2024-01-01T00:00:00Z",
        ],
    ),
    "DateTime": (
        [
            "2024",
            "2024-02-29",
            "2024-02-29T23:59:60Z",
            "2024-01-01T00:00:00.1234567+14:00",
            "2024-01-01T00:00:00-00:00",
        ],
        [
            "2024-01-01T00:00:00",
            "2024-01-01T00:00Z",
            "2024-02-30T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:00+14:01",
        ],
    ),
    "Instant": (
        ["2024-02-29T00:00:00Z"],
        ["2024", "2024-02-29", "2023-02-29T00:00:00Z", "2024-02-29T00:00:00", "\u0662024-02-29T00:00:00Z"],
    ),
    "Time": (["00:00:00", "23:59:60", "12:00:00.5"], ["24:00:00", "12:00", "12:00:00Z"]),
}


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, (right, _) in PRIMITIVES.items() for value in right]
)
def test_right_primitives_pass(kind: str, value: Any) -> None:
    assert validate(patient(extension=[{"url": "http://x", f"value{kind}": value}])) == []


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, (_, wrong) in PRIMITIVES.items() for value in wrong]
)
def test_wrong_primitives_are_refused_at_their_place(kind: str, value: Any) -> None:
    (issue,) = validate(patient(extension=[{"url": "http://x", f"value{kind}": value}]))
    assert issue.expression == ("Patient.extension[0].value",)
    assert issue.code in ("structure", "value")


def test_base64_that_would_take_the_published_pattern_for_ever_is_judged_at_once() -> None:
    def judged(size: int) -> None:
        assert told(patient(photo=[{"data": "AAAA " * size + "A"}])) == [("value", "Patient.photo[0].data")]

    assert growth(judged, 25_000) < 24


# ---- the `_name` members -------------------------------------------------------------------------------------------

EXTENSION = {"extension": [{"url": "http://x", "valueCode": "a"}]}


def test_extensions_of_primitives_stand_beside_them() -> None:
    assert validate(patient(birthDate="1970", _birthDate=EXTENSION)) == []
    assert validate(patient(_birthDate=EXTENSION)) == []
    assert validate(patient(name=[{"given": ["a", None], "_given": [None, EXTENSION]}])) == []


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ({"given": ["a"], "_given": [None, EXTENSION]}, "given"),
        ({"given": ["a", "b"], "_given": [EXTENSION]}, "given"),
        ({"given": ["a", None], "_given": [EXTENSION, None]}, "given[1]"),
        ({"given": "a", "_given": [EXTENSION]}, "given"),
        ({"_given": EXTENSION}, "given"),
        ({"_given": [None]}, "given[0]"),
        ({"_given": [{}]}, "given[0]"),
        ({"_given": [{"value": "a"}]}, "given[0].value"),
        ({"_given": ["a"]}, "given[0]"),
        ({"_family": [EXTENSION]}, "family"),
        ({"_period": EXTENSION}, "_period"),
    ],
)
def test_misplaced_extensions_of_primitives_are_refused(name: dict[str, Any], place: str) -> None:
    issues = validate(patient(name=[name]))
    assert issues
    assert all(issue.code == "structure" for issue in issues)
    assert f"Patient.name[0].{place.removeprefix('_') if place == '_given' else place}" in [
        i.expression[0] for i in issues
    ]


# ---- choices, extensions, references, nested resources -------------------------------------------------------------


def test_a_choice_takes_one_value_of_an_allowed_type() -> None:
    assert told(observation(valueString="a", valueInteger=1)) == [("structure", "Observation.value")]
    assert told(observation(valueString="a", _valueInteger=EXTENSION)) == [("structure", "Observation.value")]
    assert validate(observation(valueString="a", _valueString=EXTENSION)) == []
    assert told(observation(valueMoney={"value": 1})) == [("structure", "Observation.valueMoney")]
    assert told(observation(value="a")) == [("structure", "Observation.value")]
    assert told(patient(deceasedBoolean=True, deceasedDateTime="2024")) == [("structure", "Patient.deceased")]


def test_an_extension_has_a_url_and_a_value_or_extensions() -> None:
    inner = {"url": "a", "valueCode": "b"}
    assert validate(patient(extension=[{"url": "http://x", "extension": [inner]}])) == []
    assert told(patient(extension=[{"valueCode": "a"}])) == [("required", "Patient.extension[0].url")]
    assert told(patient(extension=[{"url": "http://x"}])) == [("invariant", "Patient.extension[0]")]
    assert told(patient(extension=[{**inner, "extension": [inner]}])) == [("invariant", "Patient.extension[0]")]


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Patient/1"},
        {"reference": "Patient/1/_history/2"},
        {"reference": "https://a.example/fhir/Group/1"},
        {"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},
        {"reference": "#"},
        {"reference": "Patient?identifier=a|b"},
        {"reference": "https://a.example/any/thing"},
        {"identifier": {"value": "x"}, "type": "Patient"},
        {"display": "x"},
    ],
)
def test_references_to_an_allowed_or_untold_type_pass(reference: dict[str, Any]) -> None:
    assert validate(observation(subject=reference)) == []


@pytest.mark.parametrize(
    ("reference", "place"),
    [
        ({"reference": "Practitioner/1"}, "reference"),
        ({"reference": "https://a.example/fhir/Practitioner/1/_history/2"}, "reference"),
        ({"reference": "Practitioner?identifier=a"}, "reference"),
        ({"type": "Practitioner", "identifier": {"value": "x"}}, "type"),
    ],
)
def test_references_to_another_type_are_refused(reference: dict[str, Any], place: str) -> None:
    assert told(observation(subject=reference)) == [("value", f"Observation.subject.{place}")]


def test_nested_resources_are_judged_by_their_own_type() -> None:
    wrong = patient(gender=1)
    assert told(observation(contained=[wrong])) == [("structure", "Observation.contained[0].gender")]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient()}, {"resource": wrong}]}
    assert told(bundle) == [("structure", "Bundle.entry[1].resource.gender")]
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "a", "resource": wrong}]}
    assert told(parameters) == [("structure", "Parameters.parameter[0].resource.gender")]
    assert told(observation(contained=[{"id": "a"}])) == [("required", "Observation.contained[0].resourceType")]


def test_the_outcome_of_a_bundle_entry_is_any_resource() -> None:
    entry = {"response": {"status": "200", "outcome": patient()}}
    assert validate({"resourceType": "Bundle", "type": "transaction-response", "entry": [entry]}) == []


def test_content_references_and_datatype_profiles_are_followed() -> None:
    component = {"code": {"text": "x"}, "referenceRange": [{"low": {"value": 1, "comparator": "<"}}]}
    assert told(observation(component=[component])) == [
        ("structure", "Observation.component[0].referenceRange[0].low.comparator")
    ]


def test_the_expected_type_and_the_prefix_of_the_places() -> None:
    assert told(patient(gender=1), type="Observation", prefix="prefetch.x") == [
        ("structure", "prefetch.x.gender"),
        ("invalid", "prefetch.x.resourceType"),
    ]


@pytest.mark.parametrize("value", [None, [], "Patient", 1, {}])
def test_what_is_no_object_is_an_issue_not_an_exception(value: Any) -> None:
    (issue,) = validate(value, type="Patient")
    assert isinstance(issue, Issue)
    assert issue.expression[0].startswith("Patient")


@pytest.mark.parametrize("name", [None, 1, [], "patient", "SubscriptionStatus", "DomainResource", "Quantity"])
def test_only_types_of_r4_are_resources(name: Any) -> None:
    assert [issue.expression for issue in validate({"resourceType": name, "id": "a"})] == [("Resource.resourceType",)]
    assert not isinstance(name, str) or not is_resource_type(name)


def test_r4_has_146_resource_types_that_can_be_stored() -> None:
    assert len(RESOURCE_TYPES) == 146
    assert is_resource_type("VisionPrescription")


# ---- against data from elsewhere -----------------------------------------------------------------------------------


def test_official_examples_pass_but_for_the_defective_ones(shared: Path) -> None:
    paths = sorted((shared / "data/fhir/dev/examples").glob("*.json"))
    assert len(paths) > 150
    refused = {path.name for path in paths if validate(codec.decode(path.read_bytes()))}
    assert refused == DEFECTIVE_EXAMPLES


def test_synthetic_records_pass(shared: Path) -> None:
    paths = sorted((shared / "data/fhir/dev/synthea").glob("*.json.gz"))
    assert len(paths) == 12
    for path in paths:
        assert validate(codec.decode(gzip.decompress(path.read_bytes()))) == [], path.name


def test_every_mutant_is_found(shared: Path) -> None:
    lines = gzip.decompress((shared / "data/fhir/dev/mutants.ndjson.gz").read_bytes()).splitlines()
    mutants = [codec.decode(line) for line in lines]
    assert len(mutants) == 1_201
    assert [m["id"] for m in mutants if not validate(m["resource"])] == []


def test_judging_is_fast(shared: Path) -> None:
    """Measured in a process of its own, since a coverage run slows what it traces."""
    command = [sys.executable, "-m", "tests.fhir.judging_speed", str(shared)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    printed = subprocess.run(
        command, env=environ, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    ).stdout
    figures = json.loads(printed)
    assert figures["observations per CPU-second"] >= 16_000
    assert figures["prefetch of 51 KB, CPU-milliseconds"] <= 2.0


def test_the_table_is_what_the_definitions_compile_to(shared: Path) -> None:
    from fhirtwin.fhir.compile_tables import TABLE, compile_table

    assert compile_table(shared / "data/fhir/defs/r4") == TABLE.read_text(encoding="ascii")
    assert "SubscriptionStatus" not in json.loads(TABLE.read_text(encoding="ascii"))["types"]
