"""Drugs that slow an enzyme change what a genotype means: the phenotype that the body shows while they are taken.

The genetic phenotype is kept beside the effective one, with the rule and how good its evidence is. Only drugs of which
a source was read are here (`tables/inhibitors.tsv`, `tables/inducers.tsv`). A drug that induces an enzyme, one whose
strength sources do not agree on, and one of an enzyme without a published rule change nothing and are named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Final

from fhirtwin.pgx import functions, phenotype
from fhirtwin.pgx.results import GenePhenotype, Phenotype

STRENGTHS: Final = ("strong", "moderate", "weak")
UNCLEAR: Final = "unclear"
FACTORS: Final = {"strong": Decimal(0), "moderate": Decimal("0.5"), "weak": Decimal(1)}
CONVENTION: Final = (
    "expert convention, as in CPIC's guideline of opioids (2021): activity score of CYP2D6 × 0 with a strong "
    "inhibitor, × 0.5 with a moderate one, unchanged with a weak one; checked against nine observed exposure ratios "
    "(docs/pgx/phenoconversion.md); CPIC's guideline of antidepressants (2023) sees no consensus"
)
CONVENTION_2C19: Final = (
    "expert convention, less settled: a strong inhibitor of CYP2C19 makes a poor metabolizer, a moderate one takes "
    "one step; not checked against observed ratios; CPIC's guideline of antidepressants (2023) sees no consensus"
)
GRADE: Final = {"CYP2D6": "moderate", "CYP2C19": "low"}
STEPS: Final = ("Ultrarapid Metabolizer", "Rapid Metabolizer", "Normal Metabolizer", "Intermediate Metabolizer")
POOR: Final = "Poor Metabolizer"
REVERSAL_UNKNOWN: Final = "how long its effect lasts after the last dose is not in our sources"


@dataclass(frozen=True, slots=True)
class Taken:
    """A drug beside the one that is looked at.

    Attributes:
        drug: ingredient.
        role: `current`, or `draft` for one of the orders being written.
        stopped: the day of the last dose, when it is over.
    """

    drug: str
    role: str = "current"
    stopped: date | None = None


@dataclass(frozen=True, slots=True)
class Inhibitor:
    """What one drug does to one enzyme, and who says so; the strength is one of `STRENGTHS`, or `UNCLEAR`."""

    drug: str
    enzyme: str
    strength: str
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Effective:
    """What a gene shows while others drugs are taken.

    Attributes:
        genetic: what the genes say.
        effective: what is to be expected; the same where nothing acts.
        causes: the inhibitors at work, with what was taken, the strongest first.
        rule: by which the one became the other; empty where nothing changed.
        grade: how good its evidence is: `moderate` or `low`.
        notices: for people: what is uncertain, for example a drug that was stopped.
    """

    genetic: GenePhenotype
    effective: GenePhenotype
    causes: tuple[tuple[Taken, Inhibitor], ...] = ()
    rule: str = ""
    grade: str = ""
    notices: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the drugs matter to the phenotype."""
        return self.effective != self.genetic

    @property
    def is_known(self) -> bool:
        """Whether the genes say anything that a medicine could change."""
        return any(one.key != "n/a" for one in self.genetic.alternatives)

    @property
    def deciding(self) -> tuple[Taken, ...]:
        """What was taken that changed the phenotype: the strongest inhibitors; none where nothing changed."""
        return tuple(one for one, found in self.causes if self.changed and found.strength == self.causes[0][1].strength)


@cache
def inhibitors() -> Mapping[tuple[str, str], Inhibitor]:
    """Give every inhibitor by drug and enzyme."""
    return _read("inhibitors.tsv")


@cache
def inducers() -> Mapping[tuple[str, str], Inhibitor]:
    """Give every inducer by drug and enzyme."""
    return _read("inducers.tsv")


def _read(name: str) -> Mapping[tuple[str, str], Inhibitor]:
    every = (Inhibitor(**{key: row[key] for key in Inhibitor.__slots__}) for row in functions.rows(name))
    return {(one.drug, one.enzyme): one for one in every}


def of(gene: str, genetic: GenePhenotype, taken: Iterable[Taken], drug: str = "") -> Effective:
    """Tell the effective phenotype of a gene.

    Args:
        gene: HGNC symbol of the enzyme.
        genetic: what the genes say of it.
        taken: current drugs, and the other orders being written.
        drug: the one that is looked at: its own inhibition is part of what its guideline says, and is left out.
    """
    others = [one for one in taken if one.drug.casefold() != drug.casefold()]
    known = [(one, inhibitors().get((one.drug.casefold(), gene))) for one in others]
    acting = [(one, found) for one, found in known if found]
    notices = tuple(
        f"{one.drug} was stopped on {one.stopped.isoformat()}: {REVERSAL_UNKNOWN}" for one, _ in acting if one.stopped
    )
    notices += tuple(_not_counted(gene, one, found) for one, found in acting if not _counts(found) and not one.stopped)
    notices += _induced(gene, others)
    causes = tuple(sorted((pair for pair in acting if _counts(pair[1]) and not pair[0].stopped), key=_strength))
    if not causes:
        return Effective(genetic, genetic, (), "", "", notices)
    strength = causes[0][1].strength
    effective, more = _changed(gene, genetic, strength)
    if strength != "weak" and _is_poor(genetic):
        names = " and ".join(one.drug for one, _ in causes)
        effective, more = genetic, (f"{gene} is that of a poor metabolizer by the genes: {names} slows it no further",)
    rule = {"CYP2D6": CONVENTION, "CYP2C19": CONVENTION_2C19}[gene]
    return Effective(genetic, effective, causes, rule, GRADE[gene], (*notices, *more))


def _counts(found: Inhibitor) -> bool:
    return found.enzyme in GRADE and found.strength in STRENGTHS


def _not_counted(gene: str, one: Taken, found: Inhibitor) -> str:
    if gene not in GRADE:
        return f"{one.drug} inhibits {gene} ({found.strength}): not converted, no published rule"
    return f"{one.drug} inhibits {gene}, how strongly our sources do not settle: not counted"


def _induced(gene: str, others: Iterable[Taken]) -> tuple[str, ...]:
    """Name what speeds the enzyme up: its effective activity may be higher than what is told."""
    told = []
    for one in others:
        found = inducers().get((one.drug.casefold(), gene))
        if found and one.stopped:
            told.append(f"{one.drug} was stopped on {one.stopped.isoformat()}: {REVERSAL_UNKNOWN}")
        elif found:
            strength = "how strongly is unclear" if found.strength == UNCLEAR else found.strength
            told.append(f"{one.drug} induces {gene} ({strength}): not converted, no published rule")
    return tuple(told)


def _strength(pair: tuple[Taken, Inhibitor]) -> int:
    return STRENGTHS.index(pair[1].strength)


def _changed(gene: str, genetic: GenePhenotype, strength: str) -> tuple[GenePhenotype, tuple[str, ...]]:
    if strength == "weak":
        return genetic, ()
    if strength == "strong":
        score = "0.0" if gene in functions.scored() else ""
        return GenePhenotype(gene, (Phenotype(gene, POOR, score, rule="strong inhibitor"),)), ()
    told = [_slowed(one) for one in genetic.alternatives]
    if None in told or not told:
        why = f"the effect of a moderate inhibitor of {gene} is not known, because its activity is not"
        return GenePhenotype(gene, (), why), (why,)
    found = {(one.word, one.score): one for one in told if one}
    return replace(genetic, alternatives=tuple(found.values())), ()


def _is_poor(genetic: GenePhenotype) -> bool:
    """Whether the genes alone make a poor metabolizer, surely."""
    return not genetic.unsure and {one.word for one in genetic.alternatives} == {POOR}


def _slowed(one: Phenotype) -> Phenotype | None:
    """Take half of a score, or one step; None where the score is unknown or only a lower bound."""
    if one.gene in functions.scored():
        if not one.score or one.score == "n/a" or one.score.startswith("≥"):
            return None
        half = Decimal(one.score) * FACTORS["moderate"]
        return replace(one, word=word_of(half), score=phenotype.written(half), rule=f"{one.score} × 0.5")
    if one.word == POOR:
        return one
    if one.word not in STEPS:
        return None
    return replace(one, word=(*STEPS, POOR)[STEPS.index(one.word) + 1], rule="one step down")


def word_of(score: Decimal) -> str:
    """Name the phenotype of a CYP2D6 score: 0; under 1.25; to 2.25; above.

    *Source*: Caudle KE et al., Clin Transl Sci 2020;13:116-124, as in CPIC's table of scores.
    """
    if score == 0:
        return POOR
    if score < Decimal("1.25"):
        return "Intermediate Metabolizer"
    return "Normal Metabolizer" if score <= Decimal("2.25") else "Ultrarapid Metabolizer"


def exposure_ratio(genetic: float, effective: float, share: float) -> float:
    """How many times exposure rises when the score falls from `genetic` to `effective`.

    Clearance is the enzyme's part, in proportion to the score, and the rest. `share` is the enzyme's part at a score
    of two, as a multiple of the rest.
    """
    return (1 + share * genetic / 2) / (1 + share * effective / 2)
