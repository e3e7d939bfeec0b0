"""Slices: which slice of an element a value belongs to.

Where that cannot be told, because a discriminator needs what is not here or what the profile does not say, the answer
is None, and whoever asks tells that the slice was not checked.

*Source*: http://hl7.org/fhir/R4/profiling.html#discriminator.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from fhirtwin.errors import Unsupported
from fhirtwin.fhir.budget import Budget
from fhirtwin.fhir.profiles.elements import Discriminator, Element, Type
from fhirtwin.fhir.profiles.items import Item
from fhirtwin.fhir.profiles.known import R4, Known
from fhirtwin.fhir.tables import TYPES, lineage
from fhirtwin.fhir.terminology import value_sets

_STEP: Final = re.compile(r"\$this|resolve\(\)|extension\('([^']+)'\)|(?:ofType|as)\(([A-Za-z]+)\)|[A-Za-z]+(?:\[x\])?")

MAX_PROFILES: Final = 5
"""Profiles that are followed from one to the next to see what tells a slice."""


class Judging(Protocol):
    """What slicing asks of the judgement it is part of."""

    known: Known
    budget: Budget

    def resolve(self, reference: Item) -> Item | None:
        """Give the resource that a reference points at, where that is at hand."""
        ...

    def conforms(self, item: Item, canonical: str) -> bool | None:
        """Tell whether a value conforms to a profile; None where that is not known."""
        ...


def matches(item: Item, slice_: Element, discriminators: tuple[Discriminator, ...], judging: Judging) -> bool | None:
    """Tell whether a value belongs to a slice.

    Args:
        item: the value.
        slice_: what the profile says of the slice.
        discriminators: of the slicing; without any, nothing can be told.
        judging: the judgement at hand.
    """
    answers = {_discriminate(item, slice_, one, judging) for one in discriminators}
    if False in answers:
        return False
    return None if None in answers or not answers else True


def steps(path: str) -> list[str] | None:
    """Take a discriminator's path apart; None where it is of no form that R4 allows."""
    found, position = [], 0
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            return None
        found.append(step[0])
        position = step.end()
        if position < len(path):
            if path[position] != ".":
                return None
            position += 1
    return found if found else None


def _discriminate(item: Item, slice_: Element, one: Discriminator, judging: Judging) -> bool | None:
    judging.budget.spend()
    path = steps(one.path)
    if path is None:
        return None
    try:
        wanted = _described([slice_], path, judging.known)
    except Unsupported:
        return None
    values = _selected(item, path, judging)
    match one.kind:
        case "value" | "pattern":
            return _by_value(values, wanted, judging)
        case "exists":
            return _by_existence(values, wanted)
        case "type":
            return _by_type(values, wanted)
        case "profile":
            return _by_profile(values, wanted, judging)
    return None


# ---- what the value has at a path, and what the profile says there ---------------------------------------------------


def _selected(item: Item, path: list[str], judging: Judging) -> list[Item]:
    items = [item]
    for step in path:
        items = [found for one in items for found in _step(one, step, judging)]
    return items


def _step(item: Item, step: str, judging: Judging) -> list[Item]:
    if step == "$this":
        return [item]
    if step == "resolve()":
        target = judging.resolve(item)
        return [target] if target else []
    form = _STEP.fullmatch(step)
    if form and form[1]:
        return [one for one in item.children("extension") if one.value.get("url") == form[1]]
    if form and form[2]:
        return [item] if item.kind == form[2] else []
    return item.children(step)


def _described(elements: list[Element], path: list[str], known: Known) -> list[Element]:
    for step in path:
        elements = [found for one in elements for found in _below(one, step, known)]
    return elements


def _below(element: Element, step: str, known: Known, depth: int = MAX_PROFILES) -> Iterator[Element]:
    form = _STEP.fullmatch(step)
    if step == "$this" or (form and form[2]):
        yield element
        return
    if step == "resolve()":
        for type_ in element.types:
            yield from (_target(target, known) for target in type_.targets)
        return
    name = "extension" if form and form[1] else step
    children = [element.children[each] for each in (name, f"{name}[x]") if each in element.children]
    if not children and depth:
        for type_ in element.types:
            for canonical in type_.profiles:
                profile = known.profile(canonical)
                if profile is not None:
                    yield from _below(profile.root, step, known, depth - 1)
    for child in children:
        if form and form[1]:
            yield from (one for one in child.slices if any(form[1] in type_.profiles for type_ in one.types))
        else:
            yield child
            yield from child.slices


def _target(canonical: str, known: Known) -> Element:
    """What a reference's target is described by: its type, and its profile's elements where that is known."""
    profile = known.profile(canonical)
    type_ = profile.type if profile else canonical.removeprefix(R4)
    described = Element(type_, types=(Type(type_, (canonical,)),))
    if profile:
        described.children = profile.root.children
    return described


# ---- the kinds of discriminators ------------------------------------------------------------------------------------


def _by_value(values: list[Item], wanted: list[Element], judging: Judging) -> bool | None:
    answers = [answer for one in wanted if (answer := _identity(one, judging)) is not None]
    if answers:
        return any(identifies(item) for identifies in answers for item in values)
    if any(one.high == 0 for one in wanted):
        return not values
    for one in wanted:
        if one.binding and one.binding.strength == "required":
            return _coded(values, one.binding.value_set, judging)
    return None


def _identity(element: Element, judging: Judging, depth: int = MAX_PROFILES) -> Callable[[Item], bool] | None:
    """Make what tells the value of an element: its fixed values and patterns and those of its children."""
    tests = [test.holds for test in element.tests if test.identifies]
    inner = []
    for name, child in element.children.items():
        for each in (child, *child.slices):
            answer = _identity(each, judging, depth)
            if answer is not None:
                inner.append((name, answer))
    if not tests and not inner:
        named = [canonical for type_ in element.types for canonical in type_.profiles]
        profile = judging.known.profile(named[0]) if len(named) == 1 and depth else None
        return _identity(profile.root, judging, depth - 1) if profile else None

    def identifies(item: Item) -> bool:
        return all(holds(item.value) for holds in tests) and all(
            any(map(answer, item.children(name))) for name, answer in inner
        )

    return identifies


def _coded(values: list[Item], value_set: str, judging: Judging) -> bool | None:
    answers = {
        value_sets.contains(value_set, system, code, judging.known.resource)
        for item in values
        for system, code in codings(item)
    }
    return True if True in answers else None if None in answers else False


def codings(item: Item) -> Iterator[tuple[str | None, str]]:
    """The codes of a value with their systems, of whatever type that can be bound."""
    if isinstance(item.value, str):
        yield None, item.value
    elif isinstance(item.value, dict):
        for coding in item.value.get("coding", (item.value,)):
            if "code" in coding:
                yield coding.get("system", ""), coding["code"]


def _by_existence(values: list[Item], wanted: list[Element]) -> bool | None:
    if any(one.high == 0 for one in wanted):
        return not values
    return bool(values) if any(one.low for one in wanted) else None


def _by_type(values: list[Item], wanted: list[Element]) -> bool | None:
    codes = {type_.code for one in wanted for type_ in one.types}
    if not codes:
        return None
    return any(is_of(item.kind, code) for item in values for code in codes)


def is_of(kind: str, code: str) -> bool:
    """Whether a value of a type is of another, or of one derived from that."""
    return code == kind or (kind in TYPES and code in lineage(kind))


def _by_profile(values: list[Item], wanted: list[Element], judging: Judging) -> bool | None:
    canonicals = [canonical for one in wanted for type_ in one.types for canonical in type_.profiles]
    answers = {judging.conforms(item, canonical) for item in values for canonical in canonicals}
    if not canonicals:
        return None
    return True if True in answers else None if None in answers else False
