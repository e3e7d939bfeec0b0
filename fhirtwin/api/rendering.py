"""Writes resources in the format that the caller wants, once that is settled; before it is, in JSON."""

from __future__ import annotations

import msgspec
from flask import Response, g

from fhirtwin.errors import NotAcceptable
from fhirtwin.fhir import codec, xml
from fhirtwin.fhir.media_types import Format


def settle(chosen: Format, *, pretty: bool) -> None:
    """Let the answer to the request at hand be written like this."""
    g.format, g.pretty = chosen, pretty


def settled() -> Format:
    """The format of the answer."""
    chosen: Format = g.get("format", Format.JSON)
    return chosen


def write(data: bytes, source: bytes = b"") -> bytes:
    """Write a resource.

    Args:
        data: the resource as JSON.
        source: the same as XML, where that is known: given as it is, unless it is to be indented.

    Raises:
        NotAcceptable: it has a character that XML cannot hold.
    """
    pretty = g.get("pretty", False)
    if settled() is Format.JSON:
        return msgspec.json.format(data, indent=2) if pretty else data
    if source and not pretty:
        return source
    return xml.encode(codec.reread(data), pretty=pretty)


def respond(status: int, data: bytes, source: bytes = b"") -> Response:
    """A response with a resource; `data` and `source` as `write` takes them."""
    return Response(write(data, source), status=status, content_type=settled().content_type)


def respond_whatever(status: int, data: bytes, source: bytes = b"") -> Response:
    """As `respond`, but what XML cannot hold goes out as JSON: something was done, and the caller is to know of it."""
    try:
        return respond(status, data, source)
    except NotAcceptable:
        settle(Format.JSON, pretty=False)
        return respond(status, data)
