"""What all of this package knows of XML: names, limits, and where a tag ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from xml.parsers import expat

BOM: Final = b"\xef\xbb\xbf"
"""The byte order mark of UTF-8, which XML allows."""
FHIR: Final = "http://hl7.org/fhir"
XHTML: Final = "http://www.w3.org/1999/xhtml"
SCHEMA_LOCATION: Final = "http://www.w3.org/2001/XMLSchema-instance schemaLocation"
"""Where a schema lies, on the root of many instances; nothing is ever fetched from there."""

TAG: Final = re.compile(rb"""<(?:[^"'<>]|"[^"]*"|'[^']*')*+>""")
"""A start or empty-element tag that a parser accepted: no quoted value ends it."""
_NAME: Final = re.compile(rb"""<[^ \t\r\n/>]+""")


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


def declared(data: bytes, spaces: Mapping[str, str]) -> bytes:
    """Write namespace declarations into the first tag of a piece of XML.

    Args:
        data: begins with a tag.
        spaces: namespaces by prefix, the default one by the empty prefix; a prefix that the tag declares stays as is.
    """
    found, tag = _NAME.match(data), TAG.match(data)
    if found is None or tag is None:
        raise AssertionError("a piece of XML begins with a tag")
    place = found.end()
    texts = [
        f' {name}="{space.replace("&", "&amp;").replace("<", "&lt;").replace(chr(34), "&quot;")}"'
        for name, space in ((f"xmlns:{prefix}" if prefix else "xmlns", space) for prefix, space in spaces.items())
        if not re.search(rb"[ \t\r\n]" + re.escape(name.encode()) + rb"[ \t\r\n]*=", tag[0])
    ]
    return data[:place] + "".join(texts).encode() + data[place:]
