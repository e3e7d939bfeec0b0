"""One unit of work: versions, index rows and facts that are committed together or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from fhirtwin.errors import Conflict
from fhirtwin.store.index import Rows
from fhirtwin.store.reading import Reader, facts_from_bytes
from fhirtwin.store.schema import (
    resource,
    resource_version,
    search_date,
    search_reference,
    search_string,
    search_token,
    twin,
    twin_source,
)
from fhirtwin.twin import state_json
from fhirtwin.twin.state import Fact, Mapped, PatientKey, Source, StoredVersion


class Writer(Reader):
    """Reads and writes within one transaction; sees what it wrote."""

    def put(self, stored: StoredVersion, rows: Rows, patient: PatientKey | None) -> None:
        """Add a version and make it the current one.

        Args:
            stored: its version must follow the current one: 1 for a new resource.
            rows: the search index rows that take the place of the earlier ones; empty for a deletion.
            patient: whom the resource is about, if anybody.

        Raises:
            Conflict: somebody else stored that version first.
        """
        try:
            self._connection.execute(
                insert(resource_version).values(
                    type=stored.type,
                    id=stored.id,
                    version=stored.version,
                    last_updated=stored.last_updated,
                    deleted=stored.deleted,
                    data=stored.data,
                )
            )
            number = self._point(stored, patient)
        except IntegrityError:
            raise _overtaken(stored) from None
        self._index(number, rows, new=stored.version == 1)

    def replace_facts(self, source: Source, patient: PatientKey | None, mapped: Mapped) -> None:
        """Let what a resource tells now take the place of what it told before; nothing when it tells nothing.

        The twin of every patient concerned gets a new version when a fact appeared, vanished or changed. A new version
        of the source that says the same is no change.
        """
        key = (
            twin_source.c.origin == source.origin,
            twin_source.c.type == source.type,
            twin_source.c.id == source.id,
        )
        before = self._connection.execute(select(twin_source).where(*key)).first()
        earlier: set[tuple[PatientKey, Fact]] = set()
        if before:
            whose = PatientKey(before.patient_origin, before.patient_id)
            earlier = {(whose, _unversioned(fact)) for fact in facts_from_bytes(before.facts)}
            self._connection.execute(delete(twin_source).where(*key))
        now: set[tuple[PatientKey, Fact]] = set()
        if patient:
            self._begin_twin(patient)
            now = {(patient, _unversioned(fact)) for fact in mapped.facts}
        if patient and (mapped.facts or mapped.unused):
            self._connection.execute(
                insert(twin_source).values(
                    origin=source.origin,
                    type=source.type,
                    id=source.id,
                    version=source.version,
                    patient_origin=patient.origin,
                    patient_id=patient.id,
                    facts=msgspec.json.encode([state_json.fact_to_json(fact) for fact in mapped.facts]),
                    unused=msgspec.json.encode([state_json.unused_to_json(one) for one in mapped.unused]),
                )
            )
        for changed in sorted({whose for whose, _ in earlier ^ now}):
            self._connection.execute(
                update(twin)
                .where(twin.c.origin == changed.origin, twin.c.patient_id == changed.id)
                .values(version=twin.c.version + 1)
            )

    def _point(self, stored: StoredVersion, patient: PatientKey | None) -> int:
        """Make `stored` the current version; the number of its resource."""
        values: dict[str, Any] = {
            "version": stored.version,
            "deleted": stored.deleted,
            "patient_origin": patient.origin if patient else None,
            "patient_id": patient.id if patient else None,
        }
        if stored.version == 1:
            added = self._connection.execute(insert(resource).values(type=stored.type, id=stored.id, **values))
            return int(added.inserted_primary_key[0])  # type: ignore[index]
        same = (resource.c.type == stored.type, resource.c.id == stored.id)
        moved = self._connection.execute(
            update(resource).where(*same, resource.c.version == stored.version - 1).values(**values)
        )
        if moved.rowcount != 1:
            raise _overtaken(stored)
        return int(self._connection.execute(select(resource.c.number).where(*same)).scalar_one())

    def _index(self, number: int, rows: Rows, *, new: bool) -> None:
        for table, made in (
            (search_token, rows.tokens),
            (search_string, rows.strings),
            (search_date, rows.dates),
            (search_reference, rows.references),
        ):
            if not new:
                self._connection.execute(delete(table).where(table.c.resource == number))
            if made:
                names = _value_columns(table)
                self._connection.execute(
                    insert(table), [{"resource": number, **dict(zip(names, row, strict=True))} for row in sorted(made)]
                )

    def _begin_twin(self, patient: PatientKey) -> None:
        known = self._connection.execute(
            select(twin.c.version).where(twin.c.origin == patient.origin, twin.c.patient_id == patient.id)
        ).first()
        if known is None:
            self._connection.execute(insert(twin).values(origin=patient.origin, patient_id=patient.id, version=1))


def _value_columns(table: Table) -> list[str]:
    """`parameter` and the columns of the value, in the order of the rows of `fhirtwin.store.index`."""
    return [column.name for column in table.columns if column.name not in ("number", "resource")]


def _unversioned(fact: Fact) -> Fact:
    return replace(fact, sources=tuple(replace(source, version="") for source in fact.sources))


def _overtaken(stored: StoredVersion) -> Conflict:
    return Conflict(f"Another writer changed this {stored.type} at the same time; read it again and repeat.")
