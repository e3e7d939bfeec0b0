"""Resources with their versions, the search index, and the twins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "resource_version",
        sa.Column("type", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("last_updated", sa.String(40), nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "resource",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("patient_origin", sa.String(512)),
        sa.Column("patient_id", sa.String(64)),
        sa.UniqueConstraint("type", "id", name="uq_resource_type_id"),
        sa.ForeignKeyConstraint(
            ["type", "id", "version"],
            ["resource_version.type", "resource_version.id", "resource_version.version"],
            name="fk_resource_version",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_resource_type_number", "resource", ["type", "number"])
    op.create_index("ix_resource_patient", "resource", ["patient_origin", "patient_id", "type"])
    _create_index_table("search_token", sa.Column("code", sa.String), sa.Column("system", sa.String))
    _create_index_table("search_string", sa.Column("folded", sa.String), sa.Column("exact", sa.String))
    _create_index_table("search_date", sa.Column("starts", sa.BigInteger), sa.Column("ends", sa.BigInteger))
    _create_index_table(
        "search_reference",
        sa.Column("target_id", sa.String),
        sa.Column("target_type", sa.String(64)),
        sa.Column("target_base", sa.String),
    )
    op.create_table(
        "twin",
        sa.Column("origin", sa.String(512), primary_key=True),
        sa.Column("patient_id", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "twin_source",
        sa.Column("origin", sa.String(512), primary_key=True),
        sa.Column("type", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("patient_origin", sa.String(512), nullable=False),
        sa.Column("patient_id", sa.String(64), nullable=False),
        sa.Column("facts", sa.LargeBinary, nullable=False),
        sa.Column("unused", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_origin", "patient_id"], ["twin.origin", "twin.patient_id"], name="fk_twin_source_twin"
        ),
    )
    op.create_index("ix_twin_source_patient", "twin_source", ["patient_origin", "patient_id"])


def _create_index_table(name: str, *values: sa.Column[object]) -> None:
    for column in values:
        column.nullable = False
    op.create_table(
        name,
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("resource", _NUMBER, sa.ForeignKey("resource.number", name=f"fk_{name}_resource"), nullable=False),
        sa.Column("parameter", sa.String(96), nullable=False),
        *values,
    )
    op.create_index(f"ix_{name}_value", name, ["parameter", *(column.name for column in values), "resource"])
    op.create_index(f"ix_{name}_resource", name, ["resource"])
