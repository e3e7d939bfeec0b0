"""Markup does not get through."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fhirtwin.pgx.knowledge import plain

PIECES = [
    "<",
    ">",
    "&lt;",
    "&amp;lt;",
    "script",
    "/script",
    "b",
    "!--",
    "-->",
    "<p>",
    "&#60;",
    "&",
    " ",
    "x=1",
    "?php",
    "]]",
]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p>\n<p>Two&nbsp;&gt;&nbsp;one</p>", "One\nTwo > one"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("dose <20mg/day and ≤ 40", "dose <20mg/day and ≤ 40"),
        ("a<script>alert(1)</script>b", "ab"),
        ("a<style>p{}</style><img src=x onerror=alert(1)>b", "ab"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "‹script>alert(1)‹/script>"),
        ("<<b>script>alert(1)</script>", "<script>alert(1)".replace("<", "‹")),
        ("<p>a level &lt;LLOQ was seen</p>", "a level ‹LLOQ was seen"),
        ("<p>a level <LLOQ was seen", "a level ‹LLOQ was seen"),
        ("&lt;LLOQ, &amp;lt; 5 &lt; 6", "‹LLOQ, &lt; 5 < 6"),
        ("m.1555A&gt;G\u202e\u0000x", "m.1555A>G x"),
        (None, ""),
    ],
)
def test_html_becomes_text(html: Any, text: str) -> None:
    assert plain.of_html(html) == text


@pytest.mark.parametrize("html", ["a<script>b", "a<style>b</p>", "a<title>b"])
def test_text_that_would_be_lost_is_refused(html: str) -> None:
    with pytest.raises(plain.Wrong, match="does not end"):
        plain.of_html(html)


@given(some.lists(some.sampled_from(PIECES), max_size=30).map("".join))
def test_nothing_that_could_be_a_tag_is_left(html: str) -> None:
    try:
        text = plain.of_html(html) + " " + plain.of_lines(html)
    except plain.Wrong:
        return
    assert not any(f"<{letter}" in text for letter in "abpsABPS/!?")


@pytest.mark.parametrize("value", [1, ["x"], {"html": "x"}, True])
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(plain.Wrong, match="is not a text"):
        plain.of(value)


@pytest.mark.parametrize(
    "url", ["ftp://x/y", "//x", "http://", "https://[x", "https://x/(y)", "https://x/ y", "data:,x"]
)
def test_addresses_lead_to_pages_only(url: str) -> None:
    with pytest.raises(plain.Wrong):
        plain.address(url)
