"""What a rule finds: what is the matter with which orders, what it rests on, who says so, and what can be done.

Rules hand findings on; `fhirtwin.report` words them as cards.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fhirtwin.terms.coding import Coding
from fhirtwin.twin.state import Fact

SUMMARY_LENGTH: Final = 139
"""Longest summary of a card: CDS Hooks asks for fewer than 140 characters.

Source: https://cds-hooks.hl7.org/2.0/#card-attributes
"""


class Severity(StrEnum):
    """How urgent a finding is; the words are those of a card's indicator."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Citation:
    """Who says so.

    Attributes:
        label: the label, guideline or paper, with section and date of the text that was read.
        url: absolute; where a clinician can read it; empty for a text of the hospital's folder that names no page.
    """

    label: str
    url: str


class Act(StrEnum):
    """What a remedy does to the orders."""

    REMOVE = "remove"
    """Takes a draft order away."""
    REQUEST = "request"
    """Orders what is missing: a laboratory test or a measurement."""
    REPLACE = "replace"
    """Takes a draft order away and drafts one of another medicine, without a dose."""
    ASK = "ask"
    """Drafts a task for somebody: to ask, or to look at what is still to come."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something that an EHR can do about a finding with one click.

    Attributes:
        label: for people, imperative: `Order serum potassium`.
        act: what it does.
        order: the draft order to take away, or the stored resource that a task is about, `Type/id`; else empty.
        code: what to request (LOINC), or the medicine to order instead (RxNorm ingredient); None for all else.
        recommended: whether it is the one that the source recommends.
    """

    label: str
    act: Act
    order: str = ""
    code: Coding | None = None
    recommended: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule says about the orders of a patient.

    Attributes:
        rule: stable name of the row of knowledge that fired, for example `renal.metformin.egfr-below-30`.
        severity: how urgent it is.
        orders: draft orders it is about, `Type/id`; empty when it is about none.
        summary: one sentence of at most `SUMMARY_LENGTH` characters, naming the medicine and what is the matter.
        detail: what a clinician needs to check it, in paragraphs of plain text: figures with unit and date, the
            threshold, what was assumed, what is missing.
        facts: what is known of the patient that it rests on.
        sources: at least one.
        remedies: what can be done; empty when nothing can be proposed from a source.
        topic: what kind of finding it is, for filters and figures.
        of_failure: whether it says that something failed; then it is shown even to who has overridden it.
    """

    rule: str
    severity: Severity
    orders: tuple[str, ...]
    summary: str
    detail: tuple[str, ...]
    facts: tuple[Fact, ...]
    sources: tuple[Citation, ...]
    remedies: tuple[Remedy, ...] = ()
    topic: str = ""
    of_failure: bool = False
