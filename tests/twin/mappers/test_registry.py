"""Where mappers are found, and that no mapper falls over whatever a resource holds."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import Fault
from fhirtwin.fhir import codec
from fhirtwin.twin.mappers import registry
from fhirtwin.twin.mappers.registry import all_mappers, map_resource
from fhirtwin.twin.state import Source
from tests.twin.builders import blood_pressure, concept, condition, patient, procedure, request, smoking, statement

RESOURCES = [
    patient(deceasedBoolean=True),
    blood_pressure("120", "80"),
    smoking(concept("snomed", "8517006")),
    condition("icd", "I13.2", abatementPeriod={"start": "2024"}),
    procedure("265764009"),
    request(
        dispenseRequest={"validityPeriod": {"end": "2024"}},
        dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": {"end": "2024"}}}}],
    ),
    statement(medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[{"id": "m"}]),
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in members:
        yield (*path, name)
        yield from places(value, (*path, name))


@given(st.data())
def test_no_mapper_raises_whatever_stands_where_in_a_resource(data: st.DataObject) -> None:
    resource = copy.deepcopy(data.draw(st.sampled_from(RESOURCES)))
    type_ = resource["resourceType"]
    path = data.draw(st.sampled_from([p for p in places(resource) if p != ("resourceType",)]))
    node: Any = resource
    for name in path[:-1]:
        node = node[name]
    node[path[-1]] = data.draw(anything)
    made = map_resource(resource, Source("", type_, "1"))
    assert all(fact.name in all_mappers()[type_].facts for fact in made.facts)


def test_every_official_example_is_read(shared: Path) -> None:
    folder = shared / "data/fhir/dev/examples"
    seen = 0
    for path in sorted(folder.glob("*.json")):
        if path.name.partition("-")[0] in all_mappers():
            resource = codec.decode(path.read_bytes())
            map_resource(resource, Source("", resource["resourceType"], "1"))
            seen += 1
    assert seen > 50


def test_every_mutant_of_an_official_example_is_read(shared: Path) -> None:
    seen = 0
    with gzip.open(shared / "data/fhir/dev/mutants.ndjson.gz") as file:
        for line in file:
            found = json.loads(line)
            resource = found.get("resource", found)
            if isinstance(resource, dict) and resource.get("resourceType") in all_mappers():
                map_resource(resource, Source("", resource["resourceType"], "1"))
                seen += 1
    assert seen > 50


def test_mapper_of_another_package_is_found_and_passes_the_same_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    def entries(group: str) -> list[EntryPoint]:
        return [EntryPoint("again", "fhirtwin.twin.mappers.patient:MAPPER", group)]

    monkeypatch.setattr(registry, "entry_points", entries)
    all_mappers.cache_clear()
    try:
        with pytest.raises(Fault, match="two mappers read Patient"):
            all_mappers()
    finally:
        all_mappers.cache_clear()
