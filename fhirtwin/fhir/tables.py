"""What FHIR R4 defines, read from the table that `fhirtwin.fhir.compile_tables` makes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import msgspec


class Primitive(msgspec.Struct, frozen=True):
    """A primitive type: its JSON kind and limits.

    Attributes:
        json: `string`, `boolean`, `integer` or `decimal`.
        regex: as published; empty where R4 gives none.
        max_length: in characters.
    """

    json: str
    regex: str = ""
    min: int = 0
    max: int = 0
    max_length: int | None = msgspec.field(default=None, name="maxLength")


class _Type(msgspec.Struct, frozen=True):
    base: str = msgspec.field(name="is")
    has: dict[str, str]


class _Table(msgspec.Struct, frozen=True, rename="camel"):
    fhir_version: str
    primitives: dict[str, Primitive]
    resources: frozenset[str]
    types: dict[str, _Type]
    patients: dict[str, str]
    value_sets: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Member:
    """One member that a JSON object of some type may have.

    Attributes:
        element: the element's name in an expression: `value` for the member `valueQuantity`.
        kind: its datatype, primitive type, path of a nested element, or `Resource`.
        many: whether it is an array.
        low: how many values there must be: 0 or 1. A choice is satisfied by any of its members.
        targets: resource types that a Reference may point at; empty means any.
        choice: whether the element is a choice, of which at most one member may be there.
        bound: the name of the value set whose codes alone are right here; empty where any code may stand.
    """

    element: str
    kind: str
    many: bool
    low: int
    targets: frozenset[str]
    choice: bool
    bound: str = ""


_TABLE: Final = msgspec.json.decode(Path(__file__).with_name("r4.json").read_bytes(), type=_Table)

FHIR_VERSION: Final = _TABLE.fhir_version
PRIMITIVES: Final = _TABLE.primitives
RESOURCE_TYPES: Final = _TABLE.resources
TYPES: Final = frozenset(_TABLE.types)
"""Datatypes, resources, and nested elements by their path (`Patient.contact`)."""
PATIENT_ELEMENTS: Final = _TABLE.patients
"""For each resource type about one patient, the element that says which."""

VALUE_SETS: Final = {
    name: {system: frozenset(codes.split(" ")) for system, codes in systems.items()}
    for name, systems in _TABLE.value_sets.items()
}
"""The value sets of required bindings, as far as they can be listed: name -> code system -> codes."""

_SPEC: Final = re.compile(r"([01])\.\.([01*]) (.+)")
_KIND: Final = re.compile(r"([^(]+)(?:\((.*)\))?")


@cache
def members(name: str) -> dict[str, Member]:
    """List the members of a type, its base's included, choices spelled out (`valueQuantity`, `valueString`, ...).

    The `_name` members of primitives are left to the reader of this table.

    Args:
        name: one of `TYPES`.
    """
    row = _TABLE.types[name]
    found = dict(members(row.base)) if row.base else {}
    for element, spec in row.has.items():
        low, high, kinds = _match(_SPEC, spec)
        if high == "0":
            found.pop(element, None)
            continue
        label = element.removesuffix("[x]")
        for text in kinds.split("|"):
            kind, within = _match(_KIND, text)
            found[_member_name(label, kind) if label != element else element] = Member(
                element=label,
                kind=kind,
                many=high == "*",
                low=int(low),
                targets=frozenset(within.split(",")) if within and kind == "Reference" else frozenset(),
                choice=label != element,
                bound="" if kind == "Reference" else within,
            )
    return found


def lineage(name: str) -> tuple[str, ...]:
    """Name a type and what it is derived from, the most general first: `("Element", "Quantity", "Age")`.

    Args:
        name: one of `TYPES`.
    """
    base = _TABLE.types[name].base
    return (*lineage(base), name) if base else (name,)


def _member_name(label: str, kind: str) -> str:
    """Name the member of a choice; a datatype profile goes by the name of its datatype."""
    named = "Quantity" if kind == "SimpleQuantity" else kind
    return label + named[0].upper() + named[1:]


def _match(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    found = pattern.fullmatch(text)
    if found is None:
        raise AssertionError(f"r4.json holds {text!r}, which this program cannot read; compile the table again")
    return found.groups(default="")
