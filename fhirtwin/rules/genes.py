"""Genes: what they mean for the drafts, by guidelines and labels, with what is taken and ordered beside.

One finding a draft and drug, with texts of the hospital's folder; one for an inhibitor that was stopped and may still
act; one for a draft that slows an enzyme which a medicine taken already needs; one for a gene that was looked at and is
not known; one for warfarin. Somebody of whom no gene was looked at has none of them. Where genes could not be looked
up, one finding says so, and nothing else is said of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from fhirtwin.errors import EngineUnavailable, Fault, Unprocessable
from fhirtwin.rules import registry
from fhirtwin.rules.findings import Finding
from fhirtwin.rules.genetics import (
    advising,
    asking,
    coumarin,
    inhibiting,
    labelling,
    lately,
    not_called,
    not_looked_up,
    person,
    texts,
)
from fhirtwin.rules.genetics.person import Person
from fhirtwin.rules.situation import Rule, Situation


def genes(situation: Situation) -> Iterator[Finding]:
    """Find what the genes mean for the drafts."""
    if not situation.orders:
        return
    try:
        found = list(_findings(situation, _person(situation)))
    except (EngineUnavailable, Unprocessable, Fault) as error:
        found = [not_looked_up.finding(situation, error)]
    yield from found


def _person(situation: Situation) -> Person:
    whose = person.of(situation.state, situation.genes)
    if not whose.is_known:
        return whose
    return replace(whose, find=situation.genes.finder(asking.of_call(situation, whose)))


def _findings(situation: Situation, whose: Person) -> Iterator[Finding]:
    told: set[str] = set()
    rules: set[tuple[str, str]] = set()
    for order in situation.orders:
        by_tables = advising.findings(order, whose, situation, partial(_every_rule, whose))
        with_labels = labelling.told(order, whose, by_tables)
        for finding in texts.told(order, whose, situation, with_labels):
            told.update(finding.orders[:1])
            rules.add((finding.orders[0], finding.rule))
            yield finding
    yield from lately.findings(situation, whose, rules)
    yield from inhibiting.findings(situation, whose)
    yield from not_called.findings(situation, whose, told)
    yield from coumarin.findings(situation, whose)


def _every_rule(whose: Person, situation: Situation) -> Iterator[Finding]:
    """Every rule, for a drug that may be offered; of the genes what does not itself offer others."""
    for rule in registry.all_rules():
        if rule is not genes:
            yield from rule(situation)
    yield from advising.without_alternatives(situation, whose)
    for order in situation.orders:
        yield from labelling.told(order, whose, ())
        yield from texts.told(order, whose, situation, ())
    yield from inhibiting.findings(situation, whose)


RULES: Final[tuple[Rule, ...]] = (genes,)
