"""The table of the engine's standing: whether it is asked, and since when its answers are known to be right."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, String, Table

from fhirtwin.store.search_tables import metadata

engine_standing: Final = Table(
    "engine_standing",
    metadata,
    Column("engine", String(16), primary_key=True),
    Column("last_right", BigInteger),
    Column("answered_right", BigInteger, nullable=False),
    Column("answered_wrong", BigInteger, nullable=False),
    Column("quarantined", BigInteger),
    Column("doubted_from", BigInteger),
    Column("withdrawn", Boolean, nullable=False),
)
"""One row of the engine, made with the first answer. Of the others, one for each model that is asked golden cases, only
`last_right` and `answered_right` are of use. Times are microseconds since 1970, UTC.

`last_right` is when an answer was noted as right last. While `quarantined` is not null, no process asks the engine;
reports stored from `doubted_from` on are doubted, all when it is null, and `withdrawn` says that they are withdrawn.
"""
