"""Diseases for which a label advises against a drug: raised when they are known, named when nobody said.

Only those of which a text was read are here; that a drug has none means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from fhirtwin.errors import Unprocessable
from fhirtwin.pgx import functions

ANY = {"schizophrenia": "any antipsychotic"}


@dataclass(frozen=True, slots=True)
class Caution:
    """What a label says of a drug and a disease.

    Attributes:
        drug: ingredient, or a class.
        condition: one of `conditions()`.
        strength: `contraindicated`, `not recommended` or `boxed warning`.
        why: in words.
        source: what was read.
        url: where.
    """

    drug: str
    condition: str
    strength: str
    why: str
    source: str
    url: str


@cache
def table() -> tuple[Caution, ...]:
    """Give every caution."""
    rows = functions.rows("response_cautions.tsv")
    return tuple(
        Caution(row["drug"], row["condition"], row["strength"], row["why"], row["source"], row["url"]) for row in rows
    )


@cache
def conditions() -> tuple[str, ...]:
    """Name the diseases that are known here."""
    return tuple(sorted({one.condition for one in table()}))


def of(drug: str, setting: str) -> tuple[Caution, ...]:
    """Give the cautions of a drug, whether or not they are met."""
    return tuple(one for one in table() if one.drug in (drug, ANY.get(setting)))


def check(given: Mapping[str, bool]) -> None:
    """Refuse a disease that no caution knows: it would be passed over in silence.

    Raises:
        Unprocessable: names what is known.
    """
    if not given.keys() <= set(conditions()):
        raise Unprocessable(f"Cautions on response know a condition only as one of: {', '.join(conditions())}.")
