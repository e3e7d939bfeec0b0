"""What is told quickly is what is told slowly: of whatever is spoilt, in every place, and of what is right."""

from __future__ import annotations

import copy
import gzip
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec, quick, validator
from fhirtwin.fhir.quick import Quick
from fhirtwin.fhir.shapes import Shape
from fhirtwin.fhir.tables import members
from tests.parts import observation, patient

PUT: tuple[Any, ...] = (
    "", " ", "a b", "a\tb", "a\x0bb", "a\u00a0b", "#a", "Patient/x", "Group/x", "https://x.example/Patient/x", "final",
    "2024-02-30", "2024-02-29", "1" * 65, None, True, 0, -1, 2**31, Decimal("1.5"), [], {}, ["a"], [None], [{}],
    {"id": "a"}, {"extension": [{"url": "u", "valueBoolean": True}]}, {"reference": "Patient/x", "type": "Group"},
    {"resourceType": "Patient", "id": "a"}, {"resourceType": "Basic"},
)  # fmt: skip
"""What is put in the place of a value: right there seldom, and for various reasons wrong."""


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every set of members gets a function when it is first met."""
    monkeypatch.setattr(quick, "_OFTEN", 1)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each object or array inside, with each of its keys."""
    for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(item, dict | list):
            yield from places(item)


def spoilt(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The resource with something else in one place, without it, and with a member that is not known or a `_name`."""
    for number, _ in enumerate(list(places(resource))):
        for put in PUT:
            changed = copy.deepcopy(resource)
            where, key = next(itertools.islice(places(changed), number, None))
            where[key] = copy.deepcopy(put)
            yield changed
        changed = copy.deepcopy(resource)
        where, key = next(itertools.islice(places(changed), number, None))
        del where[key]
        yield changed
        if isinstance(key, str):
            for more in ("colour", f"_{key}", "modifierExtension"):
                changed = copy.deepcopy(resource)
                where, key = next(itertools.islice(places(changed), number, None))
                where[more] = {"id": "a"}
                yield changed


RICH = observation(
    "Patient/p",
    "777-3",
    id="o",
    meta={"profile": ["http://example.org/p"], "tag": [{"system": "http://example.org/t", "code": "a"}]},
    text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">text</div>'},
    contained=[{"resourceType": "Device", "id": "d", "status": "active"}],
    device={"reference": "#d"},
    performer=[{"reference": "Practitioner/a"}, {"display": "somebody"}],
    valueQuantity={"value": Decimal("1.50"), "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"},
    referenceRange=[{"low": {"value": 1}, "text": "low to high"}],
    component=[{"code": {"text": "part"}, "valueBoolean": True}],
    extension=[{"url": "http://example.org/e", "valueCodeableConcept": {"coding": [{"code": "a b"}]}}],
)
CONDITION = {
    "resourceType": "Condition",
    "subject": {"reference": "Patient/p"},
    "clinicalStatus": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
    },
    "onsetDateTime": "2024-01-01",
    "evidence": [{"detail": [{"reference": "Observation/o"}]}],
}
BUNDLE = {
    "resourceType": "Bundle",
    "type": "searchset",
    "total": 1,
    "link": [{"relation": "self", "url": "http://example.org"}],
    "entry": [{"fullUrl": "http://example.org/Patient/p", "resource": patient(id="p"), "search": {"mode": "match"}}],
}


@pytest.mark.parametrize("resource", [RICH, CONDITION, BUNDLE, patient(id="p")], ids=lambda r: r["resourceType"])
def test_what_is_spoilt_anywhere_is_told_alike(at_once: None, resource: dict[str, Any]) -> None:
    verdicts = set()
    for changed in (resource, *spoilt(resource)):
        slowly = not validator._resource(changed, {})
        assert validator._is_right(changed, {}) == slowly, changed
        verdicts.add(slowly)
    assert verdicts == {True, False}


def test_official_examples_and_what_was_made_of_them_are_told_alike(at_once: None, shared: Path) -> None:
    examples = [path.read_bytes() for path in sorted((shared / "data/fhir/dev/examples").glob("*.json"))]
    mutants = gzip.decompress((shared / "data/fhir/dev/mutants.ndjson.gz").read_bytes()).splitlines()
    verdicts: Counter[bool] = Counter()
    for read in map(json.loads, mutants):
        examples.append(codec.encode(read.get("resource", read)))
    for data in examples:
        try:
            resource = codec.decode(data)
        except Incorrect:  # the codec's affair
            continue
        slowly = not validator._resource(resource, {})
        assert validator._is_right(resource, {}) == slowly, resource
        verdicts[slowly] += 1
    assert min(verdicts[True], verdicts[False]) >= 25


def make() -> Quick:
    """Of Quantity, without others."""
    shape = Shape("Quantity")
    for name, member in members("Quantity").items():
        shape.add(name, member, lambda *_: None, lambda *_: None)
    return Quick(shape, lambda *_: None, {}, lambda *_: True)


def test_a_set_of_members_gets_a_function_when_it_is_met_often() -> None:
    quantity = make()
    for met in range(20):
        assert quantity.right({"value": 1, "unit": "mg"})
        assert len(quantity.functions) == int(met + 1 >= quick._OFTEN)


def test_orders_of_members_get_no_functions_without_end(at_once: None) -> None:
    quantity = make()
    for names in itertools.islice(itertools.permutations(members("Quantity")), 2000):
        quantity.right(dict.fromkeys(names, "a"))
    assert len(quantity.functions) == quick._MOST
    assert len(quantity._met) <= quick._MOST_COUNTED


def test_members_that_no_type_has_get_no_function(at_once: None) -> None:
    quantity = make()
    quantity.right({"colour": "red"})
    quantity.right({})
    assert quantity.functions == {}
