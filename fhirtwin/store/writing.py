"""One unit of work: versions, index rows and facts that are committed together or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from fhirtwin.errors import Conflict
from fhirtwin.fhir import dates
from fhirtwin.fhir.search.folding import microseconds
from fhirtwin.store.index import Rows
from fhirtwin.store.indexing import Indexing
from fhirtwin.store.reading import SAME_PATIENT, Reader, facts_from_bytes, whose
from fhirtwin.store.schema import resource, resource_source, resource_version, twin, twin_source
from fhirtwin.twin import state_json
from fhirtwin.twin.state import LOCAL, Fact, Mapped, PatientKey, Source, StoredVersion

_MOST_KNOWN: Final = 64
"""Current versions that are kept in memory while a transaction is open."""

# Made once: building a statement costs more than running it.
_ADD_VERSION: Final = insert(resource_version)
_ADD_SOURCE: Final = insert(resource_source)
_DROP_SOURCE: Final = delete(resource_source).where(
    resource_source.c.type == bindparam("wanted_type"),
    resource_source.c.id == bindparam("wanted_id"),
    resource_source.c.version == bindparam("wanted_version"),
)
_ADD_RESOURCE: Final = insert(resource).returning(resource.c.number)
_MOVES: Final = ("version", "deleted", "last_updated", "patient_origin", "patient_id")
_MOVE_ON: Final = (
    update(resource)
    .where(
        resource.c.type == bindparam("wanted_type"),
        resource.c.id == bindparam("wanted_id"),
        resource.c.version == bindparam("wanted_version"),
    )
    .values({name: bindparam(f"new_{name}") for name in _MOVES})
)
_AMEND: Final = (
    update(resource_version)
    .where(
        resource_version.c.type == bindparam("wanted_type"),
        resource_version.c.id == bindparam("wanted_id"),
        resource_version.c.version == bindparam("wanted_version"),
    )
    .values(data=bindparam("new_data"))
)
_NUMBER: Final = select(resource.c.number).where(
    resource.c.type == bindparam("wanted_type"), resource.c.id == bindparam("wanted_id")
)
_SAME_SOURCE: Final = (
    twin_source.c.origin == bindparam("wanted_origin"),
    twin_source.c.type == bindparam("wanted_type"),
    twin_source.c.id == bindparam("wanted_id"),
)
_TOLD_BEFORE: Final = select(twin_source).where(*_SAME_SOURCE)
_FORGET: Final = delete(twin_source).where(*_SAME_SOURCE)
_TELL: Final = insert(twin_source)
_BEGIN_TWIN: Final = text(
    "INSERT INTO twin (origin, patient_id, version) VALUES (:wanted_origin, :wanted_patient, 1) "
    "ON CONFLICT (origin, patient_id) DO NOTHING"
)
_RAISE_TWIN: Final = update(twin).where(*SAME_PATIENT).values(version=twin.c.version + 1)


class Writer(Reader):
    """Reads and writes within one transaction; sees what it wrote."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._resources = Reader(connection)
        self._indexing = Indexing(connection)
        self._twins: set[PatientKey] = set()
        """Twins that are known to have a version."""
        self._current: dict[tuple[str, str], StoredVersion | None] = {}
        """What was read last or written last: nobody else writes meanwhile."""
        self._new: set[tuple[str, str]] = set()
        """Resources that were not there before, of which nothing is told yet."""

    @property
    def _connection(self) -> Connection:
        """What may look at the index finds there what this transaction has written."""
        self._indexing.flush()
        return self._bare

    @_connection.setter
    def _connection(self, connection: Connection) -> None:
        self._bare = connection

    def read(self, type_: str, id_: str) -> StoredVersion | None:
        """As `Reader.read`, which does not look at the index; what this transaction knows already is not asked for."""
        key = type_, id_
        if key not in self._current:
            self._know(key, self._resources.read(type_, id_))
        return self._current[key]

    def flush(self) -> None:
        """Write what waits for company; to be called before the transaction is committed."""
        self._indexing.flush()

    def put(self, stored: StoredVersion, rows: Rows, patient: PatientKey | None) -> None:
        """Add a version and make it the current one.

        Args:
            stored: its version must follow the current one: 1 for a new resource.
            rows: the search index rows that take the place of the earlier ones; empty for a deletion.
            patient: whom the resource is about, if anybody.

        Raises:
            Conflict: somebody else stored that version first.
        """
        row = {
            "type": stored.type,
            "id": stored.id,
            "version": stored.version,
            "last_updated": stored.last_updated,
            "deleted": stored.deleted,
            "data": stored.data,
        }
        try:
            self._bare.execute(_ADD_VERSION, row)
            number = self._point(stored, patient)
        except IntegrityError:
            raise _overtaken(stored) from None
        if stored.version > 1:
            self._indexing.remove(number)
        else:
            self._new.add((stored.type, stored.id))
        self._indexing.add(number, rows)
        self._know((stored.type, stored.id), stored)

    def amend(self, stored: StoredVersion, rows: Rows) -> None:
        """Let the current version have other bytes, under the same number: of its `meta`, which R4 keeps apart.

        Args:
            stored: the current version as it is to be.
            rows: the search index rows that take the place of the earlier ones.

        Raises:
            Conflict: another version is current.
        """
        same = {"wanted_type": stored.type, "wanted_id": stored.id}
        current = self.read(stored.type, stored.id)
        if current is None or current.version != stored.version:
            raise _overtaken(stored)
        self._bare.execute(_AMEND, {**same, "wanted_version": stored.version, "new_data": stored.data})
        self._bare.execute(_DROP_SOURCE, {**same, "wanted_version": stored.version})  # it says what was before
        number = int(self._bare.execute(_NUMBER, same).scalar_one())
        self._indexing.remove(number)
        self._indexing.add(number, rows)
        self._know((stored.type, stored.id), stored)

    def keep_source(self, stored: StoredVersion, source: bytes) -> None:
        """Keep the XML that a version, just put, was sent as."""
        row = {"type": stored.type, "id": stored.id, "version": stored.version, "data": source}
        self._bare.execute(_ADD_SOURCE, row)

    def replace_facts(self, source: Source, patient: PatientKey | None, mapped: Mapped) -> None:
        """Let what a resource tells now take the place of what it told before; nothing when it tells nothing.

        The twin of every patient concerned gets a new version when a fact appeared, vanished or changed. A new version
        of the source that says the same is no change.
        """
        key = {"wanted_origin": source.origin, "wanted_type": source.type, "wanted_id": source.id}
        fresh = source.origin == LOCAL and (source.type, source.id) in self._new
        before = None if fresh else self._bare.execute(_TOLD_BEFORE, key).first()
        earlier: set[tuple[PatientKey, Fact]] = set()
        if before:
            patient_before = PatientKey(before.patient_origin, before.patient_id)
            earlier = {(patient_before, _unversioned(fact)) for fact in facts_from_bytes(before.facts)}
            self._bare.execute(_FORGET, key)
        now: set[tuple[PatientKey, Fact]] = set()
        if patient:
            self._begin_twin(patient)
            now = {(patient, _unversioned(fact)) for fact in mapped.facts}
        if patient and (mapped.facts or mapped.unused):
            told = {
                "origin": source.origin,
                "type": source.type,
                "id": source.id,
                "version": source.version,
                "patient_origin": patient.origin,
                "patient_id": patient.id,
                "facts": msgspec.json.encode([state_json.fact_to_json(fact) for fact in mapped.facts]),
                "unused": msgspec.json.encode([state_json.unused_to_json(one) for one in mapped.unused]),
            }
            self._bare.execute(_TELL, told)
            self._new.discard((source.type, source.id))
        for changed in sorted({each for each, _ in earlier ^ now}):
            self._bare.execute(_RAISE_TWIN, whose(changed))

    def _know(self, key: tuple[str, str], current: StoredVersion | None) -> None:
        if len(self._current) >= _MOST_KNOWN:
            self._current.clear()
        self._current[key] = current

    def _point(self, stored: StoredVersion, patient: PatientKey | None) -> int:
        """Make `stored` the current version; the number of its resource."""
        values: dict[str, Any] = {
            "version": stored.version,
            "deleted": stored.deleted,
            "last_updated": microseconds(dates.parse(stored.last_updated).start),
            "patient_origin": patient.origin if patient else None,
            "patient_id": patient.id if patient else None,
        }
        if stored.version == 1:
            added = {"type": stored.type, "id": stored.id, **values}
            return int(self._bare.execute(_ADD_RESOURCE, added).scalar_one())
        same = {"wanted_type": stored.type, "wanted_id": stored.id}
        moved = {f"new_{name}": value for name, value in values.items()}
        if self._bare.execute(_MOVE_ON, {**same, "wanted_version": stored.version - 1, **moved}).rowcount != 1:
            raise _overtaken(stored)
        return int(self._bare.execute(_NUMBER, same).scalar_one())

    def _begin_twin(self, patient: PatientKey) -> None:
        if patient in self._twins:
            return
        self._bare.execute(_BEGIN_TWIN, whose(patient))
        self._twins.add(patient)


def _unversioned(fact: Fact) -> Fact:
    return replace(fact, sources=tuple(source._replace(version="") for source in fact.sources))


def _overtaken(stored: StoredVersion) -> Conflict:
    return Conflict(f"Another writer changed this {stored.type} at the same time; read it again and repeat.")
