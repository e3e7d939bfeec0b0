"""What the entries of a batch or transaction ask for, checked before anything is stored.

*Source*: http://hl7.org/fhir/R4/http.html#trules, http://hl7.org/fhir/R4/bundle.html.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from fhirtwin import timing
from fhirtwin.access import unenforced
from fhirtwin.errors import FhirtwinError, Incorrect, Issue, TooLarge, Unsupported
from fhirtwin.fhir import codec, splice
from fhirtwin.fhir.validator import is_resource_type, validate
from fhirtwin.fhir.xml import FromXml, source_of
from fhirtwin.ingest import Received, refuse_invalid
from fhirtwin.interactions import patch, update
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.patch import Change

METHODS: Final = ("DELETE", "POST", "PUT", "PATCH", "GET", "HEAD")
"""What an entry may ask for, in the order in which it is done."""

STORES: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods after which the resource that the entry is about is there."""

_CONDITIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "DELETE": ("ifMatch",),
    "POST": ("ifNoneExist",),
    "PUT": ("ifMatch", "ifNoneMatch"),
    "PATCH": ("ifMatch", "ifNoneMatch"),
    "GET": ("ifNoneMatch", "ifModifiedSince"),
    "HEAD": ("ifNoneMatch", "ifModifiedSince"),
}
"""Which conditions each method heeds. Another one is refused: its sender believes that it holds."""

_ALL_CONDITIONS: Final = ("ifNoneExist", "ifMatch", "ifNoneMatch", "ifModifiedSince")

_INSIDE: Final = re.compile(r"Bundle\.entry\[([0-9]+)\](?:\.|$)")
"""The beginning of a place that is an entry or inside one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    Attributes:
        number: position in the Bundle, from 0.
        type: resource type that its URL names; empty where that is the fullUrl of another entry.
        id: logical id that its URL names; empty for POST, searches and conditions. Where there is no type, the URL.
        query: what follows the question mark of its URL: a search, which resource is meant, or which part of it.
        version: of a GET of one version.
        received: its resource, where that is to be stored.
        change: its patch, where it has one.
        conditions: `ifNoneExist`, `ifMatch`, `ifNoneMatch` and `ifModifiedSince`, where given.
    """

    number: int
    method: str
    type: str
    id: str
    query: str
    version: str
    full_url: str
    received: Received | None
    change: Change | None
    conditions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry of a batch that cannot be carried out, and why."""

    number: int
    error: FhirtwinError


class _Kind(msgspec.Struct):
    type: str = ""


def is_batch(data: bytes) -> bool:
    """Whether a body says that it is a batch; what cannot be read is none, and whoever reads it on says why."""
    try:
        return msgspec.json.decode(data, type=_Kind).type == "batch"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def receive(services: Services, data: bytes) -> tuple[Entry, ...]:
    """Parse and validate a Bundle of type transaction.

    Raises:
        Incorrect: not a valid transaction; the place is named.
        TooLarge: more entries than the setting `max_bundle_entries`.
        Unsupported: an entry with a method that is not done here.
    """
    bundle = _parsed(services, data, "transaction")
    with timing.stage("validate"):
        refuse_invalid(validate(bundle, type="Bundle"))
    resources = _resources(data)
    sent = bundle.get("entry", [])
    entries = tuple(_entry(services, number, one, resources[number]) for number, one in enumerate(sent))
    _refuse_twins(entries)
    return entries


def receive_batch(services: Services, data: bytes) -> tuple[Entry | Refused, ...]:
    """Parse and validate a Bundle of type batch; what is wrong inside an entry concerns that entry alone.

    Raises:
        Incorrect: not a valid batch, whatever its entries are.
        TooLarge: more entries than the setting `max_bundle_entries`.
    """
    bundle = _parsed(services, data, "batch")
    sent = bundle.get("entry")
    faults: dict[int | None, list[Issue]] = defaultdict(list)
    with timing.stage("validate"):
        for issue in validate(bundle, type="Bundle"):
            faults[_number_of(issue, sent)].append(issue)
        refuse_invalid(faults[None])
    resources = _resources(data)
    received: list[Entry | Refused] = []
    for number, one in enumerate(sent or ()):
        try:
            refuse_invalid(faults[number])
            received.append(_entry(services, number, one, resources[number]))
        except FhirtwinError as error:
            received.append(Refused(number, error))
    return tuple(received)


def _number_of(issue: Issue, entries: Any) -> int | None:
    """The entry that an issue is about; None when it is about the Bundle, as when an entry is no object at all."""
    found = _INSIDE.match(issue.expression[0]) if issue.expression else None
    if found and isinstance(entries, list) and isinstance(entries[int(found[1])], dict):
        return int(found[1])
    return None


@contextmanager
def at_entry(number: int) -> Iterator[None]:
    """Let errors of the block say in which entry they arose."""
    try:
        yield
    except FhirtwinError as error:
        raise type(error)(str(error), issues=[_placed(issue, number) for issue in error.issues]) from None


def _placed(issue: Issue, number: int) -> Issue:
    entry = f"Bundle.entry[{number}]"
    places = []
    for place in issue.expression or ("",):
        inside = place.partition(".")[2]
        places.append(place if place.startswith("Bundle.entry[") else f"{entry}.resource.{inside}" if inside else entry)
    return replace(issue, expression=tuple(places))


def _parsed(services: Services, data: bytes, kind: str) -> dict[str, Any]:
    """Parse a Bundle, and look at what decides whether looking closer is worth while."""
    settings = services.settings
    with timing.stage("parse"):
        bundle = codec.decode(data, max_depth=settings.max_depth)
    if bundle.get("resourceType") != "Bundle":
        raise Incorrect("Here only a Bundle of type batch or transaction can be posted.", expression="Bundle")
    if bundle.get("type") != kind:
        raise Incorrect("Here only a Bundle of type batch or transaction can be posted.", expression="Bundle.type")
    entries, most = bundle.get("entry", []), settings.max_bundle_entries
    if isinstance(entries, list) and len(entries) > most:
        raise TooLarge(
            f"A Bundle may have at most {most} entries (FHIRTWIN_MAX_BUNDLE_ENTRIES).", expression="Bundle.entry"
        )
    return bundle


def _resources(data: bytes) -> list[bytes | None]:
    with timing.stage("parse"):
        resources = splice.entries(data)
        return data.entries(resources) if isinstance(data, FromXml) else resources


def _entry(services: Services, number: int, entry: Mapping[str, Any], data: bytes | None) -> Entry:
    with at_entry(number):
        request = entry.get("request")
        if request is None:
            raise Incorrect("An entry needs a request.")
        method = request["method"]
        if method not in METHODS:
            raise Unsupported(
                f"Entries may {', '.join(METHODS)}; other methods are not done here.",
                expression=f"Bundle.entry[{number}].request.method",
            )
        target = _target(services, number, method, request["url"])
        type_, id_, _, _ = target
        received, change = None, None
        if method in ("POST", "PUT"):
            received = _resource(number, entry, data, type_, check_claims=services.settings.profile_claims == "check")
        elif method == "PATCH":
            change = patch.read_entry(_sent(entry, data)[0], services.settings)
        if method == "PUT" and received and id_:
            update.require_same_id(received, id_)
        conditions = _conditions(number, method, request)
        return Entry(number, method, *target, entry.get("fullUrl", ""), received, change, conditions)


def _conditions(number: int, method: str, request: Mapping[str, Any]) -> dict[str, str]:
    given = {name: request[name] for name in _ALL_CONDITIONS if name in request}
    for name in given.keys() - set(_CONDITIONS[method]):
        raise Incorrect(
            f"{method} takes no {name}, so it would not hold.", expression=f"Bundle.entry[{number}].request.{name}"
        )
    return given


def _resource(number: int, entry: Mapping[str, Any], data: bytes | None, type_: str, *, check_claims: bool) -> Received:
    resource, sent = _sent(entry, data)
    if resource["resourceType"] != type_:
        raise Incorrect(
            "The resource is of another type than the URL names.", expression=f"Bundle.entry[{number}].request.url"
        )
    unenforced.refuse(resource)
    return Received(sent, resource, source_of(sent), check_claims)


def _sent(entry: Mapping[str, Any], data: bytes | None) -> tuple[dict[str, Any], bytes]:
    if data is None:
        raise Incorrect("This entry needs a resource.")
    return entry["resource"], data


def _target(services: Services, number: int, method: str, url: str) -> tuple[str, str, str, str]:
    """Type, id, query and version of an entry's URL, which is relative to the base, or below it."""
    local = url.removeprefix(f"{services.base_url}/")
    path, _, query = local.partition("?")
    looks = method in ("GET", "HEAD")
    match path.split("/"):
        case [type_] if is_resource_type(type_) and (looks or bool(query) != (method == "POST")):
            return type_, "", query, ""
        case [type_, id_] if is_resource_type(type_) and (not query or looks) and method != "POST":
            return type_, id_, query, ""
        case [type_, id_, "_history", version] if is_resource_type(type_) and looks:
            return type_, id_, query, version
        case _ if looks and local.startswith(("urn:", "http://", "https://")):
            return "", local, "", ""
    raise Incorrect(
        f"This is not a URL for {method}: POST Type; PUT, PATCH, DELETE and GET Type/id or Type?search; "
        "GET Type/id/_history/version.",
        expression=f"Bundle.entry[{number}].request.url",
    )


def _claims(entry: Entry) -> Iterator[tuple[tuple[str, ...], str]]:
    """What only one entry of a transaction may be about, and the place in the entry that says so."""
    if entry.full_url:
        yield ("fullUrl", entry.full_url), "fullUrl"
    if entry.method in ("DELETE", "PUT", "PATCH") and entry.id:
        yield ("resource", entry.type, entry.id), "request.url"
    elif entry.method in ("DELETE", "PUT", "PATCH"):
        yield ("condition", entry.type, entry.query), "request.url"
    if "ifNoneExist" in entry.conditions:
        yield ("condition", entry.type, entry.conditions["ifNoneExist"]), "request.ifNoneExist"


def _refuse_twins(entries: Iterable[Entry]) -> None:
    """Refuse what R4 does: two entries that claim the same.

    Raises:
        Incorrect: naming the second.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    for entry in entries:
        for claim, place in _claims(entry):
            seen[claim] += 1
            if seen[claim] > 1:
                raise Incorrect(
                    "Another entry of this Bundle is about the same.",
                    expression=f"Bundle.entry[{entry.number}].{place}",
                )
