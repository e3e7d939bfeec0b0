"""The search index and the facts of twins are made anew where the rules they were made by have changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec, dates
from fhirtwin.fhir.search.folding import microseconds
from fhirtwin.store import index
from fhirtwin.store.indexing import Indexing
from fhirtwin.store.schema import resource, resource_version
from fhirtwin.store.search_tables import INDEXES, search_index
from fhirtwin.store.writing import Writer
from fhirtwin.twin import form as facts
from fhirtwin.twin.mappers import registry
from fhirtwin.twin.medicines import with_medication
from fhirtwin.twin.state import LOCAL, PatientKey, Source

_RULES: Final = "1"
"""Raised by who changes what `fhirtwin.store.index` makes of a value, so that every index is made anew."""
_BATCH: Final = 200

Told = Callable[[int, int], None]
"""Is told how many resources are done, and of how many."""

_STORED: Final = (
    select(
        resource.c.number,
        resource.c.patient_origin,
        resource.c.patient_id,
        resource_version.c.type,
        resource_version.c.id,
        resource_version.c.version,
        resource_version.c.last_updated,
        resource_version.c.deleted,
        resource_version.c.data,
    )
    .join(
        resource_version,
        and_(
            resource_version.c.type == resource.c.type,
            resource_version.c.id == resource.c.id,
            resource_version.c.version == resource.c.version,
        ),
    )
    .where(resource.c.number > bindparam("after"))
    .order_by(resource.c.number)
    .limit(_BATCH)
)
_DATE: Final = (
    update(resource).where(resource.c.number == bindparam("wanted")).values(last_updated=bindparam("new_last_updated"))
)


@cache
def form() -> str:
    """A digest of all that decides what the index and the facts look like."""
    digest = sha256(f"{_RULES} {facts.form()}".encode())
    for package, name in (("fhirtwin.fhir.search", "parameters.json"), ("fhirtwin.terms", "ucum.json")):
        digest.update(resources.files(package).joinpath(name).read_bytes())
    return digest.hexdigest()


def require(connection: Connection) -> None:
    """Return when index and facts were made by the rules of this version of the program.

    Raises:
        Incorrect: it was not; the text says what to do.
    """
    if not is_current(connection):
        raise Incorrect(
            "The database was indexed by the search parameters, or its twins were made by the mappers, of another "
            "version of fhirtwin: run `fhirtwin db upgrade`."
        )


def is_current(connection: Connection) -> bool:
    """Whether index and facts were made by the rules of this version of the program."""
    return connection.execute(select(search_index.c.form)).scalars().all() == [form()]


def _unheard(_done: int, _total: int) -> None:
    """Nobody wants to know how far the index is."""


def rebuild(connection: Connection, base_url: str, told: Told = _unheard) -> int:
    """Make the whole index, and the facts of every twin, anew, within the transaction of the connection.

    A twin gets a new version where its facts have become others.

    Args:
        connection: of a transaction that writes.
        base_url: this server's base; absolute references below it are its own.
        told: is told about the progress now and then.

    Returns:
        How many resources were read.
    """
    for table in INDEXES:
        connection.execute(delete(table))
    total = connection.execute(select(func.count()).select_from(resource)).scalar_one()
    indexing, write = Indexing(connection), Writer(connection)
    done, after = 0, 0
    while batch := connection.execute(_STORED, {"after": after}).all():
        for row in batch:
            updated = microseconds(dates.parse(row.last_updated).start)
            connection.execute(_DATE, {"wanted": row.number, "new_last_updated": updated})
            if not row.deleted:
                read = codec.reread(row.data)
                indexing.add(row.number, index.rows(read, base_url, most=None))
                _tell(write, row, read, base_url)
        done, after = done + len(batch), batch[-1].number
        told(done, total)
    indexing.flush()
    connection.execute(delete(search_index))
    connection.execute(insert(search_index), {"form": form()})
    return done


def _tell(write: Writer, row: Any, read: dict[str, Any], base_url: str) -> None:
    """Let one resource tell its patient's twin again what it tells."""

    def find(base: str, id_: str) -> dict[str, Any] | None:
        stored = write.read("Medication", id_) if base in ("", base_url) else None
        return codec.reread(stored.data) if stored and not stored.deleted else None

    source = Source(LOCAL, row.type, row.id, str(row.version))
    patient = PatientKey(row.patient_origin, row.patient_id) if row.patient_id else None
    write.replace_facts(source, patient, registry.map_resource(with_medication(read, find), source))
