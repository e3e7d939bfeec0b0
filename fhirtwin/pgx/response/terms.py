"""The terms that are added up for one drug and one outcome, and what is missing among them and why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from fhirtwin.pgx.response import evidence, logit
from fhirtwin.pgx.response.evidence import Baseline
from fhirtwin.pgx.response.logit import Figure

NO_EXPOSURE: Final = {
    ("depression", "response"): (
        "no effect of exposure by genotype was read that has an interval; efficacy of five SSRIs stays level or falls "
        "above 20 to 40 mg fluoxetine equivalents, so that more in the blood is not more response",
        "10.1016/S2215-0366(19)30217-2",
    ),
    ("depression", "discontinuation"): (
        "no effect of exposure by genotype was read that has an interval; dropouts from adverse effects rise with the "
        "dose of SSRIs, venlafaxine and mirtazapine",
        "10.1016/S2215-0366(19)30217-2",
    ),
}
NO_EFFECT: Final = ("no effect of exposure by genotype was read that has an interval", "")
NO_STEP: Final = {
    "response": "the trials left out people with treatment resistance, and no figure by treatment step was read",
    "discontinuation": "no figure of discontinuation by treatment step was read",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One number that is added on the logit.

    Attributes:
        name: `placebo`, `drug` or `treatment step`.
        figure: the number and its error.
        doi: where it is from.
        note: for people: as published, of whom, and by which convention it was read.
    """

    name: str
    figure: Figure
    doi: str
    note: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A term that is not added (0), why, and what was read about it."""

    name: str
    reason: str
    doi: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is to be expected of one drug.

    Attributes:
        outcome: `response` or `discontinuation`.
        terms: that were added.
        missing: that were not.
    """

    outcome: str
    terms: tuple[Term, ...]
    missing: tuple[Missing, ...]

    @property
    def figure(self) -> Figure:
        """The sum on the logit."""
        return logit.total(tuple(term.figure for term in self.terms))

    @property
    def probability(self) -> float:
        """The sum as a probability."""
        return logit.share(self.figure.value)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the probability."""
        return logit.share(self.figure.low), logit.share(self.figure.high)


def placebo(given: Baseline) -> Term:
    """Give the term of the setting."""
    note = f"{given.rate:.1%} ({given.low:.0%} to {given.high:.0%}) on placebo; {given.population}"
    figure = logit.of_rate(given.rate, given.low, given.high)
    return Term("placebo", figure, given.doi, f"{note}; {given.note}" if given.note else note)


def drug(name: str, setting: str, outcome: str) -> Term | None:
    """Give the term of a drug, if there is evidence."""
    effect = evidence.effects().get((name, setting, outcome))
    if effect is None:
        return None
    note = f"{effect.published} against placebo; {effect.population}; {evidence.BASES[effect.basis]}"
    return Term("drug", effect.figure, effect.doi, note)


def step(number: int) -> Term:
    """Give the term of a treatment step of depression after the first: its logit less that of the first."""
    first, doi = evidence.steps()[1]
    figure, _ = evidence.steps()[number]
    difference = Figure(figure.value - first.value, math.hypot(figure.error, first.error))
    note = (
        f"remission at step {number} of STAR*D less that at step 1, on the logit; used for response, of which no "
        "figure by step was read; people were not randomised to steps"
    )
    return Term("treatment step", difference, doi, note)


def estimate(name: str, setting: str, outcome: str, number: int, given: Baseline | None) -> Estimate | None:
    """Add up what is known; nothing is told when the setting, the drug or a later step has no figure for response."""
    effect = drug(name, setting, outcome)
    if effect is None or given is None:
        return None
    stepped = (setting, outcome) == ("depression", "response")
    if outcome == "response" and number > 1 and not stepped:
        return None
    found = [placebo(given), effect, *([step(number)] if stepped and number > 1 else [])]
    missing = [Missing("exposure", *NO_EXPOSURE.get((setting, outcome), NO_EFFECT))]
    missing += [] if stepped else [Missing("treatment step", NO_STEP[outcome])]
    return Estimate(outcome, tuple(found), tuple(missing))
