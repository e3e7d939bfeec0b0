"""Findings on draft orders as CDS Hooks cards, with suggestions that an EHR can apply with one click.

A card's uuid is the same for the same finding: the same patient, rule, ordered medicines and facts. Suggestions have
uuids of their own, told from the card's. Texts that came with the call are escaped.

Source: https://cds-hooks.hl7.org/2.0/#card-attributes
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from fhirtwin.report.card import Card, this_server
from fhirtwin.report.override_reasons import REASONS
from fhirtwin.report.requests import medication_request, service_request, task
from fhirtwin.report.wording import citation, day, escape, plain, quantity, summary
from fhirtwin.rules.drafts import Unjudged
from fhirtwin.rules.findings import Act, Citation, Finding, Remedy
from fhirtwin.rules.situation import Order, Situation
from fhirtwin.terms.coding import Coding
from fhirtwin.terms.facts import GENES, LISTS
from fhirtwin.twin.state import Fact, PatientKey

_NAMESPACE: Final = uuid.UUID("3f0c5a0e-5a57-5d0e-9b0f-8f2f7a3b6c11")
_ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
TOPICS: Final[Mapping[str, Mapping[str, str]]] = {
    "allergy": {"system": _ACT_CODE, "code": "ALGY", "display": "Allergy Alert"},
    "interaction": {"system": _ACT_CODE, "code": "DRG", "display": "Drug Interaction Alert"},
    "duplicate-therapy": {"system": _ACT_CODE, "code": "DUPTHPGEN", "display": "duplicate generic alert"},
    "pregnancy": {"system": _ACT_CODE, "code": "COND", "display": "Condition Alert"},
    "pharmacogenetics": {"system": _ACT_CODE, "code": "GEN", "display": "Genetic Alert"},
}
"""Topic of a finding to HL7's code for that kind of alert; a topic without one has none on its card."""

LISTED: Final = 20
"""How many entries of the record that were not understood are named; how many more there are is said."""

_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "AllergyIntolerance": ("allergy", "allergies"),
    "MedicationRequest": ("medicine", "medicines"),
    "MedicationStatement": ("medicine", "medicines"),
    "Observation": ("result", "results"),
}
"""Type of a resource to what a clinician calls it, one and many."""

_ABBREVIATED: Final = {name: name.upper() for name in ("alt", "ast", "bmi", "inr", "tsh")} | {
    "egfr": "eGFR",
    "hba1c": "HbA1c",
    "qtc-interval": "QTc interval",
    "uacr": "albumin to creatinine",
}
"""Facts that clinicians do not write as they are named here."""

_LIMITS: Final = "It rests on the record and the sources named above; it supports a decision and does not make one."


def finding_cards(findings: Iterable[Finding], situation: Situation, patient: PatientKey) -> list[Card]:
    """What rules say, one card a finding, in their order; each uuid is in one answer once.

    Args:
        findings: each with at least one source.
        situation: what was judged; its orders are those that the findings' references name.
        patient: whose orders these are.
    """
    told: Counter[uuid.UUID] = Counter()
    made = []
    for finding in _recommended_once(findings):
        key = _key(finding, situation.orders, patient)
        # Two drafts of one medicine give two findings that differ in nothing but the draft.
        made.append(_card(finding, situation, uuid.uuid5(key, str(told[key])) if told[key] else key))
        told[key] += 1
    return made


def _recommended_once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, of which only the first recommends a request: who does as recommended draws blood once."""
    recommended: set[Coding] = set()
    for finding in findings:
        remedies = tuple(
            replace(one, recommended=False) if one.act is Act.REQUEST and one.code in recommended else one
            for one in finding.remedies
        )
        recommended |= {one.code for one in remedies if one.act is Act.REQUEST and one.recommended and one.code}
        yield replace(finding, remedies=remedies)


def _card(finding: Finding, situation: Situation, key: uuid.UUID) -> Card:
    card: Card = {
        "uuid": str(key),
        "summary": summary([finding.summary]),
        "indicator": finding.severity.value,
        "source": _source(finding),
        "detail": "\n\n".join(_detail(finding)),
        "overrideReasons": [dict(reason) for reason in REASONS],
    }
    made = [_suggestion(remedy, key, situation) for remedy in finding.remedies if _can(remedy)]
    if made:
        card["suggestions"] = made
        # Requests and tasks do not exclude one another; taking a draft away and something else may.
        adding = all(remedy.act in (Act.REQUEST, Act.ASK) for remedy in finding.remedies)
        card["selectionBehavior"] = "any" if adding else "at-most-one"
    return card


def not_judged_card(
    unjudged: Sequence[Unjudged], unread: Sequence[Unjudged], patient: PatientKey, base_url: str, judged: int
) -> Card:
    """Which drafts, and which entries of the record, no rule looked at; silence about them would look like consent.

    Args:
        unjudged: drafts, or parts of them.
        unread: medicines, allergies and results of the record that nothing could be made of.
        patient: whose they are.
        base_url: FHIR base of this server.
        judged: how many drafts were looked at.
    """
    names = [plain(one.display) or one.reference for one in unjudged]
    head = [f"Not checked: {names[0]}", *names[1:]] if names else [_entries(unread)]
    parts = []
    if unjudged:
        parts.append("**Ordered and not checked**, wholly or in part:\n\n" + "\n".join(map(_line, unjudged)))
    if unread:
        more = len(unread) - LISTED
        lines = [*map(_line, unread[:LISTED]), *([f"* and {more} more"] if more > 0 else [])]
        parts.append("**In the record and not used**, so no order was checked against it:\n\n" + "\n".join(lines))
    content = [[[one.reference, one.reason] for one in group] for group in (unjudged, unread)]
    return {
        "uuid": str(uuid.uuid5(_NAMESPACE, json.dumps([patient.origin, patient.id, "not-judged", content]))),
        "summary": summary(head),
        "indicator": "info",
        "source": this_server(base_url),
        "detail": "\n\n".join([*parts, _what_was_checked(judged, bool(unjudged))]),
    }


def _line(one: Unjudged) -> str:
    return f"* {escape(one.display or 'Without a name')} ({escape(one.reference)}): {escape(one.reason)}"


def _entries(unread: Sequence[Unjudged]) -> str:
    """How many entries of each kind were not understood, as a headline."""
    types = [one.reference.partition("/_history/")[0].rpartition("/")[0].rpartition("/")[2] for one in unread]
    counted = Counter(_KINDS.get(type_, ("entry", "entries")) for type_ in types)
    shown = [f"{number} {kind[number > 1]}" for kind, number in sorted(counted.items())]
    return f"Orders not checked against {' and '.join(shown)} of the record that could not be used"


def _what_was_checked(judged: int, some_not: bool) -> str:
    """What the card leaves open, in a sentence; it must not sound like consent."""
    if not some_not:
        which = "The ordered medicine was" if judged == 1 else f"All {judged} ordered medicines were"
        return f"{which} checked, but not against these entries. Look at them yourself."
    what = {0: "No ordered medicine was", 1: "1 ordered medicine was"}.get(judged, f"{judged} ordered medicines were")
    return f"{what} checked. What is listed as not checked is neither safe nor unsafe: look at it yourself."


def _key(finding: Finding, orders: Sequence[Order], patient: PatientKey) -> uuid.UUID:
    medicines = sorted(list(order.medicine.ingredients) for order in orders if order.reference in finding.orders)
    facts = sorted([f.name, str(f.value), f.unit, f.time] for f in finding.facts)
    return uuid.uuid5(_NAMESPACE, json.dumps([patient.origin, patient.id, finding.rule, medicines, facts]))


def _source(finding: Finding) -> dict[str, Any]:
    first = finding.sources[0]
    source: dict[str, Any] = {"label": plain(first.label), **({"url": first.url} if first.url else {})}
    if finding.topic in TOPICS:
        source["topic"] = dict(TOPICS[finding.topic])
    return source


def _detail(finding: Finding) -> Iterator[str]:
    yield from (escape(text) for text in finding.detail)
    if finding.facts:
        yield "**In the record:**\n\n" + "\n".join(f"* {escape(_shown(fact))}" for fact in finding.facts)
    yield "**Sources:**\n\n" + "\n".join(map(_cited, finding.sources))
    yield _LIMITS


def _cited(source: Citation) -> str:
    return f"* {escape(source.label)}" + (f": <{source.url}>" if source.url else "")


def _shown(fact: Fact) -> str:
    """One fact as a clinician reads it: what, since when, and where it stands."""
    value = fact.display or str(fact.value) if fact.name in LISTS else quantity(fact.value, fact.unit)
    when = f", {day(fact.time)}" if fact.time else ", without a date"
    note = f" ({fact.note})" if fact.note else ""
    where = "; ".join(citation(source.reference) for source in fact.sources)
    name = _ABBREVIATED.get(fact.name, fact.name.replace("-", " "))
    whose = f"{fact.display} " if fact.name in GENES else ""
    return f"{whose}{name}: {value}{when}{note} [{where}]"


def _can(remedy: Remedy) -> bool:
    """Whether an EHR could apply it: a draft without an id cannot be taken away."""
    if remedy.act in (Act.REQUEST, Act.REPLACE) and remedy.code is None:
        return False
    return remedy.act in (Act.REQUEST, Act.ASK) or "/" in remedy.order


def _suggestion(remedy: Remedy, card: uuid.UUID, situation: Situation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "label": plain(remedy.label),
        "uuid": str(uuid.uuid5(card, f"{remedy.act} {remedy.order} {remedy.code.code if remedy.code else ''}")),
    }
    if remedy.recommended:
        made["isRecommended"] = True
    return {**made, "actions": list(_actions(remedy, situation))}


def _actions(remedy: Remedy, situation: Situation) -> Iterator[dict[str, Any]]:
    description = plain(remedy.label)
    subject = f"Patient/{situation.state.patient.id}"
    if remedy.act is Act.ASK:
        yield {
            "type": "create",
            "description": description,
            "resource": task(description, remedy.order, subject, situation.day),
        }
    if remedy.act in (Act.REMOVE, Act.REPLACE):
        yield {"type": "delete", "description": description, "resourceId": remedy.order}
    if remedy.code:
        make = service_request if remedy.act is Act.REQUEST else medication_request
        resource = make(remedy.code, subject, situation.day)
        yield {"type": "create", "description": description, "resource": resource}
