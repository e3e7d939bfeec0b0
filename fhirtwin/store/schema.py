"""The tables, but for those of search index and advice. `migrations` makes all of them; a test holds the two together.

Only types and constraints that SQLite and PostgreSQL share. Times that are compared are integers (microseconds since
1970 in UTC), so both databases compare them alike.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from fhirtwin.store.advice_tables import cds_card  # makes the tables of advice known
from fhirtwin.store.search_tables import ROW_NUMBER, metadata
from fhirtwin.store.standing_tables import engine_standing  # likewise the table of the engine's standing

__all__ = [
    "REVISION",
    "cds_card",
    "engine_standing",
    "metadata",
    "resource",
    "resource_source",
    "resource_version",
    "twin",
    "twin_source",
]

REVISION: Final = "0005"
"""The newest migration: the schema that this version of the program reads and writes."""

resource_version = Table(
    "resource_version",
    metadata,
    Column("type", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("last_updated", String(40), nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("ix_resource_version_last_updated", "last_updated", "type", "id", "version"),
)
"""Every version ever stored; rows are added and never changed, but for the tags and labels of the current one."""

resource_source = Table(
    "resource_source",
    metadata,
    Column("type", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["type", "id", "version"],
        ["resource_version.type", "resource_version.id", "resource_version.version"],
        name="fk_resource_source_version",
    ),
)
"""The XML that a version was sent as; a version that was sent as JSON has no row."""

resource = Table(
    "resource",
    metadata,
    Column("number", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("type", String(64), nullable=False),
    Column("id", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("last_updated", BigInteger, nullable=False, server_default="0"),
    Column("patient_origin", String(512)),
    Column("patient_id", String(64)),
    UniqueConstraint("type", "id", name="uq_resource_type_id"),
    ForeignKeyConstraint(
        ["type", "id", "version"],
        ["resource_version.type", "resource_version.id", "resource_version.version"],
        name="fk_resource_version",
    ),
    Index("ix_resource_type_number", "type", "number"),
    Index("ix_resource_type_last_updated", "type", "last_updated", "number"),
    Index("ix_resource_patient", "patient_origin", "patient_id", "type"),
    sqlite_autoincrement=True,
)
"""The current version of each resource. `number` never changes: searches page along it.

`last_updated` is that of the version in microseconds since 1970, UTC.
"""


twin = Table(
    "twin",
    metadata,
    Column("origin", String(512), primary_key=True),
    Column("patient_id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
)
"""The version of each patient's twin."""

twin_source = Table(
    "twin_source",
    metadata,
    Column("origin", String(512), primary_key=True),
    Column("type", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("patient_origin", String(512), nullable=False),
    Column("patient_id", String(64), nullable=False),
    Column("facts", LargeBinary, nullable=False),
    Column("unused", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["patient_origin", "patient_id"], ["twin.origin", "twin.patient_id"], name="fk_twin_source_twin"
    ),
    Index("ix_twin_source_patient", "patient_origin", "patient_id"),
)
"""What one resource tells of one patient: facts, and what was not used and why, as JSON."""
