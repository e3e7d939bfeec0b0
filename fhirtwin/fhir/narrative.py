"""Judges the XHTML of a narrative: one `div`, of basic formatting only, with something to read in it.

It is read as XML by expat, and what could do more than show text is refused: document types and their entities,
processing instructions, other elements and attributes than those of `txt-1`, addresses that run a script, and what is
text to a reader of XML and elements to one of HTML.

*Source*: txt-1 and txt-2, http://hl7.org/fhir/R4/narrative.html; the names are those of the XPath published with txt-1,
and four of the chapters of HTML 4.0 that its wording admits and the XPath forgets (address, bdo, kbd; xml:lang).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from xml.parsers import expat

from fhirtwin.fhir.primitives import Check, Findings

_SPACE: Final = "http://www.w3.org/1999/xhtml"
_ELEMENT_NAMES: Final = """
    a abbr acronym address b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6
    hr i img kbd li ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var
"""
_ATTRIBUTE_NAMES: Final = """
    abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset cite
    class colspan compact coords dir frame headers height href hreflang hspace id lang longdesc name nowrap rel rev
    rowspan rules scope shape span src start style summary tabindex title type valign value vspace width
"""
_ELEMENTS: Final = frozenset(f"{_SPACE} {name}" for name in _ELEMENT_NAMES.split())
_ATTRIBUTES: Final = frozenset(_ATTRIBUTE_NAMES.split()) | {"http://www.w3.org/XML/1998/namespace lang"}
_ADDRESSES: Final = ("href", "src", "cite", "longdesc")
_RUNS: Final = ("javascript:", "vbscript:", "data:text/html")
_BLANK: Final = str.maketrans("", "", "".join(map(chr, range(0x21))))
"""Browsers pass over white space and control characters in the scheme of an address."""


class _Refused(Exception):
    """Why a narrative is refused; ends the parsing."""


class _Reader:
    """What the parser reports of one narrative."""

    def __init__(self) -> None:
        self.depth = 0
        self.shows = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.depth == 0 and name != f"{_SPACE} div":
            raise _Refused(f"Expected one div element of the namespace {_SPACE} (txt-1).")
        self.depth += 1
        if name not in _ELEMENTS:
            raise _Refused("A narrative has elements of basic HTML formatting only (txt-1).")
        if attributes:
            self._attributes(attributes)
        if name == f"{_SPACE} img":
            self.shows = True

    def _attributes(self, attributes: dict[str, str]) -> None:
        if not attributes.keys() <= _ATTRIBUTES:
            raise _Refused("A narrative has attributes of basic HTML formatting only, no events (txt-1).")
        for name in _ADDRESSES:
            if name in attributes and attributes[name].translate(_BLANK).lower().startswith(_RUNS):
                raise _Refused("A narrative does not run scripts (txt-1).")

    def text(self, text: str) -> None:
        if not self.shows and not text.isspace():
            self.shows = True

    def comment(self, text: str) -> None:
        # To a reader of HTML these end at once, and what XML takes for their text are elements.
        if text.startswith((">", "->")):
            raise _Refused("A narrative has no comment that begins with > or -> (txt-1).")

    def cdata(self) -> None:
        # To a reader of HTML it is a comment that ends at the first >.
        raise _Refused("A narrative has no CDATA sections (txt-1).")

    def declare(self, *_: object) -> None:
        raise _Refused("A narrative has no document type, XML declaration or processing instructions (txt-1).")


def check(one: Check) -> Check:
    """Make the check of `Narrative.div`.

    Args:
        one: the check of its format, which comes first.
    """

    def judge(value: Any, owner: Mapping[str, Any]) -> Findings:
        findings = one(value, owner)
        if findings:
            return findings
        problem = _problem(value)
        return [("", "invariant", problem)] if problem else None

    return judge


def _problem(text: str) -> str:
    reader = _Reader()
    parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    parser.CommentHandler = reader.comment
    parser.StartCdataSectionHandler = reader.cdata
    parser.StartDoctypeDeclHandler = reader.declare
    parser.ProcessingInstructionHandler = reader.declare
    parser.XmlDeclHandler = reader.declare
    try:
        parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    except _Refused as refused:
        return str(refused)
    except expat.ExpatError:
        return "Expected well-formed XHTML, without HTML's own entities such as &nbsp; (txt-1)."
    return "" if reader.shows else "A narrative must show something (txt-2)."
