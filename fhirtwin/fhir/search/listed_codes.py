"""What is in a value set, where that can be told without a terminology server.

*Source*: http://hl7.org/fhir/R4/valueset.html#compositions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from fhirtwin.fhir.tables import VALUE_SETS

Codes = Mapping[str, frozenset[str]]
"""Codes by code system."""

ValueSets = Callable[[str], Codes | None]
"""From the canonical of a value set, with `|version` or without, to its codes; None where they cannot be told."""

_R4: Final = "http://hl7.org/fhir/ValueSet/"


def defined(url: str) -> Codes | None:
    """The codes of a value set of R4's required bindings; None for any other."""
    return VALUE_SETS.get(url.removeprefix(_R4)) if url.startswith(_R4) else None


def listed(value_set: Mapping[str, Any]) -> Codes | None:
    """The codes that a ValueSet names one by one, in its expansion or its definition.

    Returns:
        None where it names a whole code system, a filter or another value set, or excludes something.
    """
    expansion = value_set.get("expansion", {})
    if expansion.get("contains"):
        return _by_system(_contained(expansion["contains"]))
    compose = value_set.get("compose", {})
    includes = compose.get("include", ())
    plain = all(include.get("concept") and "system" in include and "valueSet" not in include for include in includes)
    if not includes or not plain or "exclude" in compose:
        return None
    return _by_system((include["system"], concept["code"]) for include in includes for concept in include["concept"])


def _contained(contains: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    unseen = list(contains)
    while unseen:
        one = unseen.pop()
        if "code" in one and not one.get("abstract"):
            yield one.get("system", ""), one["code"]
        unseen += one.get("contains", ())


def _by_system(codes: Iterable[tuple[str, str]]) -> Codes:
    found: dict[str, set[str]] = {}
    for system, code in codes:
        found.setdefault(system, set()).add(code)
    return {system: frozenset(members) for system, members in found.items()}
