"""Links of a resource: its references, its elements of type url and uri, and the addresses in its narratives.

These are what a transaction replaces when they name another of its entries. Elements of type canonical are none of
them, and those of type oid and uuid cannot be: what would take their place is neither.

*Source*: http://hl7.org/fhir/R4/http.html#trules.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from fhirtwin.fhir.tables import PRIMITIVES, RESOURCE_TYPES, members

Kind = Literal["Reference", "url", "uri", "xhtml"]

_ADDRESSED: Final = re.compile(r"""<(?:a|img)\s(?:[^<>"']|"[^<"]*"|'[^<']*')*>""")
"""A whole element that may have an address, in XHTML that a validator accepted."""

_ADDRESS: Final = re.compile(r"""(\s(?:href|src)\s*=\s*)(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True, slots=True)
class Link:
    """One link.

    Attributes:
        kind: the type of the element that has it.
        place: the element, for an expression: `Observation.subject`.
        path: members and indices of JSON that lead to the text.
        text: the address; of a narrative its whole XHTML, for `readdressed`.
    """

    kind: Kind
    place: str
    path: tuple[str | int, ...]
    text: str


def walk(resource: dict[str, Any]) -> Iterator[Link]:
    """List the links of a valid resource, those of extensions and contained resources included.

    The entries of a Bundle are a world of their own, in which links mean one another: nothing is listed.
    """
    kind = resource["resourceType"]
    if kind != "Bundle":
        yield from _walk(resource, kind, kind, ())


def _walk(value: dict[str, Any], kind: str, place: str, path: tuple[str | int, ...]) -> Iterator[Link]:
    known = members(kind)
    for name, item in value.items():
        member = known.get(name.removeprefix("_"))
        if member is None:
            continue
        if not isinstance(item, dict | list):
            if kind == "Reference" and name == "reference":
                yield Link("Reference", place, (*path, name), item)
            elif (link := _LINKED.get(member.kind)) and isinstance(item, str):
                yield Link(link, f"{place}.{member.element}", (*path, name), item)
            continue
        inner = "Element" if name.startswith("_") or member.kind in PRIMITIVES else member.kind
        here = f"{place}.{member.element}"
        for number, one in enumerate(item if isinstance(item, list) else [item]):
            at, to = (f"{here}[{number}]", (*path, name, number)) if isinstance(item, list) else (here, (*path, name))
            if isinstance(one, dict):
                nested = one.get("resourceType") if inner == "Resource" else inner
                if isinstance(nested, str) and (inner != "Resource" or nested in RESOURCE_TYPES):
                    yield from _walk(one, nested, at, to)
            elif isinstance(one, str) and (link := _LINKED.get(member.kind)):
                yield Link(link, at, to, one)


_LINKED: Final[dict[str, Kind]] = {"url": "url", "uri": "uri", "xhtml": "xhtml"}


def readdressed(xhtml: str, target: Callable[[str], str]) -> str:
    """Replace addresses of a narrative, and leave every other character alone.

    Args:
        xhtml: a valid `div`.
        target: gives for each address what it becomes.
    """

    def address(found: re.Match[str]) -> str:
        text = html.unescape(found[2] or found[3] or "")
        becomes = target(text)
        return found[0] if becomes == text else f'{found[1]}"{html.escape(becomes)}"'

    return _ADDRESSED.sub(lambda element: _ADDRESS.sub(address, element[0]), xhtml)
