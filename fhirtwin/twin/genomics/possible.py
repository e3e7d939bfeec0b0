"""What each result of a gene that was not called would mean by itself: how loudly to tell that it is not known.

One allele alone may be there once or twice. Nothing is chosen, and none of it is a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhirtwin.pgx import hla, known, naming, places
from fhirtwin.pgx.calling import Rules, call_gene
from fhirtwin.pgx.calls import MAY_BE
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.genotype import Sample
from fhirtwin.pgx.results import Known, Pair
from fhirtwin.twin.state import Fact


def possible(gene: str, facts: Iterable[Fact]) -> tuple[Known, ...]:
    """Give what may be true of a gene by each fact about it alone."""
    return tuple(dict.fromkeys(one for fact in facts for one in _each(gene, fact)))


def _each(gene: str, fact: Fact) -> Iterator[Known]:
    yield from _alone(gene, fact.name, str(fact.value))
    for line in fact.note.split("\n") if fact.name == "gene-not-called" else ():
        if line.startswith(MAY_BE):
            said = line.removeprefix(MAY_BE)
            yield from _alone(gene, _kind(gene, said), said)


def _kind(gene: str, said: str) -> str:
    if places.read(gene, said):
        return "variant"
    return "diplotype" if naming.diplotypes(gene, said) else "gene-phenotype"


def _alone(gene: str, name: str, value: str) -> Iterator[Known]:
    match name:
        case "diplotype":
            yield Known(gene, naming.diplotypes(gene, value))
        case "haplotype" if gene.startswith("HLA-"):
            yield Known(gene, reported=(f"{value} {hla.POSITIVE}",))
        case "haplotype":
            yield Known(gene, (Pair(value, value),))
            if gene in genes():
                yield Known(gene, (Pair(genes()[gene].reference, value),))
        case "allele-status" | "gene-phenotype":
            yield Known(gene, reported=(value,))
        case "variant":
            yield from _of_variant(gene, value)


def _of_variant(gene: str, value: str) -> Iterator[Known]:
    if place := places.read(gene, value):
        index, shown = place
        found = known.of(call_gene(genes()[gene], Sample({gene: {index: shown}}), Rules()))
        if found.diplotypes:
            yield found
