"""An index for every kind of search parameter; the order of changes for the history of everything.

The index is left empty: `fhirtwin.store.reindexing` fills it when all steps are done.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Put the new index in the place of the old one."""
    for name in ("search_token", "search_string", "search_date", "search_reference"):
        op.drop_table(name)
    op.create_index("ix_resource_version_last_updated", "resource_version", ["last_updated", "type", "id", "version"])
    op.add_column("resource", sa.Column("last_updated", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index("ix_resource_type_last_updated", "resource", ["type", "last_updated", "number"])
    _create("search_token", [_text("code"), _text("system")], ["code", "system"])
    _create("search_string", [_text("folded"), _text("exact")], ["folded"])
    _create("search_date", [_whole("starts"), _whole("ends")], ["starts", "ends"])
    _create(
        "search_reference",
        [_text("target_id"), _text("target_type"), _text("target_base")],
        ["target_id", "target_type", "target_base"],
    )
    _create("search_uri", [_text("uri"), _text("version")], ["uri", "version"])
    _create("search_number", [_number("low"), _number("high")], ["low", "high"])
    _create(
        "search_quantity",
        [
            _number("low"),
            _number("high"),
            _text("system"),
            _text("code"),
            _text("unit"),
            sa.Column("canonical", _TEXT),
            _number("canonical_low"),
            _number("canonical_high"),
        ],
        ["low", "high"],
        ["canonical", "canonical_low", "canonical_high"],
    )
    op.create_table("search_index", sa.Column("form", sa.String(64), primary_key=True))


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, _TEXT, nullable=False)


def _whole(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Double)


def _create(name: str, values: list[sa.Column[Any]], *finds: list[str]) -> None:
    op.create_table(
        name,
        sa.Column("resource", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("parameter", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("item", sa.Integer, nullable=False),
        *values,
        sqlite_with_rowid=False,
    )
    for found in finds:
        op.create_index(f"ix_{name}_{found[0]}", name, ["parameter", *found, "resource"])
