"""All genes of one person as Genotypes: those that somebody looked at, and those that a medicine asks for in vain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fhirtwin.report.genomics.genotype import genotype, not_performed
from fhirtwin.report.genomics.made import Json, Made, made
from fhirtwin.report.genomics.weighed import Weighed
from fhirtwin.twin.genome import GeneResult


def genotypes(results: Mapping[str, GeneResult], subject: str) -> dict[str, Made]:
    """Write every gene that somebody looked at, also where it was not called."""
    return {gene: _named(genotype(one.known, subject, one.time), gene, subject) for gene, one in results.items()}


def untested(weighed: Iterable[Weighed], written: Mapping[str, Made], subject: str) -> dict[str, Made]:
    """Write that genes were not looked at which other medicines make tell something all the same."""
    changed = {one.genetic.gene for each in weighed for one in each.conversions if one.changed}
    return {gene: _named(not_performed(gene, subject), gene, subject) for gene in sorted(changed - {*written})}


def _named(resource: Json, gene: str, subject: str) -> Made:
    return made(resource, subject, "genotype", gene)
