"""Whether another drug may be ordered with one click, or is only named: what no table here holds was not looked at.

The tables of interactions hold the rows that were read, for no drug all that its label names. So a drug is offered only
where nothing stands beside it that it could meet, and where all that its label forbids is a medicine or an allergy to
it, which rules look at. Of every other one the card says that it is to be checked, and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from fhirtwin.rules.findings import Citation
from fhirtwin.rules.genetics.beside import beside
from fhirtwin.rules.situation import Order, Situation
from fhirtwin.twin import gaps

COVERED: Final[Mapping[str, Citation]] = {
    "sertraline": Citation(
        "Zoloft (sertraline), contraindications of its Canadian monograph, as Pfizer gives them; read on 2026-11-21",
        "https://www.pfizermedicalinformation.ca/en-ca/zoloft/contraindications",
    ),
}
"""Drugs of which all that the label forbids was read, and is other medicines and an allergy to the drug itself."""

ASKS: Final[Mapping[str, str]] = {
    "ticagrelor": "its label forbids it after an intracranial bleeding; that is not read here",
}
"""What a label forbids that no rule here looks at.

*Source*: BRILINTA (ticagrelor), US label, Contraindications, as WikiDoc gives it:
https://wikidoc.org/index.php/Ticagrelor_contraindications
"""


def why_not(name: str, order: Order, situation: Situation) -> str:
    """Say why a drug is not offered instead of an order; nothing when it may be.

    Args:
        name: of the drug, in the tables.
        order: the draft to replace.
        situation: in which it stands.
    """
    return "; ".join(_reasons(name, order, situation))


def _reasons(name: str, order: Order, situation: Situation) -> Iterator[str]:
    if name not in COVERED:
        yield ASKS.get(name, "not all that its label forbids is looked at here")
    if others := sorted({one.taken.drug for one in beside(situation, order)}):
        yield f"no table here holds all its interactions, and there is {', '.join(others)} beside it"
    elif situation.has_unjudged or not situation.state.lists >= gaps.MEDICINES:
        yield "not all that is taken or ordered beside it is known"
    if any(True for _ in gaps.unread(situation.state)):
        yield "a medicine or an allergy of the record could not be read"
