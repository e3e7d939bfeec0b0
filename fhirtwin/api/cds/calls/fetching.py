"""Where what a call did not bring is fetched from: the FHIR server that it names, with the token that it lends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from fhirtwin.api.cds.calls.request import Request
from fhirtwin.api.cds.hooks import Kind, hook
from fhirtwin.intake.fetching import Fetch, Server, Wanted, Way
from fhirtwin.intake.templates import USER_TOKENS
from fhirtwin.interactions import reporting
from fhirtwin.interactions.context import Services
from fhirtwin.outbound import Allowed, Outbound
from fhirtwin.settings import Settings

FindWay = Callable[[Settings, Iterable[Allowed]], Way | None]
"""From the settings and the servers of whoever calls to the way to them; None when there are none."""


def way(settings: Settings, servers: Iterable[Allowed]) -> Way | None:
    """The way to the FHIR servers that a call may have data fetched from.

    Args:
        settings: `fhir_servers` lists servers for every caller.
        servers: those that the trust file lists for this one.

    Raises:
        Incorrect: one of them is no base URL that could be called.
    """
    listed = [*servers, *(Allowed(one.strip()) for one in settings.fhir_servers.split(",") if one.strip())]
    if not listed:
        return None
    return Outbound(
        listed,
        connect_timeout=settings.cds_fetch_seconds,
        read_timeout=settings.cds_fetch_seconds,
        max_bytes=settings.max_body_bytes,
        open_=settings.open,
        ca_file=settings.outbound_ca_file,
    )


def source(asked: Request, parts: Services, deadline: float, find: Callable[[], Way | None]) -> Fetch:
    """What fetches for a call, or says why it does not.

    Args:
        asked: the call.
        parts: the settings, and what day it is.
        deadline: when the call must be answered, on the clock of `time.monotonic`.
        find: the way to FHIR servers; asked only when there is something to fetch.
    """

    def fetch(wanted: Mapping[str, Wanted]) -> tuple[dict[str, Any], dict[str, str]]:
        if not asked.fhir_server:
            return _nothing(wanted, "the call names no `fhirServer`")
        found = find()
        if found is None:
            return _nothing(wanted, "this server fetches from no FHIR server (FHIRTWIN_FHIR_SERVERS)")
        server = Server(
            base=asked.fhir_server,
            token=asked.authorization.token if asked.authorization else "",
            way=found,
            values=dict(_values(asked)),
            today=reporting.today(parts),
            deadline=min(deadline, time.monotonic() + parts.settings.cds_fetch_seconds),
            max_depth=parts.settings.max_depth,
        )
        return server.obtain(wanted)

    return fetch


def _nothing(wanted: Iterable[str], reason: str) -> tuple[dict[str, Any], dict[str, str]]:
    return {}, dict.fromkeys(wanted, reason)


def _values(asked: Request) -> Iterator[tuple[str, str]]:
    """What each token stands for in this call."""
    yield "context.patientId", asked.patient.id
    fired, sent = hook(asked.hook), asked.context.members
    for field in fired.fields_of(sent) if fired else ():
        if field.kind in (Kind.USER, Kind.ID, Kind.REFERENCE) and isinstance(sent.get(field.name), str):
            yield f"context.{field.name}", sent[field.name]
    user = asked.context.user
    yield from _user_tokens(USER_TOKENS.items(), user.type, user.id) if user else ()


def _user_tokens(known: Iterable[tuple[str, str]], type_: str, id_: str) -> Iterator[tuple[str, str]]:
    return ((token, id_) for token, wanted in known if wanted == type_)
