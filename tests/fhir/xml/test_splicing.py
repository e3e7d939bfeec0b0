"""Identity and references go into the client's own XML; every other byte stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirtwin.fhir import codec, xml
from fhirtwin.fhir.xml.converted import from_xml

META = '<versionId value="2"/><lastUpdated value="2026-01-02T03:04Z"/>'


def spliced(text: str, **references: str) -> str:
    refs = {"urn:uuid:1": references["to"]} if references else None
    return xml.splice(text.encode(), id="new", version=2, last_updated="2026-01-02T03:04Z", references=refs).decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<P/>", f'<P><id value="new"/><meta>{META}</meta></P>'),
        ("<P  ></P>", f'<P  ><id value="new"/><meta>{META}</meta></P>'),
        ('<P>\n <id value="old"/>\n</P>', f'<P>\n <id value="new"/><meta>{META}</meta>\n</P>'),
        ("<P><id  value = 'o&gt;'  /></P>", f"<P><id  value = \"new\"  /><meta>{META}</meta></P>"),
        ('<P><id id="i"><extension url="u"/></id></P>',
         f'<P><id value="new" id="i"><extension url="u"/></id><meta>{META}</meta></P>'),
        ('<P><meta><profile value="p"/></meta></P>',
         f'<P><id value="new"/><meta>{META}<profile value="p"/></meta></P>'),
        ('<P><meta id="m"/></P>', f'<P><id value="new"/><meta id="m">{META}</meta></P>'),
        ('<P><id value="a"/><meta><extension url="u"/><extension url="v"/><source value="s"/></meta></P>',
         f'<P><id value="new"/><meta><extension url="u"/><extension url="v"/>{META}<source value="s"/></meta></P>'),
        ('<P><id value="a"/><meta><versionId value="1"/><!----><lastUpdated value="y"/></meta></P>',
         '<P><id value="new"/><meta><versionId value="2"/><!----><lastUpdated value="2026-01-02T03:04Z"/></meta></P>'),
        ('<P><id value="a"/><meta><versionId value="1"/><source value="s"/></meta></P>',
         f'<P><id value="new"/><meta>{META}<source value="s"/></meta></P>'),
        ('<P><id value="a"/><meta><lastUpdated value="1"/></meta></P>', f'<P><id value="new"/><meta>{META}</meta></P>'),
        ('<P><contained><P><id value="inner"/><meta/></P></contained></P>',
         f'<P><id value="new"/><meta>{META}</meta><contained><P><id value="inner"/><meta/></P></contained></P>'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("prolog", ["", "\ufeff", '<?xml version="1.0"?>\n<!-- <P/> -->'])
def test_identity_is_put_where_r4_has_it(before: str, after: str, prolog: str) -> None:
    named = [
        text.replace("<P", '<Patient xmlns="http://hl7.org/fhir"', 1)
        .replace("P>", "Patient>")
        .replace("<P>", "<Patient>")
        for text in (before, after)
    ]
    assert spliced(prolog + named[0]) == prolog + named[1]


def test_what_is_put_in_has_the_prefix_of_the_resource() -> None:
    before = '<f:Patient xmlns:f="http://hl7.org/fhir"><f:active value="true"/></f:Patient>'
    stamp = META.replace("<", "<f:")
    assert spliced(before) == before.replace("<f:active", f'<f:id value="new"/><f:meta>{stamp}</f:meta><f:active')


def test_references_are_resolved_and_texts_that_look_like_them_are_not() -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><reference value="urn:uuid:1"/></div>'
    narrative = f'<text><status value="empty"/>{div}</text>'
    before = (
        f'<Observation xmlns="http://hl7.org/fhir"><id value="new"/><meta>{META}</meta>{narrative}'
        '<code><text value="urn:uuid:1"/>'
        '</code><subject><reference value="urn:uuid:1"/></subject>'
        '<focus><reference id="a"\nvalue="urn:uuid:2"/></focus>'
        "<hasMember><reference   value='urn:uuid:1'/></hasMember></Observation>"
    )
    after = before.replace('<subject><reference value="urn:uuid:1"/>', '<subject><reference value="A/&quot;&amp;"/>')
    after = after.replace("<reference   value='urn:uuid:1'/>", '<reference   value="A/&quot;&amp;"/>')
    assert spliced(before, to='A/"&') == after


def test_every_official_example_spliced_reads_as_the_json_spliced(shared: Path) -> None:
    from fhirtwin.fhir.splice import splice

    stamp = {"id": "new", "version": 2, "last_updated": "2026-01-02T03:04Z"}
    for file in sorted((shared / "data/fhir/dev/examples").glob("*.json")):
        data = file.read_bytes()
        for pretty in (False, True):
            written = xml.encode(codec.decode(data), pretty=pretty)
            assert xml.decode(xml.splice(written, **stamp)) == codec.decode(splice(data, **stamp)), file.name


def test_each_entry_of_a_bundle_remembers_its_own_xml() -> None:
    patient = '<Patient><active value="true"/></Patient>'
    sent = (
        '<Bundle xmlns="http://hl7.org/fhir" xmlns:x="http://example.org/?a&amp;b"><type value="collection"/>'
        f'<entry><resource>{patient}</resource></entry><entry><fullUrl value="urn:x"/></entry>'
        '<entry><resource>\n<Group/>'
        '</resource></entry><entry><resource xmlns:f="http://hl7.org/fhir"><f:List><f:contained><f:Group/></f:contained>'
        '</f:List></resource></entry></Bundle>'
    )  # fmt: skip
    made = from_xml(sent.encode(), max_depth=64)
    assert made.source == sent.encode()
    one, none, two, three = made.entries([b"{}", None, b"{}", b"{}"])
    spaces = 'xmlns="http://hl7.org/fhir" xmlns:x="http://example.org/?a&amp;b"'
    assert none is None
    assert xml.source_of(one or b"").decode() == f'<Patient {spaces}><active value="true"/></Patient>'
    assert xml.source_of(two or b"").decode() == f"<Group {spaces}/>"
    listed = f'<f:List {spaces} xmlns:f="http://hl7.org/fhir"><f:contained><f:Group/></f:contained></f:List>'
    assert xml.source_of(three or b"").decode() == listed
    assert xml.decode(listed.encode()) == {"resourceType": "List", "contained": [{"resourceType": "Group"}]}
