"""XML becomes what the JSON of the same resource is, and what JSON could not say is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import xml

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'


def document(inside: str, kind: str = "Patient") -> bytes:
    return f'<{kind} xmlns="http://hl7.org/fhir">{inside}</{kind}>'.encode()


def read(inside: str, kind: str = "Patient") -> dict[str, Any]:
    decoded = xml.decode(document(inside, kind))
    assert decoded.pop("resourceType") == kind
    return decoded


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ('<id value="a"/>', {"id": "a"}),
        ('<active value="true"/>', {"active": True}),
        ('<active value="false"/>', {"active": False}),
        ('<multipleBirthInteger value="3"/>', {"multipleBirthInteger": 3}),
        ('<multipleBirthInteger value="-3"/>', {"multipleBirthInteger": -3}),
        ('<birthDate value="1960-05"/>', {"birthDate": "1960-05"}),
        ('<birthDate id="b"/>', {"_birthDate": {"id": "b"}}),
        ('<birthDate id="b" value="1960"/>', {"birthDate": "1960", "_birthDate": {"id": "b"}}),
        ('<name id="n"><family value="A"/></name>', {"name": [{"id": "n", "family": "A"}]}),
        ('<name><given value="&#233;&amp;&lt;"/></name>', {"name": [{"given": ["é&<"]}]}),
        ('<name><text value="a&#10;b&#9;"/></name>', {"name": [{"text": "a\nb\t"}]}),
        (f"<text><status value='empty'/>{DIV}a</div></text>", {"text": {"status": "empty", "div": f"{DIV}a</div>"}}),
    ],
)
def test_elements_become_members(inside: str, expected: dict[str, Any]) -> None:
    assert read(inside) == expected


@pytest.mark.parametrize("text", ["0.010", "1.0", "1E+2", "1e-7", "-0.5", "100", "0"])
def test_a_decimal_keeps_its_digits(text: str) -> None:
    value = read(f'<valueQuantity><value value="{text}"/></valueQuantity>', "Observation")["valueQuantity"]["value"]
    assert str(value) == str(Decimal(text))
    assert type(value) is (int if text.lstrip("-").isdigit() else Decimal)


def test_extensions_of_primitives_stand_beside_them_and_gaps_are_null() -> None:
    extension = '<extension url="http://x"><valueString value="e"/></extension>'
    found = read(
        f'<name><given value="a"/><given>{extension}</given><given value="c"/><given id="i" value="d"/></name>'
    )
    said = {"extension": [{"url": "http://x", "valueString": "e"}]}
    assert found == {"name": [{"given": ["a", None, "c", "d"], "_given": [None, said, None, {"id": "i"}]}]}


def test_an_array_of_primitives_without_any_value_is_only_beside() -> None:
    found = read('<name><given id="a"/><given id="b"/></name>')
    assert found == {"name": [{"_given": [{"id": "a"}, {"id": "b"}]}]}


def test_the_shorter_side_is_filled_up() -> None:
    found = read('<name><given id="a"/><given value="b"/></name>')
    assert found == {"name": [{"given": [None, "b"], "_given": [{"id": "a"}, None]}]}


def test_resources_inside_resources() -> None:
    bundle = '<type value="collection"/><entry><resource><Patient><id value="p"/></Patient></resource></entry>'
    entry = {"resource": {"resourceType": "Patient", "id": "p"}}
    assert read(bundle, "Bundle") == {"type": "collection", "entry": [entry]}
    contained = "<contained><Patient><id value='a'/></Patient></contained><contained><Medication/></contained>"
    assert read(contained)["contained"] == [{"resourceType": "Patient", "id": "a"}, {"resourceType": "Medication"}]


@pytest.mark.parametrize(
    "data",
    [
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Patient xmlns="http://hl7.org/fhir"/>',
        b'\xef\xbb\xbf<?xml version="1.0"?>\n<Patient xmlns="http://hl7.org/fhir"></Patient>\n',
        b'<!-- a --><f:Patient xmlns:f="http://hl7.org/fhir"><!-- b -->\n</f:Patient><!-- c -->',
        b'<Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        b' xsi:schemaLocation="http://hl7.org/fhir ../patient.xsd"/>',
    ],
)
def test_what_xml_leaves_to_the_writer_does_not_matter(data: bytes) -> None:
    assert xml.decode(data) == {"resourceType": "Patient"}


@pytest.mark.parametrize(
    ("root", "div", "expected"),
    [
        ("", f"{DIV}<b\n>x</b ></div >", f"{DIV}<b\n>x</b ></div >"),
        ("", f"{DIV}<br/></div>", f"{DIV}<br/></div>"),
        ("", DIV.replace(">", " title='>'/>"), DIV.replace(">", " title='>'/>")),
        (
            "",
            f"{DIV}<!-- </div> --><![CDATA[</div>]]>&#65;</div>",
            f"{DIV}<!-- </div> --><![CDATA[</div>]]>&#65;</div>",
        ),
        ("", f"{DIV}<div><div/></div></div>", f"{DIV}<div><div/></div></div>"),
        (
            ' xmlns:h="http://www.w3.org/1999/xhtml"',
            "<h:div><h:b>x</h:b></h:div>",
            '<h:div xmlns="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><h:b>x</h:b></h:div>',
        ),
    ],
)
def test_a_narrative_stays_as_it_is_written(root: str, div: str, expected: str) -> None:
    text = f"<text><status value='empty'/>{div}</text><active value='true'/>"
    data = document(text).replace(b'fhir">', f'fhir"{root}>'.encode(), 1)
    assert xml.decode(data) == {"resourceType": "Patient", "text": {"status": "empty", "div": expected}, "active": True}


@pytest.mark.parametrize(
    ("inside", "place", "says"),
    [
        ('\n<nonsense value="a"/>', "Patient.nonsense", "no such element"),
        ('\n<name><family value="A"/><use value="usual"/></name>', "Patient.name[0].use", "too late"),
        ('\n<gender value="male"/><name/>', "Patient.name[0]", "too late"),
        ('\n<name/><gender value="male"/><gender value="male"/>', "Patient.gender", "once"),
        ('\n<maritalStatus/><maritalStatus/>', "Patient.maritalStatus", "once"),
        ('\n<gender value="male" nonsense="a"/>', "Patient.gender", "no attributes but"),
        ('\n<name nonsense="a"/>', "Patient.name[0]", "no such attribute"),
        ('\n<name url="a"/>', "Patient.name[0]", "no such attribute"),
        ('\n<name/><name><given/></name>', "Patient.name[1].given[0]", "value or an extension"),
        ('\n<name>Ada</name>', "Patient.name[0]", "no text"),
        ('\n<active value="1"/>', "Patient.active", "true or false"),
        ('\n<active value="True"/>', "Patient.active", "true or false"),
        ('\n<active value=" true"/>', "Patient.active", "true or false"),
        ('\n<multipleBirthInteger value="1.0"/>', "Patient.multipleBirth", "whole number"),
        ('\n<multipleBirthInteger value="007"/>', "Patient.multipleBirth", "whole number"),
        ('\n<contact><name><given value="a"><given value="b"/></given></name></contact>',
         "Patient.contact[0].name.given[0].given", "no such element"),
        ('\n<contained><Patient/><Patient/></contained>', "Patient.contained[0]", "once"),
        ('\n<contained><Patient/><Group/></contained>', "Patient.contained[0]", "one resource"),
        ('\n<contained/>', "Patient.contained[0]", "one resource"),
        ('\n<contained><name/></contained>', "Patient.contained[0]", "resource type"),
        ('\n<contained><Patient><nonsense/></Patient></contained>', "Patient.contained[0].nonsense", "no such element"),
        ('\n<contained><Patient xmlns="http://hl7.org/fhir" id="a"/></contained>', "Patient.contained[0]", "attribute"),
        ('\n<name xmlns="http://example.org"/>', "Patient", "namespace http://hl7.org/fhir"),
        ('\n<text><status value="empty"/><div>a</div></text>', "Patient.text.div", "the namespace http://www.w3"),
        (f'\n<text>{DIV}a</div><status value="empty"/></text>', "Patient.text.status", "too late"),
        (f'\n<text>{DIV}a</div>{DIV}a</div></text>', "Patient.text", "one div"),
        ('\n<?php a ?>', "Patient", "Processing instructions"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_line_and_path(inside: str, place: str, says: str) -> None:
    with pytest.raises(Incorrect) as raised:
        read(inside)
    (issue,) = raised.value.issues
    assert says in issue.text
    assert issue.text.endswith(f"It stands in line 2 at {place}.")
    assert issue.expression == (place,)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{}", "not XML"),
        (b"<Patient/>", "resource type of FHIR R4, in the namespace"),
        (b'<Patient xmlns="http://hl7.org/fhir/"/>', "resource type of FHIR R4, in the namespace"),
        (b'<patient xmlns="http://hl7.org/fhir"/>', "resource type of FHIR R4, in the namespace"),
        (b'<DomainResource xmlns="http://hl7.org/fhir"/>', "resource type of FHIR R4, in the namespace"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "resource type of FHIR R4, in the namespace"),
        (b'<f:Patient xmlns="http://hl7.org/fhir"/>', "unbound prefix (line 1)"),
        (b'<Patient xmlns="http://hl7.org/fhir">\n<name></Patient>', "mismatched tag (line 2)"),
        (b'<Patient xmlns="http://hl7.org/fhir">', "no element found (line 1)"),
        (b'<Patient xmlns="http://hl7.org/fhir"/><Patient/>', "junk after document element (line 1)"),
        (b'<Patient xmlns="http://hl7.org/fhir"><gender value="a" value="b"/></Patient>', "duplicate attribute"),
        (b'<?xml version="1.1"?><Patient xmlns="http://hl7.org/fhir"/>', "XML 1.0"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><Patient xmlns="http://hl7.org/fhir"/>', "another encoding"),
        (b'<Patient xmlns="http://hl7.org/fhir"><language value="\xff"/></Patient>', "not UTF-8 (byte 54)"),
    ],
)
def test_what_is_no_resource_in_xml_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(Incorrect) as raised:
        xml.decode(data)
    assert says in str(raised.value)


@pytest.mark.parametrize("text", ["1e999999999", "1" * 19 + ".5", "0." + "0" * 400 + "1", "1" * 41])
def test_numbers_beyond_the_limits_are_refused(text: str) -> None:
    with pytest.raises(Incorrect, match="significant digits"):
        read(f'<valueQuantity><value value="{text}"/></valueQuantity>', "Observation")


@pytest.mark.parametrize("text", ["+1", ".5", "1.", "01", "1,5", "NaN", "INF", "", "0x1", "1_0", "١"])
def test_what_is_no_decimal_is_refused(text: str) -> None:
    with pytest.raises(Incorrect, match="decimal number"):
        read(f'<valueQuantity><value value="{text}"/></valueQuantity>', "Observation")
