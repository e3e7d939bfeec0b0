"""How the database carries out a statement, in its own words and without any value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select


def plan(connection: Connection, statement: Select[Any], values: Mapping[str, Any]) -> str:
    """Tell the SQL of a statement and, on SQLite, its plan.

    PostgreSQL writes bound values into its plans, so there the SQL alone is told.
    """
    compiled = statement.compile(connection, compile_kwargs={"render_postcompile": False})
    lines = [" ".join(str(compiled).split())]
    if connection.dialect.name == "sqlite":
        expanded = statement.params(**values).compile(connection, compile_kwargs={"render_postcompile": True})
        bound = tuple(expanded.params[name] for name in expanded.positiontup or ())
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {expanded}", bound).all()
        lines += [row.detail for row in rows]
    return "\n".join(lines)
