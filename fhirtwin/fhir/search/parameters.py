"""The search parameters of R4, by resource type: what each is called, how it is compared, and which elements it reads.

Read from `parameters.json`, which `fhirtwin.fhir.search.compile_parameters` makes of the official definitions; its
docstring says what the form means. A type's parameters are made when they are first asked for.

*Source*: http://hl7.org/fhir/R4/searchparameter-registry.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec


class Kind(StrEnum):
    """Type of a search parameter (http://hl7.org/fhir/R4/valueset-search-param-type.html)."""

    NUMBER = "number"
    DATE = "date"
    STRING = "string"
    TOKEN = "token"  # noqa: S105 - a word of FHIR
    REFERENCE = "reference"
    COMPOSITE = "composite"
    QUANTITY = "quantity"
    URI = "uri"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path through the JSON form of a resource.

    Attributes:
        name: of the member.
        item: whether composites are of this element, so that its values are told apart by its index.
        index: the only element of an array that is read.
        key: a member that must have `value` (of `extension`: an extension of that URL must be there).
    """

    name: str
    item: bool = False
    index: int | None = None
    key: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """Elements that a parameter reads.

    Attributes:
        path: from the resource to them.
        kind: their datatype; every sort of quantity is a Quantity. `present` and `falsehood` are truth values.
        within: of a code, the value set that implies its system; of a Reference, the only type wanted.
        hidden: whether composites pass over it.
    """

    path: tuple[Step, ...]
    kind: str
    within: str = ""
    hidden: bool = False


class Found(NamedTuple):
    """An element that a parameter reads, and where.

    Attributes:
        value: the JSON value.
        branch: which of the parameter's branches led to it.
        item: 0, or 1 + the index of the element that composites are of; less than 0 where the branch is hidden.
    """

    value: Any
    branch: Branch
    item: int


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a composite: rows of another parameter of the type.

    Attributes:
        parameter: whose rows must match.
        apart: whether its value is not within the element that the other components share, so that its item differs.
    """

    parameter: SearchParameter
    apart: bool = False


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One search parameter of one resource type.

    Attributes:
        number: what index rows are marked with; belongs to (type, name) for good.
        branches: the elements it reads; empty for a composite.
        targets: of a reference, the resource types it may point at; empty means any.
        components: of a composite.
    """

    type: str
    name: str
    kind: Kind
    number: int
    branches: tuple[Branch, ...] = ()
    targets: frozenset[str] = frozenset()
    components: tuple[Component, ...] = ()

    @property
    def exact_case(self) -> bool:
        """Of a token, and of a reference's identifier, whether case counts.

        R4 asks servers to ignore case when in doubt, and says of `Identifier.value` and of ids that case counts.
        """
        return self.kind is Kind.REFERENCE or all(branch.kind in _EXACT for branch in self.branches)

    @property
    def implied_system(self) -> bool:
        """Of a token, whether it reads `code` elements, whose system a binding implies: `|code` finds them too."""
        return any(branch.kind == "code" for branch in self.branches)

    @property
    def canonical(self) -> bool:
        """Whether it reads canonicals, so that a `|version` that is asked for means theirs."""
        return any(branch.kind == "canonical" for branch in self.branches)

    def read(self, resource: Mapping[str, Any]) -> Iterator[Found]:
        """Give the elements of a resource that this parameter reads."""
        for branch in self.branches:
            for value, item in _walk(((resource, 0),), branch.path):
                yield Found(value, branch, -1 - item if branch.hidden else item)


_EXACT: Final = frozenset(("Identifier", "id", "string", "uri"))


def _walk(reached: Iterable[tuple[Any, int]], path: tuple[Step, ...]) -> Iterable[tuple[Any, int]]:
    for step in path:
        reached = [found for value, item in reached for found in _take(value, item, step)]
    return reached


def _take(owner: Any, item: int, step: Step) -> Iterator[tuple[Any, int]]:
    value = owner.get(step.name)
    if value is None:
        return
    for number, one in enumerate(value if isinstance(value, list) else (value,)):
        if one is not None and (step.index is None or step.index == number) and has(one, step):
            yield one, number + 1 if step.item else item


def has(element: Any, step: Step) -> bool:
    """Whether an element meets the condition of a step."""
    if not step.key:
        return True
    if step.key == "extension":
        return any(one.get("url") == step.value for one in element.get("extension", ()))
    return bool(element.get(step.key) == step.value)


class _Row(msgspec.Struct, frozen=True, rename="camel"):
    parameters: dict[str, str]
    not_offered: dict[str, str]
    number: int = 0


class _Table(msgspec.Struct, frozen=True):
    common: _Row
    types: dict[str, _Row]


_TABLE: Final = msgspec.json.decode(Path(__file__).with_name("parameters.json").read_bytes(), type=_Table)
_NUMBERS_OF_A_TYPE: Final = 256

_LINE: Final = re.compile(r"(\d+) (\w+)(?:\(([\w,]+)\))? (.+)")
_BRANCH: Final = re.compile(r"(-?)(.+):(\w+)(?:\(([\w-]+)\))?")
_STEP: Final = re.compile(r"(\w+)(\*?)(?:\[(?:(\d+)|(\w+)=([^\]]+))\])?(?:\.|$)")


@cache
def of_type(type_: str) -> Mapping[str, SearchParameter]:
    """The parameters of a resource type, by name.

    Args:
        type_: one of `fhirtwin.fhir.tables.RESOURCE_TYPES`.
    """
    row = _TABLE.types[type_]
    lines = {**_TABLE.common.parameters, **row.parameters}
    made: dict[str, SearchParameter] = {}
    # Composites come after what they are made of.
    for name, line in sorted(lines.items(), key=lambda entry: " composite " in entry[1]):
        made[name] = _parameter(type_, row.number, name, line, made)
    return MappingProxyType(made)


class _ByType(Mapping[str, Mapping[str, SearchParameter]]):
    def __getitem__(self, type_: str) -> Mapping[str, SearchParameter]:
        return of_type(type_)

    def __iter__(self) -> Iterator[str]:
        return iter(_TABLE.types)

    def __len__(self) -> int:
        return len(_TABLE.types)


PARAMETERS: Final[Mapping[str, Mapping[str, SearchParameter]]] = _ByType()
"""Every parameter offered: resource type -> name -> parameter."""

COMMON: Final = frozenset(_TABLE.common.parameters)
"""Names of the parameters that every type has."""


def not_offered(type_: str) -> Mapping[str, str]:
    """The parameters that R4 defines for a type and this server has not, by name, and why."""
    return {**_TABLE.common.not_offered, **_TABLE.types[type_].not_offered}


def _parameter(
    type_: str, type_number: int, name: str, line: str, made: Mapping[str, SearchParameter]
) -> SearchParameter:
    number, kind, targets, rest = _match(_LINE, line)
    composite = kind == Kind.COMPOSITE
    return SearchParameter(
        type_,
        name,
        Kind(kind),
        type_number * _NUMBERS_OF_A_TYPE + int(number),
        branches=() if composite else tuple(_branch(text) for text in rest.split(" | ")),
        targets=frozenset(targets.split(",")) if targets else frozenset(),
        components=tuple(_component(text, made) for text in rest.split(" & ")) if composite else (),
    )


def _component(text: str, made: Mapping[str, SearchParameter]) -> Component:
    return Component(made[text.removeprefix("~")], apart=text.startswith("~"))


def _branch(text: str) -> Branch:
    hidden, path, kind, within = _match(_BRANCH, text)
    steps = tuple(
        Step(name, bool(item), int(index) if index else None, key, value)
        for name, item, index, key, value in _STEP.findall(path)
    )
    return Branch(steps, kind, within, bool(hidden))


def _match(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    found = pattern.fullmatch(text)
    if found is None:
        raise AssertionError(f"parameters.json holds {text!r}, which this program cannot read; compile it again")
    return found.groups(default="")
