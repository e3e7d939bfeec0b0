"""The tables of advice: which cards were given to whom, what users made of them, and daily counts of both.

Cards and feedback are about patients and go after a time; counts are about services alone and stay.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Integer, LargeBinary, String, Table

from fhirtwin.store.search_tables import TEXT, metadata

cds_card: Final = Table(
    "cds_card",
    metadata,
    Column("card", String(36), primary_key=True),
    Column("service", String(64), nullable=False),
    Column("hook", TEXT, nullable=False),
    Column("finding", String(36), nullable=False),
    Column("indicator", String(8), nullable=False),
    Column("patient_origin", TEXT, nullable=False),
    Column("patient_id", String(64), nullable=False),
    Column("user_reference", TEXT, nullable=False),
    Column("caller", TEXT, nullable=False),
    Column("suggestions", LargeBinary, nullable=False),
    Column("reasons", LargeBinary, nullable=False),
    Column("first_given", BigInteger, nullable=False),
    Column("last_given", BigInteger, nullable=False),
    Column("overridden", BigInteger),
    Index("ix_cds_card_last_given", "last_given"),
)
"""A card as one user got it, once however often it was shown. `finding` is the uuid that the service gave it.

`suggestions` are the uuids, `reasons` system and code of the override reasons that it offered, both as JSON arrays.
Times are microseconds since 1970, UTC; `last_given` may be a day old. `overridden` is when it was overridden last, null
when it was accepted since.
"""

cds_feedback: Final = Table(
    "cds_feedback",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("card", String(36), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("suggestions", LargeBinary, nullable=False),
    Column("reason_system", TEXT, nullable=False),
    Column("reason_code", TEXT, nullable=False),
    Column("comment", TEXT, nullable=False),
    Column("outcome_time", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("caller", TEXT, nullable=False),
    ForeignKeyConstraint(["card"], ["cds_card.card"], name="fk_cds_feedback_card"),
    Index("ix_cds_feedback_card", "card"),
)
"""What a user made of a card. `digest` is of all that the client said, so that the same item is kept once."""

cds_call_count: Final = Table(
    "cds_call_count",
    metadata,
    Column("service", String(64), primary_key=True),
    Column("day", String(10), primary_key=True),
    *(
        Column(name, Integer, nullable=False)
        for name in ("answered", "silent", "cards", "quietened", "refused", "failed")
    ),
)
"""Calls of a service on a day (UTC). `silent`: answered without a card; `cards`: shown; `quietened`: held back;
`refused`: the call was wrong or lacked data (4xx); `failed`: no fault of the caller's (5xx)."""

cds_outcome_count: Final = Table(
    "cds_outcome_count",
    metadata,
    Column("service", String(64), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("outcome", String(16), primary_key=True),
    Column("reason_system", TEXT, primary_key=True),
    Column("reason_code", TEXT, primary_key=True),
    Column("number", Integer, nullable=False),
)
"""Feedback on cards of a service, by the day (UTC) on which the user acted; reasons are empty where none was coded."""
