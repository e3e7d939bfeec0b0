"""What stands beside what: each ordered ingredient with each that is taken now, or that another draft orders.

Eye and ear drops are beside nothing: labels that speak of two medicines speak of them in the whole body.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fhirtwin.rules.findings import Remedy
from fhirtwin.rules.saying import removal
from fhirtwin.rules.situation import Order, Situation
from fhirtwin.twin.state import Fact

DROPS: Final = frozenset(
    {
        "54485002",  # Ophthalmic route
        "10547007",  # Otic route
    }
)
"""SNOMED CT codes of the routes of eye and ear drops."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ingredients that the patient would take together if the order were signed.

    Attributes:
        order: the draft that orders `ingredient`.
        other_order: the draft that orders `other`; None when it is taken already.
        facts: what shows that it is taken; empty beside a draft.
    """

    order: Order
    ingredient: str
    other: str
    other_order: Order | None = None
    facts: tuple[Fact, ...] = ()

    @property
    def orders(self) -> tuple[str, ...]:
        """References of the drafts it is about."""
        return (self.order.reference, *((self.other_order.reference,) if self.other_order else ()))

    @property
    def notes(self) -> tuple[str, ...]:
        """How medicines were read, where not by codes that are known."""
        drafts = [self.order, *([self.other_order] if self.other_order else [])]
        read = [order.medicine.note for order in drafts] + [fact.note for fact in self.facts]
        return tuple(dict.fromkeys(note for note in read if note))


def pairs(situation: Situation) -> Iterator[Pair]:
    """Give every pair, each once; ingredients of one and the same order are no pair.

    What the record says of the draft itself (a client may store drafts) is not something taken beside it.
    """
    orders = [order for order in situation.orders if order.route not in DROPS]
    for number, order in enumerate(orders):
        for ingredient in order.medicine.ingredients:
            for fact in situation.state.named("medicine"):
                if any(f"{source.type}/{source.id}" != order.reference for source in fact.sources):
                    yield Pair(order, ingredient, str(fact.value), facts=(fact,))
            for later in orders[number + 1 :]:
                for other in later.medicine.ingredients:
                    yield Pair(order, ingredient, other, later)


def removals(group: Sequence[Pair], *, recommended: bool = False) -> Iterator[Remedy]:
    """Give what takes each draft of some pairs away, the drafts in their order.

    Args:
        group: pairs that a finding is about.
        recommended: whether the source asks for the first of them.
    """
    drafts = {o.reference: o for pair in group for o in (pair.order, pair.other_order) if o}
    for number, order in enumerate(drafts.values()):
        yield removal(order, recommended=recommended and number == 0)
