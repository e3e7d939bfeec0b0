"""What can be asked of the store, within one transaction: every answer of a `Reader` is of the same moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, bindparam, or_, select

from fhirtwin.access.visibility import EVERYTHING, View
from fhirtwin.fhir import codec
from fhirtwin.fhir.search.parameters import PARAMETERS
from fhirtwin.fhir.search.query import Position, Query
from fhirtwin.store import canonicals, past
from fhirtwin.store.advice import Advice
from fhirtwin.store.past import Change, Past
from fhirtwin.store.schema import resource, resource_source, resource_version, twin, twin_source
from fhirtwin.store.search import compartment, explaining, including, searching
from fhirtwin.store.search_tables import search_token
from fhirtwin.store.standing import Standings
from fhirtwin.twin import state_json
from fhirtwin.twin.state import Fact, PatientKey, StoredVersion, TwinState, Unused, in_order

LISTS: Final = ("Condition", "Procedure", "MedicationRequest", "MedicationStatement")
"""Resource types that problem and medication lists are made of."""

_MOST_IDS: Final = 500
"""Ids in one statement; databases have a limit of values that can be bound."""

_LOINC: Final = "http://loinc.org"
_EMPTY_REASON: Final = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
_LIST_CODES: Final[Mapping[str, str]] = {"11450-4": "Condition", "10160-0": "MedicationStatement"}
"""LOINC codes of a List (problem list; history of medication use) and the resource type it would hold."""

# Made once: building a statement costs more than running it.
_READ: Final = (
    select(resource.c.number, resource_version)
    .join(
        resource,
        (resource.c.type == resource_version.c.type)
        & (resource.c.id == resource_version.c.id)
        & (resource.c.version == resource_version.c.version),
    )
    .where(resource.c.type == bindparam("wanted_type"), resource.c.id == bindparam("wanted_id"))
)
_VREAD: Final = select(resource_version).where(
    resource_version.c.type == bindparam("wanted_type"),
    resource_version.c.id == bindparam("wanted_id"),
    resource_version.c.version == bindparam("wanted_version"),
)
_SOURCE: Final = select(resource_source.c.data).where(
    resource_source.c.type == bindparam("wanted_type"),
    resource_source.c.id == bindparam("wanted_id"),
    resource_source.c.version == bindparam("wanted_version"),
)
_ABOUT: Final = (
    resource.c.patient_origin == bindparam("wanted_origin"),
    resource.c.patient_id == bindparam("wanted_patient"),
    resource.c.deleted.is_(False),
)
_ENTERED_IN_ERROR: Final = (
    select(search_token.c.place)
    .where(
        search_token.c.resource == resource.c.number,
        search_token.c.parameter.in_(
            PARAMETERS[type_]["verification-status" if type_ == "Condition" else "status"].number for type_ in LISTS
        ),
        search_token.c.code == "entered-in-error",
    )
    .exists()
)
_LISTED: Final = select(resource.c.type).where(*_ABOUT, resource.c.type.in_(LISTS), ~_ENTERED_IN_ERROR).distinct()
_LIST_IDS: Final = select(resource.c.id).where(*_ABOUT, resource.c.type == "List")
SAME_PATIENT: Final = (
    twin.c.origin == bindparam("wanted_origin"),
    twin.c.patient_id == bindparam("wanted_patient"),
)
"""Of the twin of the patient whose `whose` is given."""
_TWIN_VERSION: Final = select(twin.c.version).where(*SAME_PATIENT)
_TOLD: Final = (
    select(twin_source.c.facts, twin_source.c.unused)
    .where(
        twin_source.c.patient_origin == bindparam("wanted_origin"),
        twin_source.c.patient_id == bindparam("wanted_patient"),
    )
    .order_by(twin_source.c.origin, twin_source.c.type, twin_source.c.id)
)

_WINDOW: Final = 500
"""Resources that are fetched at once where all are gone through."""

_EACH: Final = (
    select(resource.c.number, resource_version)
    .select_from(compartment.CURRENT)
    .where(
        or_(bindparam("wanted_type") == "", resource.c.type == bindparam("wanted_type")),
        resource.c.deleted.is_(False),
        resource.c.number > bindparam("wanted_after"),
    )
    .order_by(resource.c.number)
    .limit(_WINDOW)
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search.

    Attributes:
        versions: the matches, in order.
        total: resources that fit, on all pages; None when nobody wanted to know.
        following: where the next page begins, when there is one.
        included: what comes along with the matches.
    """

    versions: tuple[StoredVersion, ...]
    total: int | None
    following: Position | None = None
    included: tuple[StoredVersion, ...] = ()


@dataclass(frozen=True, slots=True)
class Numbered:
    """A current version and the number of its resource, by which pages go."""

    number: int
    stored: StoredVersion


class Reader:
    """Asks within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def advice(self) -> Advice:
        """Cards, feedback and their counts, within this transaction."""
        return Advice(self._connection)

    @property
    def standings(self) -> Standings:
        """How the engine stands, within this transaction."""
        return Standings(self._connection)

    def read(self, type_: str, id_: str) -> StoredVersion | None:
        """The current version, which may be a deletion; None when there never was one."""
        found = self._connection.execute(_READ, {"wanted_type": type_, "wanted_id": id_}).first()
        return _version(found) if found else None

    def vread(self, type_: str, id_: str, version: int) -> StoredVersion | None:
        """One version; None when there never was one."""
        wanted = {"wanted_type": type_, "wanted_id": id_, "wanted_version": version}
        found = self._connection.execute(_VREAD, wanted).first()
        return _version(found) if found else None

    def canonical(self, type_: str, url: str) -> StoredVersion | None:
        """The resource that a canonical URL (with or without `|version`) names; of several the one written last."""
        found = canonicals.find(self._connection, type_, url)
        return self.read(type_, found) if found else None

    def source(self, stored: StoredVersion) -> bytes:
        """The XML that a version was sent as; empty when it was JSON."""
        wanted = {"wanted_type": stored.type, "wanted_id": stored.id, "wanted_version": stored.version}
        return self._connection.execute(_SOURCE, wanted).scalar() or b""

    def search(self, query: Query, view: View) -> Page:
        """One page of the resources that fit and that the view lets be seen.

        Raises:
            TooLarge: more would come along than the query allows.
        """
        if not query.count:
            return Page((), self._count(query, view))
        asked = searching.page(query, view)
        rows = asked.run(self._connection).all()
        shown = rows[: query.count]
        goes_on = len(rows) > query.count
        place = query.position
        total = place.total if place else self._total(query, view, len(rows), goes_on=goes_on)
        following = None
        if goes_on:
            ceiling = place.ceiling if place else self._connection.execute(searching.NEWEST).scalar_one()
            following = searching.position(query, ceiling, total, shown[-1])
        included: tuple[StoredVersion, ...] = ()
        if query.includes and shown:
            matches = [(row.number, row.type, row.id) for row in shown]
            included = self._versions(including.included(self._connection, query, view, matches))
        return Page(tuple(_version(row) for row in shown), total, following, included)

    def explain(self, query: Query, view: View) -> str:
        """How the database carries out a search: the SQL and its plan, without values."""
        asked = searching.page(query, view)
        return explaining.plan(self._connection, asked.sql, asked.values)

    def matches(self, query: Query, view: View, limit: int = 2) -> tuple[str, ...]:
        """Ids of at most `limit` resources that fit: a condition needs to know of none, one, or more."""
        asked = searching.ids(query, view, limit)
        return tuple(asked.run(self._connection).scalars())

    def _total(self, query: Query, view: View, found: int, *, goes_on: bool) -> int | None:
        """The total of a first page; only where more follows is there anything to count."""
        if query.total == "none":
            return None
        return self._count(query, view) if goes_on else found

    def _count(self, query: Query, view: View) -> int:
        asked = searching.total(query, view)
        return int(asked.run(self._connection).scalar_one())

    def _versions(self, numbers: list[int]) -> tuple[StoredVersion, ...]:
        found = self._connection.execute(searching.VERSIONS, {"numbers": numbers}) if numbers else ()
        return tuple(_version(row) for row in found)

    def numbered(self, type_: str, id_: str) -> Numbered | None:
        """The current version of a resource with its number; None when it never was or was deleted."""
        found = self._connection.execute(_READ, {"wanted_type": type_, "wanted_id": id_}).first()
        return Numbered(found.number, _version(found)) if found and not found.deleted else None

    def newest(self) -> int:
        """The number of the newest resource of any type; 0 when there is none."""
        return int(self._connection.execute(searching.NEWEST).scalar_one())

    def compartment(self, patient: str, after: int, ceiling: int, count: int) -> tuple[Numbered, ...]:
        """At most `count` resources of the compartment of a patient stored here, oldest first.

        Args:
            patient: logical id.
            after: number of the last resource that was seen; 0 to begin.
            ceiling: number of the newest resource that counts.
            count: how many.
        """
        wanted = {
            "wanted_patient": patient,
            "wanted_after": after,
            "wanted_ceiling": ceiling,
            "wanted_count": count,
        }
        found = self._connection.execute(compartment.MEMBERS, wanted)
        return tuple(Numbered(row.number, _version(row)) for row in found)

    def nobodys(self, wanted: Iterable[tuple[str, str]], ceiling: int) -> tuple[Numbered, ...]:
        """Those of some resources, by type and id, that lie in the compartment of no patient at all."""
        pairs = sorted(set(wanted))
        found: dict[int, Numbered] = {}
        for start in range(0, len(pairs), _MOST_IDS):
            chunk = frozenset(pairs[start : start + _MOST_IDS])
            asked = {
                "wanted_types": sorted({type_ for type_, _ in chunk}),
                "wanted_ids": sorted({id_ for _, id_ in chunk}),
                "wanted_ceiling": ceiling,
            }
            for row in self._connection.execute(compartment.NOBODYS, asked):
                if (row.type, row.id) in chunk:
                    found[row.number] = Numbered(row.number, _version(row))
        return tuple(found[number] for number in sorted(found))

    def referring(self, patient: str, count: int, *, but: Iterable[str] = ()) -> tuple[StoredVersion, ...]:
        """At most `count` resources that refer to a patient stored here, those of some types left out.

        Args:
            patient: logical id.
            count: how many.
            but: resource types.
        """
        wanted = {"wanted_patient": patient, "wanted_count": count, "unwanted_types": sorted(but)}
        return tuple(_version(row) for row in self._connection.execute(compartment.REFERRING, wanted))

    def shows(self, type_: str, id_: str, view: View) -> bool:
        """Whether the view lets a resource be seen; what was deleted lies in no compartment any more."""
        if view(type_) == EVERYTHING:
            return True
        one = self.numbered(type_, id_)
        return one is not None and bool(self.only_seen([one], view))

    def only_seen(self, found: Iterable[Numbered], view: View) -> tuple[Numbered, ...]:
        """Those resources that the view lets be seen, in the same order."""
        numbered = tuple(found)
        reached = {(one.number, one.stored.type, one.stored.id) for one in numbered}
        numbers = {number for number, _, _ in including.only_seen(self._connection, view, reached)}
        return tuple(one for one in numbered if one.number in numbers)

    def each(self, type_: str, view: View) -> Iterator[StoredVersion]:
        """Every current version of a type, or of all when it is empty, that the view lets be seen."""
        after: int | None = 0
        while after is not None:
            found = self._connection.execute(_EACH, {"wanted_type": type_, "wanted_after": after}).all()
            seen = self.only_seen((Numbered(row.number, _version(row)) for row in found), view)
            yield from (one.stored for one in seen)
            after = found[-1].number if len(found) == _WINDOW else None

    def after(self, type_: str, number: int) -> tuple[Numbered, ...]:
        """The next current versions of a type whose resources have greater numbers, in order; none when that is all."""
        found = self._connection.execute(_EACH, {"wanted_type": type_, "wanted_after": number})
        return tuple(Numbered(row.number, _version(row)) for row in found)

    def changes(self, asked: Past, count: int) -> tuple[Change, ...]:
        """At most `count` versions, newest first."""
        found = self._connection.execute(past.page(asked, count))
        return tuple(Change(_version(row), row.before is None or row.before) for row in found)

    def count_changes(self, asked: Past) -> int:
        """How many versions there are, on this page and after it."""
        return self._connection.execute(past.total(asked)).scalar_one()

    def twin(self, patient: PatientKey) -> TwinState | None:
        """What is known of a patient; None when nothing stored here is about them."""
        version = self._connection.execute(_TWIN_VERSION, whose(patient)).scalar()
        if version is None:
            return None
        facts: list[Fact] = []
        unused: list[Unused] = []
        for row in self._connection.execute(_TOLD, whose(patient)):
            facts += facts_from_bytes(row.facts)
            unused += (state_json.unused_from_json(one) for one in msgspec.json.decode(row.unused))
        return TwinState(
            patient=patient,
            version=version,
            facts=in_order(facts),
            lists=self._lists(patient),
            unused=tuple(unused),
            reference=patient.reference,
        )

    def _lists(self, patient: PatientKey) -> frozenset[str]:
        """Lists that were obtained: a member of theirs is stored, or a List that says that there is none to list.

        What was entered in error is no member: it shows that somebody erred, not that anybody looked.
        """
        held = set(self._connection.execute(_LISTED, whose(patient)).scalars())
        for row in self._connection.execute(_LIST_IDS, whose(patient)).all():
            stored = self.read("List", row.id)
            if stored:
                held |= said_empty(codec.reread(stored.data))
        return frozenset(held)


def whose(patient: PatientKey) -> dict[str, str]:
    """What statements on a patient are given."""
    return {"wanted_origin": patient.origin, "wanted_patient": patient.id}


def said_empty(resource_: Mapping[str, Any]) -> set[str]:
    """The types of resource that a List says there are none of (`emptyReason` `nilknown`).

    *Source*: http://hl7.org/fhir/R4/list.html#empty: nilknown, "assertion that there are no items in the list".
    """
    if resource_.get("status") != "current" or not _coded(resource_.get("emptyReason"), _EMPTY_REASON, "nilknown"):
        return set()
    return {type_ for code, type_ in _LIST_CODES.items() if _coded(resource_.get("code"), _LOINC, code)}


def facts_from_bytes(data: bytes) -> list[Fact]:
    """Facts as `Writer.replace_facts` keeps them."""
    return [state_json.fact_from_json(one) for one in msgspec.json.decode(data)]


def _coded(concept: Mapping[str, Any] | None, system: str, code: str) -> bool:
    codings = (concept or {}).get("coding", ())
    return any(coding.get("system") == system and coding.get("code") == code for coding in codings)


def _version(row: Row[Any]) -> StoredVersion:
    return StoredVersion(row.type, row.id, row.version, row.last_updated, row.data, row.deleted)
