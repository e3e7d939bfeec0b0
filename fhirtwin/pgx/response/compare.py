"""Candidate drugs side by side: what is expected of each, in order, and which cannot be told apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from fhirtwin.errors import Unprocessable
from fhirtwin.pgx.response import cautions, evidence, exposure, logit, terms
from fhirtwin.pgx.response.cautions import Caution
from fhirtwin.pgx.response.evidence import Baseline
from fhirtwin.pgx.response.exposure import SideEffect
from fhirtwin.pgx.response.terms import Estimate
from fhirtwin.pgx.results import GenePhenotype
from fhirtwin.terms.drugs.ingredients import CODES

MOST: Final = 100
STATEMENT: Final = (
    "Averages of published trials, added up on the logit with their errors taken as independent. Not validated on "
    "patients, no accuracy was measured, and no dose follows from it."
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One drug.

    Attributes:
        drug: ingredient, in lower case.
        rxnorm: RxNorm code of the ingredient; empty where it is not in our tables.
        response: expected response on placebo and drug together; None where nothing is known.
        discontinuation: expected discontinuation for any reason; None where nothing is known.
        no_evidence: why there is no response here, or no discontinuation.
        side_effects: published frequencies, scaled by exposure where that is known.
        exposure: for people: what genes say of how much is in the blood.
        met: cautions of the label that are this person's.
        unasked: cautions of which nobody said whether they are this person's.
        like: ranked drugs from which it cannot be told apart in response.
    """

    drug: str
    rxnorm: str
    response: Estimate | None
    discontinuation: Estimate | None
    no_evidence: tuple[str, ...]
    side_effects: tuple[SideEffect, ...]
    exposure: tuple[str, ...]
    met: tuple[Caution, ...]
    unasked: tuple[Caution, ...]
    like: tuple[str, ...] = ()

    @property
    def contraindicated(self) -> bool:
        """Tell whether a contraindication of the label is met."""
        return any(one.strength == "contraindicated" for one in self.met)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All candidates.

    Attributes:
        setting: one of `evidence.SETTINGS`.
        step: treatment step.
        ranked: by expected response, the greatest first; those with a contraindication met after all others.
        without: drugs of which no response is known here.
        statement: what it is and is not.
    """

    setting: str
    step: int
    ranked: tuple[Candidate, ...]
    without: tuple[Candidate, ...]
    statement: str = STATEMENT


def compare(
    drugs: Iterable[str],
    setting: str = "depression",
    step: int = 1,
    phenotypes: Mapping[str, GenePhenotype] | None = None,
    conditions: Mapping[str, bool] | None = None,
    baselines: Mapping[str, Baseline] | None = None,
    by_drug: Mapping[str, Mapping[str, GenePhenotype]] | None = None,
    sex: str = "",
) -> Comparison:
    """Tell what to expect of each drug.

    Args:
        drugs: ingredients, in any case.
        setting: `depression` or `schizophrenia`.
        step: which treatment of this episode it would be, 1 to 4.
        phenotypes: by gene, effective ones where other drugs act.
        conditions: diseases of which is known that they are there, or are not; others count as not known.
        baselines: by outcome, what was counted on placebo, instead of the published one.
        by_drug: phenotypes of a drug that has others than `phenotypes`: what it does to an enzyme itself is left out.
        sex: `female` leaves out side effects of men.
    """
    names = sorted({drug.strip().casefold() for drug in drugs} - {""})
    _check(names, setting, step, baselines or {})
    cautions.check(conditions or {})
    published = {one: evidence.baselines().get((setting, one)) for one in evidence.OUTCOMES}
    placebo = {**published, **(baselines or {})}
    shown = {name: (by_drug or {}).get(name, phenotypes or {}) for name in names}
    told = [_candidate(name, setting, step, placebo, shown[name], conditions or {}, sex) for name in names]
    ranked = sorted((one for one in told if one.response), key=_place)
    without = tuple(one for one in told if not one.response)
    return Comparison(setting, step, tuple(_with_like(one, ranked) for one in ranked), without)


def _check(names: list[str], setting: str, step: int, baselines: Mapping[str, Baseline]) -> None:
    if not 0 < len(names) <= MOST:
        raise Unprocessable(f"A comparison of response needs 1 to {MOST} drugs.")
    if setting not in evidence.SETTINGS:
        raise Unprocessable(f"Response is known only for the settings: {', '.join(evidence.SETTINGS)}.")
    if step not in evidence.STEPS:
        raise Unprocessable("Response by treatment step is known only for the steps 1 to 4.")
    for outcome, one in baselines.items():
        if outcome not in evidence.OUTCOMES or not 0 < one.low <= one.rate <= one.high < 1 or not one.doi:
            raise Unprocessable(
                "A baseline needs an outcome (response, discontinuation), a share with its interval between 0 and 1, "
                "and its source."
            )


def _candidate(
    name: str,
    setting: str,
    step: int,
    placebo: Mapping[str, Baseline | None],
    phenotypes: Mapping[str, GenePhenotype],
    conditions: Mapping[str, bool],
    sex: str,
) -> Candidate:
    estimates = {
        outcome: terms.estimate(name, setting, outcome, step, placebo[outcome]) for outcome in evidence.OUTCOMES
    }
    blood = exposure.tell(name, phenotypes)
    labels = cautions.of(name, setting) if name in evidence.known(setting) else cautions.of(name, "")
    return Candidate(
        drug=name,
        rxnorm=CODES.get(name, ""),
        response=estimates["response"],
        discontinuation=estimates["discontinuation"],
        no_evidence=tuple(
            f"no evidence here: {outcome} in {setting}, treatment step {step}"
            for outcome, one in estimates.items()
            if one is None
        ),
        side_effects=exposure.side_effects(name, blood.found, sex),
        exposure=blood.notes,
        met=tuple(one for one in labels if conditions.get(one.condition)),
        unasked=tuple(one for one in labels if one.condition not in conditions),
    )


def _place(one: Candidate) -> tuple[bool, float, str]:
    return one.contraindicated, -one.response.figure.value if one.response else 0.0, one.drug


def _with_like(one: Candidate, ranked: list[Candidate]) -> Candidate:
    like = [other.drug for other in ranked if other.drug != one.drug and not apart(one, other)]
    return replace(one, like=tuple(like))


def apart(one: Candidate, other: Candidate) -> bool:
    """Tell two drugs apart by the terms that they do not share: the rest is the same for both."""
    first, second = (_of_drug(each) for each in (one, other))
    return logit.apart(first, second)


def _of_drug(one: Candidate) -> logit.Figure:
    found = one.response.terms if one.response else ()
    return logit.total(tuple(term.figure for term in found if term.name == "drug"))
