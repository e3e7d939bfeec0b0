"""Documents changed at random: each is read or refused, and what is read and right keeps the laws of the round trip."""

from __future__ import annotations

import random

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec, splice, xml
from fhirtwin.fhir.validator import validate
from tests.parts import body, condition, entry, observation, patient, transaction

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">a &amp; <b>b</b><br/></div>'
EXTENSION = {"url": "http://x", "valueDecimal": 0.10}
RESOURCES = (
    patient(id="p", text={"status": "generated", "div": DIV}, _birthDate={"extension": [EXTENSION]}),
    patient(
        contained=[{"resourceType": "Organization", "id": "o", "name": "O"}], managingOrganization={"reference": "#o"}
    ),
    patient(meta={"versionId": "7", "profile": ["http://x"]}, active=True, language="de", multipleBirthInteger=2),
    patient(name=[{"id": "n", "given": ["a", None, "c"], "_given": [None, {"extension": [EXTENSION]}, {"id": "i"}]}]),
    transaction(
        entry("POST", "Observation", observation("Patient/p")), entry("POST", "Condition", condition("Patient/p"))
    ),
)
PIECES = (
    *"<>/\"'& \n=\0",
    *(
        "<!--x-->",
        "<![CDATA[x]]>",
        "<?x?>",
        "&amp;",
        "&x;",
        "/>",
        "</",
        ' id="q"',
        ' value="1"',
        "f:",
        "\ufeff",
        "</div>",
    ),
    *('<extension url="x">', '<id value="a"/>', "<meta/>", "<contained><Patient/></contained>", '<given value="x"/>'),
    *(' xmlns="http://hl7.org/fhir"', ' xmlns:f="http://hl7.org/fhir"', ' xmlns="http://www.w3.org/1999/xhtml"'),
)
STAMP = {"id": "new", "version": 3, "last_updated": "2026-01-02T03:04:05Z"}


def mutated(document: bytes, chance: random.Random) -> bytes:
    data = bytearray(document)
    for _ in range(chance.randint(1, 2)):
        at, other = chance.randrange(len(data)), chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at:at] = chance.choice(PIECES).encode()
            case 1:
                del data[at : at + chance.randint(1, 30)]
            case 2:
                data[at:at] = data[other : other + chance.randint(1, 200)]
            case _:
                data[at] = chance.randrange(256)
    return bytes(data)


def test_every_mutant_is_read_or_refused_and_the_right_ones_come_back() -> None:
    chance = random.Random(20)  # noqa: S311 - repeatable, not secret
    documents = [xml.encode(codec.decode(body(resource)), pretty=pretty) for resource in RESOURCES for pretty in (0, 1)]
    right = 0
    for number in range(6_000):
        sent = mutated(documents[number % len(documents)], chance)
        try:
            made = xml.from_xml(sent, max_depth=64)
        except Incorrect:
            continue
        resource = codec.decode(made)
        if validate(resource):
            continue
        right += 1
        assert xml.decode(xml.encode(resource)) == resource
        assert xml.decode(xml.splice(sent, **STAMP)) == codec.decode(splice.splice(bytes(made), **STAMP))
    assert right > 50
