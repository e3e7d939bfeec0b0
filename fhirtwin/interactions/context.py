"""What every interaction is handed, and what every interaction gives back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import format_datetime
from enum import StrEnum
from typing import Any, Final

from fhirtwin.errors import Incorrect, Issue, NotFound
from fhirtwin.fhir import codec, outcome, references
from fhirtwin.fhir.validator import is_resource_type
from fhirtwin.pgx.knowledge.entries import NOTHING, Knowledge
from fhirtwin.pgx.lookup import PLAIN, Lookup
from fhirtwin.relay import Relay
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.twin.state import StoredVersion

_ETAG: Final = re.compile(r'(?:W/)?"([0-9]{1,9})"')
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")

ALL_OK: Final = Issue("informational", "All OK.", severity="information")
"""What an OperationOutcome says when there is nothing to say."""


@dataclass(frozen=True)
class Services:
    """The parts that interactions work with, joined by the application.

    Attributes:
        assessor: calculates risks (`fhirtwin.assess.Assessor`); None where none is needed.
        today: the day that risks are calculated for; None means the calendar's.
        genes: looks up what genes mean.
        now: the moment at which cards are given and feedback comes.
        pgx_knowledge: guideline texts of the folder that the hospital gave.
        relay: passes vectors on that patients sealed (`fhirtwin.relay.Relay`); None where there is no engine.
    """

    settings: Settings
    store: Store
    assessor: Any = None
    today: Callable[[], date] | None = None
    genes: Lookup = PLAIN
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    pgx_knowledge: Knowledge = NOTHING
    relay: Relay | None = None

    @property
    def base_url(self) -> str:
        """The FHIR base as callers see it, without a slash at the end."""
        return self.settings.base_url.rstrip("/")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller gets: an HTTP status, a resource as bytes (or nothing), headers without the content type.

    Attributes:
        stored: the version that the body is, where it is one.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    stored: StoredVersion | None = None


class Returning(StrEnum):
    """What a writer wants back: http://hl7.org/fhir/R4/http.html#ops."""

    MINIMAL = "minimal"
    REPRESENTATION = "representation"
    OUTCOME = "OperationOutcome"

    @classmethod
    def preferred(cls, prefer: str, default: Returning) -> Returning:
        """Read the `Prefer` header; what is not understood there may be passed over, says RFC 7240."""
        for part in re.split(r"[;,]", prefer):
            name, _, value = part.partition("=")
            if name.strip().lower() == "return" and value.strip(' "') in set(cls):
                return cls(value.strip(' "'))
        return default


def require_type(type_: str) -> None:
    """Return when `type_` is a resource type of R4; case matters.

    Raises:
        NotFound: it is not.
    """
    if not is_resource_type(type_):
        raise NotFound("There is no such resource type in FHIR R4 (upper and lower case matter).")


def is_id(text: str) -> bool:
    """Whether `text` can be a logical id: http://hl7.org/fhir/R4/datatypes.html#id."""
    return _ID.fullmatch(text) is not None


def local_id(reference: str, type_: str, base_url: str) -> str | None:
    """The id that a reference names, where it is to a resource of a type on this server; else None."""
    found = references.parse(reference)
    ours = found.base.rstrip("/") in ("", base_url)
    return found.id if found.type == type_ and is_id(found.id) and ours else None


def etag(version: int) -> str:
    """The version as FHIR writes it into `ETag`: http://hl7.org/fhir/R4/http.html#concurrency."""
    return f'W/"{version}"'


def versions(header: str, value: str) -> frozenset[int] | None:
    """Read `If-Match` or `If-None-Match`: the versions named; None for `*`.

    Raises:
        Incorrect: it names no version of FHIR's form.
    """
    if value.strip() == "*":
        return None
    found = [_ETAG.fullmatch(part.strip()) for part in value.split(",")]
    if not all(found):
        raise Incorrect(f'{header} takes versions as they stand in ETag: W/"1".')
    return frozenset(int(match[1]) for match in found if match)


def http_date(instant: str) -> str:
    """A FHIR instant as HTTP writes dates."""
    return format_datetime(datetime.fromisoformat(instant).astimezone(UTC).replace(microsecond=0), usegmt=True)


def version_headers(services: Services, stored: StoredVersion, *, location: bool = False) -> dict[str, str]:
    """`ETag`, `Last-Modified` and, for what was written, `Location` of a version."""
    headers = {"ETag": etag(stored.version), "Last-Modified": http_date(stored.last_updated)}
    if location:
        headers["Location"] = f"{services.base_url}/{stored.type}/{stored.id}/_history/{stored.version}"
    return headers


def written(services: Services, stored: StoredVersion, *, status: int, returning: Returning) -> Answer:
    """The answer to a write, with as much body as the caller prefers."""
    match returning:
        case Returning.MINIMAL:
            body = b""
        case Returning.REPRESENTATION:
            body = stored.data
        case Returning.OUTCOME:
            body = outcome_bytes([ALL_OK])
    return Answer(status, body, version_headers(services, stored, location=True), stored)


def outcome_bytes(issues: Iterable[Issue]) -> bytes:
    """An OperationOutcome as it goes out."""
    return codec.encode(outcome.operation_outcome(issues))
