"""What callers call the two formats."""

from __future__ import annotations

import pytest

from fhirtwin.errors import WrongMediaType
from fhirtwin.fhir import media_types
from fhirtwin.fhir.media_types import Format


@pytest.mark.parametrize(
    "content_type",
    [
        "application/fhir+json",
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/json+fhir",
        "text/json",
        'application/fhir+json; charset="utf-8"; fhirVersion=4.0',
    ],
)
def test_names_of_json(content_type: str) -> None:
    assert media_types.of(content_type) is Format.JSON


@pytest.mark.parametrize(
    "content_type",
    [
        "application/fhir+xml",
        "application/xml",
        "Text/XML; charset=UTF-8",
        "application/xml+fhir",
        "application/fhir+xml; fhirVersion=4.0",
    ],
)
def test_names_of_xml(content_type: str) -> None:
    assert media_types.of(content_type) is Format.XML


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/fhir+turtle",
        "application/jsonx",
        "application/json; charset=latin1",
        "text/xml; charset=utf-16",
        "application/fhir+json; fhirVersion=5.0",
    ],
)
def test_other_media_types_are_refused(content_type: str) -> None:
    with pytest.raises(WrongMediaType):
        media_types.of(content_type)
