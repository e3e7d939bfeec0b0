from __future__ import annotations

import pytest

from fhirtwin.fhir import links, splice
from fhirtwin.fhir.links import Link
from tests.cost import growth

URN = "urn:uuid:00000000-0000-4000-8000-000000000001"


def test_links_are_found_wherever_they_are() -> None:
    resource = {
        "resourceType": "DocumentReference",
        "text": {"status": "generated", "div": "<div>x</div>"},
        "implicitRules": URN,
        "_status": {"extension": [{"url": "http://x", "valueUrl": "http://a"}]},
        "subject": {"reference": "Patient/1"},
        "contained": [
            {"resourceType": "CarePlan", "instantiatesUri": ["http://b", URN], "instantiatesCanonical": [URN]}
        ],
        "content": [{"attachment": {"url": "Binary/1", "title": URN}}],
        "nonsense": {"url": URN},
    }
    found = {(link.kind, link.place, link.path, link.text) for link in links.walk(resource)}
    assert found == {
        ("xhtml", "DocumentReference.text.div", ("text", "div"), "<div>x</div>"),
        ("uri", "DocumentReference.implicitRules", ("implicitRules",), URN),
        ("uri", "DocumentReference.status.extension[0].url", ("_status", "extension", 0, "url"), "http://x"),
        ("url", "DocumentReference.status.extension[0].value", ("_status", "extension", 0, "valueUrl"), "http://a"),
        ("Reference", "DocumentReference.subject", ("subject", "reference"), "Patient/1"),
        (
            "uri",
            "DocumentReference.contained[0].instantiatesUri[0]",
            ("contained", 0, "instantiatesUri", 0),
            "http://b",
        ),
        ("uri", "DocumentReference.contained[0].instantiatesUri[1]", ("contained", 0, "instantiatesUri", 1), URN),
        ("url", "DocumentReference.content[0].attachment.url", ("content", 0, "attachment", "url"), "Binary/1"),
    }


def test_the_entries_of_a_bundle_are_a_world_of_their_own() -> None:
    entry = {"fullUrl": URN, "resource": {"resourceType": "Patient", "managingOrganization": {"reference": URN}}}
    assert list(links.walk({"resourceType": "Bundle", "type": "collection", "entry": [entry]})) == []


@pytest.mark.parametrize(
    ("xhtml", "expected"),
    [
        ('<a href="OLD">x</a>', '<a href="new">x</a>'),
        ("<a\n class='c'  href = 'OLD' title='OLD'>OLD</a>", "<a\n class='c'  href = \"new\" title='OLD'>OLD</a>"),
        ('<img alt="a>b" src="OLD"/>', '<img alt="a>b" src="new"/>'),
        ('<a href="a?b=1&amp;c=2">x</a>', '<a href="x&amp;y">x</a>'),
        ('<a href="#OLD">x</a><p title="OLD">href="OLD"</p>', '<a href="#OLD">x</a><p title="OLD">href="OLD"</p>'),
        ('<abbr href="OLD">x</abbr>', '<abbr href="OLD">x</abbr>'),
        ("<div>no link</div>", "<div>no link</div>"),
    ],
)
def test_addresses_of_a_narrative_are_replaced_and_nothing_else(xhtml: str, expected: str) -> None:
    becomes = {"OLD": "new", "a?b=1&c=2": "x&y"}
    assert links.readdressed(xhtml, lambda text: becomes.get(text, text)) == expected


@pytest.mark.parametrize("unit", ["<a ", "<a href='", '<a href="x" ', "<img src=", "'\"", "<a\n"])
def test_a_long_narrative_costs_little(unit: str) -> None:
    assert growth(lambda size: links.readdressed(unit * size, str), 12_500) < 24


def test_texts_are_written_where_they_stand() -> None:
    data = b'{ "resourceType" : "Basic","a":[ {"u" : "1"} ,[ 2, "3" ],\n"4"],"b":{"u":"1"} }'
    spliced = splice.splice(
        data,
        id="i",
        version=1,
        last_updated="2026-01-01T00:00:00Z",
        texts={("a", 0, "u"): 'x"', ("a", 1, 1): "y", ("a", 2): "z"},
    )
    head, _, rest = spliced.partition(b'"a":')
    assert head.startswith(b'{ "resourceType" : "Basic","id":"i","meta"')
    assert rest == b'[ {"u" : "x\\""} ,[ 2, "y" ],\n"z"],"b":{"u":"1"} }'


def test_a_text_found_by_name_and_by_place_is_written_once() -> None:
    data = b'{"resourceType":"DetectedIssue","reference":"old","implicated":[{"reference":"old"}]}'
    spliced = splice.splice(
        data,
        id="i",
        version=1,
        last_updated="2026-01-01T00:00:00Z",
        references={"old": "new"},
        texts={("reference",): "new"},
    )
    assert spliced.endswith(b'"reference":"new","implicated":[{"reference":"new"}]}')


def test_a_link_says_what_it_is() -> None:
    (link,) = links.walk({"resourceType": "Patient", "managingOrganization": {"reference": "Organization/1"}})
    assert link == Link(
        "Reference", "Patient.managingOrganization", ("managingOrganization", "reference"), "Organization/1"
    )
