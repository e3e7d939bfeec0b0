from __future__ import annotations

import pytest

from fhirtwin.fhir.profiles.slicing import steps
from tests.fhir.profiles.builders import URL, Json, judged, profile, sliced, told
from tests.parts import observation, patient

SYSTOLIC, DIASTOLIC, OTHER = "8480-6", "8462-4", "9999-9"


def panel(*codes: str, **members: object) -> Json:
    parts = [{"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, **members} for code in codes]
    return observation("Patient/p", valueQuantity=None, component=parts or None)


def by_code(rules: str = "open", *, ordered: bool = False, low: int = 1) -> Json:
    return profile(
        sliced("Observation.component", ("value", "code.coding.code"), rules=rules, ordered=ordered),
        {"path": "Observation.component", "sliceName": "systolic", "min": low, "max": "1"},
        {"path": "Observation.component.code.coding.code", "fixedCode": SYSTOLIC},
        {"path": "Observation.component", "sliceName": "diastolic", "min": 0, "max": "1"},
        {"path": "Observation.component.code", "patternCodeableConcept": {"coding": [{"code": DIASTOLIC}]}},
        {"path": "Observation.component.code.coding.code", "fixedCode": DIASTOLIC},
        {"path": "Observation.component.value[x]", "max": "0"},
    )


@pytest.mark.parametrize("codes", [(SYSTOLIC,), (SYSTOLIC, DIASTOLIC), (OTHER, DIASTOLIC, SYSTOLIC)])
def test_open_slices_take_others_in_any_order(codes: tuple[str, ...]) -> None:
    assert judged(panel(*codes), by_code()) == []


@pytest.mark.parametrize(
    ("codes", "code", "place"),
    [
        ((DIASTOLIC,), "required", "Observation.component"),
        ((SYSTOLIC, SYSTOLIC), "structure", "Observation.component"),
    ],
)
def test_each_slice_is_counted(codes: tuple[str, ...], code: str, place: str) -> None:
    assert told(judged(panel(*codes), by_code())) == {("error", code, place)}


def test_what_a_slice_says_counts_for_its_members_only() -> None:
    issues = judged(panel(SYSTOLIC, DIASTOLIC, OTHER, valueString="x"), by_code())
    assert told(issues) == {("error", "structure", "Observation.component[1].value")}


def test_closed_slices_take_no_others() -> None:
    assert told(judged(panel(SYSTOLIC, OTHER), by_code("closed"))) == {
        ("error", "structure", "Observation.component[1]")
    }


def test_slices_open_at_the_end_take_others_there() -> None:
    assert judged(panel(SYSTOLIC, OTHER), by_code("openAtEnd")) == []
    assert len(judged(panel(OTHER, SYSTOLIC), by_code("openAtEnd"))) == 1


def test_ordered_slices_stand_in_order() -> None:
    assert judged(panel(SYSTOLIC, OTHER, DIASTOLIC), by_code(ordered=True)) == []
    assert len(judged(panel(DIASTOLIC, SYSTOLIC), by_code(ordered=True))) == 1


def test_slices_by_existence() -> None:
    wanted = profile(
        sliced("Observation.component", ("exists", "interpretation")),
        {"path": "Observation.component", "sliceName": "with", "max": "1"},
        {"path": "Observation.component.interpretation", "min": 1},
        {"path": "Observation.component", "sliceName": "without", "max": "0"},
        {"path": "Observation.component.interpretation", "max": "0"},
    )
    assert judged(panel(OTHER, interpretation=[{"text": "high"}]), wanted) == []
    assert len(judged(panel(OTHER), wanted)) == 1


def test_slices_of_a_choice_by_type() -> None:
    wanted = profile(
        sliced("Observation.value[x]", ("type", "$this"), rules="closed"),
        {"path": "Observation.value[x]", "sliceName": "valueQuantity", "min": 1, "type": [{"code": "Quantity"}]},
        {"path": "Observation.value[x].code", "min": 1},
    )
    assert judged(observation("Patient/p"), wanted) == []
    text = judged(observation("Patient/p", valueQuantity=None, valueString="x"), wanted)
    assert told(text) == {("error", "structure", "Observation.value"), ("error", "required", "Observation.value")}


def test_slices_by_type_of_what_a_reference_points_at() -> None:
    target = {"code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Patient"]}
    wanted = profile(
        sliced("Observation.performer", ("type", "resolve()")),
        {"path": "Observation.performer", "sliceName": "self", "min": 1, "max": "1", "type": [target]},
    )
    there = observation("Patient/p", performer=[{"reference": "#a"}], contained=[patient(id="a")])
    assert judged(there, wanted) == []


def test_entries_of_a_bundle_by_profile() -> None:
    named = profile({"path": "Patient.name", "min": 1}, name="named", type_="Patient")
    wanted = profile(
        sliced("Bundle.entry", ("profile", "resource")),
        {"path": "Bundle.entry", "sliceName": "patient", "min": 1, "max": "1"},
        {"path": "Bundle.entry.resource", "type": [{"code": "Patient", "profile": [named["url"]]}]},
        type_="Bundle",
    )
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient()}]}
    assert told(judged(bundle, wanted, named)) == {("error", "required", "Bundle.entry")}
    bundle["entry"].append({"resource": patient(name=[{"text": "x"}])})  # type: ignore[attr-defined]
    assert judged(bundle, wanted, named) == []


def test_extensions_are_told_apart_by_the_url_of_their_profile() -> None:
    own = profile(
        {"path": "Extension.url", "fixedUri": f"{URL}/own"},
        {"path": "Extension.value[x]", "min": 1, "type": [{"code": "boolean"}]},
        name="own",
        type_="Extension",
    )
    extension = {"code": "Extension", "profile": [own["url"]]}
    wanted = profile(
        {"path": "Patient.extension", "sliceName": "own", "min": 1, "max": "1", "type": [extension]}, type_="Patient"
    )
    assert told(judged(patient(), wanted, own)) == {("error", "required", "Patient.extension")}
    assert judged(patient(extension=[{"url": own["url"], "valueBoolean": True}]), wanted, own) == []
    wrong = patient(extension=[{"url": own["url"], "valueString": "yes"}])
    assert told(judged(wrong, wanted, own)) == {("error", "structure", "Patient.extension[0].value")}


def test_slices_of_a_slice() -> None:
    wanted = profile(
        sliced("Patient.identifier", ("value", "system")),
        sliced("Patient.identifier", ("value", "use")) | {"sliceName": "a", "max": "2", "min": 1},
        {"path": "Patient.identifier.system", "fixedUri": "http://a"},
        {"path": "Patient.identifier", "sliceName": "a/old", "max": "1", "min": 1},
        {"path": "Patient.identifier.use", "fixedCode": "old"},
        type_="Patient",
    )  # fmt: skip
    old, usual = ({"system": "http://a", "use": use, "value": "1"} for use in ("old", "usual"))
    assert judged(patient(identifier=[old, usual]), wanted) == []
    assert len(judged(patient(identifier=[usual]), wanted)) == 1


@pytest.mark.parametrize("discriminator", [("value", "code"), ("value", "code!"), ("profile", "$this")])
def test_slices_that_cannot_be_told_apart_are_told(discriminator: tuple[str, str]) -> None:
    wanted = profile(
        sliced("Observation.component", discriminator),
        {"path": "Observation.component", "sliceName": "some", "min": 1},
    )
    assert told(judged(panel(OTHER), wanted)) == {("information", "not-supported", "Observation.component")}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$this", ["$this"]),
        ("code.coding.code", ["code", "coding", "code"]),
        ("extension('http://a.b/c').value", ["extension('http://a.b/c')", "value"]),
        ("subject.resolve().name", ["subject", "resolve()", "name"]),
        ("value.ofType(Quantity).code", ["value", "ofType(Quantity)", "code"]),
        ("a.where(b)", None),
        ("", None),
        ("a..b", None),
    ],
)
def test_paths_of_discriminators(path: str, found: list[str] | None) -> None:
    assert steps(path) == found
