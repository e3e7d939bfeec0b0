"""Markdown of a card does no harm, whatever it says."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.api.ui import markdown

MAY = {
    *("p", "strong", "em", "s", "a", "ul", "ol", "li", "code", "pre", "blockquote", "hr", "br", "h4", "div"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"href", "rel", "target", "title", "start", "class", "role", "aria-label", "tabindex"}


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]


def harmless(text: str) -> str:
    made = markdown.to_html(text)
    seen = Seen()
    seen.feed(made)
    assert seen.tags <= MAY, seen.tags
    assert seen.attributes <= ATTRIBUTES, seen.attributes
    assert all(re.match(r"https?://", link) for link in seen.links), seen.links
    return made


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>)",
        "[x](//evil.example)",
        "[x](/fhir/Patient)",
        "[x](&#106;avascript:alert(1))",
        "![x](https://evil.example/pixel.png)",
        '[x](https://a.example "title\' onmouseover=alert(1)")',
        '<https://a.example/?"onmouseover="alert(1)>',
        '```"><script>\nx\n```',
        "| a |\n|:-:|\n| <b style=x> |",
        "# h\n\n###### h6",
        "[x]: javascript:alert(1)\n\n[x]",
        "<!-- --><style>*{display:none}</style>",
        ">" * 3000,
        "[" * 5000,
        "*a_" * 5000,
        "x" * 60_000 + "<script>",
    ],
)
def test_markdown_of_an_enemy_does_nothing(text: str) -> None:
    harmless(text)


@given(st.text(alphabet="<>[](){}!`*_#|-:\"'&;/\\ \nabjsh=@", max_size=200))
def test_no_text_gives_anything_but_harmless_elements(text: str) -> None:
    harmless(text)


def test_what_cards_are_written_in_is_rendered() -> None:
    made = harmless("**Bold** ~~gone~~ [more](https://a.example)\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n* one\n* two\n")
    for part in ("<strong>Bold</strong>", "<s>gone</s>", "<th>a</th>", "<td>2</td>", "<li>one</li>"):
        assert part in made
    assert '<a href="https://a.example" rel="noopener noreferrer" target="_blank">more</a>' in made
