from decimal import Decimal
from typing import Any

import pytest

from fhirtwin.terms.systems import LOINC, UCUM
from tests.twin.builders import blood_pressure, concept, observation, only, quantity, read, reason, smoking


@pytest.mark.parametrize(
    ("code", "value", "unit", "name", "expected"),
    [
        ("2093-3", "200", "mg/dL", "total-cholesterol", "200"),
        ("2093-3", "5.172", "mmol/L", "total-cholesterol", "200"),
        ("14647-2", "5.172", "mmol/L", "total-cholesterol", "200"),
        ("2085-9", "50", "mg/dL", "hdl-cholesterol", "50"),
        ("14646-4", "1.293", "mmol/L", "hdl-cholesterol", "50"),
        ("8480-6", "120", "mm[Hg]", "systolic-bp", "120"),
        ("39156-5", "27.4", "kg/m2", "bmi", "27.4"),
        ("29463-7", "80", "kg", "body-weight", "80"),
        ("8302-2", "175", "cm", "body-height", "175"),
        ("2160-0", "0.010", "mg/dL", "creatinine", "0.010"),
        ("38483-4", "1.1", "mg/dL", "creatinine", "1.1"),
        ("14682-9", "88.4", "umol/L", "creatinine", "1"),
        ("98979-8", "55", "mL/min/{1.73_m2}", "egfr", "55"),
        ("9318-7", "30", "mg/g", "uacr", "30"),
        ("14959-1", "30", "mg/g{creat}", "uacr", "30"),
        ("32294-1", "3", "mg/mmol", "uacr", "26.52"),
        ("4548-4", "6.5", "%", "hba1c", "6.5"),
        ("2823-3", "5.2", "mEq/L", "potassium", "5.2"),
        ("6298-4", "5.2", "mmol/L", "potassium", "5.2"),
        ("2601-3", "0.8", "mmol/L", "magnesium", "1.9444"),
        ("14749-6", "7.0", "mmol/L", "glucose", "126.1092"),
        ("14631-6", "17.104", "umol/L", "bilirubin-total", "1.0000246992"),
        ("3016-3", "2.5", "u[IU]/mL", "tsh", "2.5"),
        ("6301-6", "2.4", "{INR}", "inr", "2.4"),
        ("751-8", "1500", "/uL", "neutrophils", "1.5"),
        ("751-8", "0", "10*3/uL", "neutrophils", "0"),
        ("14334-7", "0.8", "meq/L", "lithium-level", "0.8"),
        ("14334-7", "0.0", "mmol/L", "lithium-level", "0"),
        ("10535-3", "1.1", "ug/L", "digoxin-level", "1.1"),
        ("8636-3", "0.48", "s", "qtc-interval", "480"),
        ("76634-5", "455", "ms", "qtc-interval", "455"),
    ],
)
def test_result_becomes_a_fact_in_the_canonical_unit(
    code: str, value: str, unit: str, name: str, expected: str
) -> None:
    fact = only(observation(code, value, unit))
    assert (fact.name, fact.value, fact.time) == (name, Decimal(expected), "2024-03-01T10:00:00Z")
    assert (fact.system, fact.code) == (LOINC, code)


def test_fact_keeps_the_digits_and_names_the_version_it_was_read_from() -> None:
    fact = only(observation("2160-0", "0.010"))
    assert str(fact.value) == "0.010"
    assert [s.reference for s in fact.sources] == ["Observation/r1/_history/1"]


def test_conversion_is_noted() -> None:
    assert only(observation("14682-9", "88.4", "umol/L")).note == "converted from umol/L"
    assert only(observation("8480-6", "120", "mmHg")).note == ""


@pytest.mark.parametrize("panel", ["85354-9", "55284-4"])
def test_blood_pressure_panel_is_read_through_its_components(panel: str) -> None:
    made = read(blood_pressure("128", "82", panel))
    assert {f.name: f.value for f in made.facts} == {"systolic-bp": 128, "diastolic-bp": 82}
    assert made.unused == ()


def test_component_without_a_value_leaves_the_other_one() -> None:
    panel = blood_pressure("128", "82")
    panel["component"][1] = {"code": concept("loinc", "8462-4"), "dataAbsentReason": concept("x", "error")}
    made = read(panel)
    assert [f.name for f in made.facts] == ["systolic-bp"]
    assert [u.reason for u in made.unused] == ["diastolic-bp: the result says that its value is absent"]


def test_panel_that_only_points_at_its_members_is_nothing_and_no_loss() -> None:
    made = read(observation("57698-3", valueQuantity=None, hasMember=[{"reference": "Observation/1"}]))
    assert (made.facts, made.unused) == ((), ())


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_status_that_stands_is_used(status: str) -> None:
    assert only(observation("2093-3", "200", status=status)).value == 200


@pytest.mark.parametrize("status", ["registered", "preliminary", "cancelled", "entered-in-error", "unknown", None])
def test_status_that_does_not_stand_is_not_used(status: str | None) -> None:
    assert reason(observation("2093-3", "200", status=status)) == "its status is not final, amended or corrected"


@pytest.mark.parametrize("sign", ["<", "<=", ">=", ">"])
def test_bound_is_not_a_value(sign: str) -> None:
    bounded = observation("98979-8", valueQuantity=quantity("90", "mL/min/{1.73_m2}", comparator=sign))
    assert reason(bounded) == "egfr: its value is a bound (<, >), not a value"


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity"])
def test_value_that_cannot_be_is_not_used(value: str) -> None:
    assert reason(observation("2160-0", value)) == "creatinine: its value is not above zero, which cannot be"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"valueQuantity": None}, "creatinine: it has no quantity"),
        ({"valueQuantity": None, "valueString": "0.9 mg/dL"}, "creatinine: it has no quantity"),
        ({"valueQuantity": {"unit": "mg/dL", "system": UCUM, "code": "mg/dL"}}, "creatinine: it has no value"),
        ({"valueQuantity": {"value": True, "unit": "mg/dL"}}, "creatinine: it has no value"),
        ({"valueQuantity": {"value": Decimal("0.9")}}, "creatinine: it has no unit"),
        (
            {"valueQuantity": {"value": Decimal("0.9"), "unit": "milligrams per decilitre"}},
            "creatinine: the unit cannot be converted: creatinine is taken in mg/dL, umol/L, mmol/L",
        ),
        (
            {
                "valueQuantity": {
                    "value": Decimal("0.9"),
                    "unit": "mg/dL",
                    "system": "http://x.org",
                    "code": "258797006",
                }
            },
            "creatinine: its unit is not coded in UCUM",
        ),
        (
            {"valueQuantity": quantity("0.9", "g/L")},
            "creatinine: the unit cannot be converted: creatinine is taken in mg/dL, umol/L, mmol/L",
        ),
        ({"dataAbsentReason": concept("x", "unknown")}, "creatinine: the result says that its value is absent"),
        ({"effectiveDateTime": None}, "it does not say when it was measured"),
        ({"effectiveDateTime": None, "effectiveTiming": {}}, "it does not say when it was measured"),
        ({"focus": [{"reference": "Patient/child"}]}, "it is about something other than the patient (focus)"),
        ({"code": {"text": "Creatinine"}}, "it has no code"),
        ({"code": concept("loinc", "2161-8")}, "code not known"),
        ({"code": concept("http://example.org/lab", "2160-0")}, "code not known"),
    ],
)
def test_result_that_cannot_be_used_says_why(wrong: dict[str, Any], why: str) -> None:
    assert reason(observation("2160-0", "0.9", **wrong)) == why


def test_unit_may_be_told_by_its_text_alone_when_that_is_ucum() -> None:
    assert only(observation("2160-0", valueQuantity={"value": Decimal("0.9"), "unit": "mg/dL"})).value == Decimal("0.9")


@pytest.mark.parametrize(
    ("effective", "time"),
    [
        ({"effectiveInstant": "2024-03-01T10:00:00.5Z"}, "2024-03-01T10:00:00.5Z"),
        ({"effectivePeriod": {"start": "2024-03-01", "end": "2024-03-02"}}, "2024-03-02"),
        ({"effectivePeriod": {"start": "2024-03-01"}}, "2024-03-01"),
        ({"effectiveDateTime": "2024"}, "2024"),
    ],
)
def test_every_form_of_effective_gives_a_time(effective: dict[str, Any], time: str) -> None:
    assert only(observation("2160-0", "0.9", **({"effectiveDateTime": None} | effective))).time == time


def test_known_coding_is_found_beside_local_ones() -> None:
    both = {"coding": [{"system": "http://lab.example", "code": "CREA"}, concept("loinc", "2160-0")["coding"][0]]}
    assert only(observation("2160-0", "0.9", code=both)).name == "creatinine"


def test_codings_that_disagree_are_not_used() -> None:
    both = {"coding": [*concept("loinc", "2160-0")["coding"], *concept("loinc", "2093-3")["coding"]]}
    assert reason(observation("2160-0", "0.9", code=both)) == "its codes mean different things"


def test_codings_of_two_equations_are_not_used() -> None:
    both = {"coding": [*concept("loinc", "98979-8")["coding"], *concept("loinc", "33914-3")["coding"]]}
    assert reason(observation("98979-8", "55", "mL/min/{1.73_m2}", code=both)) == "its codes mean different things"


def test_mdrd_egfr_is_not_taken_for_ckd_epi() -> None:
    assert "CKD-EPI 2021" in reason(observation("33914-3", "62.1", "mL/min/{1.73_m2}"))


@pytest.mark.parametrize(
    ("system", "code", "status"),
    [
        ("snomed", "449868002", "current"),
        ("snomed", "428041000124106", "current"),
        ("snomed", "77176002", "current"),
        ("snomed", "8517006", "former"),
        ("snomed", "266919005", "never"),
        ("loinc", "LA18976-3", "current"),
        ("loinc", "LA15920-4", "former"),
        ("loinc", "LA18978-9", "never"),
    ],
)
def test_smoking_answer_is_current_former_or_never(system: str, code: str, status: str) -> None:
    assert only(smoking(concept(system, code))).value == status


@pytest.mark.parametrize(
    "answer",
    [
        concept("snomed", "266927001"),
        concept("loinc", "LA18980-5"),
        concept("loinc", "LA18979-7"),
        concept("snomed", "77176002", display="Smoker, current status unknown"),
        {"text": "Never smoker"},
        {"coding": [*concept("snomed", "8517006")["coding"], *concept("snomed", "266919005")["coding"]]},
        {"coding": [*concept("snomed", "266919005")["coding"], *concept("snomed", "266927001")["coding"]]},
        {"coding": [*concept("loinc", "LA18978-9")["coding"], *concept("loinc", "LA18980-5")["coding"]]},
    ],
)
def test_unknown_or_contradictory_smoking_answer_is_no_answer(answer: dict[str, Any]) -> None:
    assert reason(smoking(answer)) == "smoking-status: its answer is unknown, or not one that is known here"


@pytest.mark.parametrize(("answer", "value"), [("77386006", True), ("60001007", False)])
def test_pregnancy_status_is_read(answer: str, value: bool) -> None:
    said = observation("82810-3", valueQuantity=None, valueCodeableConcept=concept("snomed", answer))
    assert only(said).value is value


def test_unknown_pregnancy_status_is_no_answer() -> None:
    said = observation("82810-3", valueQuantity=None, valueCodeableConcept=concept("snomed", "261665006"))
    assert reason(said).startswith("pregnancy: its answer is unknown")


@pytest.mark.parametrize("place", ["resource", "component", "value"])
def test_unknown_modifier_extension_anywhere_forbids_the_whole_resource(place: str) -> None:
    extension = [{"url": "https://example.org/not", "valueBoolean": True}]
    panel = blood_pressure("128", "82")
    target = {"resource": panel, "component": panel["component"][0], "value": panel["component"][0]["valueQuantity"]}
    target[place]["modifierExtension"] = extension
    assert reason(panel) == "it carries a modifier extension that is not known here"


def test_implicit_rules_forbid_the_resource() -> None:
    ruled = observation("2160-0", "0.9", implicitRules="https://example.org/rules")
    assert reason(ruled) == "it follows implicit rules that are not known here"
