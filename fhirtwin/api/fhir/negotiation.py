"""Which format the caller sends and wants: http://hl7.org/fhir/R4/http.html#mime-type. JSON is the only one here."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from flask import request

from fhirtwin.errors import NotAcceptable, WrongMediaType
from fhirtwin.fhir import codec
from fhirtwin.interactions.patch import Form

_FORMATS: Final = codec.MEDIA_TYPES | {"json"}
GENERAL: Final = frozenset({"_format", "_pretty"})
"""Parameters of any request that are about the answer's form."""


def require_json_accepted() -> None:
    """Return when the caller takes JSON; `_format` wins over `Accept`.

    Raises:
        NotAcceptable: the caller wants another format.
    """
    wanted = request.args.get("_format")
    if wanted is not None:
        # In a URL a plus sign is a space unless it was escaped, and often it was not.
        name = wanted.partition(";")[0].strip().lower().replace(" ", "+")
        accepted = name in _FORMATS
    else:
        accept = request.accept_mimetypes
        accepted = not accept or any(quality > 0 and _is_ours(wished) for wished, quality in accept)
    if not accepted:
        raise NotAcceptable("This server answers in application/fhir+json only.")


def patch_form() -> Form:
    """How the body of a patch is written, by its declared type.

    Raises:
        WrongMediaType: as no patch that is done here.
    """
    name = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    form = Form.JSON if name == Form.JSON else Form.FHIRPATH
    try:
        require_json_sent(form)
    except WrongMediaType as error:
        raise WrongMediaType(f"{error} A patch may also be {Form.JSON}; XML Patch is not done here.") from None
    return form


def criteria() -> str:
    """The search in the URL of an interaction that is conditional."""
    return urlencode(parameters())


def require_json_sent(form: Form = Form.FHIRPATH) -> None:
    """Return when the body is declared as FHIR's JSON or, where asked for, as a JSON Patch, and not compressed.

    Raises:
        WrongMediaType: it is not.
    """
    declared = request.headers.get("Content-Type", "")
    codec.media_type(declared.lower().replace(Form.JSON, "application/json", 1) if form is Form.JSON else declared)
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise WrongMediaType("Send the body without Content-Encoding: compressed bodies are not read here.")


def _is_ours(wished: str) -> bool:
    """Whether a media range takes what is written here; clients add `charset` and `fhirVersion` to it."""
    if wished.partition(";")[0].strip().lower() in ("*/*", "application/*"):
        return True
    try:
        codec.media_type(wished)
    except WrongMediaType:
        return False
    return True


def wants_pretty() -> bool:
    """Whether the answer is to be indented for reading."""
    return request.args.get("_pretty") == "true"


def parameters() -> list[tuple[str, str]]:
    """The parameters of the URL, in order, without those about the form of the answer."""
    return [(name, value) for name, value in request.args.items(multi=True) if name not in GENERAL]
