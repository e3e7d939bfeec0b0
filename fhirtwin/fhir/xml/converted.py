"""JSON made from XML that remembers what it was made from, so that everything behind the door knows one form alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fhirtwin.fhir import codec
from fhirtwin.fhir.xml.pieces import Piece
from fhirtwin.fhir.xml.reading import read


class FromXml(bytes):
    """The bytes of a resource as JSON, and in `source` the XML that was sent."""

    source: bytes
    _pieces: Mapping[int, Piece]

    def entries(self, resources: Iterable[bytes | None]) -> list[bytes | None]:
        """Let the resources of a Bundle's entries remember their own part of the XML.

        Args:
            resources: cut out of these bytes, one for each entry, None where there is none.
        """
        return [
            _remembering(resource, self._pieces[number].cut(self.source))
            if resource and number in self._pieces
            else resource
            for number, resource in enumerate(resources)
        ]


def from_xml(data: bytes, *, max_depth: int) -> FromXml:
    """Make JSON of a resource in XML.

    Args:
        data: the body as sent.
        max_depth: as `read` takes it.

    Raises:
        Incorrect: as `read`.
    """
    document = read(data, max_depth=max_depth)
    return _remembering(codec.encode(document.resource), data, document.entries)


def source_of(data: bytes) -> bytes:
    """The XML that a resource was sent as; empty when it was sent as JSON."""
    return data.source if isinstance(data, FromXml) else b""


def _remembering(data: bytes, source: bytes, pieces: Mapping[int, Piece] | None = None) -> FromXml:
    made = FromXml(data)
    made.source = source
    made._pieces = pieces or {}
    return made
