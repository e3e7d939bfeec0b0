"""The same sums as linear rows: one row a drug, over features of the person, for evaluation under encryption.

The features are the logit of the placebo share and one flag for each later treatment step. What a row adds for its drug
is its constant. `share(constant + sum of weight times feature)` is what `compare` gives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fhirtwin.errors import Unprocessable
from fhirtwin.pgx.response import evidence, logit, terms
from fhirtwin.pgx.response.evidence import Baseline

FEATURES: Final = ("placebo logit", "treatment step 2", "treatment step 3", "treatment step 4")


@dataclass(frozen=True, slots=True)
class LinearRow:
    """One drug.

    Attributes:
        drug: ingredient.
        constant: logarithm of the odds ratio against placebo.
        weights: of `FEATURES`, in their order.
    """

    drug: str
    constant: float
    weights: tuple[float, ...]


def linear_rows(drugs: Iterable[str], setting: str, outcome: str) -> tuple[LinearRow, ...]:
    """Give a row for each drug of which there is evidence, sorted by name; the others have none."""
    if setting not in evidence.SETTINGS or outcome not in evidence.OUTCOMES:
        raise Unprocessable("Linear rows of response need a setting and an outcome that are known.")
    names = sorted({drug.strip().casefold() for drug in drugs})
    stepped = (setting, outcome) == ("depression", "response")
    later = tuple(terms.step(number).figure.value if stepped else 0.0 for number in evidence.STEPS[1:])
    found = ((name, terms.drug(name, setting, outcome)) for name in names)
    return tuple(LinearRow(name, term.figure.value, (1.0, *later)) for name, term in found if term)


def features(setting: str, outcome: str, step: int = 1, baseline: Baseline | None = None) -> tuple[float, ...]:
    """Give the person's features, in the order of `FEATURES`.

    Raises:
        Unprocessable: nothing was published for such a person, so that a row would tell something that is not known.
    """
    given = baseline or evidence.baselines().get((setting, outcome))
    if given is None or step not in evidence.STEPS:
        raise Unprocessable("Linear rows of response need a share on placebo and a treatment step from 1 to 4.")
    if step > 1 and (setting, outcome) == ("schizophrenia", "response"):
        raise Unprocessable("Response by treatment step is known for depression alone.")
    return logit.logit(given.rate), *(float(step == number) for number in evidence.STEPS[1:])


def evaluate(row: LinearRow, values: tuple[float, ...]) -> float:
    """Calculate a row in the clear."""
    return logit.share(row.constant + sum(weight * value for weight, value in zip(row.weights, values, strict=True)))
