"""Which texts of the folder hold for a person: by the values of genes that they name, never by what they say.

A value is compared as it is written: phenotype, activity score, allele with its status, or genotype. A text for a value
that this project words otherwise is not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fhirtwin.pgx import phenoconversion, phenotype
from fhirtwin.pgx.knowledge.entries import SOURCES, Entry
from fhirtwin.pgx.phenoconversion import Effective, Taken
from fhirtwin.pgx.recommendations import NO_RESULT
from fhirtwin.pgx.results import GenePhenotype, Known

Values = Mapping[str, frozenset[str]]
"""What is known of each gene, in all words that a text may have for it; without genes of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Held:
    """A text, and the values of the person by which it holds; none where it speaks of everybody with a known gene."""

    entry: Entry
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Genes:
    """What is known of a person's genes.

    Attributes:
        phenotypes: by gene, what the genes say.
        alleles: by HLA gene: allele, and `positive` or `negative`.
        calls: by gene.
    """

    phenotypes: Mapping[str, GenePhenotype]
    alleles: Mapping[str, Mapping[str, str]]
    calls: Mapping[str, Known]


def effects(entries: Iterable[Entry], genes: Genes, taken: Iterable[Taken], drug: str) -> dict[str, Effective]:
    """Tell what other medicines make of the genes that texts on a drug speak of; of unknown genes nothing.

    Args:
        entries: texts on the drug.
        genes: of the person.
        taken: beside the drug.
        drug: its own inhibition is left out.
    """
    beside = tuple(taken)
    spoken = dict.fromkeys(gene for entry in entries for gene in entry.genes)
    return {
        gene: phenoconversion.of(gene, genes.phenotypes[gene], beside, drug)
        for gene in spoken
        if gene in phenoconversion.GRADE and gene in genes.phenotypes
    }


def values(genes: Genes, acting: Mapping[str, Effective]) -> Values:
    """Give every word for what is known of each gene, with what other medicines make of it.

    Args:
        genes: of the person.
        acting: by gene, what other medicines do.
    """
    found = {}
    for gene in {*genes.phenotypes, *genes.alleles}:
        changed = gene in acting and acting[gene].changed
        told = acting[gene].effective if changed else genes.phenotypes.get(gene)
        words = set(_words(told)) | {f"{allele} {status}" for allele, status in genes.alleles.get(gene, {}).items()}
        if gene in genes.calls and not changed:  # a genotype says nothing of what a medicine does to the enzyme
            words |= _genotypes(genes.calls[gene])
        if words:
            found[gene] = frozenset(word.casefold() for word in words if word)
    return found


def _words(told: GenePhenotype | None) -> Iterable[str]:
    for one in told.alternatives if told else ():
        yield from (one.word, one.score)
        if not one.score:
            yield from phenotype.scores(one.gene, one.word)


def _genotypes(call: Known) -> set[str]:
    pairs = [one.alleles for one in call.diplotypes if one.second]
    return {"/".join(turned) for one in pairs for turned in (one, one[::-1])}


def holding(entries: Iterable[Entry], known: Values) -> tuple[Held, ...]:
    """Give the texts that hold, those for the person's own values first; the same text once."""
    found = [held for entry in entries if (held := _held(entry, known))]
    first: dict[tuple[str, str, str], Held] = {}
    for one in sorted(found, key=lambda one: (not one.values, _rank(one.entry.source))):
        first.setdefault((one.entry.source, one.entry.text, one.entry.population), one)
    return tuple(first.values())


_RANKS: Final = {source: number for number, source in enumerate(SOURCES)}


def _rank(source: str) -> int:
    return _RANKS.get(source, len(SOURCES))


def _held(entry: Entry, known: Values) -> Held | None:
    if not entry.keys:
        return Held(entry) if known.keys() & set(entry.genes) else None
    for key in entry.keys:
        named = tuple((gene, value) for gene, value in key if value != NO_RESULT)
        unknown = {gene for gene, value in key if value == NO_RESULT}
        fits = all(value.casefold() in known.get(gene, ()) for gene, value in named)
        if named and fits and not unknown & known.keys():
            return Held(entry, named)
    return None
