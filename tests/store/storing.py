"""Stores and opens in one line."""

from __future__ import annotations

from sqlalchemy import Connection, text

from fhirtwin.settings import Settings
from fhirtwin.store import Store, engines, index
from fhirtwin.twin.state import StoredVersion

NOW = "2026-01-01T00:00:00Z"


def put(store: Store, id_: str = "p", version: int = 1, data: bytes = b"{}") -> None:
    """One unit of work that stores one version of a Patient."""
    with store.write() as write:
        write.put(StoredVersion("Patient", id_, version, NOW, data), index.Rows(), None)


def run(settings: Settings, statement: str) -> None:
    """Carry out a statement past the store."""
    connection: Connection
    with engines.upkeep(settings) as connection:
        connection.execute(text(statement))
