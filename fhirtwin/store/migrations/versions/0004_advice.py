"""Cards given out, what users made of them, and daily counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    _make_cards()
    _make_feedback()
    _make_counts()


def _make_cards() -> None:
    op.create_table(
        "cds_card",
        sa.Column("card", sa.String(36), primary_key=True),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("hook", _TEXT, nullable=False),
        sa.Column("finding", sa.String(36), nullable=False),
        sa.Column("indicator", sa.String(8), nullable=False),
        sa.Column("patient_origin", _TEXT, nullable=False),
        sa.Column("patient_id", sa.String(64), nullable=False),
        sa.Column("user_reference", _TEXT, nullable=False),
        sa.Column("caller", _TEXT, nullable=False),
        sa.Column("suggestions", sa.LargeBinary, nullable=False),
        sa.Column("reasons", sa.LargeBinary, nullable=False),
        sa.Column("first_given", sa.BigInteger, nullable=False),
        sa.Column("last_given", sa.BigInteger, nullable=False),
        sa.Column("overridden", sa.BigInteger),
    )
    op.create_index("ix_cds_card_last_given", "cds_card", ["last_given"])


def _make_feedback() -> None:
    op.create_table(
        "cds_feedback",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("card", sa.String(36), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("suggestions", sa.LargeBinary, nullable=False),
        sa.Column("reason_system", _TEXT, nullable=False),
        sa.Column("reason_code", _TEXT, nullable=False),
        sa.Column("comment", _TEXT, nullable=False),
        sa.Column("outcome_time", sa.BigInteger, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("caller", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["card"], ["cds_card.card"], name="fk_cds_feedback_card"),
    )
    op.create_index("ix_cds_feedback_card", "cds_feedback", ["card"])


def _make_counts() -> None:
    op.create_table(
        "cds_call_count",
        sa.Column("service", sa.String(64), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("answered", "silent", "cards", "quietened", "refused", "failed")
        ),
    )
    op.create_table(
        "cds_outcome_count",
        sa.Column("service", sa.String(64), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("outcome", sa.String(16), primary_key=True),
        sa.Column("reason_system", _TEXT, primary_key=True),
        sa.Column("reason_code", _TEXT, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
