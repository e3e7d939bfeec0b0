"""Which of what was not obtained matters to the orders of a call.

Medicines stated as taken matter to every order. Results, procedures and genes matter where something that is ordered is
judged by them: a card at every order would be read by nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from fhirtwin.api.cds.advice.unread import asks_for_kidneys
from fhirtwin.api.cds.service import Call
from fhirtwin.report.card import Card
from fhirtwin.report.not_obtained_card import not_obtained_card
from fhirtwin.rules import interactions, pregnancy
from fhirtwin.rules.genetics import naming
from fhirtwin.rules.situation import RESULTS, Order, Situation

_TESTED: Final = frozenset().union(
    *(row.left | row.right for row in interactions.ROWS if row.request),
    *(row.medicines for row in pregnancy.ROWS),
)
"""Ingredients that rules hold against a result beside kidney function: a test of an interaction, a pregnancy."""


def _asks_for_results(order: Order) -> bool:
    return asks_for_kidneys(order) or not _TESTED.isdisjoint(order.medicine.ingredients)


def _asks_for_genes(order: Order) -> bool:
    return naming.asks_for_genes(order.medicine.ingredients)


_MATTERS: Final[Mapping[str, Callable[[Order], bool]]] = {
    RESULTS: _asks_for_results,
    "procedures": asks_for_kidneys,
    "genomics": _asks_for_genes,
}
"""Prefetch key to whether it matters to an order; a key that is not here matters to each."""


def of_orders(call: Call, situation: Situation) -> Iterator[Card]:
    """Give the card of what matters to an order and was not obtained; none when nothing is left or ordered."""
    left = {
        key: why
        for key, why in situation.left.items()
        if any(key not in _MATTERS or _MATTERS[key](order) for order in situation.orders)
    }
    yield from of_call(call, left)


def of_call(call: Call, left: Mapping[str, str]) -> Iterator[Card]:
    """Give the card of what was not obtained; none when nothing is left."""
    if left:
        yield not_obtained_card(left, call.patient, call.parts.settings.base_url)
