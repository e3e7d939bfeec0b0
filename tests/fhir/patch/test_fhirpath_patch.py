from __future__ import annotations

import copy
from typing import Any

import pytest

from fhirtwin.errors import Incorrect, TooLarge, Unprocessable
from fhirtwin.fhir.patch import fhirpath_patch, patching
from fhirtwin.fhir.validator import validate

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "birthDate": "1960-05-04",
    "name": [
        {"use": "official", "family": "Keller", "given": ["Maria", "Anna"]},
        {"use": "old", "given": ["Mia"], "_given": [{"extension": [{"url": "http://x", "valueBoolean": True}]}]},
    ],
    "contact": [{"name": {"text": "a"}}],
    "multipleBirthBoolean": True,
}
URL = "http://x"


def operation(type_: str, path: str, **parts: Any) -> dict[str, Any]:
    """An operation; a part given as a dict is its own members, numbers and names are spelled out."""
    made: list[dict[str, Any]] = [{"name": "type", "valueCode": type_}, {"name": "path", "valueString": path}]
    for name, part in parts.items():
        if isinstance(part, dict):
            made.append({"name": name, **part})
        else:
            made.append({"name": name, "valueInteger" if isinstance(part, int) else "valueString": part})
    return {"name": "operation", "part": made}


def patched(*operations: dict[str, Any], resource: dict[str, Any] | None = None) -> dict[str, Any]:
    parameters = {"resourceType": "Parameters", "parameter": list(operations)}
    assert validate(parameters, type="Parameters") == []
    found = fhirpath_patch.apply(fhirpath_patch.parse(parameters), copy.deepcopy(resource or PATIENT))
    assert validate(found) == []
    return found


def names(found: dict[str, Any]) -> list[Any]:
    return [(name.get("family"), name.get("given"), name.get("_given")) for name in found["name"]]


def test_a_list_of_primitives_keeps_its_extensions_in_place() -> None:
    extension = [{"extension": [{"url": URL, "valueBoolean": True}]}]
    path = "Patient.name.where(use = 'old').given"
    more = patched(operation("insert", path, index=0, value={"valueString": "Emilia"}))
    assert names(more)[1] == (None, ["Emilia", "Mia"], [None, *extension])
    assert names(patched(operation("move", path, source=1, destination=0), resource=more))[1] == (
        None,
        ["Mia", "Emilia"],
        [*extension, None],
    )
    gone = patched(operation("delete", f"{path}.where($this = 'Mia')"), resource=more)
    assert names(gone)[1] == (None, ["Emilia"], None)


def test_what_is_left_empty_goes() -> None:
    assert "contact" not in patched(operation("delete", "Patient.contact.name.text"))
    without = patched(operation("delete", "Patient.name[1].given[0].extension[0]"))
    assert names(without)[1] == (None, ["Mia"], None)


def test_an_extension_is_added_to_a_primitive_that_has_none() -> None:
    parts = [{"name": "url", "valueUri": URL}, {"name": "value", "valueCode": "c"}]
    found = patched(operation("add", "Patient.birthDate", name="extension", value={"part": parts}))
    assert (found["birthDate"], found["_birthDate"]) == (
        "1960-05-04",
        {"extension": [{"url": URL, "valueCode": "c"}]},
    )
    again = patched(
        operation("replace", f"Patient.birthDate.extension('{URL}').value", value={"valueString": "s"}), resource=found
    )
    assert again["_birthDate"] == {"extension": [{"url": URL, "valueString": "s"}]}


def test_a_primitive_is_replaced_with_its_extensions() -> None:
    value = {"valueDate": "1961", "_valueDate": {"extension": [{"url": URL, "valueBoolean": True}]}}
    found = patched(operation("replace", "Patient.birthDate", value=value))
    assert (found["birthDate"], found["_birthDate"]) == ("1961", value["_valueDate"])
    bare = patched(operation("replace", "Patient.birthDate", value={"valueDate": "1962"}), resource=found)
    assert (bare["birthDate"], "_birthDate" in bare) == ("1962", False)


def test_a_choice_may_change_its_type() -> None:
    found = patched(operation("replace", "Patient.multipleBirth", value={"valueInteger": 2}))
    assert (found["multipleBirthInteger"], "multipleBirthBoolean" in found) == (2, False)
    with pytest.raises(Incorrect, match="value of this type"):
        patched(operation("replace", "Patient.multipleBirth", value={"valueString": "two"}))
    with pytest.raises(Unprocessable, match="already"):
        patched(operation("add", "Patient", name="multipleBirth", value={"valueInteger": 2}))


def test_an_element_without_a_datatype_comes_in_parts() -> None:
    telecom = {"name": "telecom", "valueContactPoint": {"system": "phone", "value": "1"}}
    parts = [
        telecom,
        telecom,
        {"name": "name", "valueHumanName": {"text": "b"}},
        {"name": "gender", "valueCode": "male"},
    ]
    found = patched(operation("insert", "Patient.contact", index=0, value={"part": parts}))
    assert found["contact"][0] == {
        "telecom": [telecom["valueContactPoint"]] * 2,
        "name": {"text": "b"},
        "gender": "male",
    }


def test_parts_may_have_parts() -> None:
    question = {
        "part": [
            {"name": "linkId", "valueString": "1"},
            {"name": "type", "valueCode": "group"},
            {
                "name": "item",
                "part": [{"name": "linkId", "valueString": "1.1"}, {"name": "type", "valueCode": "display"}],
            },
        ]
    }
    empty = {"resourceType": "Questionnaire", "status": "draft"}
    found = patched(operation("add", "Questionnaire", name="item", value=question), resource=empty)
    assert found["item"] == [{"linkId": "1", "type": "group", "item": [{"linkId": "1.1", "type": "display"}]}]


def test_a_contained_resource_is_added_and_changed() -> None:
    contained = {"resourceType": "Organization", "id": "o", "name": "A"}
    refer = operation("add", "Patient", name="managingOrganization", value={"valueReference": {"reference": "#o"}})
    found = patched(operation("add", "Patient", name="contained", value={"resource": contained}), refer)
    assert found["contained"] == [contained]
    renamed = patched(
        operation("replace", "Patient.contained.where(id = 'o').name", value={"valueString": "B"}), resource=found
    )
    assert renamed["contained"][0]["name"] == "B"


def test_to_delete_what_is_not_there_is_no_error() -> None:
    assert patched(operation("delete", "Patient.photo"), operation("delete", "Patient.name[7]")) == PATIENT


def test_a_list_may_begin_with_an_insertion() -> None:
    found = patched(operation("insert", "Patient.telecom", index=0, value={"valueContactPoint": {"use": "home"}}))
    assert found["telecom"] == [{"use": "home"}]


@pytest.mark.parametrize(
    "wrong",
    [
        operation("replace", "Patient.photo", value={"valueAttachment": {"title": "t"}}),
        operation("replace", "Patient.name.given", value={"valueString": "x"}),
        operation("delete", "Patient.name"),
        operation("add", "Patient.name", name="family", value={"valueString": "x"}),
        operation("add", "Patient", name="birthDate", value={"valueDate": "2000"}),
        operation("add", "Patient.photo", name="title", value={"valueString": "x"}),
        operation("insert", "Patient.name", index=3, value={"valueHumanName": {"text": "x"}}),
        operation("move", "Patient.name", source=2, destination=0),
        operation("move", "Patient.name", source=0, destination=2),
        operation("insert", "Patient.name.given", index=0, value={"valueString": "x"}),
    ],
)
def test_what_does_not_fit_the_resource_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable) as refused:
        patched(operation("delete", "Patient.photo"), wrong)
    assert refused.value.issues[0].expression == ("Parameters.parameter[1]",)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "other", "valueString": "x"},
        {"name": "operation", "part": [{"name": "path", "valueString": "Patient"}]},
        {
            "name": "operation",
            "part": [{"name": "type", "valueString": "delete"}, {"name": "path", "valueString": "x"}],
        },
        operation("upsert", "Patient.photo"),
        operation("delete", "Patient.photo", name="x"),
        operation("add", "Patient", name="active"),
        operation("insert", "Patient.name", value={"valueString": "x"}),
        operation("insert", "Patient.name", index=-1, value={"valueHumanName": {"text": "x"}}),
        operation("move", "Patient.name", source="0", destination=1),
        operation("add", "Patient", name="nonsense", value={"valueString": "x"}),
        operation("add", "Patient", name="multipleBirthInteger", value={"valueInteger": 1}),
        operation("add", "Patient", name="maritalStatus", value={"valueString": "x"}),
        operation("add", "Patient", name="maritalStatus", value={"valueCoding": {"code": "M"}}),
        operation("add", "Patient", name="active", value={"part": [{"name": "x", "valueString": "x"}]}),
        operation("add", "Patient", name="contact", value={"part": [{"name": "x", "valueString": "x"}]}),
        operation(
            "add", "Patient", name="contact", value={"part": [{"name": "gender", "valueCode": "male"} for _ in "ab"]}
        ),
        operation("insert", "Patient.name[0]", index=0, value={"valueHumanName": {"text": "x"}}),
        operation("insert", "Patient.birthDate", index=0, value={"valueDate": "2000"}),
        operation("replace", "Patient", value={"resource": {"resourceType": "Patient"}}),
        operation("delete", "Patient"),
        operation("delete", "Observation.status"),
        operation("delete", "Patient.nonsense"),
    ],
)
def test_what_is_no_operation_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Incorrect) as refused:
        patched(wrong)
    assert refused.value.status == 400
    assert refused.value.issues[0].expression == ("Parameters.parameter[0]",)


def test_each_part_stands_once() -> None:
    twice = operation("delete", "Patient.photo")
    twice["part"].append(twice["part"][0])
    with pytest.raises(Incorrect):
        patched(twice)


def test_a_patch_that_asks_for_too_much_is_refused() -> None:
    many = {**PATIENT, "identifier": [{"value": str(number)} for number in range(2000)]}
    with pytest.raises(TooLarge, match="values"):
        patched(*[operation("delete", "Patient.identifier.where(value = 'x')")] * 1000, resource=many)
    move = operation("move", "Patient.identifier", source=0, destination=1)
    longer = {**PATIENT, "identifier": [{"value": "x"}] * 8000}
    with pytest.raises(TooLarge, match="values"):
        patched(*[move] * 1000, resource=longer)
    with pytest.raises(TooLarge, match="operations"):
        fhirpath_patch.parse({"parameter": [operation("delete", "Patient.photo")] * (patching.MAX_OPERATIONS + 1)})
