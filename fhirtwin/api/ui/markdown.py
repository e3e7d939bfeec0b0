"""Markdown of a card as HTML that can do no harm: no HTML of the author's, no pictures, links to the web alone.

Source: https://cds-hooks.hl7.org/2.0/#card-attributes (`detail` is GitHub Flavored Markdown)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

LONGEST: Final = 50_000
"""Characters that are rendered; what is longer is shown as it was written."""

_WEB: Final = re.compile(r"https?://[^\s/]", re.IGNORECASE)


def _made() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
    markdown.disable(["image", "html_block", "html_inline"])
    markdown.validateLink = lambda url: _WEB.match(url) is not None  # type: ignore[method-assign]
    # A table that is too wide moves in a frame of its own, which the keyboard reaches.
    markdown.add_render_rule("table_open", _opening)
    markdown.add_render_rule("table_close", _closing)
    return markdown


def _opening(*_: Any) -> str:
    return '<div class="scroll" role="group" aria-label="Table" tabindex="0"><table>\n'


def _closing(*_: Any) -> str:
    return "</table></div>\n"


_markdown: Final = _made()


def to_html(text: str) -> str:
    """Render Markdown; every heading is of level 4, as the cards of a page stand under one of level 3.

    Args:
        text: what a card's `detail` says; nobody vouches for it.
    """
    if len(text) > LONGEST:
        return str(_markdown.renderer.render([_plain(text)], _markdown.options, {}))
    tokens = _markdown.parse(text)
    for token in tokens:
        _tame(token)
    return str(_markdown.renderer.render(tokens, _markdown.options, {}))


def _plain(text: str) -> Token:
    return Token("code_block", "code", 0, content=text)


def _tame(token: Token) -> None:
    if token.type in ("heading_open", "heading_close"):
        token.tag = "h4"
    if token.type in ("th_open", "td_open"):
        token.attrs.pop("style", None)  # the page's policy lets no style in that is not in its file
    if token.type == "link_open":
        token.attrSet("rel", "noopener noreferrer")
        token.attrSet("target", "_blank")
    children: Sequence[Token] = token.children or ()
    for child in children:
        _tame(child)
