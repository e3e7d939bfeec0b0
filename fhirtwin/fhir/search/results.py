"""Result parameters: how much of what was found is given, in which order and with what beside it.

*Source*: http://hl7.org/fhir/R4/search.html#return.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args

import msgspec

from fhirtwin.errors import Incorrect, TooLarge, Unsupported
from fhirtwin.fhir.search.parameters import PARAMETERS, Kind, SearchParameter
from fhirtwin.fhir.search.query import Include, Position, SortKey, Summary, Total
from fhirtwin.fhir.tables import RESOURCE_TYPES, members

PAGE: Final = "_page"
"""Our own parameter, found only in the links of a result: where the next page begins."""

MAX_SORT_KEYS: Final = 5
"""Most parameters to sort by."""

MAX_PAGE_TEXT: Final = 4000
"""Longest text of `_page`."""

_INCLUDE: Final = re.compile(
    r"(?:(?P<type>[A-Za-z]{1,64}|\*):)?(?P<name>[A-Za-z\-_]{1,64}|\*)(?::(?P<to>[A-Za-z]{1,64}))?"
)
_position: Final = msgspec.json.Decoder(tuple[int, int | None, int, tuple[int | float | str, ...]], strict=True)


def page_size(text: str, most: int) -> int:
    """Read `_count`.

    Args:
        text: as sent.
        most: what a page may hold.

    Raises:
        Incorrect: it is no whole number.
        TooLarge: it is more than `most`.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Incorrect("`_count` takes a whole number from 0.")
    if int(text) > most:
        raise TooLarge(f"A page holds at most {most} resources (FHIRTWIN_MAX_COUNT): lower `_count`.")
    return int(text)


def page_text(position: Position) -> str:
    """Write a position as the value of `_page`."""
    told = msgspec.json.encode((position.ceiling, position.total, position.number, position.keys))
    return base64.urlsafe_b64encode(told).rstrip(b"=").decode()


def page_position(text: str, keys: int) -> Position:
    """Read the value of `_page`.

    Args:
        text: as `page_text` wrote it.
        keys: how many sort keys it must have.

    Raises:
        Incorrect: this server did not write it, or for another order.
    """
    refusal = Incorrect(f"`{PAGE}` is made by this server: follow the links of a result as they are.")
    if len(text) > MAX_PAGE_TEXT or not text.isascii():
        raise refusal
    try:
        told = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        position = Position(*_position.decode(told))
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        raise refusal from None
    numbers = (position.ceiling, position.total or 0, position.number, *position.keys)
    if len(position.keys) != keys or any(isinstance(n, int) and not -(2**63) <= n < 2**63 for n in numbers):
        raise refusal
    return position


@dataclass(slots=True)
class Results:
    """Reads the result parameters of one search, in the order they come.

    Attributes:
        types: the resource types that are searched.
        count: page size; first the one for callers who name none.
        max_count: largest page.
    """

    types: tuple[str, ...]
    count: int
    max_count: int
    _sort: tuple[SortKey, ...] = ()
    _includes: list[Include] = field(default_factory=list)
    _total: Total = "accurate"
    _summary: Summary = "false"
    _elements: frozenset[str] = frozenset()
    _explain: bool = False
    _page: str | None = None
    _given: set[str] = field(default_factory=set)

    def read(self, name: str, text: str) -> bool:
        """Read a parameter; False when it is none of these.

        Raises:
            Incorrect: its value cannot be read, or it was given before and is no include.
            Unsupported, TooLarge: its value is not offered, or passes a limit.
        """
        base, _, modifier = name.partition(":")
        reader = READERS.get(base)
        if reader is None:
            return False
        if modifier and not (modifier == "iterate" and base in ("_include", "_revinclude")):
            raise Unsupported(f"`{base}` takes no such modifier; includes take `:iterate`.")
        if base in self._given and base not in ("_include", "_revinclude"):
            raise Incorrect(f"`{base}` may be given once.")
        self._given.add(base)
        reader(self, text, bool(modifier))
        return True

    def members(self) -> Mapping[str, Any]:
        """What was read, as members of a `Query`.

        Raises:
            Incorrect: parameters that R4 does not let stand together, or a page of another search.
        """
        if self._includes and self._summary == "text":
            raise Incorrect("`_summary=text` cannot be asked together with `_include` or `_revinclude`.")
        if self._elements and self._summary in ("true", "text", "data"):
            raise Incorrect("`_elements` and `_summary` cannot be asked together.")
        return {
            "count": 0 if self._summary == "count" else self.count,
            "sort": self._sort,
            "includes": tuple(self._includes),
            "total": self._total,
            "summary": self._summary,
            "elements": self._elements,
            "explain": self._explain,
            "position": None if self._page is None else page_position(self._page, len(self._sort)),
        }

    def _read_count(self, text: str, _iterate: bool) -> None:
        self.count = page_size(text, self.max_count)

    def _read_sort(self, text: str, _iterate: bool) -> None:
        keys = text.split(",")
        if len(keys) > MAX_SORT_KEYS:
            raise TooLarge(f"`_sort` takes at most {MAX_SORT_KEYS} parameters.")
        self._sort = tuple(self._sort_key(key.strip()) for key in keys)

    def _sort_key(self, text: str) -> SortKey:
        name = text.removeprefix("-")
        found = [PARAMETERS[type_].get(name) for type_ in self.types]
        offered = tuple(p for p in found if p is not None and p.kind is not Kind.COMPOSITE)
        if len(offered) != len(self.types) or len({p.kind for p in offered}) != 1:
            raise Unsupported("`_sort` takes names of search parameters of the type, with `-` before them or not.")
        return SortKey(offered, descending=text.startswith("-"))

    def _read_include(self, text: str, iterate: bool) -> None:
        type_, name, target = _include_parts("_include", text)
        if type_ and not iterate and type_ not in self.types:
            raise Unsupported(f"`_include` of {type_} needs `:iterate`: {type_} is not what is searched for.")
        holders = (type_,) if type_ else tuple(sorted(RESOURCE_TYPES)) if iterate else self.types
        self._includes.append(Include(False, type_, _references(holders, name, target), target, iterate))

    def _read_revinclude(self, text: str, iterate: bool) -> None:
        type_, name, target = _include_parts("_revinclude", text)
        holders = (type_,) if type_ else tuple(sorted(RESOURCE_TYPES))
        found = _references(holders, name, target)
        if not iterate:
            found = tuple(p for p in found if not p.targets or p.targets.intersection(self.types))
            if not found or (target and target not in self.types):
                raise Unsupported(f"`_revinclude`: that does not refer to {', '.join(self.types)}; or add `:iterate`.")
        self._includes.append(Include(True, type_, found, target, iterate))

    def _read_total(self, text: str, _iterate: bool) -> None:
        self._total = _one_of("_total", text, get_args(Total))

    def _read_summary(self, text: str, _iterate: bool) -> None:
        self._summary = _one_of("_summary", text, get_args(Summary))

    def _read_elements(self, text: str, _iterate: bool) -> None:
        names = {name.strip() for name in text.split(",")}
        for name in names:
            if not any(name == m.element for type_ in self.types for m in members(type_).values()):
                raise Incorrect("`_elements` takes names of elements right below the resource, with commas between.")
        self._elements = frozenset(names)

    def _read_explain(self, text: str, _iterate: bool) -> None:
        self._explain = _one_of("_explain", text, ("true", "false")) == "true"

    def _read_contained(self, text: str, _iterate: bool) -> None:
        if text != "false":
            raise Unsupported("`_contained`: contained resources are not searched for; only `false` is offered.")

    def _read_page(self, text: str, _iterate: bool) -> None:
        self._page = text


READERS: Final[Mapping[str, Callable[[Results, str, bool], None]]] = {
    "_count": Results._read_count,
    "_sort": Results._read_sort,
    "_include": Results._read_include,
    "_revinclude": Results._read_revinclude,
    "_total": Results._read_total,
    "_summary": Results._read_summary,
    "_elements": Results._read_elements,
    "_explain": Results._read_explain,
    "_contained": Results._read_contained,
    PAGE: Results._read_page,
}


def _one_of(name: str, text: str, choices: Iterable[str]) -> Any:
    if text not in choices:
        raise Incorrect(f"`{name}` takes one of {', '.join(choices)}.")
    return text


def _include_parts(parameter: str, text: str) -> tuple[str, str, str]:
    """Type, name and target type of `Type:name:Target`, `Type:*` or `*`; a star in the place of the type is no type."""
    found = _INCLUDE.fullmatch(text)
    if not found or (not found["type"] and found["name"] != "*"):
        raise Incorrect(f"`{parameter}` takes `Type:parameter`, `Type:parameter:Target`, `Type:*` or `*`.")
    type_, target = (found["type"] or "*").removeprefix("*"), found["to"] or ""
    if any(name and name not in RESOURCE_TYPES for name in (type_, target)):
        raise Unsupported(f"`{parameter}` names a resource type that R4 does not have.")
    return type_, found["name"], target


def _references(types: Iterable[str], name: str, target: str) -> tuple[SearchParameter, ...]:
    """The reference parameters of that name, or all for `*`, that may lead to the target type."""
    found = tuple(
        parameter
        for type_ in types
        for parameter in PARAMETERS[type_].values()
        if parameter.kind is Kind.REFERENCE
        and name in ("*", parameter.name)
        and (not target or not parameter.targets or target in parameter.targets)
    )
    if not found:
        raise Unsupported("An include names no reference parameter of the type, or one that cannot lead to the target.")
    return found
