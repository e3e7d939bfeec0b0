"""How a row is written: who meets whom, what then, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fhirtwin.rules.findings import Citation, Severity
from fhirtwin.terms.coding import Coding
from fhirtwin.terms.drugs.groups import GROUPS
from fhirtwin.terms.drugs.ingredients import CODES

DAILYMED: Final = "https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid="


@dataclass(frozen=True, slots=True)
class Interaction:
    """Two sets of ingredients that should not meet unthought.

    Attributes:
        id: stable, in kebab case.
        left, right: RxNorm ingredient codes.
        severity: `critical` where the source contraindicates or says "do not use", `warning` where it says "avoid",
            has a boxed warning, or asks for another dose, `info` where it asks for care or monitoring.
        effect: what happens, a few words for a card's headline.
        advice: what the source asks for, in our words.
        sources: the texts that were read.
        request: a test that the source asks for; None when it names none.
        known_by: the fact that would show the test's newest result; empty when there is no request.
    """

    id: str
    left: frozenset[str]
    right: frozenset[str]
    severity: Severity
    effect: str
    advice: str
    sources: tuple[Citation, ...]
    request: Coding | None = None
    known_by: str = ""


def of(names: str) -> frozenset[str]:
    """Give ingredients by their names or by the ids of groups, separated by a comma and a space."""
    found: set[str] = set()
    for name in names.split(", "):
        found |= GROUPS[name].members if name in GROUPS else {CODES[name]}
    return frozenset(found)


def label(title: str, setid: str, date: str = "") -> Citation:
    """Cite a label on DailyMed.

    Args:
        title: whose label, and the section.
        setid: DailyMed's id of it.
        date: when the version that was read became effective.
    """
    return Citation(f"FDA label: {title}" + (f", {date}" if date else ""), DAILYMED + setid)
