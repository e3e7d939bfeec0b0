"""A StructureDefinition as a tree: each element with its children and its slices.

*Source*: http://hl7.org/fhir/R4/elementdefinition.html, http://hl7.org/fhir/R4/profiling.html#slicing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from fhirtwin.errors import Unsupported
from fhirtwin.fhir.profiles.constraints import Constraint
from fhirtwin.fhir.profiles.values import Test, tests_of

MAX_ELEMENTS: Final = 5000
"""Elements that one profile may have; the largest of R4's own has 131."""
MAX_DEPTH: Final = 30
"""Parts of a path after its type."""


class Type(NamedTuple):
    """One type that an element may have, with the profiles of which a value or a reference's target meets one."""

    code: str
    profiles: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


class Binding(NamedTuple):
    """A value set that codes are from; `strength` is `required` or `extensible`, others are not judged."""

    strength: str
    value_set: str


class Discriminator(NamedTuple):
    """How slices are told apart: `value`, `pattern`, `exists`, `type` or `profile` at a path."""

    kind: str
    path: str


class Slicing(NamedTuple):
    """How the values of an element fall into slices; `rules` is `open`, `closed` or `openAtEnd`."""

    discriminators: tuple[Discriminator, ...]
    ordered: bool
    rules: str


@dataclass(slots=True)
class Element:
    """What a profile says of one element, or of one slice of it.

    Attributes:
        name: the last part of its path: `component`, `value[x]`, or `valueQuantity`, as older profiles say.
        slice: its name as a slice; empty for an element that is none.
        low: fewest values.
        high: most values; None means any number.
        tests: fixed value, pattern, range and length, each a function of a value.
        types: empty where nothing is said of them, as in a differential.
    """

    name: str
    slice: str = ""
    low: int = 0
    high: int | None = None
    types: tuple[Type, ...] = ()
    tests: tuple[Test, ...] = ()
    binding: Binding | None = None
    constraints: tuple[Constraint, ...] = ()
    slicing: Slicing | None = None
    slices: list[Element] = field(default_factory=list)
    children: dict[str, Element] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """A compiled StructureDefinition.

    Attributes:
        url: its canonical URL, without version.
        type: of the resources or values that it is about.
        base: the canonical URL of what it constrains; empty where its own tree says everything (a snapshot).
        context: where an extension may stand: pairs of type (`element`, `extension`, `fhirpath`) and expression.
    """

    url: str
    version: str
    type: str
    base: str
    root: Element
    context: tuple[tuple[str, str], ...] = ()


def compile_profile(definition: Mapping[str, Any]) -> Profile:
    """Make the tree of a StructureDefinition that is valid R4.

    Its snapshot says everything. Without one its differential is taken, and what it says comes on top of its base.

    Raises:
        Unsupported: it has neither, or too many elements, or a path that does not begin with its type.
    """
    snapshot = definition.get("snapshot")
    rows = (snapshot or definition.get("differential", {})).get("element", ())
    if not rows or len(rows) > MAX_ELEMENTS:
        raise Unsupported(
            f"The profile {definition['url']} needs a snapshot, or a differential, of 1 to {MAX_ELEMENTS} elements."
        )
    return Profile(
        url=definition["url"],
        version=definition.get("version", ""),
        type=definition["type"],
        base="" if snapshot else definition.get("baseDefinition", ""),
        root=tree(rows, definition["type"]),
        context=tuple((context["type"], context["expression"]) for context in definition.get("context", ())),
    )


def tree(rows: Iterable[Mapping[str, Any]], type_: str) -> Element:
    """Put ElementDefinitions, in their order, into a tree.

    Raises:
        Unsupported: a path does not begin with the type, or is too long.
    """
    root = Element(type_)
    above = [(type_, root)]
    for row in rows:
        path = row["path"]
        if path == type_:
            _fill(root, row)
            continue
        if not path.startswith(f"{type_}.") or path.count(".") > MAX_DEPTH:
            raise Unsupported(
                f"Expected the paths of a profile of {type_} to begin with {type_}, and at most {MAX_DEPTH} parts more."
            )
        while not path.startswith(f"{above[-1][0]}."):
            above.pop()
        # A differential leaves out elements of which it says nothing.
        for name in path[len(above[-1][0]) + 1 :].split(".")[:-1]:
            here, parent = above[-1]
            above.append((f"{here}.{name}", _place(parent, name, "")))
        element = _place(above[-1][1], path.rpartition(".")[2], row.get("sliceName", ""))
        _fill(element, row)
        above.append((path, element))
    return root


def _place(parent: Element, name: str, slice_: str) -> Element:
    element = parent.children.setdefault(name, Element(name))
    if not slice_:
        return element
    # `a/b` is a slice of the slice `a`.
    *outer, last = slice_.split("/")
    for part in outer:
        element = next((one for one in element.slices if one.slice.rpartition("/")[2] == part), element)
    found = next((one for one in element.slices if one.slice == slice_), None)
    if found is None:
        found = Element(name, slice=slice_ if outer else last)
        element.slices.append(found)
        if element.slicing is None:
            element.slicing = implied_slicing(name)
    return found


def implied_slicing(name: str) -> Slicing | None:
    """How an element is sliced where nothing is said: extensions by url, choices by type."""
    if name in ("extension", "modifierExtension"):
        return Slicing((Discriminator("value", "url"),), ordered=False, rules="open")
    if name.endswith("[x]"):
        return Slicing((Discriminator("type", "$this"),), ordered=False, rules="open")
    return None


def _fill(element: Element, row: Mapping[str, Any]) -> None:
    element.low = row.get("min", 0)
    most = row.get("max", "*")
    element.high = int(most) if most.isdecimal() and len(most) < 10 else None
    element.types = tuple(_type(one) for one in row.get("type", ()))
    element.tests = tests_of(row)
    binding = row.get("binding", {})
    if binding.get("strength") in ("required", "extensible") and "valueSet" in binding:
        element.binding = Binding(binding["strength"], binding["valueSet"])
    element.constraints = tuple(map(Constraint.of, row.get("constraint", ())))
    if "slicing" in row:
        element.slicing = _slicing(row["slicing"])


def _type(row: Mapping[str, Any]) -> Type:
    return Type(row["code"], tuple(row.get("profile", ())), tuple(row.get("targetProfile", ())))


def _slicing(row: Mapping[str, Any]) -> Slicing:
    discriminators = tuple(Discriminator(one["type"], one["path"]) for one in row.get("discriminator", ()))
    return Slicing(discriminators, row.get("ordered", False), row["rules"])
