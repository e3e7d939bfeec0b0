"""Reads a CDS Hooks call: what must be there is there, and each thing that is not is named at once.

Source: https://cds-hooks.hl7.org/2.0/#http-request_1
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.api.cds.origin import origin
from fhirtwin.api.cds.service import Service
from fhirtwin.errors import Incorrect, Issue
from fhirtwin.settings import Settings
from fhirtwin.twin.state import LOCAL, PatientKey

USERS: Final = ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson")
"""Resource types that `context.userId` may name."""

_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_USER: Final = re.compile(rf"({'|'.join(USERS)})/[A-Za-z0-9\-.]{{1,64}}")


@dataclass(frozen=True, slots=True)
class Request:
    """The members of a call that every service needs.

    Attributes:
        bases: spellings of the FHIR base URL that references to the patient may start with.
    """

    hook: str
    hook_instance: str
    patient: PatientKey
    context: Mapping[str, Any]
    prefetch: Any
    bases: frozenset[str]


def read(body: Mapping[str, Any], service: Service, settings: Settings) -> Request:
    """Read the body of a call; members that CDS Hooks does not define are passed over.

    Raises:
        Incorrect: members are missing or wrong; every one of them is named.
    """
    issues = [Issue("invalid", text, (place,)) for place, text in _faults(body, service)]
    if issues:
        raise Incorrect("The call is not as CDS Hooks defines it.", issues=issues)
    context = body["context"]
    where = origin(body.get("fhirServer"), settings)
    bases = {body.get("fhirServer", "").rstrip("/"), where, *([settings.base_url] if where == LOCAL else [])}
    patient = PatientKey(where, context["patientId"])
    return Request(body["hook"], body["hookInstance"], patient, context, body.get("prefetch"), frozenset(bases))


def _faults(body: Mapping[str, Any], service: Service) -> list[tuple[str, str]]:
    context = body.get("context")
    faults = []
    if body.get("hook") not in service.hooks:
        faults.append(
            ("hook", f"`hook` must be {' or '.join(f'`{hook}`' for hook in service.hooks)}, for this service.")
        )
    if not _matches(_UUID, body.get("hookInstance")):
        faults.append(("hookInstance", "`hookInstance` must be a UUID."))
    if "fhirServer" in body and not isinstance(body["fhirServer"], str):
        faults.append(("fhirServer", "`fhirServer` must be a URL; leave it out when there is none."))
    if "fhirAuthorization" in body:
        if not isinstance(body["fhirAuthorization"], dict):
            faults.append(
                ("fhirAuthorization", "`fhirAuthorization` must be an object; leave it out when there is none.")
            )
        if "fhirServer" not in body:
            faults.append(("fhirServer", "`fhirServer` must be there when `fhirAuthorization` is."))
    if not isinstance(context, dict):
        return [*faults, ("context", "`context` must be an object.")]
    if not _matches(_USER, context.get("userId")):
        faults.append(("context.userId", f"`context.userId` must be `Type/id`, of type {', '.join(USERS)}."))
    if not _matches(_ID, context.get("patientId")):
        faults.append(("context.patientId", "`context.patientId` must be the id of a Patient, without `Patient/`."))
    return faults


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
