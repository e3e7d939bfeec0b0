"""The two formats of FHIR that are read and written here, and the names that callers have for them.

*Source*: http://hl7.org/fhir/R4/http.html#mime-type.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from fhirtwin.errors import WrongMediaType


class Format(StrEnum):
    """A format, by its media type."""

    JSON = "application/fhir+json"
    XML = "application/fhir+xml"

    @property
    def content_type(self) -> str:
        """What stands in `Content-Type`: R4 wants the charset named."""
        return f"{self}; charset=utf-8"


NAMES: Final[Mapping[str, Format]] = {
    "application/fhir+json": Format.JSON,
    "application/json": Format.JSON,
    "text/json": Format.JSON,
    "application/json+fhir": Format.JSON,
    "application/fhir+xml": Format.XML,
    "application/xml": Format.XML,
    "text/xml": Format.XML,
    "application/xml+fhir": Format.XML,
}
"""The media types that are read. Those with `+fhir` are from before STU3, and CDS Hooks clients still send one."""

SHORT: Final[Mapping[str, Format]] = {"json": Format.JSON, "xml": Format.XML}
"""What `_format` may say instead."""


def of(media_type: str) -> Format:
    """Tell the format that a media type names.

    Args:
        media_type: a header's value, parameters included; `charset` must be UTF-8, `fhirVersion` 4.0, and other
            parameters do not count.

    Raises:
        WrongMediaType: any other, or none.
    """
    name, *parameters = (part.strip().lower() for part in media_type.split(";"))
    found = NAMES.get(name)
    if found is None:
        raise WrongMediaType("This media type is not read here; send the body as application/fhir+json.")
    for parameter in parameters:
        key, _, value = (part.strip().strip('"') for part in parameter.partition("="))
        if key == "charset" and value not in ("utf-8", "utf8"):
            raise WrongMediaType("Send the body in UTF-8.")
        if key == "fhirversion" and value not in ("4.0", "4.0.1"):
            raise WrongMediaType("Send FHIR R4: fhirVersion=4.0.")
    return found
