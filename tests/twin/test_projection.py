from datetime import date
from decimal import Decimal
from typing import Any

from fhir.resources.R4B.bundle import Bundle

from fhirtwin.fhir import codec, validator
from fhirtwin.terms.systems import CONCEPT, FACT, GENDER, LOINC, SNOMED, UCUM, profile
from fhirtwin.twin.derived import as_of
from fhirtwin.twin.projection import to_fhir
from fhirtwin.twin.state import Fact, PatientKey, Source, TwinState, Unused
from tests.twin.builders import concept, condition, facts_of, observation, patient, request, smoking

BASE = "https://twin.example/fhir"
STATE = facts_of(
    [
        patient(),
        observation("2160-0", "0.010"),
        smoking(concept("snomed", "8517006")),
        condition("snomed", "22298006", "resolved", abatementDateTime="2022-02-02"),
        request(),
    ]
)


def projected(state: TwinState) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in to_fhir(state, base_url=BASE)["entry"]]


def fact(name: str, state: TwinState = STATE) -> dict[str, Any]:
    (found,) = [r for r in projected(state)[1:] if r["code"]["coding"][0]["code"] == name]
    return found


def extensions(resource: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [e for e in resource.get("extension", []) if e["url"] == profile(name)]


def test_quantity_keeps_digits_unit_time_and_versioned_source() -> None:
    creatinine = fact("creatinine")
    assert creatinine["valueQuantity"] == {"value": Decimal("0.010"), "unit": "mg/dL", "system": UCUM, "code": "mg/dL"}
    assert str(creatinine["valueQuantity"]["value"]) == "0.010"
    assert creatinine["effectiveDateTime"] == "2024-03-01T10:00:00Z"
    reference = {"reference": f"{BASE}/Observation/r1/_history/1", "type": "Observation"}
    assert creatinine["derivedFrom"] == [reference]
    assert extensions(creatinine, "fact-source") == [{"url": profile("fact-source"), "valueReference": reference}]


def test_fact_is_coded_by_our_name_and_by_loinc() -> None:
    assert [(c["system"], c["code"]) for c in fact("creatinine")["code"]["coding"]] == [
        (FACT, "creatinine"),
        (LOINC, "2160-0"),
    ]


def test_code_of_another_system_is_said_beside_it() -> None:
    known = fact("cardiovascular-disease")
    assert [c["system"] for c in known["code"]["coding"]] == [FACT]
    (read_by,) = extensions(known, "fact-coding")
    assert (read_by["valueCoding"]["system"], read_by["valueCoding"]["code"]) == (SNOMED, "22298006")


def test_fact_of_the_past_cannot_be_read_as_one_of_today() -> None:
    known = fact("cardiovascular-disease")
    assert known["valueBoolean"] is True
    assert known["modifierExtension"] == [{"url": profile("fact-past"), "valueBoolean": True}]
    assert known["effectivePeriod"] == {"start": "2020-01-15", "end": "2022-02-02"}
    assert "modifierExtension" not in fact("statin")


def test_words_are_coded() -> None:
    assert fact("sex")["valueCodeableConcept"]["coding"] == [{"system": GENDER, "code": "female"}]
    assert fact("smoking-status")["valueCodeableConcept"]["coding"] == [{"system": CONCEPT, "code": "former"}]
    assert fact("birth-date")["valueDateTime"] == "1970-05-20"


def test_twin_says_its_version_its_lists_and_what_was_not_used() -> None:
    lost = [Unused(Source("", "Observation", i, "1"), "code not known") for i in ("a", "b")]
    state = TwinState(PatientKey("", "p"), 3, (), frozenset({"Procedure", "Condition"}), tuple(lost))
    (twin,) = projected(state)
    assert twin["subject"] == {"reference": f"{BASE}/Patient/p"}
    assert [e["valueUnsignedInt"] for e in extensions(twin, "twin-version")] == [3]
    assert [e["valueCode"] for e in extensions(twin, "list-obtained")] == ["Condition", "Procedure"]
    (not_used,) = extensions(twin, "not-used")
    reason, count, *sources = not_used["extension"]
    assert (reason["valueString"], count["valueUnsignedInt"]) == ("code not known", 2)
    assert [s["valueReference"]["reference"] for s in sources] == [
        f"{BASE}/Observation/{i}/_history/1" for i in ("a", "b")
    ]


def test_reference_to_another_server_stays_as_it_is() -> None:
    ehr = Source("https://ehr.example/fhir", "Observation", "1", "2")
    state = TwinState(
        PatientKey("https://ehr.example/fhir", "p"),
        0,
        (Fact("bmi", Decimal(25), (ehr,), unit="kg/m2", time="2024"),),
        reference="https://ehr.example/fhir/Patient/p",
    )
    twin, bmi = projected(state)
    assert twin["subject"] == bmi["subject"] == {"reference": "https://ehr.example/fhir/Patient/p"}
    assert bmi["derivedFrom"][0]["reference"] == "https://ehr.example/fhir/Observation/1/_history/2"


def test_same_twin_is_the_same_bundle_and_every_entry_has_its_own_name() -> None:
    bundle = to_fhir(STATE, base_url=BASE)
    assert to_fhir(STATE, base_url=BASE) == bundle
    names = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(names)) == len(names)


def test_bundle_is_valid_r4() -> None:
    for state in (STATE, as_of(STATE, date(2024, 6, 1))):
        assert validator.validate(to_fhir(state, base_url=BASE), type="Bundle") == []


def test_bundle_is_read_by_another_implementation_of_fhir() -> None:
    """R4B differs from R4 in nothing that these resources use."""
    bundle = codec.encode(to_fhir(as_of(STATE, date(2024, 6, 1)), base_url=BASE))
    other = Bundle.model_validate_json(bundle)
    assert [e.resource.get_resource_type() for e in other.entry][:2] == ["Basic", "Observation"]
