"""Values of a file as plain text: no markup, no control characters, no address but http and https."""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlsplit

LONGEST_TEXT: Final = 50_000
LONGEST_NAME: Final = 300
_BLOCKS: Final = frozenset({"p", "br", "div", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6"})
_UNSEEN: Final = frozenset({"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "title"})
_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])")


class Wrong(ValueError):
    """A value that does not fit; the text says what, without the value."""


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.unseen += tag in _UNSEEN
        if tag in _BLOCKS:
            self.parts.append("\n- " if tag == "li" else "\n")

    def handle_endtag(self, tag: str) -> None:
        self.unseen = max(0, self.unseen - (tag in _UNSEEN))
        if tag in _BLOCKS and tag != "br":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.parts.append(data)


def of_html(value: Any) -> str:
    """Take the text out of HTML, once: what looks like a tag in the text itself loses its bracket, not its words."""
    parser = _Text()
    parser.feed(of(value, longest=LONGEST_TEXT))
    if parser.unseen:
        raise Wrong("has a script or the like that does not end")
    # What the parser still waits for is text that looks like the beginning of a tag.
    return _tidy("".join(parser.parts) + unescape(parser.rawdata))


def of_lines(value: Any) -> str:
    """Take a plain text of several lines."""
    return _tidy(of(value, longest=LONGEST_TEXT))


def of(value: Any, *, longest: int = LONGEST_NAME, empty: bool = True) -> str:
    """Take a text as it is, without control and formatting characters; None is empty."""
    if value is None and empty:
        return ""
    if not isinstance(value, str):
        raise Wrong("is not a text")
    if len(value) > longest:
        raise Wrong(f"is longer than {longest:,} characters")
    text = value if value.isprintable() else "".join(" " if _unwanted(letter) else letter for letter in value)
    if not empty and not text.strip():
        raise Wrong("is empty")
    return text if longest == LONGEST_TEXT else _TAG.sub("‹", " ".join(text.split()))


def address(value: Any) -> str:
    """Take an address, if it is one that a reader may be sent to."""
    text = of(value, longest=2000)
    if not text:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        raise Wrong("is not an address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s<>\"'`\\()\[\]]", text):
        raise Wrong("is not an address that begins with http:// or https://")
    return text


def _unwanted(letter: str) -> bool:
    return letter not in "\n\t" and unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in _TAG.sub("‹", text).splitlines())
    return "\n".join(line for line in lines if line)
