"""Builds the request that an EHR would send: the hook's context, and the prefetch from this server's own store."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from fhirtwin.access import Caller
from fhirtwin.api.cds import examples
from fhirtwin.api.cds.examples import Medicine
from fhirtwin.api.cds.hooks import hook
from fhirtwin.api.cds.service import Service
from fhirtwin.errors import Fault
from fhirtwin.fhir import codec
from fhirtwin.intake.fetching import Server, Wanted
from fhirtwin.interactions import reporting
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.read import read
from fhirtwin.interactions.search_type import search_type
from fhirtwin.outbound import Fetched

_SECONDS: Final = 10.0
"""How long the store may take for all templates together."""


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
    fired = hook(name)
    return fired is not None and examples.holds_medicines(fired)


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
    if fired is None:
        raise Fault("This service is for a hook that is not known.")
    context = examples.context(fired, patient, chosen, _newest_encounter(parts, caller, patient))
    found, missing = _prefetch(parts, caller, service, name, context)
    body: dict[str, Any] = {"hook": name, "hookInstance": str(uuid.uuid4()), "fhirServer": parts.base_url}
    return Drafted(body | {"context": context} | ({"prefetch": found} if found else {}), missing)


def _newest_encounter(parts: Services, caller: Caller, patient: str) -> str:
    asked = [("patient", patient), ("_sort", "-date"), ("_count", "1")]
    bundle = codec.reread(search_type(parts, caller, "Encounter", asked).body)
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
