"""How a row of renal dosing is written down: which medicine, which measure, which ranges, and whose words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fhirtwin.rules.findings import Citation, Severity
from fhirtwin.rules.interval import Interval


class Metric(StrEnum):
    """The measure of kidney function that a label's thresholds are in; the one is never put in place of the other."""

    CLEARANCE = "creatinine clearance"
    """Cockcroft-Gault, mL/min, not indexed to a body surface, with actual body weight."""
    EGFR = "eGFR"
    """CKD-EPI 2021, mL/min/1.73 m2."""

    @property
    def unit(self) -> str:
        """UCUM."""
        return "mL/min" if self is Metric.CLEARANCE else "mL/min/{1.73_m2}"

    @property
    def shown_unit(self) -> str:
        """The unit as clinicians write it."""
        return "mL/min" if self is Metric.CLEARANCE else "mL/min/1.73 m²"


class Action(StrEnum):
    """What a label says to do in a range."""

    CONTRAINDICATED = "contraindicated"
    AVOID = "avoid"
    NOT_STARTED = "do not start"
    REDUCE = "lower dose"
    EXTEND = "longer interval"
    NO_DOSE = "no dose in the label"
    BY_INDICATION = "contraindicated in one of its indications"

    @property
    def severity(self) -> Severity:
        """How urgent a finding with this action is."""
        return Severity.CRITICAL if self is Action.CONTRAINDICATED else Severity.WARNING

    @property
    def removes(self) -> bool:
        """Whether taking the draft away is what the label asks for; else another one would be ordered instead."""
        return self in (Action.CONTRAINDICATED, Action.AVOID)


@dataclass(frozen=True, slots=True)
class Label:
    """The text that a row was verified against.

    Attributes:
        product: whose label it is.
        section: where in the label the threshold stands.
        edition: version and date of the label, as far as the text that was read tells them.
        url: where the label, or the copy that was read, can be read.
        copy: where its words were read, when that is not `url`.
        read_on: the day.
    """

    product: str
    section: str
    edition: str
    url: str
    copy: str = ""
    read_on: date = date(2026, 11, 21)

    @property
    def citation(self) -> Citation:
        """As findings cite it."""
        edition = f", {self.edition}" if self.edition else ""
        read = "read in a copy" if self.copy else "read"
        return Citation(f"{self.product}, {self.section}{edition}; {read} on {self.read_on.isoformat()}", self.url)


@dataclass(frozen=True, slots=True)
class Band:
    """A range, and what the label says to do in it.

    Attributes:
        key: stable name of the range: `below-30`.
        range: of the row's metric.
        action: what kind of advice it is.
        advice: the label's advice in our own words, a whole sentence.
    """

    key: str
    range: Interval
    action: Action
    advice: str


@dataclass(frozen=True, slots=True)
class RenalRow:
    """Renal dosing of one medicine by one measure.

    Attributes:
        name: generic name, lower case.
        ingredients: RxNorm ingredient codes; an order is for this medicine when it holds all of them.
        metric: the measure of the thresholds.
        weight: what the label says of the weight in the equation; empty for eGFR.
        bands: ranges that do not overlap; outside of them the label asks for nothing.
        label: whose words.
        note: what a reader must know besides, such as indications that the row cannot tell apart.
    """

    name: str
    ingredients: frozenset[str]
    metric: Metric
    bands: tuple[Band, ...]
    label: Label
    weight: str = ""
    note: str = ""
