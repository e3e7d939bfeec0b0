"""Parameters that come in a body: of a search form, or of an operation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

from flask import request

from fhirtwin.api import body
from fhirtwin.api.fhir import negotiation
from fhirtwin.errors import Incorrect, WrongMediaType
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.ingest import refuse_invalid
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
        pairs = parse_qsl(body.read_body(limit).decode(), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise Incorrect("The form cannot be read: at most 100 fields, in UTF-8.") from None
    negotiation.settle_by([*request.args.items(multi=True), *pairs])
    return [pair for pair in pairs if pair[0] not in negotiation.GENERAL]


def of_operation(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """The values of an operation's parameters by name, of the URL and of a Parameters body.

    *Source*: http://hl7.org/fhir/R4/operations.html#request.

    Raises:
        WrongMediaType, Incorrect: the body is not a valid Parameters resource of simple values.
    """
    found: dict[str, tuple[str, ...]] = {}
    sent = body.read_body(settings.max_body_bytes) if request.method == "POST" else b""
    if sent:
        sent = negotiation.as_json(sent, settings)
    for name, value in (*negotiation.parameters(), *(_of_body(sent, settings) if sent else ())):
        found[name] = (*found.get(name, ()), value)
    return found


def _of_body(sent: bytes, settings: Settings) -> Iterator[tuple[str, str]]:
    resource = codec.decode(sent, max_depth=settings.max_depth)
    refuse_invalid(validate(resource, type="Parameters"))
    for number, parameter in enumerate(resource.get("parameter", ())):
        values = [value for name, value in parameter.items() if name.startswith("value")]
        if len(values) != 1 or not isinstance(values[0], str | bool | int | Decimal):
            raise Incorrect("This parameter must have one simple value.", expression=f"Parameters.parameter[{number}]")
        yield parameter["name"], _text(values[0])


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
