"""What all of this package knows of XML: names, limits, and where a tag ends."""

from __future__ import annotations

import re
from typing import Final
from xml.parsers import expat

FHIR: Final = "http://hl7.org/fhir"
XHTML: Final = "http://www.w3.org/1999/xhtml"
SCHEMA_LOCATION: Final = "http://www.w3.org/2001/XMLSchema-instance schemaLocation"
"""Where a schema lies, on the root of many instances; nothing is ever fetched from there."""

TAG: Final = re.compile(rb"""<(?:[^"'<>]|"[^"]*"|'[^']*')*+>""")
"""A start or empty-element tag that a parser accepted: no quoted value ends it."""
_NAME: Final = re.compile(rb"[^ \t\r\n/>]*")


def parser() -> expat.XMLParserType:
    """A parser that takes UTF-8 whatever the document says, and tells names with their namespace.

    No handler of entities is ever set, so nothing outside the document is looked for.
    """
    made = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
    made.buffer_text = True
    return made


def is_well_formed(data: bytes) -> bool:
    """Tell whether a piece of XML stands by itself: one element, each prefix declared in it."""
    try:
        parser().Parse(data, True)
    except expat.ExpatError:
        return False
    return True


def end_of_tag(data: bytes, start: int) -> int:
    """The byte behind the start tag whose first byte is at `start`."""
    tag = TAG.match(data, start)
    if tag is None:
        raise AssertionError("no tag begins where the parser said so")
    return tag.end()


def end_of_name(data: bytes, start: int) -> int:
    """The byte behind the name in the tag whose first byte is at `start`."""
    found = _NAME.match(data, start + 1)
    return found.end() if found else start


def is_empty(data: bytes, end: int) -> bool:
    """Tell whether the tag that ends before `end` closes its element too."""
    return data[end - 2 : end - 1] == b"/"


def end_of_element(data: bytes, start: int, at: int) -> int:
    """The byte behind an element.

    Args:
        data: the document.
        start: the element's first byte.
        at: where the parser told its end: on the end tag, or behind an empty element.
    """
    end = end_of_tag(data, start)
    return end if is_empty(data, end) else data.index(b">", at) + 1
