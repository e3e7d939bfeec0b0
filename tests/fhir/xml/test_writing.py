"""XML goes out in R4's order, and nothing in it can be taken for anything else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhirtwin.errors import Fault, NotAcceptable
from fhirtwin.fhir import xml

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'
HEAD = b'<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir">'


def written(**members: Any) -> bytes:
    data = xml.encode({**members, "resourceType": "Patient"})
    assert data.startswith(HEAD) and data.endswith(b"</Patient>")
    return data[len(HEAD) : -len(b"</Patient>")]


def test_elements_go_out_in_the_order_of_r4_whatever_order_they_have() -> None:
    assert written(birthDate="1960", gender="male", id="a", active=True) == (
        b'<id value="a"/><active value="true"/><gender value="male"/><birthDate value="1960"/>'
    )


def test_digits_are_written_as_they_are() -> None:
    observation = {"resourceType": "Observation", "valueQuantity": {"value": Decimal("0.010")}}
    assert b'<value value="0.010"/>' in xml.encode(observation)


def test_ids_and_urls_are_attributes() -> None:
    extension = {"valueInteger": 1, "url": "http://x", "id": "e"}
    assert written(extension=[extension]) == b'<extension id="e" url="http://x"><valueInteger value="1"/></extension>'


def test_primitives_with_gaps_keep_their_positions() -> None:
    assert written(name=[{"given": ["a", None], "_given": [None, {"id": "i"}]}]) == (
        b'<name><given value="a"/><given id="i"/></name>'
    )


@pytest.mark.parametrize("text", ['"/><evil/>', "&evil;", "<!--", "]]>", "'><"])
def test_a_text_stays_a_text(text: str) -> None:
    assert xml.decode(HEAD + written(name=[{"text": text}]) + b"</Patient>")["name"] == [{"text": text}]
    assert (
        xml.decode(xml.encode({"resourceType": "Patient", "extension": [{"url": text}]}))["extension"][0]["url"] == text
    )


@pytest.mark.parametrize("text", ["\0", "a\x01", "\x1f", "\ufffe", "\uffff", "\ud800"])
def test_what_xml_cannot_hold_is_not_written(text: str) -> None:
    with pytest.raises(NotAcceptable) as raised:
        written(name=[{"text": "a"}, {"text": text}])
    assert raised.value.issues[0].expression == ("Patient.name[1].text",)


@pytest.mark.parametrize(
    "div",
    [
        f"{DIV}a",
        f"{DIV}a</div></text><evil/><text>",
        f"{DIV}a</div><evil/>",
        f'<?xml version="1.0"?>{DIV}a</div>',
        f"<!DOCTYPE div>{DIV}a</div>",
        "a",
        "<x:div>a</x:div>",
        f"{DIV}\0</div>",
        None,
    ],
)
def test_a_narrative_that_is_not_one_element_is_not_written(div: str | None) -> None:
    with pytest.raises(NotAcceptable):
        written(text={"status": "empty", "div": div})


def test_what_stands_beside_a_narrative_is_not_left_out_silently() -> None:
    with pytest.raises(NotAcceptable):
        written(text={"status": "empty", "div": f"{DIV}a</div>", "_div": {"id": "a"}})


def test_white_space_around_a_narrative_is_left_out() -> None:
    assert written(text={"div": f"\n {DIV}a</div> "}) == f"<text>{DIV}a</div></text>".encode()


def test_pretty_is_indented_but_for_narratives() -> None:
    resource = {"resourceType": "Patient", "text": {"div": f"{DIV}a <b>b</b></div>"}, "contact": [{"gender": "male"}]}
    assert xml.encode(resource, pretty=True).decode().splitlines() == [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<Patient xmlns="http://hl7.org/fhir">',
        "  <text>",
        f"    {DIV}a <b>b</b></div>",
        "  </text>",
        "  <contact>",
        '    <gender value="male"/>',
        "  </contact>",
        "</Patient>",
    ]


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Nonsense"},
        {"resourceType": "Patient", "nonsense": "a"},
        {"resourceType": "Patient", "gender": ["male"]},
        {"resourceType": "Patient", "gender": 1.5},
    ],
)
def test_what_is_no_resource_is_a_fault_of_ours(resource: dict[str, Any]) -> None:
    with pytest.raises(Fault):
        xml.encode(resource)
