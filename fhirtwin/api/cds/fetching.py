"""Where what a call did not bring is fetched from: the FHIR server that it names, with the token that it lends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhirtwin.api.cds.hooks import Kind, hook
from fhirtwin.api.cds.request import Request
from fhirtwin.intake.fetching import Fetch, Server
from fhirtwin.intake.templates import USER_TOKENS
from fhirtwin.interactions import reporting
from fhirtwin.interactions.context import Services
from fhirtwin.outbound import Outbound
from fhirtwin.settings import Settings


def way(settings: Settings) -> Outbound | None:
    """The way to the servers of the setting `fhir_servers`; None when it names none.

    Raises:
        Incorrect: one of them is no base URL that could be called.
    """
    listed = [one.strip() for one in settings.fhir_servers.split(",") if one.strip()]
    if not listed:
        return None
    return Outbound(
        listed,
        connect_timeout=settings.cds_fetch_seconds,
        read_timeout=settings.cds_fetch_seconds,
        max_bytes=settings.max_body_bytes,
        open_=settings.open,
    )


def source(asked: Request, parts: Services, deadline: float) -> Fetch:
    """What fetches for a call, or says why it does not."""
    if not asked.fhir_server:
        return _nothing("the call names no `fhirServer`")
    if parts.outbound is None:
        return _nothing("this server fetches from no FHIR server (fhir_servers)")
    return Server(
        base=asked.fhir_server,
        token=asked.authorization.token if asked.authorization else "",
        way=parts.outbound,
        values=dict(_values(asked)),
        today=reporting.today(parts),
        deadline=deadline,
        max_depth=parts.settings.max_depth,
    ).obtain


def _nothing(reason: str) -> Fetch:
    return lambda wanted: ({}, dict.fromkeys(wanted, reason))


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
