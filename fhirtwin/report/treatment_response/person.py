"""What a twin holds that the response model asks for: phenotypes as other medicines let them show, and conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fhirtwin.pgx import phenoconversion
from fhirtwin.pgx.phenoconversion import Effective, Taken
from fhirtwin.pgx.response import evidence
from fhirtwin.pgx.results import GenePhenotype
from fhirtwin.terms.concepts import Code
from fhirtwin.terms.systems import SNOMED
from fhirtwin.twin.state import Fact, TwinState

NOT_LOOKED_AT: Final = "not looked at"
CODES: Final[Mapping[Code, str]] = {
    Code(SNOMED, "195111005"): "uncompensated heart failure",
    Code(SNOMED, "424404003"): "uncompensated heart failure",
}
"""Codes of the twin's conditions that are a condition of the cautions: decompensated cardiac failure, and decompensated
chronic heart failure (`fhirtwin.terms.concepts.conditions`). Heart failure alone is not: it may be compensated."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the genes that matter to one drug's exposure show.

    Attributes:
        phenotypes: by gene, the effective ones.
        conversions: what other medicines do to these enzymes, where they do anything.
    """

    phenotypes: Mapping[str, GenePhenotype]
    conversions: tuple[Effective, ...]


def shown(drug: str, genetic: Mapping[str, GenePhenotype], others: Iterable[Taken]) -> Shown:
    """Tell what the genes show for a drug beside others; its own inhibition is left out.

    Args:
        drug: ingredient.
        genetic: by gene, what the genes say.
        others: what is taken, or was stopped.
    """
    beside = tuple(others)
    genes = dict.fromkeys(row.gene for row in evidence.exposures() if row.drug == drug)
    every = {gene: _effective(gene, genetic, beside, drug) for gene in genes}
    acting = tuple(one for one in every.values() if one.causes or one.notices)
    return Shown({gene: one.effective for gene, one in every.items()}, acting)


def _effective(gene: str, genetic: Mapping[str, GenePhenotype], beside: tuple[Taken, ...], drug: str) -> Effective:
    known = genetic.get(gene) or GenePhenotype(gene, (), NOT_LOOKED_AT)
    return phenoconversion.of(gene, known, beside, drug)


def conditions(whole: TwinState, state: TwinState) -> dict[str, tuple[Fact, ...]]:
    """Give the conditions of the cautions that are there, with what tells them.

    A condition that is not here is not known: that no record was found says nothing, since most of them have no code
    that the twin reads.

    Args:
        whole: the twin with all its facts.
        state: the twin as of the day.
    """
    standing = {(fact.name, source) for fact in state.facts for source in fact.sources}
    found: dict[str, tuple[Fact, ...]] = {}
    for fact in whole.facts:
        name = CODES.get(Code(fact.system, fact.code))
        if name and fact.active and any((fact.name, source) in standing for source in fact.sources):
            found[name] = (*found.get(name, ()), fact)
    return found
