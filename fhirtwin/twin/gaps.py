"""Medicines and allergies of the record that may matter today, and that nothing could be made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from fhirtwin.terms.facts import LISTS
from fhirtwin.twin import medicines
from fhirtwin.twin.mappers import allergy_intolerance
from fhirtwin.twin.state import TwinState, Unused

MEDICINES: Final = frozenset(LISTS["medicine"])
"""Types of resources that tell what is taken; without any of them nobody can say that nothing is."""

_REASONS: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(MEDICINES, medicines.GAPS),
    "AllergyIntolerance": allergy_intolerance.GAPS,
}


def unread(state: TwinState) -> Iterator[Unused]:
    """Give the medicines that may be taken, and the allergies, that could not be read."""
    yield from (one for one in state.unused if one.reason in _REASONS.get(one.source.type, ()))


def unread_medicines(state: TwinState) -> Iterator[Unused]:
    """Give the medicines that may be taken and could not be read."""
    yield from (one for one in unread(state) if one.source.type in MEDICINES)
