"""A Binary in its native form: any content in, the same content out, and nothing that a browser would run.

*Source*: http://hl7.org/fhir/R4/binary.html#rest.
"""

from __future__ import annotations

from typing import Final

from flask import Response, request

from fhirtwin.api import body
from fhirtwin.api.fhir import negotiation
from fhirtwin.errors import Forbidden, NotAcceptable
from fhirtwin.fhir import binary, media_types
from fhirtwin.interactions.context import Answer
from fhirtwin.settings import Settings

TYPE: Final = "Binary"

_CONTEXT: Final = "X-Security-Context"
_SAFE: Final = {
    "Content-Disposition": "attachment",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
"""What keeps a page from becoming one of this server's own, when somebody stored it."""


def read_resource(settings: Settings, type_: str, id_: str = "") -> bytes:
    """The body of a create or update; content that is no resource becomes a Binary where one is expected.

    Args:
        settings: the limits.
        type_: resource type, as in the URL.
        id_: logical id, as in the URL; empty for a create.

    Raises:
        WrongMediaType, TooLarge, Incorrect: as `negotiation.read_resource`.
        Forbidden: a page of another origin sends content.
    """
    declared = request.headers.get("Content-Type", "")
    if type_ != TYPE or not declared or declared.partition(";")[0].strip().lower() in media_types.NAMES:
        return negotiation.read_resource(settings)
    negotiation.refuse_compressed()
    # A form of any page can send text and forms to any server; only JSON and XML need that server's leave.
    if request.headers.get("Origin", request.host_url.rstrip("/")) != request.host_url.rstrip("/"):
        raise Forbidden("A page of another origin may not send content; send a Binary as application/fhir+json.")
    content = binary.Content(body.read_body(settings.max_body_bytes), declared, request.headers.get(_CONTEXT, ""))
    return binary.to_resource(content, id=id_)


def native(answer: Answer) -> Response | None:
    """The content of a Binary that was read, when the caller likes it better than the resource; else None.

    Raises:
        NotAcceptable: the caller wants neither.
    """
    if answer.stored is None or answer.stored.type != TYPE or request.method not in ("GET", "HEAD"):
        return None
    content = binary.from_resource(answer.body)
    if content is None or not negotiation.prefers(_bare(content.type)):
        if not negotiation.accepts_resource():
            raise NotAcceptable("This Binary has another type; ask for that, or for application/fhir+json.")
        return None
    response = Response(content.data, status=answer.status, headers={**answer.headers, **_SAFE})
    response.content_type = content.type if _fits_header(content.type) else _bare(content.type)
    if content.security_context and _fits_header(content.security_context):
        response.headers[_CONTEXT] = content.security_context
    return response


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0].strip()


def _fits_header(text: str) -> bool:
    return text.isascii() and text.isprintable()


def is_read() -> bool:
    """Whether the request at hand reads a Binary, so that any type may be asked for."""
    asked = request.view_args or {}
    return request.method in ("GET", "HEAD") and asked.get("type_") == TYPE and "id_" in asked and "name" not in asked
