"""The contract of mappers: ours keep it, and a mapper that breaks a promise is caught."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fhirtwin.errors import Fault
from fhirtwin.testing.mappers import CheckFailed, check_mapper
from fhirtwin.twin.mapper import Mapper, Resource
from fhirtwin.twin.mappers.registry import all_mappers, gate
from fhirtwin.twin.state import Fact, Mapped, Source, Unused
from tests.twin.builders import (
    blood_pressure,
    concept,
    condition,
    observation,
    patient,
    procedure,
    request,
    smoking,
    statement,
)
from tests.twin.genomics.builders import genotype, haplotype, implication, molecular_sequence, variant

EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "AllergyIntolerance": [{"resourceType": "AllergyIntolerance", "code": concept("rxnorm", "723"), "type": "allergy"}],
    "Patient": [patient(), patient(deceasedBoolean=True)],
    "Observation": [
        observation("2093-3", "200"),
        blood_pressure("120", "80"),
        smoking(concept("snomed", "8517006")),
        genotype("CYP2C19", "CYP2C19 *1/*17"),
        haplotype("CYP2D6", "*4"),
        variant("CYP2C19", "rs4244285", "A"),
        implication("CYP2C19 Poor Metabolizer"),
    ],
    "MolecularSequence": [molecular_sequence(94781858, "G", "A")],
    "Condition": [condition("snomed", "44054006"), condition("icd", "I13.2", "resolved")],
    "Procedure": [procedure("265764009")],
    "MedicationRequest": [request(), request("29046", status="stopped")],
    "MedicationStatement": [statement()],
}
OBSERVATION = all_mappers()["Observation"]
EXAMPLE = observation("2093-3", "200")


@pytest.mark.parametrize("type_", sorted(all_mappers()))
def test_every_mapper_keeps_the_contract(type_: str) -> None:
    check_mapper(all_mappers()[type_], EXAMPLES[type_])


def test_there_is_a_mapper_for_every_type_the_twin_reads() -> None:
    assert set(all_mappers()) == set(EXAMPLES)


Change = Callable[[Mapped], Mapped]


def altered(**members: Any) -> Change:
    return lambda made: Mapped(tuple(dataclasses.replace(f, **members) for f in made.facts), made.unused)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (altered(name="hdl-cholesterol", unit="mmol/L"), "is not in mg/dL"),
        (altered(value=200.0), "has no exact number"),
        (altered(value=Decimal("NaN")), "has no exact number"),
        (altered(time=""), "has no time"),
        (altered(sources=(Source("", "Observation", "other"),)), "does not name its source"),
        (altered(system=""), "a code without a system"),
        (altered(name="sex", value="other"), "is not among the facts"),
        (lambda made: Mapped(), "gives no fact"),
        (lambda made: Mapped(made.facts, (Unused(Source("", "X", "1"), "why"),)), "names another source"),
    ],
)
def test_mapper_that_breaks_a_promise_is_caught(change: Change, text: str) -> None:
    broken = Mapper("Observation", OBSERVATION.facts, lambda r, s: change(OBSERVATION.read(r, s)))
    with pytest.raises(CheckFailed, match=text):
        check_mapper(broken, [EXAMPLE])


def test_mapper_that_ignores_modifier_extensions_is_caught() -> None:
    def careless(resource: Resource, source: Source) -> Mapped:
        return OBSERVATION.read({k: v for k, v in resource.items() if k != "modifierExtension"}, source)

    with pytest.raises(CheckFailed, match="still gives facts with an unknown modifier extension"):
        check_mapper(Mapper("Observation", OBSERVATION.facts, careless), [EXAMPLE])


def test_mapper_that_changes_its_resource_is_caught() -> None:
    def careless(resource: Resource, source: Source) -> Mapped:
        resource["code"]["text"] = "read"
        return OBSERVATION.read(resource, source)

    with pytest.raises(CheckFailed, match="changed the resource"):
        check_mapper(Mapper("Observation", OBSERVATION.facts, careless), [observation("2093-3", "200")])


def test_mapper_that_remembers_is_caught() -> None:
    seen: list[Resource] = []

    def careless(resource: Resource, source: Source) -> Mapped:
        seen.append(resource)
        return Mapped((Fact("sex", "male", (source,), time=str(len(seen))),))

    with pytest.raises(CheckFailed, match="in two ways"):
        check_mapper(Mapper("Observation", frozenset({"sex"}), careless), [EXAMPLE])


def test_mapper_that_drops_in_silence_is_caught() -> None:
    silent = Mapper("Observation", OBSERVATION.facts, lambda r, s: Mapped(OBSERVATION.read(r, s).facts))
    with pytest.raises(CheckFailed, match="dropped without a word"):
        check_mapper(silent, [EXAMPLE])


def test_check_without_an_example_is_no_check() -> None:
    with pytest.raises(CheckFailed, match="at least one example"):
        check_mapper(OBSERVATION, [])


@pytest.mark.parametrize(
    ("candidates", "text"),
    [
        ([OBSERVATION, OBSERVATION], "two mappers read Observation"),
        (["observation"], r"must be a fhirtwin\.twin\.mapper\.Mapper"),
        ([Mapper("Observation", frozenset({"mood"}), OBSERVATION.read)], "mood"),
        ([Mapper("Observation", frozenset({"current-smoker"}), OBSERVATION.read)], "current-smoker"),
    ],
)
def test_gate_refuses(candidates: list[Any], text: str) -> None:
    with pytest.raises(Fault, match=text):
        gate(candidates)
