"""How the database carries out a statement, in its own words and without any value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select


def plan(connection: Connection, statement: Select[Any], values: Mapping[str, Any]) -> str:
    """Tell the SQL of a statement and, on SQLite, its plan.

    PostgreSQL writes bound values into its plans, so there the SQL alone is told.
    """
    expanded = statement.compile(connection).construct_expanded_state(dict(values))
    lines = [" ".join(expanded.statement.split())]
    if connection.dialect.name == "sqlite":
        explained = f"EXPLAIN QUERY PLAN {expanded.statement}"
        rows = connection.exec_driver_sql(explained, expanded.positional_parameters).all()
        lines += [row.detail for row in rows]
    return "\n".join(lines)
