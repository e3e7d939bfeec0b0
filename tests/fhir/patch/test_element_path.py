from __future__ import annotations

import time
from typing import Any

import pytest

from fhirtwin.errors import Incorrect, Unprocessable
from fhirtwin.fhir import codec
from fhirtwin.fhir.patch import element_path
from fhirtwin.fhir.patch.elements import Element
from fhirtwin.fhir.patch.patching import Work

OBSERVATION = codec.decode(
    b"""{"resourceType": "Observation", "id": "o", "status": "final", "effectiveDateTime": "2024-05-01T10:00:00+02:00",
    "contained": [{"resourceType": "Patient", "id": "p", "active": true, "name": [{"given": ["A", "B"]}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9", "userSelected": true}]},
    "extension": [{"url": "http://x", "valueString": "it's"}, {"url": "http://y", "valueString": "\\"q\\""}],
    "component": [
      {"code": {"coding": [{"code": "8480-6"}, {"code": "SYS"}]}, "valueQuantity": {"value": 120.0, "unit": "mm[Hg]"}},
      {"code": {"coding": [{"code": "8462-4"}]}, "valueQuantity": {"value": 80}},
      {"code": {"text": "position"}, "valueString": "sitting"}]}"""
)


def found(path: str) -> list[Any]:
    root = Element(None, "", None, "Observation", (OBSERVATION, None))
    return [one.value for one in element_path.parse(path, "Observation").elements(root, Work())]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("Observation.status", ["final"]),
        ("status", ["final"]),
        ("Resource.id", ["o"]),
        ("DomainResource.id", ["o"]),
        ("Observation . component [ 1 ] . value . value", [80]),
        ("Observation.component.value.ofType(Quantity).unit", ["mm[Hg]"]),
        ("Observation.component.value.as(FHIR.string)", ["sitting"]),
        ("Observation.component.code.coding.first().code", ["8480-6"]),
        ("Observation.component.code.coding.last().code", ["8462-4"]),
        ("Observation.component[0].code.coding[7].code", []),
        ("Observation.component.where(code.coding.where(code = '8462-4').exists()).value.value", [80]),
        ("Observation.component.where(code.coding.exists(code = 'SYS')).value.value", [120]),
        ("Observation.component.where(code.coding.code = '8462-4').value.value", [80]),
        ("Observation.component.where(value.value = 120).value.unit", ["mm[Hg]"]),
        ("Observation.component.where(value.value != 120 and value.exists()).value.value", [80]),
        ("Observation.component.where(code.text = 'position' or value.value = 80).value", [{"value": 80}, "sitting"]),
        ("Observation.component.where((code.text = 'position').not()).value", []),
        ("Observation.component.where(code.text.empty()).value.value", [120, 80]),
        ("Observation.component.where(code.text.exists().not() and (value.value = 1 or true)).value.value", [120, 80]),
        ("Observation.component.tail().value.ofType(Quantity).value", [80]),
        ("Observation.component.skip(1).take(1).value.value", [80]),
        ("Observation.extension.single().url", None),
        ("Observation.code.single().coding.code", ["85354-9"]),
        ("Observation.where(component.exists() and identifier.exists().not()).status", ["final"]),
        ("Observation.component.where(exists() and not().not()).value.value", [120, 80]),
        ("Observation.extension('http://x').value", ["it's"]),
        ("Observation.extension.where(value = 'it\\'s').url", ["http://x"]),
        ("Observation.extension.where(value = '\"q\"').url", ["http://y"]),
        ("Observation.extension.where(value = '\\\"q\\\"' and url = 'http:\\/\\/y').url", ["http://y"]),
        ("Observation.code.coding.where(userSelected).code", ["85354-9"]),
        ("Observation.code.coding.where(userSelected = false).code", []),
        ("Observation.effective.where($this = @2024-05-01T08:00:00Z)", ["2024-05-01T10:00:00+02:00"]),
        ("Observation.effective.where($this = @2024-05-01)", []),
        ("Observation.status.where($this = @2024)", []),
        ("Observation.contained.where(id = 'p').name.given", ["A", "B"]),
        ("Observation.contained.where(name.given = 'A').id", []),
        ("Observation.contained.ofType(Patient).`active`", [True]),
        ("Observation.contained.where(active = 1).id", []),
    ],
)
def test_a_path_leads_to_elements(path: str, values: list[Any] | None) -> None:
    if values is None:
        with pytest.raises(Unprocessable):
            found(path)
    else:
        assert found(path) == values


@pytest.mark.parametrize(
    "path",
    [
        "",
        "  ",
        "Observation.",
        "Observation..status",
        ".status",
        "Observation status",
        "Patient.name",
        "Observation.nonsense",
        "Observation.valueQuantity",
        "Observation.component[-1]",
        "Observation.component[1.5]",
        "Observation.component[x]",
        "Observation.component[9999999999]",
        "Observation.component[0",
        "Observation.subject.resolve()",
        "Observation.component.where()",
        "Observation.component.where(code",
        "Observation.component.where(code =)",
        "Observation.component.where(= 'x')",
        "Observation.component.where(code = 'x' 'y')",
        "Observation.component.where(value > 1)",
        "Observation.component.where(value.iif(true, 1, 2))",
        "Observation.component.exists()",
        "Observation.component.where($this exists())",
        "Observation.component.where(value.exists() exists())",
        "Observation.component.select(code)",
        "Observation.component | Observation.code",
        "Observation.extension(http)",
        "Observation.value.ofType(Nonsense)",
        "Observation.$this",
        "Observation.status.where($this = 'a\\q')",
        "Observation.status.where($this = @2024-13)",
        "Observation.status = 'final'",
        "%resource.status",
        "Observation.where(" * 20 + "true" + ")" * 20,
        "Observation" + ".component" * 200,
    ],
)
def test_what_cannot_be_read_or_is_not_offered_is_refused(path: str) -> None:
    with pytest.raises(Incorrect) as refused:
        found(path)
    assert refused.value.status == 400


@pytest.mark.parametrize("unit", ["a or ", "(", "$this.not().", "'", "\\'", "`", "x.exists(", "[0]", "@", "1"])
def test_a_long_path_costs_little(unit: str) -> None:
    path = "Observation.component.where(" + unit * 400
    began = time.process_time()
    for text in (path[:1000], path):
        with pytest.raises(Incorrect):
            found(text)
    assert time.process_time() - began < 0.5
