from __future__ import annotations

import time

import pytest

from fhirtwin.errors import Issue
from fhirtwin.fhir.validator import validate

XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def judged(div: str) -> list[Issue]:
    return validate({"resourceType": "Patient", "text": {"status": "generated", "div": div}})


@pytest.mark.parametrize(
    "content",
    [
        "text",
        "<p class='a' style='color: red' xml:lang='de' id='b'>x</p><!-- a comment -->",
        "<table><tbody><tr><td colspan='2'>x</td></tr></tbody></table>",
        "<a href='https://x.example/a?b#c'>x</a><a name='y'>y</a>",
        "<img src='#logo' alt='a logo'/>",
        "&lt;b&gt; &amp; &#160;&#xe9;",
        "<kbd>x</kbd>",
    ],
)
def test_basic_formatting_passes(content: str) -> None:
    assert judged(f"<div {XHTML}>{content}</div>") == []


def test_a_prefix_for_the_namespace_passes() -> None:
    assert judged('<h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>x</h:p></h:div>') == []


@pytest.mark.parametrize(
    "div",
    [
        "<div>no namespace</div>",
        f"<p {XHTML}>another root</p>",
        f"<div {XHTML}>not closed",
        f"<div {XHTML}>a</div><div {XHTML}>b</div>",
        f"<div {XHTML}>&nbsp;x</div>",
        "just text",
        f"<div {XHTML}>a \ud800</div>",
        f"<div {XHTML}><script>alert(1)</script></div>",
        f"<div {XHTML}><form><input/></form>x</div>",
        f"<div {XHTML}><iframe src='x'/>x</div>",
        f"<div {XHTML}><svg xmlns='http://www.w3.org/2000/svg'/>x</div>",
        f"<div {XHTML}><p onclick='x()'>x</p></div>",
        f"<div {XHTML}><a href='javascript:x()'>x</a></div>",
        f"<div {XHTML}><a href=' Java&#9;Script:x()'>x</a></div>",
        f"<div {XHTML}><a href='data:text/html,x'>x</a></div>",
        f"<?xml-stylesheet href='x'?><div {XHTML}>x</div>",
        f"<?xml version='1.0'?><div {XHTML}>x</div>",
        f"<div {XHTML}>x<![CDATA[><img src='x' onerror='x()'>]]></div>",
        f"<div {XHTML}>x<!--><img src='x' onerror='x()'>--></div>",
        f"<div {XHTML}>x<!---><img src='x' onerror='x()'>--></div>",
        f"<!DOCTYPE div><div {XHTML}>x</div>",
        f'<!DOCTYPE div [<!ENTITY a SYSTEM "file:///etc/passwd">]><div {XHTML}>&a;</div>',
    ],
)
def test_what_is_not_basic_formatting_is_refused(div: str) -> None:
    (issue,) = judged(div)
    assert (issue.code, issue.expression) == ("invariant", ("Patient.text.div",))
    assert issue.text.endswith("(txt-1).")


@pytest.mark.parametrize("content", ["", " \n\t", "<p> </p><br/>"])
def test_a_narrative_that_shows_nothing_is_refused(content: str) -> None:
    (issue,) = judged(f"<div {XHTML}>{content}</div>")
    assert issue.text.endswith("(txt-2).")


def test_entities_within_entities_are_not_expanded() -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 20}">' for n in range(1, 12))
    begun = time.process_time()
    assert judged(f'<!DOCTYPE div [<!ENTITY a0 "aaaa">{entities}]><div {XHTML}>&a11;</div>')
    assert time.process_time() - begun < 1.0


def test_great_depth_is_read_without_recursion() -> None:
    assert judged(f"<div {XHTML}>{'<b>' * 50_000}x{'</b>' * 50_000}</div>") == []


def test_texts_never_repeat_a_narrative() -> None:
    (issue,) = judged(f"<div {XHTML}><Miller Miller='Miller'>Miller</Miller></div>")
    assert "Miller" not in issue.text
