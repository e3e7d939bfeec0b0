"""What genes say of how much of a drug is in the blood, and side effects scaled by it.

Exposure changes neither the expected response nor the dose here: what to do for a genotype is said by the guideline
(`fhirtwin.pgx.recommendations`), since neither "poor metabolizer, lower dose" nor its reverse is right in general.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhirtwin.pgx.response import evidence
from fhirtwin.pgx.response.evidence import Exposure, Frequency
from fhirtwin.pgx.results import GenePhenotype

CAP: Final = 2.0
CONVENTION: Final = (
    f"convention, not measured: the monograph's frequency times the exposure ratio, at most {CAP:g} times; the "
    "interval is that of the ratio alone, since the monograph states none"
)
OF_MEN: Final = "male "
"""How the name of a side effect begins that was counted in men alone."""
NORMAL: Final = "Normal Metabolizer"
OBSERVED: Final = {
    ("escitalopram", "CYP2C19"): (
        "of 2,087 people, those with two null alleles changed to another antidepressant within a year 3.3 times as "
        "often as *1/*1, those with *1/*17 1.6 times and those with *17/*17 3.0 times: both ends, not one "
        "(observational, no interval read, doi 10.1176/appi.ajp.2017.17050550)"
    )
}


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one drug's exposure.

    Attributes:
        found: the ratio against normal metabolizers, if there is one for this phenotype.
        notes: for people.
    """

    found: Exposure | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SideEffect:
    """How many percent may have a side effect.

    Attributes:
        effect: its name.
        published: percent, as the monograph says.
        expected, low, high: percent after scaling; the published one where nothing is known of exposure.
        capped: the scaling would have been greater than `CAP`.
        label: by which convention; empty when nothing was scaled.
        form: of which form of the drug the monograph speaks, where it matters.
        doi: of the frequency, and of the exposure ratio where there is one.
    """

    effect: str
    published: float
    expected: float
    low: float
    high: float
    capped: bool
    label: str
    form: str
    doi: tuple[str, ...]


def tell(drug: str, phenotypes: Mapping[str, GenePhenotype]) -> Told:
    """Tell the exposure of a drug from the phenotypes of a person."""
    rows = [row for row in evidence.exposures() if row.drug == drug]
    found, notes = None, []
    for gene in dict.fromkeys(row.gene for row in rows):
        agreed = phenotypes[gene].agreed if gene in phenotypes else None
        if agreed is None:
            notes.append(f"{gene} is not known, or not one phenotype: nothing is told of exposure")
            continue
        found = next((row for row in rows if row.gene == gene and agreed.word in row.phenotypes), None)
        notes.append(_note(gene, agreed.word, found))
    notes += [said for (name, _), said in OBSERVED.items() if name == drug]
    return Told(found, tuple(notes))


def _note(gene: str, word: str, found: Exposure | None) -> str:
    if found is None:
        same = "the one that ratios are told against" if word == NORMAL else "no ratio with an interval is here"
        return f"{gene} {word}: {same}"
    return (
        f"{gene} {word}: exposure {found.ratio:g} times that of normal metabolizers ({found.low:g} to {found.high:g}, "
        f"{found.people} people, doi {found.doi}); what to do about it is in the guideline, not here"
    )


def side_effects(drug: str, exposure: Exposure | None, sex: str = "") -> tuple[SideEffect, ...]:
    """Scale what is published of a drug's side effects; those of men are left out for a woman (`sex` is `female`)."""
    every = evidence.frequencies().get(drug, ())
    return tuple(_scaled(one, exposure) for one in every if sex != "female" or not one.effect.startswith(OF_MEN))


def _scaled(one: Frequency, exposure: Exposure | None) -> SideEffect:
    if exposure is None:
        return SideEffect(
            one.effect, one.percent, one.percent, one.percent, one.percent, False, "", one.form, (one.doi,)
        )
    expected, low, high = (
        min(100.0, one.percent * min(CAP, ratio)) for ratio in (exposure.ratio, exposure.low, exposure.high)
    )
    dois = (one.doi, exposure.doi)
    return SideEffect(one.effect, one.percent, expected, low, high, exposure.ratio > CAP, CONVENTION, one.form, dois)
