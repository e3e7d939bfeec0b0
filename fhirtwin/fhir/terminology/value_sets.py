"""Tells whether a code is in a value set, as far as that can be told without a terminology server.

The answer has three values: True, False, and None where it cannot be told: the value set or a code system is not known
here, or a filter would have to be understood. Nobody may take None for either of the others.

*Source*: http://hl7.org/fhir/R4/valueset.html#compositions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from fhirtwin.fhir.bindings import FORMS

Find = Callable[[str, str], Mapping[str, Any] | None]
"""Gives a loaded resource by its type and canonical URL (which may end in `|version`), or None."""

_R4: Final = "http://hl7.org/fhir/ValueSet/"

MAX_DEPTH: Final = 8
"""Value sets that include one another are followed so far."""


class _Table(msgspec.Struct, rename="camel"):
    systems: dict[str, dict[str, str]]
    value_sets: dict[str, dict[str, str | list[str]]]


def nothing_loaded(_: str, __: str) -> None:
    """Find nothing: what R4 itself defines is known anyway."""


def contains(canonical: str, system: str | None, code: str, find: Find = nothing_loaded) -> bool | None:
    """Tell whether a value set has a code.

    Args:
        canonical: of the value set; a version after `|` counts for loaded ones only.
        system: of the code; None for a bare `code`, whose value set says the system.
        code: as written.
        find: gives loaded ValueSet and CodeSystem resources.
    """
    return _contains(canonical, system, code, find, MAX_DEPTH)


def display(system: str, code: str) -> str | None:
    """What R4 calls a code of its own code systems; None where that is not known here."""
    return _table().systems.get(system, {}).get(code) or None


def in_system(system: str, code: str, find: Find = nothing_loaded) -> bool | None:
    """Tell whether a code system has a code; None where the system is not known whole."""
    codes = _codes(system, find)
    return None if codes is None else code in codes


def is_value_set(canonical: str) -> bool:
    """Whether R4 defines a value set of that URL."""
    return canonical in _table().value_sets


def _contains(canonical: str, system: str | None, code: str, find: Find, depth: int) -> bool | None:
    if not depth:
        return None
    loaded = find("ValueSet", canonical)
    if loaded is not None:
        return _in_resource(loaded, system, code, find, depth)
    url = canonical.partition("|")[0]
    form = FORMS.get(url.removeprefix(_R4))
    if form is not None:
        return form[0].fullmatch(code) is not None
    listed = _table().value_sets.get(url)
    if listed is None:
        return None
    parts = listed.items() if system is None else [(system, listed[system])] if system in listed else []
    return _any(_in_part(name, codes, code) for name, codes in parts)


def _in_part(system: str, codes: str | list[str], code: str) -> bool | None:
    if isinstance(codes, list):
        return code in codes
    return code in _table().systems[system] if codes == "*" else None


def _in_resource(value_set: Mapping[str, Any], system: str | None, code: str, find: Find, depth: int) -> bool | None:
    compose = value_set.get("compose")
    if compose is None:
        return _in_expansion(value_set.get("expansion"), system, code)
    included = _any(_in_include(include, system, code, find, depth) for include in compose["include"])
    excluded = _any(_in_include(exclude, system, code, find, depth) for exclude in compose.get("exclude", ()))
    if included is False or excluded is True:
        return False
    return None if excluded is None else included


def _in_include(include: Mapping[str, Any], system: str | None, code: str, find: Find, depth: int) -> bool | None:
    parts = [_contains(one, system, code, find, depth - 1) for one in include.get("valueSet", ())]
    if "system" in include:
        parts.append(_in_system(include, system, code, find))
    return _all(parts)


def _in_system(include: Mapping[str, Any], system: str | None, code: str, find: Find) -> bool | None:
    if system is not None and system != include["system"]:
        return False
    if "concept" in include:
        return any(concept["code"] == code for concept in include["concept"])
    there = in_system(include["system"], code, find)
    return None if there and "filter" in include else there


def _in_expansion(expansion: Mapping[str, Any] | None, system: str | None, code: str) -> bool | None:
    if expansion is None:
        return None
    waiting = list(expansion.get("contains", ()))
    while waiting:
        one = waiting.pop()
        if one.get("code") == code and system in (None, one.get("system")):
            return True
        waiting += one.get("contains", ())
    # An expansion may be one page of a longer one.
    return None if expansion.get("total", 0) > len(expansion.get("contains", ())) else False


def _codes(system: str, find: Find) -> Mapping[str, str] | frozenset[str] | None:
    loaded = find("CodeSystem", system)
    if loaded is None:
        return _table().systems.get(system)
    return frozenset(_concepts(loaded.get("concept", ()))) if loaded.get("content") == "complete" else None


def _concepts(concepts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _concepts(concept.get("concept", ()))


def _any(answers: Iterable[bool | None]) -> bool | None:
    given = set(answers)
    return True if True in given else None if None in given else False


def _all(answers: Iterable[bool | None]) -> bool | None:
    given = set(answers)
    return False if False in given else None if None in given else True


@cache
def _table() -> _Table:
    return msgspec.json.decode(Path(__file__).with_name("codes.json").read_bytes(), type=_Table)
