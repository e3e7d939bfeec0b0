"""Warfarin's equations as a circuit: both sums, genes and race one-hot; the gateway adds constants and squares.

The sums are taken twice, so that what the vault rounds weighs half: at the largest dose that the inputs allow, rounding
by 0.001 is then less than 0.01 mg a week.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.panel import Panel
from fhirtwin.pgx import warfarin
from fhirtwin.pgx.warfarin import CLINICAL, PHARMACOGENETIC, Person

NAME: Final = "warfarin"
TIMES: Final = 2.0
EQUATIONS: Final = {"pharmacogenetic": PHARMACOGENETIC, "clinical": CLINICAL}
AGE_DECADES: Final = (1.0, 9.0)
MEASURED: Final = {"age in decades": AGE_DECADES, "height in cm": warfarin.HEIGHT, "weight in kg": warfarin.WEIGHT}
FLAGS: Final = ("enzyme inducer", "amiodarone")
CHOSEN: Final = (
    warfarin.RACES,
    tuple(f"VKORC1 {one}" for one in warfarin.VKORC1),
    tuple(f"CYP2C9 {one}" for one in warfarin.CYP2C9),
)
FEATURES: Final = (*MEASURED, *FLAGS, *(name for choice in CHOSEN for name in choice))


def panel() -> Panel:
    """Both equations, features centred in their ranges, and the weights of each choice in theirs."""
    half = [(high - low) / 2 for low, high in MEASURED.values()]
    low, high = np.zeros(len(FEATURES)), np.ones(len(FEATURES))
    low[: len(half)], high[: len(half)] = [-one for one in half], half
    starts = np.cumsum([len(MEASURED) + len(FLAGS), *map(len, CHOSEN)]).tolist()
    return Panel(
        features=FEATURES,
        low=low,
        high=high,
        rows=tuple(EQUATIONS),
        weights=np.array([_weights(equation) for equation in EQUATIONS.values()]) * TIMES,
        choices=tuple(tuple(range(start, start + len(choice))) for start, choice in zip(starts, CHOSEN, strict=False)),
    )


def values(person: Person) -> NDArray[np.float64]:
    """Give every feature its value.

    Raises:
        Unprocessable: the equation does not know such a person.
    """
    warfarin.check(person)
    given = warfarin.inputs(person, True)
    chosen = {person.race, f"VKORC1 {person.vkorc1}", f"CYP2C9 {person.cyp2c9}"}
    found = [given[name] - _middle(*bounds) for name, bounds in MEASURED.items()]
    found += [given[name] for name in FLAGS]
    return np.array([*found, *(float(name in chosen) for choice in CHOSEN for name in choice)])


def total(person: Person, sums: Mapping[str, float]) -> float:
    """Give the sum of the equation's terms by what the circuit gave: halved, and with the constants."""
    name = "pharmacogenetic" if warfarin.genes_known(person) else "clinical"
    equation = EQUATIONS[name]
    constant = equation["intercept"] + sum(equation[what] * _middle(*bounds) for what, bounds in MEASURED.items())
    return sums[name] / TIMES + constant + sum(_centre(equation, choice) for choice in CHOSEN)


def _weights(equation: Mapping[str, float]) -> list[float]:
    """Weights of all features; a choice that an equation does not know weighs nothing in it."""
    found = [equation[name] for name in (*MEASURED, *FLAGS)]
    for choice in CHOSEN:
        middle = _centre(equation, choice)
        found += [equation.get(name, 0.0) - middle for name in choice]
    return found


def _centre(equation: Mapping[str, float], choice: tuple[str, ...]) -> float:
    of_all = [equation.get(name, 0.0) for name in choice]
    return _middle(min(of_all), max(of_all))


def _middle(low: float, high: float) -> float:
    return (low + high) / 2
