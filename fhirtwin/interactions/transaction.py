"""transaction: `POST [base]` with a Bundle: all of its entries, or none.

Done in this order, whatever the order in the Bundle: DELETE, POST, PUT and PATCH, GET and HEAD. References by `fullUrl`
or by a search are replaced by what is stored in the end.

*Source*: http://hl7.org/fhir/R4/http.html#transaction, rules http://hl7.org/fhir/R4/http.html#trules, references
http://hl7.org/fhir/R4/bundle.html#references.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from fhirtwin import ingest
from fhirtwin.access import Caller, Interaction, permit
from fhirtwin.definitions import unit_budget
from fhirtwin.errors import Incorrect, NotFound, Precondition, TooLarge, Unprocessable
from fhirtwin.fhir import codec, links, references, splice
from fhirtwin.fhir.links import Link
from fhirtwin.ingest import Kept
from fhirtwin.interactions import bundle_answers, conditional, create, offered, patch, read, search_type, update
from fhirtwin.interactions.bundle_entries import METHODS, STORES, Entry, at_entry, receive
from fhirtwin.interactions.context import Answer, Returning, Services
from fhirtwin.interactions.targets import Target, Targets
from fhirtwin.store import Writer
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
    return bundle_answers.bundle("transaction-response", answers)


class Work:
    """One transaction under way; an entry of a batch is one of its own."""

    def __init__(self, services: Services, caller: Caller, write: Writer, returning: Returning) -> None:
        self._services = services
        self._caller = caller
        self._write = write
        self._returning = returning
        self._unit = unit_budget()
        self._targets = Targets(())
        self._ids: dict[int, str] = {}
        """The id under which each entry is stored."""
        self._claimed: set[tuple[str, str]] = set()
        """Type and id of what entries write or delete."""
        self._kept: dict[int, Kept] = {}
        self._deleted: dict[int, StoredVersion | None] = {}
        """What `ingest.forget` gave for each entry that deletes."""

    def carry_out(self, entries: tuple[Entry, ...]) -> list[dict[str, Any]]:
        """Do all; the answers are in the order of the entries."""
        self._targets = Targets(entries)
        for entry in entries:
            if entry.method == "DELETE":
                with at_entry(entry.number):
                    self._delete(entry)
        writes = sorted((entry for entry in entries if entry.method in STORES), key=_turn)
        _in_rounds(writes, self._identified, "The condition of this entry names one that waits for this one.")
        self._store([entry for entry in writes if entry.number not in self._kept])
        answers = []
        for entry in entries:
            with at_entry(entry.number):
                answers.append(self._answer(entry))
        return answers

    def _answer(self, entry: Entry) -> dict[str, Any]:
        match entry.method:
            case "DELETE":
                return bundle_answers.deleted(self._deleted[entry.number], self._returning)
            case "GET" | "HEAD":
                return bundle_answers.looked_up(self._services, self._caller, self._write, self._local(entry))
            case _:
                return bundle_answers.stored(self._services, self._kept[entry.number], self._returning)

    def _local(self, entry: Entry) -> Entry:
        """The entry with what was stored in the place of fullUrls in its URL."""
        target = None if entry.type else self._targets.find(entry.id, entry)
        if target:
            return replace(entry, type=target.type, id=target.id)
        return replace(entry, query=self._targets.in_criteria(entry.query, "The URL") or "")

    def _delete(self, entry: Entry) -> None:
        """Delete before anything is looked for: a condition must not find what is about to go."""
        permit(self._caller, "delete", entry.type)
        offered.require(entry.type, "delete")
        id_ = entry.id or self._match(entry, entry.query)
        update.check_match(self._write, entry.type, id_, entry.conditions.get("ifMatch"), None)
        if id_ is not None:
            self._claim(entry, id_)
        self._deleted[entry.number] = ingest.forget(self._write, entry.type, id_) if id_ is not None else None

    def _match(self, entry: Entry, criteria: str) -> str | None:
        return conditional.match(self._services, self._caller, self._write, entry.type, criteria, "The URL")

    def _claim(self, entry: Entry, id_: str) -> None:
        """Let one entry alone be about a resource, however its URL names it.

        Raises:
            Incorrect: another one is already.
        """
        if (entry.type, id_) in self._claimed:
            raise Incorrect(
                "Another entry of this Bundle is about the same resource.",
                expression=f"Bundle.entry[{entry.number}].request.url",
            )
        self._claimed.add((entry.type, id_))

    def _identified(self, entry: Entry) -> bool:
        """Settle under which id an entry is stored, before anything is: others may refer to it.

        Returns:
            False when its condition names an entry for which this is not settled yet.
        """
        kind: Interaction = "create" if entry.method == "POST" else "update" if entry.method == "PUT" else "patch"
        permit(self._caller, kind, entry.type)
        offered.require(entry.type, kind)
        condition = entry.conditions.get("ifNoneExist") if kind == "create" else entry.query
        criteria = self._targets.in_criteria(condition, "The condition") if condition else condition
        if condition and criteria is None:
            return False
        id_ = self._created(entry, criteria) if kind == "create" else self._named(entry, criteria or "")
        self._ids[entry.number] = id_
        self._targets.settle(entry, id_)
        return True

    def _created(self, entry: Entry, criteria: str | None) -> str:
        """The id of what a POST stores, or finds."""
        there = create.existing(self._services, self._caller, self._write, entry.type, criteria)
        if there:
            self._kept[entry.number] = Kept(there, changed=False)
        return there.id if there else str(uuid.uuid4())

    def _named(self, entry: Entry, criteria: str) -> str:
        """The id of what a PUT or PATCH is about."""
        id_: str | None = entry.id
        if not id_:
            found = self._match(entry, criteria)
            id_ = conditional.id_for_update(self._write, entry.received, found) if entry.received else found
        conditions = (entry.conditions.get("ifMatch"), entry.conditions.get("ifNoneMatch"))
        update.check_match(self._write, entry.type, id_, *conditions)
        if entry.change:
            if id_ is None:
                raise NotFound(f"No {entry.type} fits the condition.")
            read.current(self._write, self._caller, entry.type, id_)
        id_ = id_ or str(uuid.uuid4())
        self._claim(entry, id_)
        return id_

    def _store(self, waiting: list[Entry]) -> None:
        """Store entries; one that refers by a search to what another one stores comes after it."""
        _in_rounds(
            waiting,
            self._stored,
            "A conditional reference here fits nothing, neither stored nor in this transaction; or a reference names "
            "a version that does not come before this one.",
        )

    def _stored(self, entry: Entry) -> bool:
        """Store one entry; False when it refers to what is not there yet."""
        received, known = entry.received, frozenset[str]()
        if entry.change:
            before = read.current(self._write, self._caller, entry.type, self._ids[entry.number])
            with _of_result(entry):
                received = patch.patched(before, entry.change, self._services.settings)
            known = frozenset(link.text for link in links.walk(codec.reread(before.data)))
        if received is None:
            raise Incorrect("This entry needs a resource.")
        resolved: dict[str, str] = {}
        texts: dict[splice.Path, str] = {}
        for link in links.walk(received.resource):
            target = self._linked(entry, link, known)
            if target is None:
                return False
            if target != link.text and link.kind == "Reference":
                resolved[link.text] = target
            elif target != link.text:
                texts[link.path] = target
        self._kept[entry.number] = ingest.keep(
            self._write, received, self._ids[entry.number], self._services.base_url, resolved, texts, self._unit
        )
        return True

    def _linked(self, entry: Entry, link: Link, known: frozenset[str]) -> str | None:
        """What a link becomes; its own text when it stays, None when what it means is not there yet."""
        match link.kind:
            case "Reference":
                return self._referred(entry, link, known)
            case "xhtml":
                return links.readdressed(link.text, lambda text: self._addressed(entry, text))
            case "uri" if not link.text.startswith("urn:"):
                return link.text  # a name, if it should look like the address of an entry: of a system, of an extension
        return self._addressed(entry, link.text)

    def _addressed(self, entry: Entry, text: str) -> str:
        target = self._targets.find(text, entry)
        return target.path if target else text

    def _referred(self, entry: Entry, link: Link, known: frozenset[str]) -> str | None:
        """What a reference becomes.

        Args:
            entry: whose reference it is.
            link: the reference.
            known: what stood in the resource before and was right then.
        """
        text, version, _ = link.text.partition("/_history/")
        target = self._targets.find(text, entry)
        if target:
            return self._versioned(target) if version else target.path
        found = references.parse(link.text)
        if link.text in known or found.kind not in ("urn", "conditional"):
            return link.text
        if found.kind == "urn":
            raise Incorrect(
                "No entry of the same transaction has this fullUrl; those of a batch do not know one another.",
                expression=link.place,
            )
        ids = search_type.matches(
            self._services, self._caller, self._write, found.type, found.query, "A conditional reference"
        )
        if len(ids) > 1:
            raise Precondition("Several resources fit this conditional reference.", expression=link.place)
        return f"{found.type}/{ids[0]}" if ids else None

    def _versioned(self, target: Target) -> str | None:
        """A reference to the version that an entry stores, whatever version the client thought of."""
        if kept := self._kept.get(target.number):
            return f"{target.path}/_history/{kept.stored.version}"
        # What is created has its first version, even where resources refer to one another in a circle.
        return None if (target.type, target.id) in self._claimed else f"{target.path}/_history/1"


def _in_rounds(waiting: list[Entry], done: Callable[[Entry], bool], stuck: str) -> None:
    """Do entries in an order in which none waits for another.

    Args:
        waiting: the entries.
        done: does one; False when it must wait for another.
        stuck: what is wrong when all wait.

    Raises:
        Precondition: all wait.
        TooLarge: they wait for one another in too many links.
    """
    for _ in range(MAX_ROUNDS):
        still: list[Entry] = []
        for entry in waiting:
            with at_entry(entry.number):
                if not done(entry):
                    still.append(entry)
        if not still:
            return
        if len(still) == len(waiting):
            with at_entry(still[0].number):
                raise Precondition(stuck)
        waiting = still
    with at_entry(waiting[0].number):
        raise TooLarge(f"Entries wait for one another in more than {MAX_ROUNDS} links; refer by fullUrl.")


@contextmanager
def _of_result(entry: Entry) -> Iterator[None]:
    """Let what is wrong with the result of a patch be told of its entry: its resource is the patch, not the result."""
    try:
        yield
    except Unprocessable as error:
        result = f"{entry.type}."
        issues = [
            replace(issue, text=f"{place}: {issue.text}", expression=(f"Bundle.entry[{entry.number}]",))
            if (place := "".join(issue.expression[:1])).startswith(result)
            else issue
            for issue in error.issues
        ]
        raise type(error)(str(error), issues=issues) from None


def _turn(entry: Entry) -> tuple[int, bool]:
    """R4's order of methods; and Medications first among equals, for what refers to them is read with them."""
    return METHODS.index(entry.method), entry.type != "Medication"
