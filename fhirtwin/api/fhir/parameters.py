"""Parameters that come in a body: of a search form, or of an operation."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from flask import request

from fhirtwin.api import body
from fhirtwin.api.fhir import negotiation
from fhirtwin.errors import Incorrect, WrongMediaType
from fhirtwin.settings import Settings

_FORM: Final = "application/x-www-form-urlencoded"


def of_form(limit: int) -> list[tuple[str, str]]:
    """The search parameters of a form body, which may say how the answer is to be written, as a URL may.

    *Source*: http://hl7.org/fhir/R4/http.html#search.

    Raises:
        WrongMediaType: the body is no form.
        Incorrect: it cannot be read as one.
        NotAcceptable: its `_format` is none of ours.
    """
    if request.mimetype != _FORM:
        raise WrongMediaType(f"Send the parameters of a search by POST as {_FORM}.")
    try:
        sent = body.read_body(limit).decode()
        pairs = parse_qsl(sent, keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError:
        raise Incorrect("The form cannot be read: at most 100 fields, in UTF-8.") from None
    negotiation.settle_by([*request.args.items(multi=True), *pairs])
    return [pair for pair in pairs if pair[0] not in negotiation.GENERAL]


def of_operation(settings: Settings) -> bytes:
    """The body of an operation; empty for one without.

    Raises:
        WrongMediaType: there is one, and it is not declared as FHIR.
    """
    sent = body.read_body(settings.max_body_bytes) if request.method == "POST" else b""
    if sent:
        sent = negotiation.as_json(sent, settings)
    return sent
