"""The answers to the entries of a batch or transaction, and the Bundle that they come in.

*Source*: http://hl7.org/fhir/R4/http.html#transaction-response.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from fhirtwin.access import Caller, permit
from fhirtwin.errors import Incorrect, Unsupported
from fhirtwin.fhir import codec, dates
from fhirtwin.ingest import Kept
from fhirtwin.interactions import parts, read, search_type, vread
from fhirtwin.interactions.bundle_entries import Entry
from fhirtwin.interactions.context import ALL_OK, Answer, Returning, Services, etag, outcome_bytes
from fhirtwin.store import Reader
from fhirtwin.twin.state import StoredVersion


def bundle(type_: str, answers: list[dict[str, Any]]) -> Answer:
    """The Bundle of the answers; a fullUrl stands in it once, however often an entry shows the resource (bdl-7)."""
    made: dict[str, Any] = {"resourceType": "Bundle", "type": type_}
    shown: set[str] = set()
    for answer in answers:
        full_url = answer.get("fullUrl")
        if full_url in shown:
            del answer["fullUrl"]
        elif full_url:
            shown.add(full_url)
    if answers:  # an empty array is no FHIR
        made["entry"] = answers
    return Answer(200, codec.encode(made))


def stored(services: Services, kept: Kept, returning: Returning) -> dict[str, Any]:
    """The answer to an entry that creates, updates or patches."""
    version = kept.stored
    response = _response(version, "201 Created" if kept.created else "200 OK")
    response["location"] = f"{services.base_url}/{version.type}/{version.id}/_history/{version.version}"
    match returning:
        case Returning.REPRESENTATION:
            return {**_resource(services, version), "response": response}
        case Returning.OUTCOME:
            response["outcome"] = msgspec.Raw(outcome_bytes([ALL_OK]))
    return {"response": response}


def deleted(version: StoredVersion | None, returning: Returning) -> dict[str, Any]:
    """The answer to an entry that deletes: `version` is the deletion, None where there never was anything."""
    status = "200 OK" if returning is Returning.OUTCOME else "204 No Content"
    response: dict[str, Any] = _response(version, status) if version else {"status": status}
    if returning is Returning.OUTCOME:
        response["outcome"] = msgspec.Raw(outcome_bytes([ALL_OK]))
    return {"response": response}


def looked_up(services: Services, caller: Caller, reader: Reader, entry: Entry) -> dict[str, Any]:
    """The answer to an entry that reads or searches, asked in an open transaction.

    Raises:
        NotFound, Gone: it reads what is not there.
        Incorrect: it cannot be understood.
    """
    found = _found(services, caller, reader, entry)
    if entry.method == "HEAD":
        found.pop("resource", None)
    return found


def _found(services: Services, caller: Caller, reader: Reader, entry: Entry) -> dict[str, Any]:
    if not entry.type:
        raise Incorrect(
            "This is neither a URL of this server nor the fullUrl of an entry that the same transaction stores.",
            expression=f"Bundle.entry[{entry.number}].request.url",
        )
    pairs = search_type.query_pairs(entry.query, "The URL")
    if not entry.id:
        found = search_type.within(services, caller, reader, entry.type, pairs)
        return {"resource": msgspec.Raw(found), "response": {"status": "200 OK"}}
    if not {name for name, _ in pairs} <= parts.NAMES:
        raise Unsupported(
            "A read takes `_summary` and `_elements`; other parameters are not done here.",
            expression=f"Bundle.entry[{entry.number}].request.url",
        )
    if entry.version:
        stored = vread.within(caller, reader, entry.type, entry.id, entry.version)
        return {**_resource(services, stored, pairs), "response": _response(stored, "200 OK")}
    permit(caller, "read", entry.type)
    stored = read.current(reader, caller, entry.type, entry.id)
    time = entry.conditions.get("ifModifiedSince")
    since = dates.parse(time) if time is not None else None
    if read.is_known(reader, stored, entry.conditions.get("ifNoneMatch"), since):
        return {"response": {"status": "304 Not Modified", "etag": etag(stored.version)}}
    return {**_resource(services, stored, pairs), "response": _response(stored, "200 OK")}


def _resource(services: Services, stored: StoredVersion, pairs: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    full_url = f"{services.base_url}/{stored.type}/{stored.id}"
    return {"fullUrl": full_url, "resource": msgspec.Raw(parts.part(stored.type, stored.data, pairs))}


def _response(stored: StoredVersion, status: str) -> dict[str, Any]:
    return {"status": status, "etag": etag(stored.version), "lastModified": stored.last_updated}
