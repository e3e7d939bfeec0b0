"""Builds the request that an EHR would send: the hook's context, and the prefetch from this server's own store."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from fhirtwin.access import Caller
from fhirtwin.api.cds.hooks import Hook, Kind, hook
from fhirtwin.api.cds.service import Service
from fhirtwin.api.ui import drafts
from fhirtwin.api.ui.drafts import Medicine
from fhirtwin.fhir import codec
from fhirtwin.intake.fetching import Server, Wanted
from fhirtwin.interactions import reporting
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.read import read
from fhirtwin.interactions.search_type import search_type
from fhirtwin.outbound import Fetched

USER: Final = "Practitioner/sandbox"
"""Who the page says that sits before the screen: nobody."""

_SECONDS: Final = 10.0
"""How long the store may take for all templates together."""

_BUNDLED: Final = {"appointments": "Appointment", "conditions": "Condition"}
"""What a Bundle of a context holds, by its member; the others hold orders."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A request, ready to be looked at.

    Attributes:
        body: as JSON would have it.
        missing: why, by key, for each prefetch key that could not be filled; an EHR leaves those out as well.
    """

    body: dict[str, Any]
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OwnStore:
    """Stands in for the way out: what would be asked of an EHR's server is asked of this one's interactions."""

    parts: Services
    caller: Caller

    def allows(self, url: str) -> bool:
        """Every query of a template is one of ours."""
        return url.startswith(self.parts.base_url)

    def get(self, url: str, *, headers: Mapping[str, str], deadline: float) -> Fetched:
        """Carry out a read or a search by type.

        Raises:
            FhirtwinError: the interaction's.
        """
        path, _, query = url.removeprefix(f"{self.parts.base_url}/").partition("?")
        type_, _, id_ = path.partition("/")
        if id_:
            answer = read(self.parts, self.caller, type_, id_)
        else:
            answer = search_type(self.parts, self.caller, type_, parse_qsl(query, keep_blank_values=True))
        return Fetched(answer.status, {}, answer.body)


def takes_orders(name: str) -> bool:
    """Whether the context of a hook holds draft orders of medicines."""
    found = hook(name)
    return found is not None and any(_holds_medicines(field.name, field.kind, field.type) for field in found.fields)


def draft(parts: Services, caller: Caller, service: Service, name: str, patient: str, chosen: Medicine) -> Drafted:
    """Build the request of one hook for one patient.

    Args:
        parts: the parts.
        caller: who looks; the prefetch holds what they may see.
        service: the service to be called.
        name: the hook, one of the service's.
        patient: id of a patient of this store.
        chosen: the medicine of draft orders.
    """
    fired = hook(name)
    context = {"patientId": patient}
    if fired is not None:
        context |= dict(_members(parts, caller, fired, patient, chosen))
    found, missing = _prefetch(parts, caller, service, name, context)
    body: dict[str, Any] = {"hook": name, "hookInstance": str(uuid.uuid4()), "fhirServer": parts.base_url}
    return Drafted(body | {"context": context} | ({"prefetch": found} if found else {}), missing)


def _members(parts: Services, caller: Caller, fired: Hook, patient: str, chosen: Medicine) -> Iterator[tuple[str, Any]]:
    subject = f"Patient/{patient}"
    for field in fired.fields:
        if field.kind is Kind.USER:
            yield field.name, USER
        elif field.name == "encounterId":
            encounter = _newest_encounter(parts, caller, patient)
            if encounter or field.required:
                yield field.name, encounter or "sandbox-encounter"
        elif field.kind is Kind.BUNDLE:
            held = drafts.resource(_BUNDLED.get(field.name, ""), subject, chosen)
            yield field.name, {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": held}]}
        elif field.kind is Kind.RESOURCE:
            yield field.name, drafts.resource(field.type, subject, chosen)
        elif field.kind is Kind.REFERENCES:
            yield field.name, ["MedicationRequest/draft-1"]
        elif field.kind is Kind.REFERENCE:
            yield field.name, USER


def _holds_medicines(name: str, kind: Kind, type_: str) -> bool:
    return (kind is Kind.BUNDLE and name not in _BUNDLED) or (kind is Kind.RESOURCE and type_ == "MedicationRequest")


def _newest_encounter(parts: Services, caller: Caller, patient: str) -> str:
    asked = [("patient", patient), ("_sort", "-date"), ("_count", "1")]
    bundle = codec.decode(search_type(parts, caller, "Encounter", asked).body, max_depth=1000)
    ids = [entry["resource"]["id"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]
    return str(ids[0]) if ids else ""


def _prefetch(
    parts: Services, caller: Caller, service: Service, name: str, context: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    templates = service.templates(name)
    if not templates:
        return {}, {}
    server = Server(
        base=parts.base_url,
        token="",
        way=OwnStore(parts, caller),
        values=_values(context),
        today=reporting.today(parts),
        deadline=time.monotonic() + _SECONDS,
        max_depth=parts.settings.max_depth,
    )
    found, missing = server.obtain({key: Wanted(template) for key, template in templates.items()})
    return {key: found[key] for key in templates if key in found}, missing


def _values(context: Mapping[str, Any]) -> dict[str, str]:
    """What each token stands for in this call."""
    values = {f"context.{name}": value for name, value in context.items() if isinstance(value, str)}
    type_, _, id_ = str(context.get("userId", "")).partition("/")
    return values | ({f"user{type_}Id": id_} if type_ else {})
