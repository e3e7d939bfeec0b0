"""The contract of a mapper, executable: every mapper, ours or another package's, passes `check_mapper`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from fhirtwin.pgx import hgnc
from fhirtwin.terms.facts import CODES, FLAGS, GENES, LISTS, UNITS
from fhirtwin.twin.mapper import Mapper
from fhirtwin.twin.mappers.registry import gate
from fhirtwin.twin.state import Fact, Mapped, Source

Resource = dict[str, Any]

_EXTENSION = {"url": "https://example.org/negates-the-resource", "valueBoolean": True}
_FROM = Source("https://ehr.example/fhir", "", "check", "7")


class CheckFailed(AssertionError):
    """A mapper does not keep what every mapper must keep; the text says which and what."""


def check_mapper(mapper: Mapper, examples: Iterable[Resource]) -> None:
    """Check that a mapper keeps the promises the twin rests on.

    Args:
        mapper: what its module exports as `MAPPER`.
        examples: valid resources of its type, numbers as `int` or `Decimal`, of which each gives at least one fact.

    Raises:
        CheckFailed: a promise is broken; the text says which, for which example.
        Fault: it does not pass the registry's gate.
    """
    gate([mapper])
    given = list(examples)
    _hold(bool(given), f"check_mapper({mapper.type}) needs at least one example that gives a fact")
    source = Source(_FROM.origin, mapper.type, _FROM.id, _FROM.version)
    for number, example in enumerate(given):
        place = f"{mapper.type} example {number}"
        _hold(example.get("resourceType") == mapper.type, f"{place} is not a {mapper.type}")
        made = _read(mapper, example, source, place)
        _hold(bool(made.facts), f"{place} gives no fact")
        for fact in made.facts:
            _check_fact(fact, mapper, source, place)
        for changed, why in _must_not_be_used(example):
            left = _read(mapper, changed, source, f"{place}, {why}")
            _hold(not left.facts, f"{place} still gives facts {why}")
            _hold(bool(left.unused), f"{place} is dropped without a word {why}")
    _check_hollow(mapper, source)


def _hold(promise: bool, text: str) -> None:
    if not promise:
        raise CheckFailed(text)


def _read(mapper: Mapper, resource: Resource, source: Source, place: str) -> Mapped:
    """Read twice, and see that nothing but the result came of it."""
    before = copy.deepcopy(resource)
    first, second = mapper.read(resource, source), mapper.read(resource, source)
    _hold(resource == before, f"{place}: the mapper changed the resource it was given")
    _hold(first == second, f"{place}: the mapper read the same resource in two ways")
    for unused in first.unused:
        _hold(unused.source == source, f"{place}: an unused part names another source")
        _hold(bool(unused.reason), f"{place}: an unused part gives no reason")
    return first


def _check_fact(fact: Fact, mapper: Mapper, source: Source, place: str) -> None:
    place = f"{place}, fact {fact.name}"
    _hold(fact.name in mapper.facts, f"{place} is not among the facts the mapper declares")
    _hold(fact.sources == (source,), f"{place} does not name its source, and that alone")
    _hold(bool(fact.system) == bool(fact.code), f"{place} has a code without a system, or a system without a code")
    if fact.name in UNITS:
        _hold(fact.unit == UNITS[fact.name], f"{place} is not in {UNITS[fact.name]}")
        exact = isinstance(fact.value, Decimal) and fact.value.is_finite()
        _hold(exact, f"{place} has no exact number")
        _hold(bool(fact.time), f"{place} has no time")
    elif fact.name in GENES:
        _hold(isinstance(fact.value, str) and bool(fact.value), f"{place} does not say what")
        _hold(fact.system == hgnc.SYSTEM and fact.code in hgnc.SYMBOLS, f"{place} does not name its gene by HGNC")
    elif fact.name in LISTS:
        _hold(isinstance(fact.value, str) and bool(fact.value), f"{place} does not say which")
    elif fact.name in FLAGS:
        _hold(isinstance(fact.value, bool), f"{place} is not true or false")
    else:
        words = CODES.get(fact.name, ())
        _hold(isinstance(fact.value, str), f"{place} is not a word")
        _hold(not words or fact.value in words, f"{place} is none of {', '.join(words)}")


def _must_not_be_used(example: Resource) -> Iterator[tuple[Resource, str]]:
    """The example with something added that forbids using it, and what that is."""
    yield {**example, "modifierExtension": [_EXTENSION]}, "with an unknown modifier extension"
    yield {**example, "implicitRules": "https://example.org/rules"}, "under unknown implicit rules"
    if "status" in example:
        yield {**example, "status": "entered-in-error"}, "entered in error"
    if example["resourceType"] == "AllergyIntolerance":
        yield {**example, "verificationStatus": _verified("entered-in-error")}, "entered in error"
        yield {**example, "verificationStatus": _verified("refuted")}, "refuted"
    if example["resourceType"] == "Condition":
        coding = {"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "entered-in-error"}
        yield {**example, "verificationStatus": {"coding": [coding]}}, "entered in error"


def _verified(code: str) -> Resource:
    system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
    return {"coding": [{"system": system, "code": code}]}


def _check_hollow(mapper: Mapper, source: Source) -> None:
    """A resource that says nothing gives nothing, and is no reason to fall over."""
    hollow: dict[str, Callable[[], Resource]] = {
        "without any element": lambda: {"resourceType": mapper.type},
        "with an absent code": lambda: {"resourceType": mapper.type, "code": {"text": "words alone"}},
    }
    for why, build in hollow.items():
        made = _read(mapper, build(), source, f"{mapper.type} {why}")
        _hold(not made.facts, f"a {mapper.type} {why} gives facts")
