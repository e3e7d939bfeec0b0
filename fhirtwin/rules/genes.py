"""Genes: what they mean for the drafts, by guidelines and labels, with what is taken and ordered beside.

One finding a draft and drug, with texts of the hospital's folder; one for a draft that slows an enzyme which a medicine
taken already needs; one for a gene that was looked at and is not known; one for warfarin. Somebody of whom no gene was
looked at has none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fhirtwin.rules import registry
from fhirtwin.rules.findings import Finding
from fhirtwin.rules.genetics import advising, coumarin, inhibiting, not_called, person, texts
from fhirtwin.rules.situation import Rule, Situation


def genes(situation: Situation) -> Iterator[Finding]:
    """Find what the genes mean for the drafts."""
    if not situation.orders:
        return
    whose = person.of(situation.state)
    told: set[str] = set()
    for order in situation.orders:
        by_tables = advising.findings(order, whose, situation, _every_rule)
        for finding in texts.told(order, whose, situation, by_tables):
            told.update(finding.orders[:1])
            yield finding
    yield from inhibiting.findings(situation, whose)
    yield from not_called.findings(situation, whose, told)
    yield from coumarin.findings(situation, whose)


def _every_rule(situation: Situation) -> Iterator[Finding]:
    """Every rule, for a drug that may be offered; of the genes what does not itself offer others."""
    for rule in registry.all_rules():
        if rule is not genes:
            yield from rule(situation)
    whose = person.of(situation.state)
    yield from advising.without_alternatives(situation, whose)
    for order in situation.orders:
        yield from texts.told(order, whose, situation, ())
    yield from inhibiting.findings(situation, whose)


RULES: Final[tuple[Rule, ...]] = (genes,)
