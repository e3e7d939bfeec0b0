"""How the engine stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "engine_standing",
        sa.Column("engine", sa.String(16), primary_key=True),
        sa.Column("last_right", sa.BigInteger),
        sa.Column("answered_right", sa.BigInteger, nullable=False),
        sa.Column("answered_wrong", sa.BigInteger, nullable=False),
        sa.Column("quarantined", sa.BigInteger),
        sa.Column("doubted_from", sa.BigInteger),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
    )
