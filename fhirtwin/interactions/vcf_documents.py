"""The VCF file that a DocumentReference holds: inline, or in a Binary that is stored here.

*Source*: http://hl7.org/fhir/R4/documentreference.html.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from io import BytesIO
from typing import Any, BinaryIO

from fhirtwin.access import Caller
from fhirtwin.errors import Incorrect, Unprocessable, Unsupported
from fhirtwin.fhir import binary, codec
from fhirtwin.interactions import read
from fhirtwin.interactions.context import Services, local_id
from fhirtwin.store import Reader


def opened(services: Services, caller: Caller, reader: Reader, reference: str, patient: str) -> tuple[str, BinaryIO]:
    """Give the local reference to a DocumentReference, and the file that it holds.

    Args:
        services: the parts.
        caller: who asks.
        reader: the open transaction.
        reference: to the DocumentReference.
        patient: id of the Patient whom it must be about.

    Raises:
        Incorrect: the reference is to something else, or elsewhere.
        NotFound, Gone: it is not there, or not to be seen.
        Unprocessable: it is not current, of another patient, or holds no one VCF file.
        Unsupported: the file is on another server.
    """
    id_ = local_id(reference, "DocumentReference", services.base_url)
    if id_ is None:
        raise Incorrect("`document` must refer to a DocumentReference of this server.")
    document = codec.reread(read.current(reader, caller, "DocumentReference", id_).data)
    if document.get("status") != "current":
        raise Unprocessable("The DocumentReference is not current.", expression="DocumentReference.status")
    subject = str(document.get("subject", {}).get("reference", ""))
    if local_id(subject, "Patient", services.base_url) != patient:
        raise Unprocessable("The DocumentReference is not about this Patient.", expression="DocumentReference.subject")
    return f"DocumentReference/{id_}", BytesIO(_content(services, caller, reader, _attachment(document)))


def _attachment(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found = [one["attachment"] for one in document.get("content", ()) if "attachment" in one]
    named = [one for one in found if "vcf" in str(one.get("contentType", "")).lower()]
    one = named if len(found) > 1 else found
    if len(one) != 1:
        raise Unprocessable(
            "The DocumentReference must hold one VCF file; of several, exactly one with contentType text/vcf.",
            expression="DocumentReference.content",
        )
    return dict(one[0])


def _content(services: Services, caller: Caller, reader: Reader, attachment: Mapping[str, Any]) -> bytes:
    if "data" in attachment:
        try:
            return base64.b64decode(attachment["data"])
        except binascii.Error:
            raise Unprocessable("The attachment is not base64.", expression="DocumentReference.content") from None
    id_ = local_id(str(attachment.get("url", "")), "Binary", services.base_url)
    if id_ is None:
        raise Unsupported("The file of the DocumentReference must be inline or a Binary of this server.")
    found = binary.from_resource(read.current(reader, caller, "Binary", id_).data)
    if found is None:
        raise Unprocessable("The Binary of the DocumentReference is empty.")
    return found.data
