"""transaction: `POST [base]` with a Bundle: all of its entries, or none.

Done in this order, whatever the order in the Bundle: DELETE, POST, PUT, GET. References by `fullUrl` or by a search are
replaced by what is stored in the end.

*Source*: http://hl7.org/fhir/R4/http.html#transaction, rules http://hl7.org/fhir/R4/http.html#trules, references
http://hl7.org/fhir/R4/bundle.html#references.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

import msgspec

from fhirtwin import ingest
from fhirtwin.access import Caller, permit
from fhirtwin.errors import Incorrect, Precondition, TooLarge
from fhirtwin.fhir import codec, dates, references
from fhirtwin.ingest import Kept
from fhirtwin.interactions import create, read, search_type, update
from fhirtwin.interactions.bundle_entries import METHODS, Entry, at_entry, receive
from fhirtwin.interactions.context import Answer, Returning, Services, etag, outcome_bytes
from fhirtwin.store import Reader, Writer
from fhirtwin.twin.state import StoredVersion

MAX_ROUNDS: Final = 20
"""How often what waits for a conditional reference is gone through. A chain of references in the wrong order takes as
many rounds as it has links, and other writers wait meanwhile."""


def transaction(services: Services, caller: Caller, data: bytes, *, prefer: str = "") -> Answer:
    """Carry out a Bundle of type transaction as one unit of work.

    Args:
        services: the parts.
        caller: who asks; each entry is permitted by itself.
        data: the body.
        prefer: the `Prefer` header; unless it asks for more, entries that wrote come back without their resource.

    Returns:
        200 with a Bundle of type transaction-response, its entries in the order sent.

    Raises:
        FhirtwinError: what the first failing entry raised, with issues that name the place as `Bundle.entry[n]`;
            nothing is stored then.
    """
    permit(caller, "transaction")
    entries = receive(services, data)
    with services.store.write() as write:
        work = Work(services, caller, write, Returning.preferred(prefer, Returning.MINIMAL))
        answers = work.carry_out(entries)
    return answer_bundle("transaction-response", answers)


def answer_bundle(type_: str, answers: list[dict[str, Any]]) -> Answer:
    """The Bundle of the answers; a fullUrl stands in it once, however often an entry shows the resource (bdl-7)."""
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": type_}
    shown: set[str] = set()
    for answer in answers:
        full_url = answer.get("fullUrl")
        if full_url in shown:
            del answer["fullUrl"]
        elif full_url:
            shown.add(full_url)
    if answers:  # an empty array is no FHIR
        bundle["entry"] = answers
    return Answer(200, codec.encode(bundle))


class Work:
    """One transaction under way; an entry of a batch is one of its own."""

    def __init__(self, services: Services, caller: Caller, write: Writer, returning: Returning) -> None:
        self._services = services
        self._caller = caller
        self._write = write
        self._returning = returning
        self._targets: dict[str, str] = {}
        """What each fullUrl stands for: `Type/id`."""
        self._ids: dict[int, str] = {}
        """The id under which each entry is stored."""
        self._kept: dict[int, Kept] = {}
        self._deleted: dict[int, StoredVersion | None] = {}
        """What `ingest.forget` gave for each entry that deletes."""

    def carry_out(self, entries: tuple[Entry, ...]) -> list[dict[str, Any]]:
        """Do all; the answers are in the order of the entries."""
        for entry in entries:
            if entry.method == "DELETE":
                with at_entry(entry.number):
                    self._delete(entry)
        writes = sorted((e for e in entries if e.received), key=_turn)
        for entry in writes:
            with at_entry(entry.number):
                self._identify(entry)
        self._store([entry for entry in writes if entry.number not in self._kept])
        answers = []
        for entry in entries:
            with at_entry(entry.number):
                answers.append(self._answer(entry))
        return answers

    def _answer(self, entry: Entry) -> dict[str, Any]:
        match entry.method:
            case "DELETE":
                return self._gone(entry)
            case "GET":
                return looked_up(self._services, self._caller, self._write, entry)
            case _:
                return self._written(entry)

    def _delete(self, entry: Entry) -> None:
        """Delete before anything is looked for: a condition must not find what is about to go."""
        permit(self._caller, "delete", entry.type)
        update.check_match(self._write, entry.type, entry.id, entry.conditions.get("ifMatch"), None)
        self._deleted[entry.number] = ingest.forget(self._write, entry.type, entry.id)

    def _gone(self, entry: Entry) -> dict[str, Any]:
        stored, status = self._deleted[entry.number], "204 No Content"
        return {"response": _response(stored, status) if stored else {"status": status}}

    def _identify(self, entry: Entry) -> None:
        """Settle under which id an entry is stored, before anything is: others may refer to it."""
        if entry.method == "POST":
            permit(self._caller, "create", entry.type)
            condition = entry.conditions.get("ifNoneExist")
            there = create.existing(self._services, self._caller, self._write, entry.type, condition)
            if there:
                self._kept[entry.number] = Kept(there, changed=False)
            id_ = there.id if there else str(uuid.uuid4())
        else:
            permit(self._caller, "update", entry.type)
            conditions = (entry.conditions.get("ifMatch"), entry.conditions.get("ifNoneMatch"))
            update.check_match(self._write, entry.type, entry.id, *conditions)
            id_ = entry.id
        self._ids[entry.number] = id_
        if entry.full_url:
            self._targets[entry.full_url] = f"{entry.type}/{id_}"

    def _store(self, waiting: list[Entry]) -> None:
        """Store entries; one that refers by a search to what another one stores comes after it."""
        for _ in range(MAX_ROUNDS):
            still: list[Entry] = []
            for entry in waiting:
                with at_entry(entry.number):
                    if not self._stored(entry):
                        still.append(entry)
            if not still:
                return
            if len(still) == len(waiting):
                with at_entry(still[0].number):
                    raise Precondition(
                        "A conditional reference here fits nothing, neither stored nor in this transaction."
                    )
            waiting = still
        with at_entry(waiting[0].number):
            raise TooLarge(
                f"Conditional references wait for one another in more than {MAX_ROUNDS} links; refer by fullUrl."
            )

    def _stored(self, entry: Entry) -> bool:
        """Store one entry; False when a conditional reference of it fits nothing yet."""
        if entry.received is None:
            raise Incorrect("This entry needs a resource.")
        resolved: dict[str, str] = {}
        for place, text in references.walk(entry.received.resource):
            target = self._target(entry, place, text)
            if target is None:
                return False
            if target != text:
                resolved[text] = target
        self._kept[entry.number] = ingest.keep(
            self._write, entry.received, self._ids[entry.number], self._services.base_url, resolved
        )
        return True

    def _target(self, entry: Entry, place: str, text: str) -> str | None:
        """What a reference becomes; the text itself when it stays, None when what it looks for is not there yet."""
        if text in self._targets:
            return self._targets[text]
        found = references.parse(text)
        match found.kind:
            case "urn":
                raise Incorrect(
                    "No entry of the same transaction has this fullUrl; those of a batch do not know one another.",
                    expression=place,
                )
            case "relative":
                # Relative to the server that the entry comes from: http://hl7.org/fhir/R4/bundle.html#references.
                base = references.parse(entry.full_url).base
                return self._targets.get(f"{base}/{found.type}/{found.id}", text) if base else text
            case "conditional":
                ids = search_type.matches(
                    self._services, self._caller, self._write, found.type, found.query, "A conditional reference"
                )
                if len(ids) > 1:
                    raise Precondition("Several resources fit this conditional reference.", expression=place)
                return f"{found.type}/{ids[0]}" if ids else None
        return text

    def _written(self, entry: Entry) -> dict[str, Any]:
        kept = self._kept[entry.number]
        stored = kept.stored
        response = _response(stored, "201 Created" if kept.created else "200 OK")
        response["location"] = f"{self._services.base_url}/{stored.type}/{stored.id}/_history/{stored.version}"
        match self._returning:
            case Returning.REPRESENTATION:
                return {**_resource(self._services, stored), "response": response}
            case Returning.OUTCOME:
                response["outcome"] = msgspec.Raw(outcome_bytes([]))
        return {"response": response}


def looked_up(services: Services, caller: Caller, reader: Reader, entry: Entry) -> dict[str, Any]:
    """The answer to an entry that reads or searches, asked in an open transaction.

    Raises:
        NotFound, Gone: it reads what is not there.
        Incorrect: it cannot be understood.
    """
    if not entry.id:
        pairs = search_type.query_pairs(entry.query, "The URL")
        found = search_type.within(services, caller, reader, entry.type, pairs)
        return {"resource": msgspec.Raw(found), "response": {"status": "200 OK"}}
    permit(caller, "read", entry.type)
    stored = read.current(reader, entry.type, entry.id)
    time = entry.conditions.get("ifModifiedSince")
    since = dates.parse(time) if time is not None else None
    if read.is_known(reader, stored, entry.conditions.get("ifNoneMatch"), since):
        return {"response": {"status": "304 Not Modified", "etag": etag(stored.version)}}
    return {**_resource(services, stored), "response": _response(stored, "200 OK")}


def _resource(services: Services, stored: StoredVersion) -> dict[str, Any]:
    full_url = f"{services.base_url}/{stored.type}/{stored.id}"
    return {"fullUrl": full_url, "resource": msgspec.Raw(stored.data)}


def _turn(entry: Entry) -> tuple[int, bool]:
    """R4's order of methods; and Medications first among equals, for what refers to them is read with them."""
    return METHODS.index(entry.method), entry.type != "Medication"


def _response(stored: StoredVersion, status: str) -> dict[str, Any]:
    return {"status": status, "etag": etag(stored.version), "lastModified": stored.last_updated}
