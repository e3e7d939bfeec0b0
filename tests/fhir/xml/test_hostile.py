"""Documents made to hurt: nothing is fetched, nothing is expanded, and work grows with the length of the body alone."""

from __future__ import annotations

import gc
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import xml
from fhirtwin.fhir.xml import reading

ROOT = '<Patient xmlns="http://hl7.org/fhir">'
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'


@pytest.fixture(autouse=True)
def _nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(Path, "open", refuse)


@pytest.mark.parametrize(
    "document_type",
    [
        "<!DOCTYPE Patient>",
        '<!DOCTYPE Patient SYSTEM "http://example.org/evil.dtd">',
        '<!DOCTYPE Patient PUBLIC "-//X//X" "file:///etc/passwd">',
        '<!DOCTYPE Patient [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE Patient [<!ENTITY % x SYSTEM "http://example.org/evil.dtd"> %x;]>',
        f'<!DOCTYPE Patient [<!ENTITY l0 "lol">{LAUGHS}]>',
        f'<!DOCTYPE Patient [<!ENTITY x "{"a" * 50_000}">]>',
        '<!DOCTYPE Patient [<!ATTLIST Patient id CDATA "injected">]>',
        '<!DOCTYPE Patient [<!ELEMENT Patient EMPTY><!NOTATION n SYSTEM "n">]>',
    ],
)
@pytest.mark.parametrize("use", ["", "&x;", "&l9;" * 10])
def test_a_document_type_is_refused_before_anything_of_it_counts(document_type: str, use: str) -> None:
    with pytest.raises(Incorrect, match="no document types and no entities"):
        xml.decode(f'{document_type}{ROOT}<language value="{use}"/></Patient>'.encode())


@pytest.mark.parametrize("entity", ["&nbsp;", "&x;", "&x", "& ", "&#0;", "&#xD800;", "&#11;", "&#x110000;"])
@pytest.mark.parametrize("place", ['<language value="{}"/>', f'<text><status value="empty"/>{DIV}{{}}</div></text>'])
def test_other_entities_than_those_of_xml_are_refused(entity: str, place: str) -> None:
    with pytest.raises(Incorrect, match="not XML"):
        xml.decode(f"{ROOT}{place.format(entity)}</Patient>".encode())


@pytest.mark.parametrize(
    "inside",
    [
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>',
        '<?xml-stylesheet type="text/xsl" href="http://example.org/x.xsl"?>',
        '<name xsi:type="HumanName" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>',
        '<name xml:base="http://example.org/"/>',
        f'<text><status value="empty"/>{DIV}<?php x ?></div></text>',
    ],
)
def test_what_leads_elsewhere_is_refused(inside: str) -> None:
    with pytest.raises(Incorrect):
        xml.decode(f"{ROOT}{inside}</Patient>".encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037", "utf-7"])
def test_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(Incorrect):
        xml.decode(f'<?xml version="1.0" encoding="{encoding}"?>{ROOT}<language value="é"/></Patient>'.encode(encoding))


@pytest.mark.parametrize("character", ["\0", "\x01", "\x1f", "\ufffe", "\uffff"])
def test_characters_that_xml_has_not_are_refused(character: str) -> None:
    with pytest.raises(Incorrect, match="not XML"):
        xml.decode(f'{ROOT}<language value="{character}"/></Patient>'.encode())


class Counting(reading._Reader):
    """Counts what the parser reports."""

    calls = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        type(self).calls += 1
        super().start(tag, attributes)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> type[Counting]:
    Counting.calls = 0
    monkeypatch.setattr(reading, "_Reader", Counting)
    return Counting


@pytest.mark.parametrize("element", ["extension", "contained><Patient"])
def test_nesting_ends_at_the_limit(counting: type[Counting], element: str) -> None:
    with pytest.raises(Incorrect, match="deeper than 64 levels"):
        xml.decode((ROOT + f"<{element}>" * 100_000).encode())
    assert counting.calls == 65


def test_nesting_of_a_narrative_ends_at_the_limit() -> None:
    with pytest.raises(Incorrect, match="deeper than 64 levels"):
        xml.decode(f"{ROOT}<text><status value='empty'/>{DIV}{'<b>' * 100_000}".encode())


def test_nesting_to_the_limit_is_read() -> None:
    deep = "<div>" * 61 + "</div>" * 61
    xml.decode(f"{ROOT}<text><status value='empty'/>{DIV}{deep}</div></text></Patient>".encode())
    with pytest.raises(Incorrect, match="deeper than 64 levels"):
        xml.decode(f"{ROOT}<text><status value='empty'/>{DIV}<div>{deep}</div></div></text></Patient>".encode())


@pytest.mark.parametrize("end", ["</Patient>", ""])
def test_nothing_of_a_body_stays_behind(end: str) -> None:
    gc.collect()
    gc.disable()
    try:
        with suppress(Incorrect):
            xml.from_xml(f'{ROOT}<id value="a"/>{end}'.encode(), max_depth=64)
        assert not any(isinstance(one, reading._Reader) for one in gc.get_objects())
    finally:
        gc.enable()


def test_an_element_with_a_hundred_thousand_attributes_is_refused_when_it_is_seen(counting: type[Counting]) -> None:
    attributes = "".join(f' a{n}="b"' for n in range(100_000))
    with pytest.raises(Incorrect, match="no such attribute"):
        xml.decode(f"{ROOT}<name{attributes}/>{'<name/>' * 1000}</Patient>".encode())
    assert counting.calls == 2
    with pytest.raises(Incorrect, match="more than 64 attributes"):
        xml.decode(f"{ROOT}<text>{DIV}<b{attributes}/></div></text></Patient>".encode())


def test_the_same_prefix_declared_in_every_element_costs_no_more_than_the_elements(counting: type[Counting]) -> None:
    names = '<f:name xmlns:f="http://hl7.org/fhir"><f:text value="a"/></f:name>' * 10_000
    assert len(xml.decode(f"{ROOT}{names}</Patient>".encode())["name"]) == 10_000
    assert counting.calls == 20_001


def test_sixteen_prefixes_may_be_declared_again_and_again() -> None:
    spaces = "".join(f' xmlns:a{n}="x{n}"' for n in range(15))
    assert len(xml.decode(f"{ROOT}{f'<name{spaces}/>' * 3}</Patient>".encode())["name"]) == 3


@pytest.mark.parametrize(("prefixes", "length"), [(16, 1), (1, 300)])
def test_declarations_that_every_entry_would_inherit_are_limited(prefixes: int, length: int) -> None:
    spaces = "".join(f' xmlns:a{n}="{"x" * length}"' for n in range(prefixes))
    sent = f'<Bundle xmlns="http://hl7.org/fhir"{spaces}><type value="collection"/></Bundle>'.encode()
    with pytest.raises(Incorrect, match="16 prefixes, of 256 characters"):
        xml.from_xml(sent, max_depth=64)


def test_one_byte_order_mark_is_enough() -> None:
    mark = "\ufeff".encode()
    assert xml.decode(mark + f"{ROOT}</Patient>".encode()) == {"resourceType": "Patient"}
    with pytest.raises(Incorrect, match="not XML"):
        xml.decode(mark + mark + f"{ROOT}</Patient>".encode())
