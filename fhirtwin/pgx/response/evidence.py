"""The published figures, read once from the tables of this package (`tables/response_*.tsv`).

Each row names its DOI and what was read of the publication. Rows that nobody read again are not in the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from fhirtwin.pgx import functions
from fhirtwin.pgx.response import logit
from fhirtwin.pgx.response.logit import Figure

SETTINGS: Final = ("depression", "schizophrenia")
OUTCOMES: Final = ("response", "discontinuation")
STEPS: Final = (1, 2, 3, 4)
BASES: Final = {
    "own": "the drug's own figure",
    "group": (
        "mean of its group, the drug's own figure was not read; widened by the published range of drugs, read as a "
        "95 % interval (a convention, not measured)"
    ),
    "range": (
        "middle of the published range of drugs, read as a 95 % interval, since the drug's own figure was not read (a "
        "convention, not measured)"
    ),
}


@dataclass(frozen=True, slots=True)
class Effect:
    """What a drug does against placebo.

    Attributes:
        figure: logarithm of the odds ratio.
        basis: one of `BASES`.
        published: as the publication has it, for people.
        population: of whom it speaks.
        doi: of the publication.
        read: what was read of it.
    """

    figure: Figure
    basis: str
    published: str
    population: str
    doi: str
    read: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """How many responded, or stopped, on placebo: share and 95 % interval, and where that is from.

    A hospital that has counted its own may give it, with the source in `doi`.
    """

    rate: float
    low: float
    high: float
    population: str
    doi: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Exposure:
    """How much more of a drug those with a phenotype have in their blood than normal metabolizers."""

    drug: str
    gene: str
    phenotypes: tuple[str, ...]
    ratio: float
    low: float
    high: float
    people: int
    doi: str


@dataclass(frozen=True, slots=True)
class Frequency:
    """How many percent had a side effect, as the drug's monograph says, unadjusted; without an interval."""

    effect: str
    percent: float
    form: str
    doi: str


@cache
def effects() -> Mapping[tuple[str, str, str], Effect]:
    """Give every effect by drug, setting and outcome."""
    found = {}
    for row in functions.rows("response_effects.tsv"):
        figure, published = _figure(row)
        effect = Effect(figure, row["basis"], published, row["population"], row["doi"], row["read"])
        for drug in row["drugs"].split(" | "):
            found[drug, row["setting"], row["outcome"]] = effect
    return found


def _figure(row: Mapping[str, str]) -> tuple[Figure, str]:
    spread = f"{row['spread_measure']} of the drugs from {row['spread_low']} to {row['spread_high']}"
    if row["basis"] == "range":
        return logit.of_range(float(row["spread_low"]), float(row["spread_high"])), spread
    figure = _read(row["measure"], row["estimate"], row["low"], row["high"])
    published = f"{row['measure']} {row['estimate']} ({row['low']} to {row['high']})"
    if row["basis"] == "own":
        return figure, published
    among = _read(row["spread_measure"], row["spread_low"], row["spread_low"], row["spread_high"])
    return figure.wider(among.error), f"{published}, {spread}"


def _read(measure: str, estimate: str, low: str, high: str) -> Figure:
    reader = {"OR": logit.of_ratio, "SMD": logit.of_difference}[measure]
    return reader(float(estimate), float(low), float(high))


@cache
def baselines() -> Mapping[tuple[str, str], Baseline]:
    """Give shares on placebo by setting and outcome."""
    return {
        (row["setting"], row["outcome"]): Baseline(
            float(row["rate"]), float(row["low"]), float(row["high"]), row["population"], row["doi"], row["note"]
        )
        for row in functions.rows("response_baselines.tsv")
    }


@cache
def steps() -> Mapping[int, tuple[Figure, str]]:
    """Give the share that remitted at each treatment step of STAR*D, as a figure, and its DOI."""
    return {
        int(row["step"]): (logit.of_count(float(row["remission_percent"]) / 100, int(row["n"])), row["doi"])
        for row in functions.rows("response_steps.tsv")
    }


@cache
def exposures() -> tuple[Exposure, ...]:
    """Give the exposure ratios by genotype."""
    return tuple(
        Exposure(
            row["drug"], row["gene"], tuple(row["phenotypes"].split(" | ")), float(row["ratio"]), float(row["low"]),
            float(row["high"]), int(row["n"]), row["doi"],
        )
        for row in functions.rows("response_exposure.tsv")
    )  # fmt: skip


@cache
def frequencies() -> Mapping[str, tuple[Frequency, ...]]:
    """Give side effects by drug."""
    found: dict[str, tuple[Frequency, ...]] = {}
    for row in functions.rows("response_side_effects.tsv"):
        one = Frequency(row["effect"], float(row["percent"]), row["form"], row["doi"])
        found[row["drug"]] = (*found.get(row["drug"], ()), one)
    return found


def known(setting: str) -> tuple[str, ...]:
    """Name the drugs of which there is an effect on response."""
    return tuple(sorted(drug for drug, where, outcome in effects() if (where, outcome) == (setting, "response")))
