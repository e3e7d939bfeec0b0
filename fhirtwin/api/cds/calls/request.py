"""Reads a CDS Hooks call: what must be there is there, and each thing that is not is named at once.

Source: https://cds-hooks.hl7.org/2.0/#http-request_1
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fhirtwin.api.cds.calls import context_reading, lenient
from fhirtwin.api.cds.calls.origin import origin
from fhirtwin.api.cds.contexts import Context
from fhirtwin.api.cds.hooks import Hook, hook
from fhirtwin.api.cds.service import Service
from fhirtwin.errors import Fault, Incorrect, Issue, Unprocessable
from fhirtwin.settings import Settings
from fhirtwin.twin.state import LOCAL, PatientKey

_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BEARER: Final = re.compile(r"[A-Za-z0-9\-._~+/]{1,8192}=*")
"""What may stand behind `Bearer`: https://www.rfc-editor.org/rfc/rfc6750#section-2.1."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a client lends for reading from its FHIR server; it ends with the call.

    Attributes:
        token: never stored, logged, nor put into a text.
    """

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """The members of a call that every service needs.

    Attributes:
        fhir_server: the client's FHIR base in one spelling; empty when the call names none.
        bases: spellings of the FHIR base URL that references to the patient may start with.
    """

    hook: str
    hook_instance: str
    patient: PatientKey
    context: Context
    prefetch: Any
    fhir_server: str
    authorization: Authorization | None
    bases: frozenset[str]


def read(body: Mapping[str, Any], service: Service, settings: Settings, allowed: Collection[str] = ()) -> Request:
    """Read the body of a call; members that CDS Hooks does not define are passed over.

    Args:
        body: as it was sent, or as leniencies mended it.
        service: the one that is called.
        settings: `base_url` is ours; `open` allows http.
        allowed: names of the leniencies that are on.

    Raises:
        Incorrect: members are missing or wrong; every one of them is named.
        Unprocessable: something in the context is not shown to be the patient's, or the access token is for another.
    """
    fired = _fired(body, service)
    issues = [Issue("invalid", text, (place,)) for place, text in _faults(body, service, fired, allowed)]
    if issues:
        raise Incorrect("The call is not as CDS Hooks defines it.", issues=issues)
    if fired is None:  # every hook that passes the gate is known
        raise Fault("This service is for a hook that is not known.")
    server: str | None = body.get("fhirServer")
    where = origin(server, settings)
    bases = frozenset({(server or "").rstrip("/"), where, *([settings.base_url] if where == LOCAL else [])})
    patient = PatientKey(where, body["context"]["patientId"])
    given = body.get("fhirAuthorization")
    if given and given.get("patient", patient.id).removeprefix("Patient/") != patient.id:
        raise Unprocessable(
            "The access token is for another patient than `context.patientId`.", expression="fhirAuthorization.patient"
        )
    return Request(
        hook=fired.name,
        hook_instance=body["hookInstance"],
        patient=patient,
        context=context_reading.read(body["context"], fired, patient, bases, set_aside=lenient.SET_ASIDE in allowed),
        prefetch=body.get("prefetch"),
        fhir_server=where or (settings.base_url if server else ""),
        authorization=Authorization(given["access_token"]) if given else None,
        bases=bases,
    )


def _fired(body: Mapping[str, Any], service: Service) -> Hook | None:
    name = body.get("hook")
    return hook(name) if isinstance(name, str) and name in service.hooks else None


def _faults(
    body: Mapping[str, Any], service: Service, fired: Hook | None, allowed: Collection[str]
) -> Iterator[tuple[str, str]]:
    if fired is None:
        yield "hook", f"`hook` must be {' or '.join(f'`{name}`' for name in service.hooks)}, for this service."
    if not _matches(_UUID, body.get("hookInstance")):
        yield "hookInstance", "`hookInstance` must be a UUID."
    if "fhirServer" in body and not isinstance(body["fhirServer"], str):
        yield "fhirServer", "`fhirServer` must be a URL; leave it out when there is none."
    if "fhirAuthorization" in body:
        yield from _authorization_faults(body)
    if "prefetch" in body and not isinstance(body["prefetch"], dict):
        yield "prefetch", "`prefetch` must be an object; leave it out when there is none."
    if "extension" in body and not isinstance(body["extension"], dict):
        yield "extension", "`extension` must be an object."
    context = body.get("context")
    if not isinstance(context, dict):
        yield "context", "`context` must be an object."
    elif fired is not None:
        yield from context_reading.faults(context, fired, no_user=lenient.NO_USER in allowed)


def _authorization_faults(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    given, place = body["fhirAuthorization"], "fhirAuthorization"
    if "fhirServer" not in body:
        yield "fhirServer", "`fhirServer` must be there when `fhirAuthorization` is."
    if not isinstance(given, dict):
        yield place, "`fhirAuthorization` must be an object; leave it out when there is none."
        return
    if not _matches(_BEARER, given.get("access_token")):
        yield f"{place}.access_token", "`access_token` must be a bearer token, as RFC 6750 spells them."
    if given.get("token_type") != "Bearer":
        yield f"{place}.token_type", "`token_type` must be `Bearer`."
    if type(given.get("expires_in")) is not int or given["expires_in"] < 0:
        yield f"{place}.expires_in", "`expires_in` must be a whole number of seconds."
    for name in ("scope", "subject"):
        if not isinstance(given.get(name), str) or not given[name]:
            yield f"{place}.{name}", f"`{name}` must be text."
    if "patient" in given and (not isinstance(given["patient"], str) or not given["patient"]):
        yield f"{place}.patient", "`patient` must be the id of a Patient; leave it out when there is none."


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
