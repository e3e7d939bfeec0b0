"""Therapeutic implications: what a laboratory concluded of a gene, as a phenotype.

The component that says it moved: LOINC 53040-2 (metabolism) and 51971-0 (transport) in STU1, the guide's own
`predicted-therapeutic-implication` in STU2, `therapeutic-implication` in STU3. Efficacy (51961-1) and high risk
(83009-1) speak of a medicine, not of a gene, and are not used: the guideline is looked up by the genotype itself.
"""

from __future__ import annotations

from typing import Any, Final

from fhirtwin.pgx import phenotype
from fhirtwin.pgx.results import Known
from fhirtwin.terms.systems import profile
from fhirtwin.twin.genomics.elements import NotRead, component_values, fact, genes_studied, mapped, with_gene, words
from fhirtwin.twin.mapper import Resource
from fhirtwin.twin.state import Fact, Mapped, Source

OF_A_GENE: Final = ("53040-2", "51971-0")
OF_A_MEDICINE: Final = ("51961-1", "83009-1")
OWN: Final = ("predicted-therapeutic-implication", "therapeutic-implication")

ANSWERS: Final = {
    "LA10315-2": "Ultrarapid Metabolizer",
    "LA25390-8": "Rapid Metabolizer",
    "LA25391-6": "Normal Metabolizer",
    "LA10317-8": "Intermediate Metabolizer",
    "LA9657-3": "Poor Metabolizer",
    "LA25392-4": "Increased Function",
    "LA25393-2": "Normal Function",
    "LA25395-7": "Decreased Function",
    "LA25394-0": "Poor Function",
}
"""LOINC answers, by the words of the guidelines. *Source*: value sets of Genomics Reporting."""

OURS: Final = profile("therapeutic-implication")
CONCLUDED_HERE: Final = "this server concluded it, with what else was taken; the genotype is read by itself"
NOT_ITS_GENE: Final = "it does not name its gene; the genotype that it was derived from is read by itself"


def read(resource: Resource, source: Source, time: str) -> Mapped:
    """Read one therapeutic implication.

    Raises:
        NotRead: it tells no phenotype of a gene, or what a medicine made of it.
    """
    meta = resource.get("meta")
    if isinstance(meta, dict) and OURS in (meta.get("profile") or ()):
        raise NotRead(CONCLUDED_HERE)
    values = [*component_values(resource, *OF_A_GENE, tbd=OWN), *_own_value(resource)]
    if not values:
        if any(True for _ in component_values(resource, *OF_A_MEDICINE)):
            raise NotRead("it says what a gene means for a medicine, not the gene's phenotype")
        raise NotRead("it tells no phenotype")
    genes = genes_studied(resource)
    return mapped([_told(value, genes, source, time) for value in values], source)


def facts_beside(resource: Resource, genes: list[str], source: Source, time: str) -> list[Fact]:
    """Give the phenotypes that stand as components beside another result.

    Raises:
        NotRead: one is no phenotype of its gene.
    """
    return [_told(value, genes, source, time) for value in component_values(resource, *OF_A_GENE, tbd=OWN)]


def told(value: Any, genes: list[str]) -> tuple[str, str]:
    """Give gene and phenotype that a value tells.

    A code and its display are two spellings of one phenotype; that they name two refuses both.

    Raises:
        NotRead: it names no gene, or several, a word that the guideline does not have, or two phenotypes.
    """
    said = [with_gene(ANSWERS.get(one, one)) for one in words(value)]
    named = list(dict.fromkeys([*genes, *(gene for gene, _ in said if gene)]))
    if genes and len(named) > len(genes):
        raise NotRead("the gene that it names and the gene of its value differ")
    if len(named) != 1:
        raise NotRead("it names several genes" if named else NOT_ITS_GENE)
    found = {w: one for _, w in said for one in phenotype.of_call(Known(named[0], reported=(w,))).alternatives}
    if not found:
        raise NotRead("what was reported of it is no phenotype that the guideline uses", named[0])
    scores = {one.score: word for word, one in found.items() if one.score}
    if len({one.word for one in found.values()}) > 1 or len(scores) > 1:
        raise NotRead("its code and its text name different phenotypes", named[0])
    return named[0], next(iter(scores.values() or found))


def _told(value: Any, genes: list[str], source: Source, time: str) -> Fact:
    gene, word = told(value, genes)
    return fact("gene-phenotype", gene, word, source, time)


def _own_value(resource: Resource) -> list[Any]:
    """Before STU1 the whole Observation had the code that became a component."""
    value = resource.get("valueCodeableConcept")
    return [value] if value else []
