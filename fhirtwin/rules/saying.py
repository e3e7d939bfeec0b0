"""What findings of every rule say and offer alike: how a medicine was read, and that an order can be taken away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhirtwin.rules.findings import Act, Remedy
from fhirtwin.rules.situation import Order


def capital(text: str) -> str:
    """Text with a capital at its beginning."""
    return f"{text[:1].upper()}{text[1:]}"


def how_ordered(order: Order) -> Iterator[str]:
    """Say how the medicine of an order was read; nothing when by a code that is known."""
    if order.medicine.note:
        yield f"The ordered medicine was {order.medicine.note}."


def how_read(notes: Iterable[str]) -> Iterator[str]:
    """Say of medicines, of which a finding speaks together, how they were read; each note once, empty ones not."""
    yield from (f"A medicine was {note}." for note in dict.fromkeys(notes) if note)


def removal(order: Order, *, recommended: bool = False) -> Remedy:
    """Take an order away.

    Args:
        order: the draft.
        recommended: whether the source asks for it.
    """
    return Remedy(
        f"Remove the order of {order.medicine.display}", Act.REMOVE, order=order.reference, recommended=recommended
    )
