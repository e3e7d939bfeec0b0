"""The response model as a circuit: a row for each drug, over what is known of the person; the gateway applies the link.

A drug's own term is the weight of a feature that is 1, so that it stays with the engine. All drugs of a setting and an
outcome are evaluated for everybody. Sums are taken twice over, as those of `dosing`, so that rounding weighs half.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.panel import Panel
from fhirtwin.errors import Unprocessable
from fhirtwin.pgx.response import evidence, linear, logit
from fhirtwin.pgx.response.evidence import Baseline

TIMES: Final = 2.0
SHARES: Final = (0.01, 0.99)
"""On placebo; beyond them the circuit has no room."""
_DRUG: Final = "drug"
_FEATURES: Final = (_DRUG, *linear.FEATURES)
_LATER: Final = tuple(_FEATURES.index(name) for name in linear.FEATURES[1:])


def panels() -> dict[str, Panel]:
    """A circuit for each setting and outcome of which there is evidence, by its name."""
    found = {}
    for setting in evidence.SETTINGS:
        for outcome in evidence.OUTCOMES:
            rows = linear.linear_rows((drug for drug, *_ in evidence.effects()), setting, outcome)
            if rows:
                found[name(setting, outcome)] = _panel(rows)
    return found


def name(setting: str, outcome: str) -> str:
    """Name the circuit of a setting and an outcome."""
    return f"{outcome} in {setting}"


def values(setting: str, outcome: str, step: int, baseline: Baseline | None) -> NDArray[np.float64]:
    """Give every feature its value.

    Raises:
        Unprocessable: nothing is known of such a person, or the share on placebo is beyond `SHARES`.
    """
    given = linear.features(setting, outcome, step, baseline)
    if not logit.logit(SHARES[0]) <= given[0] <= logit.logit(SHARES[1]):
        raise Unprocessable("A sealed question of response needs a share on placebo from 1 to 99 percent.")
    return np.array([1.0, *given])


def shares(setting: str, outcome: str, sums: Mapping[str, float]) -> dict[str, float]:
    """Give the expected share by drug, by what the circuits gave."""
    start = f"{name(setting, outcome)}:"
    return {row.removeprefix(start): logit.share(one / TIMES) for row, one in sums.items() if row.startswith(start)}


def _panel(rows: tuple[linear.LinearRow, ...]) -> Panel:
    low, high = np.zeros(len(_FEATURES)), np.ones(len(_FEATURES))
    low[1], high[1] = map(logit.logit, SHARES)
    return Panel(
        features=_FEATURES,
        low=low,
        high=high,
        rows=tuple(row.drug for row in rows),
        weights=np.array([(row.constant, *row.weights) for row in rows]) * TIMES,
        choices=(_LATER,),
    )
