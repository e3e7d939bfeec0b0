"""The words a predictor is written in, and what passes between the twin, the sealed road and the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from fhirtwin.settings import Settings
from fhirtwin.terms.coding import Coding

Value = Decimal | bool | str
Values = Mapping[str, Value]
"""Fact name to value, in the unit its `Input` declares; `sex` is `"female"` or `"male"`; flags are bool."""


@dataclass(frozen=True, slots=True)
class Input:
    """A fact that a predictor needs.

    Attributes:
        fact: name of the fact in the twin (`fhirtwin.terms.facts` lists them).
        label: what a clinician calls it.
        unit: UCUM code; empty for flags and `sex`.
        low, high: published range, inclusive, in `unit`; outside it the predictor refuses, it never clips.
        high_excluded: the range ends below `high` (`18.5 to below 40`).
        keep: which `max_age_<keep>_days` setting says how old the value may be; empty when age does not matter.
        none_recorded_is_no: no record of it counts as no, provided the lists it is kept on were obtained.
        code: a code to ask for when it is missing.
    """

    fact: str
    label: str
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    keep: str = ""
    none_recorded_is_no: bool = False
    code: Coding | None = None
    high_excluded: bool = False

    def holds(self, value: Decimal) -> bool:
        """Tell whether a value, in `unit`, lies in the published range."""
        if self.low is not None and value < self.low:
            return False
        return self.high is None or value < self.high or (value == self.high and not self.high_excluded)


@dataclass(frozen=True, slots=True)
class Rule:
    """Something about the patient that decides whether the equation applies at all.

    Attributes:
        fact: a flag in the twin, stored or derived as of the day.
        must_be: the value the equation needs; anything else is "not calculated: <reason>".
        reason: in words, for example `known cardiovascular disease`.
        label: what a kept rule is called where the result lists what was looked at; the reason when empty.
    """

    fact: str
    must_be: bool
    reason: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of the sealed vector: centred, and within `low` to `high` for every input in range."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """One linear model: the engine computes the sum of weight times feature. Its constant stays at the gateway."""

    name: str
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Category:
    """What a guideline calls a probability, named with the guideline.

    Attributes:
        code: short token, for example `intermediate`.
        text: in words, with the interval.
        indicator: CDS Hooks indicator (`info`, `warning`, `critical`).
        guideline: the guideline's name and year.
    """

    code: str
    text: str
    indicator: str
    guideline: str


@dataclass(frozen=True, slots=True)
class Output:
    """One probability a predictor gives.

    Attributes:
        id: unique within the predictor, for example `ascvd-10y`.
        outcome: our code (`profiles/CodeSystem-outcome.json`).
        snomed: a SNOMED CT code beside it where one fits.
        horizon_years: length of the window.
        low_age_years, high_age_years: ages at which it applies, inclusive.
        row: name of the row for these values (PREVENT has one a sex).
        constant: what is added to the row's sum at the gateway, after opening.
        link: linear predictor (constant included) to probability, 0 to 1.
        category: probability in percent to what a guideline calls it, or None where no guideline has a word.
        inputs: facts of the inputs that its row weighs; None means all of the predictor's. A missing one refuses only
            the outputs that weigh it.
    """

    id: str
    outcome: Coding
    snomed: Coding | None
    horizon_years: int
    low_age_years: int
    high_age_years: int
    row: Callable[[Values], str]
    constant: Callable[[Values], float]
    link: Callable[[float, Settings], float]
    category: Callable[[Decimal, Settings], Category | None]
    inputs: frozenset[str] | None = None

    def needs(self, fact: str) -> bool:
        """Tell whether this output cannot be calculated without that input."""
        return self.inputs is None or fact in self.inputs

    def applies_at(self, age_years: int) -> bool:
        """Tell whether it was published for people of this age, in completed years."""
        return self.low_age_years <= age_years <= self.high_age_years


@dataclass(frozen=True, slots=True)
class Predictor:
    """A published model, whole: what it needs, when it applies, its linear rows, its link and its source."""

    id: str
    version: str
    title: str
    source: str
    inputs: tuple[Input, ...]
    rules: tuple[Rule, ...]
    features: tuple[Feature, ...]
    rows: tuple[Row, ...]
    outputs: tuple[Output, ...]
    prepare: Callable[[Values], Mapping[str, float]]
    """Values of the inputs, in range, to every feature. An input may be absent only where outputs do without it
    (`Output.inputs`); the features it would give are then 0, which no row that is used weighs."""
    model_hash: str = ""
    """Of a model that came as a package: SHA-256, in hex, of its manifest. Such a one has no rows here: its weights are
    the engine's alone."""


@dataclass(frozen=True, slots=True)
class UsedInput:
    """A value as it went into a predictor, with where it came from.

    Attributes:
        source: reference to the versioned source resource; empty for what was "none recorded".
        time: FHIR date or dateTime the value stands for; empty when it has none.
        note: for example `none recorded` or `calculated from creatinine (CKD-EPI 2021)`.
    """

    fact: str
    label: str
    value: Value
    unit: str
    time: str = ""
    sources: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a predictor, or one output of it, was not calculated. Texts name facts, never values.

    Attributes:
        predictor: which one.
        reasons: all there are, in words.
        output: the one that was not calculated; None means all.
        missing: facts of inputs that are missing or too old and that a new entry of the record would bring; empty when
            something else rules this person out, for then no result would make it apply.
    """

    predictor: Predictor
    reasons: tuple[str, ...]
    output: Output | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureVector:
    """Stage 4: what one predictor will be given for one patient on one day.

    Attributes:
        age_years: completed years on the day.
        inputs: the values used, in the order the predictor declares them.
        outputs: those that can be calculated; at least one.
        refusals: the other outputs, each with its reasons.
        checks: what the rules looked at, for the record: the two eGFR that show kidney disease, or `none recorded`.
    """

    predictor: Predictor
    as_of: date
    age_years: int
    values: Values
    inputs: tuple[UsedInput, ...]
    features: Mapping[str, float]
    outputs: tuple[Output, ...]
    refusals: tuple[Refusal, ...] = ()
    checks: tuple[UsedInput, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """One opened, linked and rounded probability, in percent."""

    output: Output
    percent: Decimal
    category: Category | None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one predictor for one patient on one day."""

    vector: FeatureVector
    scores: tuple[Score, ...]
    how: str
    """How it was computed, for the clinician: sealed or not, mode, parameter profile, engine version."""
    notes: tuple[str, ...] = field(default=())
