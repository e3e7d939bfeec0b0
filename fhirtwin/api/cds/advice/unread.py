"""What of the record could not be held against the orders of a call: entries that nothing could be made of.

Medicines that may be taken and allergies always count. Results count that the kidney function of an ordered medicine
could have been told from, and that are newer than the value that was taken instead: a preliminary creatinine, a bound
(`>13`), an eGFR by another equation. Otherwise an old normal value would hide the new one. Results of genes count when
a guideline or a label asks for genes before something that is ordered. Of variants, there may be thousands, only those
count that are there and could not be read although they are of a gene of the tables, or may be (another build), and
those of a gene that only a label speaks of (POLG). What was entered in error does not count: nothing is to be checked
against it. A result under a code that is not known counts where its name tells a gene that is asked for. Conditions
count that may be a disease by which a label forbids what is ordered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from fhirtwin.api.cds.service import Call
from fhirtwin.pgx import hgnc
from fhirtwin.rules import renal, renal_apixaban
from fhirtwin.rules.drafts import Unjudged, called
from fhirtwin.rules.genetics import illness, naming
from fhirtwin.rules.kidney_measure import OLDEST
from fhirtwin.rules.situation import Order, Situation
from fhirtwin.terms import concepts
from fhirtwin.twin import gaps
from fhirtwin.twin.derived import newest
from fhirtwin.twin.genomics import observation, place, variant
from fhirtwin.twin.mappers.observation import effective
from fhirtwin.twin.reading import FINAL, codings, text
from fhirtwin.twin.state import Source, TwinState
from fhirtwin.twin.times import begins, first_day, last_day
from fhirtwin.twin.variant_span import VARIANT

Resource = Mapping[str, Any]

_Unused = tuple[Source, Resource, str]
"""A resource that the call brought and nothing could be made of, with the reason."""

_TOLD_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "creatinine": ("creatinine", "egfr"),
    "egfr": ("creatinine", "egfr"),
    "body-weight": ("body-weight",),
}
"""What is measured to the facts that tell as much."""


def unread(call: Call, state: TwinState, situation: Situation) -> tuple[Unjudged, ...]:
    """Give the entries, each with what the call calls it, in the order of type and id; none when nothing is judged.

    Args:
        call: with its prefetch.
        state: the twin with all its facts, also those of days to come.
        situation: what is judged.
    """
    if not situation.orders:
        return ()
    brought = dict(call.prefetched.resources)
    left = {(one.source, one.reason) for one in gaps.unread(situation.state)}
    told = [Unjudged(source.reference, called(brought.get(source, {})), reason) for source, reason in sorted(left)]
    unused = sorted({(u.source, u.reason) for u in situation.state.unused if u.source in brought})
    seen = [(source, brought[source], reason) for source, reason in unused]
    if any(map(asks_for_kidneys, situation.orders)):
        told += (*_results(seen, situation), *_of_days_to_come(state, situation))
    if any(naming.asks_for_genes(order.medicine.ingredients) for order in situation.orders):
        told += _genes(seen, illness.genes(situation.orders))
        told += _by_name(
            seen, frozenset().union(*(naming.genes_asked(o.medicine.ingredients) for o in situation.orders))
        )
    if diseases := illness.asked(situation.orders):
        told += _illnesses(seen, diseases)
    return tuple(told)


def _results(unused: Iterable[_Unused], situation: Situation) -> Iterator[Unjudged]:
    judged = {s for f in situation.state.named("kidney-function-unstable") if f.value is True for s in f.sources}
    for source, resource, reason in unused:
        if source in judged:
            continue  # that the creatinine has changed is what the orders were judged by
        name = _measure(resource)
        if name and _matters(resource, name, situation.state, situation.day):
            shown = called(resource) or name.replace("-", " ")
            yield Unjudged(source.reference, f"{shown}, {effective(resource)[:10] or 'without a date'}", reason)


def _of_days_to_come(state: TwinState, situation: Situation) -> Iterator[Unjudged]:
    """Results that are dated after the day of the call: a wrong date may hide the newest value."""
    known = {source for fact in situation.state.facts for source in fact.sources}
    for fact in state.named(*_TOLD_BY):
        first = first_day(fact.time)
        if first and first > situation.day and known.isdisjoint(fact.sources):
            name = f"{fact.name.replace('-', ' ')}, {fact.time[:10]}"
            yield Unjudged(fact.sources[0].reference, name, "its date is after the day of the call")


def _genes(unused: Iterable[_Unused], of_labels: frozenset[str]) -> Iterator[Unjudged]:
    for source, resource, reason in unused:
        if resource.get("resourceType") != "Observation":
            continue
        if _is_of_a_gene(resource, of_labels) or _may_matter(resource, reason):
            yield Unjudged(source.reference, called(resource) or "result of a gene", reason)


def _by_name(unused: Iterable[_Unused], genes: frozenset[str]) -> Iterator[Unjudged]:
    """Results under another code, or under none, whose name is that of a gene which is asked for."""
    for source, resource, reason in unused:
        known = tuple(codings(resource.get("code")))
        if resource.get("resourceType") != "Observation" or observation.reader(resource, known) is not None:
            continue
        name = called(resource).upper()
        named = any(re.search(rf"(?<![A-Z0-9]){re.escape(gene)}(?![A-Z0-9])", name) for gene in genes)
        if named and text(resource, "status") != "entered-in-error":
            yield Unjudged(source.reference, called(resource), reason)


def _is_of_a_gene(resource: Resource, of_labels: frozenset[str]) -> bool:
    known = tuple(codings(resource.get("code")))
    if text(resource, "status") == "entered-in-error" or observation.reader(resource, known) is None:
        return False
    return all(code.code != VARIANT for code in known) or illness.names(resource, of_labels)


def _illnesses(unused: Iterable[_Unused], diseases: frozenset[str]) -> Iterator[Unjudged]:
    for source, resource, reason in unused:
        if resource.get("resourceType") == "Condition" and illness.may_be(resource, diseases):
            yield Unjudged(source.reference, called(resource) or "a diagnosis", reason)


def _may_matter(resource: Resource, reason: str) -> bool:
    """Whether a variant is there, and was left unread for another reason than that no definition knows its place."""
    if VARIANT not in {code.code for code in codings(resource.get("code"))} or text(resource, "status") not in FINAL:
        return False
    named = reason.partition(": ")[0] in hgnc.IDS
    there = variant.PRESENT in {code.code for code in codings(resource.get("valueCodeableConcept"))}
    return there and (named or reason == place.OTHER_BUILD)


def asks_for_kidneys(order: Order) -> bool:
    """Whether a label makes the dose of an ordered medicine depend on kidney function."""
    apixaban = renal_apixaban.ROW.ingredients <= set(order.medicine.ingredients)
    return apixaban or any(True for _ in renal.rows_for(order))


def _measure(resource: Resource) -> str:
    """Which of the measures an Observation is of, when it is a result at all; else nothing."""
    if resource.get("resourceType") != "Observation" or text(resource, "status") not in (*FINAL, "preliminary"):
        return ""
    for code in codings(resource.get("code")):
        meaning = concepts.observation(code)
        if meaning and meaning.fact in _TOLD_BY:
            return meaning.fact
        if concepts.not_counted(code) == concepts.OTHER_FORMULA:
            return "egfr"
    return ""


def _matters(resource: Resource, name: str, state: TwinState, day: date) -> bool:
    """Whether it is of the last year, and newer than what is used; one without a date may be."""
    when = effective(resource)
    measured = last_day(when)
    if measured is None:
        return True
    used = [fact for told in _TOLD_BY[name] if (fact := newest(state, told))]
    return day - measured <= OLDEST and all(begins(when) > begins(fact.time) for fact in used)
