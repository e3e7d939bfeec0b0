"""Binary: content made a resource, and content taken out of one.

*Source*: http://hl7.org/fhir/R4/binary.html#rest.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec


@dataclass(frozen=True, slots=True)
class Content:
    """What a Binary holds.

    Attributes:
        type: its media type as stored, parameters included.
        security_context: the text of the reference to the resource that stands for its protection; empty without one.
    """

    data: bytes
    type: str
    security_context: str = ""


def to_resource(content: Content, *, id: str = "") -> bytes:  # noqa: A002 (FHIR's word)
    """Make a Binary, as JSON.

    Args:
        content: not empty.
        id: logical id; empty for none.

    Raises:
        Incorrect: it is empty.
    """
    if not content.data:
        raise Incorrect("The body is empty; send the content of the Binary.")
    resource: dict[str, object] = {"resourceType": "Binary"}
    if id:
        resource["id"] = id
    resource["contentType"] = content.type
    if content.security_context:
        resource["securityContext"] = {"reference": content.security_context}
    resource["data"] = base64.b64encode(content.data).decode()
    return codec.encode(resource)


def from_resource(data: bytes) -> Content | None:
    """Take the content out of a Binary in JSON; None when it holds none."""
    resource = codec.reread(data)
    if "data" not in resource or "contentType" not in resource:
        return None
    context = resource.get("securityContext", {}).get("reference", "")
    # White space is allowed in base64Binary, and passed over.
    return Content(base64.b64decode(resource["data"]), resource["contentType"], context)
