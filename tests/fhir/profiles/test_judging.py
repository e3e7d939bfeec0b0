from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhirtwin.errors import Unsupported
from fhirtwin.fhir import profiles
from fhirtwin.fhir.budget import Budget
from fhirtwin.fhir.profiles import constraints, judging
from tests.fhir.profiles.builders import URL, Json, Loaded, judged, profile, sliced, told
from tests.parts import observation, patient

OBSERVATION = observation("Patient/p")
CONSTRAINT = {"key": "x-1", "severity": "error", "human": "x"}


def test_what_conforms_has_no_issue() -> None:
    wanted = profile(
        {"path": "Observation.subject", "min": 1, "max": "1"},
        {"path": "Observation.value[x]", "min": 1, "max": "1", "type": [{"code": "Quantity"}]},
        {"path": "Observation.value[x].system", "min": 1, "fixedUri": "http://unitsofmeasure.org"},
    )
    assert judged(OBSERVATION, wanted) == []


@pytest.mark.parametrize(
    ("element", "code", "place"),
    [
        ({"path": "Observation.bodySite", "min": 1}, "required", "Observation.bodySite"),
        ({"path": "Observation.subject", "max": "0"}, "structure", "Observation.subject"),
        ({"path": "Observation.value[x]", "type": [{"code": "string"}]}, "structure", "Observation.value"),
        ({"path": "Observation.status", "fixedCode": "amended"}, "value", "Observation.status"),
        ({"path": "Observation.code", "fixedCodeableConcept": {"coding": []}}, "value", "Observation.code"),
        (
            {"path": "Observation.code", "patternCodeableConcept": {"coding": [{"code": "1-8"}]}},
            "value",
            "Observation.code",
        ),
        ({"path": "Observation.value[x].value", "minValueDecimal": 201}, "value", "Observation.value.value"),
        ({"path": "Observation.value[x].value", "maxValueDecimal": 199}, "value", "Observation.value.value"),
        (
            {"path": "Observation.value[x]", "maxValueQuantity": {"value": 3, "code": "mg/dL", "system": "http://unitsofmeasure.org"}},
            "value",
            "Observation.value",
        ),
        (
            {"path": "Observation.effective[x]", "maxValueDateTime": "2023"},
            "value",
            "Observation.effective",
        ),
        ({"path": "Observation.value[x].unit", "maxLength": 4}, "value", "Observation.value.unit"),
        (
            {"path": "Observation.subject", "type": [{"code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Group"]}]},
            "value",
            "Observation.subject.reference",
        ),
        (
            {"path": "Observation.status", "binding": {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/administrative-gender"}},
            "code-invalid",
            "Observation.status",
        ),
        (
            {"path": "Observation", "constraint": [{**CONSTRAINT, "expression": "note.exists()"}]},
            "invariant",
            "Observation",
        ),
    ],
)  # fmt: skip
def test_what_does_not_conform_is_an_error_at_its_place(element: Json, code: str, place: str) -> None:
    assert told(judged(OBSERVATION, profile(element))) == {("error", code, place)}


def test_a_pattern_takes_more_than_it_names_and_a_fixed_value_does_not() -> None:
    coding = {"system": "http://loinc.org", "code": "2093-3"}
    shown = observation("Patient/p", code=None) | {"code": {"coding": [{**coding, "display": "Cholesterol"}]}}
    assert judged(shown, profile({"path": "Observation.code.coding", "patternCoding": coding})) == []
    assert len(judged(shown, profile({"path": "Observation.code.coding", "fixedCoding": coding}))) == 1
    assert judged(OBSERVATION, profile({"path": "Observation.code.coding", "fixedCoding": coding})) == []


def test_numbers_are_compared_by_value_and_true_is_not_one() -> None:
    wanted = profile({"path": "Patient.multipleBirth[x]", "fixedInteger": 1}, type_="Patient")
    assert judged(patient(multipleBirthInteger=1), wanted) == []
    assert len(judged(patient(multipleBirthBoolean=True), wanted)) == 1
    exact = profile({"path": "Observation.value[x].value", "fixedDecimal": Decimal("200.0")})
    assert judged(OBSERVATION, exact) == []


def test_an_element_that_is_absent_asks_nothing_of_its_children() -> None:
    wanted = profile({"path": "Observation.method", "min": 0}, {"path": "Observation.method.text", "min": 1})
    assert judged(OBSERVATION, wanted) == []
    assert told(judged(OBSERVATION | {"method": {"id": "m"}}, wanted)) == {
        ("error", "required", "Observation.method.text")
    }


def test_an_extension_beside_a_primitive_is_found() -> None:
    wanted = profile({"path": "Patient.birthDate.extension", "min": 1}, type_="Patient")
    assert len(judged(patient(), wanted)) == 1
    beside = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueDateTime": "1960"}]
    }
    assert judged(patient(_birthDate=beside), wanted) == []


def test_an_extensible_binding_is_a_warning() -> None:
    binding = {"strength": "extensible", "valueSet": "http://hl7.org/fhir/ValueSet/administrative-gender"}
    assert told(judged(OBSERVATION, profile({"path": "Observation.code", "binding": binding}))) == {
        ("warning", "code-invalid", "Observation.code")
    }


@pytest.mark.parametrize(
    "element",
    [
        {"path": "Observation.code", "binding": {"strength": "required", "valueSet": "http://example.org/ValueSet/nowhere"}},
        {"path": "Observation", "constraint": [{**CONSTRAINT, "expression": "subject.resolve() is Patient"}]},
        {"path": "Observation", "constraint": [CONSTRAINT]},
        {"path": "Observation.value[x]", "type": [{"code": "Quantity", "profile": [f"{URL}/nowhere"]}]},
    ],
)  # fmt: skip
def test_what_cannot_be_checked_is_told_and_is_no_error(element: Json) -> None:
    (issue,) = judged(OBSERVATION, profile(element))
    assert (issue.severity, issue.code) == ("information", "not-supported")


def test_a_warning_of_a_profile_stays_one() -> None:
    constraint = {"key": "x-1", "severity": "warning", "human": "better", "expression": "note.exists()"}
    (issue,) = judged(OBSERVATION, profile({"path": "Observation", "constraint": [constraint]}))
    assert (issue.severity, issue.text) == ("warning", "better (x-1)")


def test_constraints_of_r4_itself_are_left_to_the_first_judgement() -> None:
    constraint = {"key": "obs-6", "severity": "error", "human": "x", "expression": "false"}
    assert judged(OBSERVATION, profile({"path": "Observation", "constraint": [constraint]})) == []


def test_a_differential_is_judged_with_its_bases() -> None:
    base = profile({"path": "Observation.subject", "min": 1}, name="base", snapshot=False)
    derived = profile({"path": "Observation.note", "min": 1}, name="derived", snapshot=False, base=base["url"])
    bare = {name: value for name, value in OBSERVATION.items() if name != "subject"}
    assert {place for _, _, place in told(judged(bare, derived, base))} == {"Observation.subject", "Observation.note"}


def test_a_base_that_is_not_known_is_told() -> None:
    derived = profile({"path": "Observation.note", "min": 0}, snapshot=False, base=f"{URL}/nowhere")
    assert told(judged(OBSERVATION, derived)) == {("information", "not-supported", "Observation")}


def test_a_profile_of_another_type_is_an_error() -> None:
    assert told(judged(patient(), profile())) == {("error", "value", "Patient")}


def test_a_target_at_hand_is_judged_by_the_profile_of_the_reference() -> None:
    named = profile({"path": "Patient.name", "min": 1}, name="named", type_="Patient")
    wanted = profile({"path": "Observation.subject", "type": [{"code": "Reference", "targetProfile": [named["url"]]}]})
    contained = observation("#p") | {"contained": [patient(id="p")]}
    assert told(judged(contained, wanted, named)) == {("error", "value", "Observation.subject.reference")}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": "urn:uuid:1", "resource": patient(name=[{"family": "x"}])}],
    }
    there = profiles.judge(observation("urn:uuid:1"), wanted["url"], Loaded(wanted, named), container=bundle)
    assert there == []


def test_one_profile_of_several_is_enough() -> None:
    quantity = [
        profile({"path": "Quantity.code", "fixedCode": code}, name=code, type_="Quantity") for code in ("a", "mg/dL")
    ]
    types = [{"code": "Quantity", "profile": [one["url"] for one in quantity]}]
    wanted = profile({"path": "Observation.value[x]", "type": types})
    assert judged(OBSERVATION, wanted, *quantity) == []
    types[0]["profile"] = [quantity[0]["url"]]
    assert told(judged(OBSERVATION, wanted, *quantity)) == {("error", "value", "Observation.value.code")}


def test_profiles_that_lead_to_one_another_come_to_an_end() -> None:
    again = profile({"path": "Observation.contained", "type": [{"code": "Observation", "profile": [f"{URL}/p"]}]})
    nested = OBSERVATION | {"contained": [{**OBSERVATION, "id": "a"}]}
    assert judged(nested, again) == []


def test_a_judgement_that_takes_too_much_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "MAX_STEPS", 3)
    issues = judged(
        OBSERVATION, profile(*({"path": f"Observation.{name}"} for name in ("code", "status", "subject", "value[x]")))
    )
    assert told(issues) == {("error", "too-costly", "Observation")}


@pytest.mark.parametrize(
    "broken",
    [
        {"snapshot": {"element": []}},
        {"snapshot": {"element": [{"path": "Patient.name"}]}},
        {"snapshot": {"element": [{"path": "Observation.code"}] * 5001}},
    ],
)
def test_a_profile_that_cannot_be_used_says_why(broken: dict[str, Any]) -> None:
    with pytest.raises(Unsupported):
        profiles.compile_profile(profile() | broken)
    assert told(judged(OBSERVATION, profile() | broken)) == {("information", "not-supported", "Observation")}


def test_vital_signs_of_r4_are_known() -> None:
    url = "http://hl7.org/fhir/StructureDefinition/bodyweight"
    weight = observation("Patient/p", "29463-7")
    assert {issue.severity for issue in profiles.judge(weight, url, profiles.KnownToR4())} == {"error"}
    vital = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]
    }
    right = {"value": 70, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
    whole = weight | {"category": [vital], "valueQuantity": right}
    assert profiles.judge(whole, url, profiles.KnownToR4()) == []
    wrong_unit = whole | {"valueQuantity": right | {"code": "cm"}}
    assert told(profiles.judge(wrong_unit, url, profiles.KnownToR4())) == {
        ("error", "code-invalid", "Observation.value.code")
    }


def nested(depth: int) -> Json:
    return profile({"path": ".".join(["Observation", *["code"] * depth])})


def test_hostile_profiles_are_refused_or_come_to_an_end() -> None:
    for hostile in (
        nested(100),
        profile({"path": "Observation.code", "patternCodeableConcept": {"coding": [{"code": "a"}] * 1000}}),
    ):
        assert told(judged(OBSERVATION, hostile)) == {("information", "not-supported", "Observation")}
    assert judged(OBSERVATION, profile({"path": "Observation.note", "max": "9" * 10_000})) == []
    circle = [profile(name=a, snapshot=False, base=f"{URL}/{b}") for a, b in (("a", "b"), ("b", "a"))]
    assert judged(OBSERVATION, *circle) == []
    chain = [profile(name=f"c{n}", snapshot=False, base=f"{URL}/c{n + 1}") for n in range(100)]
    assert told(judged(OBSERVATION, *chain)) == {("error", "too-costly", "Observation")}


def test_slices_whose_profile_leads_to_itself_cannot_be_told() -> None:
    itself = profile(
        {"path": "Quantity", "type": [{"code": "Quantity", "profile": [f"{URL}/q"]}]}, name="q", type_="Quantity"
    )
    wanted = profile(
        sliced("Observation.component", ("value", "value")),
        {"path": "Observation.component", "sliceName": "s", "min": 1},
        {"path": "Observation.component.value[x]", "type": [{"code": "Quantity", "profile": [itself["url"]]}]},
    )
    made = observation("Patient/p", component=[{"code": {"text": "x"}, "valueQuantity": {"value": 1}}])
    assert told(judged(made, wanted, itself)) == {("information", "not-supported", "Observation.component")}


def test_a_budget_bounds_slow_constraints_together() -> None:
    slow = {
        "key": "x",
        "severity": "error",
        "human": "x",
        "expression": "descendants().where(%resource.descendants().count() > 0).exists()",
    }
    wanted = profile({"path": "Bundle.entry", "constraint": [slow]}, type_="Bundle")
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": {**OBSERVATION}} for _ in range(300)],
    }
    issues = profiles.judge(bundle, wanted["url"], Loaded(wanted), budget=Budget(0.3, 1000))
    assert {issue.code for issue in issues} == {"too-costly"}


def test_a_budget_stops_the_library_and_nobody_elses_code() -> None:
    import fhirpathpy

    reached = []

    def watched() -> None:
        with constraints._deadline(0.0):
            for number in range(1000):  # what the garbage collector runs in between must end, late as it may be
                reached.append(str(number).strip())
                Budget(1.0, 1)
            fhirpathpy.evaluate({"resourceType": "Patient"}, "descendants().count()")
            reached.append("never")

    with pytest.raises(constraints._Late):
        watched()
    assert len(reached) == 1000


def test_an_expression_that_fails_is_told_and_logged_without_what_it_met(caplog: pytest.LogCaptureFixture) -> None:
    broken = {"key": "x-1", "severity": "error", "human": "x", "expression": "status.nosuch("}
    wanted = profile({"path": "Observation", "constraint": [broken]})
    with caplog.at_level("INFO", "fhirtwin.fhir"):
        assert told(judged(OBSERVATION, wanted)) == {("information", "not-supported", "Observation")}
    (record,) = [one for one in caplog.records if one.name == "fhirtwin.fhir"]
    assert record.getMessage().startswith("constraint 'x-1' was not evaluated: ")
    assert str(OBSERVATION["status"]) not in record.getMessage()
