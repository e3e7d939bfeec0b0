"""The tables. `migrations` makes them; a test holds the two together.

Only types and constraints that SQLite and PostgreSQL share. Times that are compared are integers (microseconds since
1970 in UTC), so both databases compare them alike.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

REVISION: Final = "0003"
"""The newest migration: the schema that this version of the program reads and writes."""

# SQLite numbers rows itself only where the column is exactly INTEGER.
_ROW_NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

resource_version = Table(
    "resource_version",
    metadata,
    Column("type", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("last_updated", String(40), nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("data", LargeBinary, nullable=False),
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
    Column("number", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("type", String(64), nullable=False),
    Column("id", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("patient_origin", String(512)),
    Column("patient_id", String(64)),
    UniqueConstraint("type", "id", name="uq_resource_type_id"),
    ForeignKeyConstraint(
        ["type", "id", "version"],
        ["resource_version.type", "resource_version.id", "resource_version.version"],
        name="fk_resource_version",
    ),
    Index("ix_resource_type_number", "type", "number"),
    Index("ix_resource_patient", "patient_origin", "patient_id", "type"),
    sqlite_autoincrement=True,
)
"""The current version of each resource. `number` never changes: searches page along it."""


def _index_table(name: str, *columns: Column[object]) -> Table:
    """A table of search index rows: by value to find, by resource to check a second condition and to replace."""
    return Table(
        name,
        metadata,
        Column("number", _ROW_NUMBER, primary_key=True, autoincrement=True),
        Column("resource", _ROW_NUMBER, ForeignKey("resource.number", name=f"fk_{name}_resource"), nullable=False),
        Column("parameter", String(96), nullable=False),
        *columns,
        Index(f"ix_{name}_value", "parameter", *(column.name for column in columns), "resource"),
        Index(f"ix_{name}_resource", "resource"),
    )


search_token = _index_table(
    "search_token", Column("code", String, nullable=False), Column("system", String, nullable=False)
)
search_string = _index_table(
    "search_string", Column("folded", String, nullable=False), Column("exact", String, nullable=False)
)
search_date = _index_table(
    "search_date", Column("starts", BigInteger, nullable=False), Column("ends", BigInteger, nullable=False)
)
search_reference = _index_table(
    "search_reference",
    Column("target_id", String, nullable=False),
    Column("target_type", String(64), nullable=False),
    Column("target_base", String, nullable=False),
)

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
