"""A call of a gene becomes what a phenotype is told from: the diplotype that is looked up, or a laboratory's word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fhirtwin.pgx import functions, phenotype
from fhirtwin.pgx.calls import MAY_BE, Diplotype, GeneCall
from fhirtwin.pgx.coverage import Coverage
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.lowest import looked_up
from fhirtwin.pgx.results import Known, Pair

SOURCES = {"vcf": "VCF", "outside": "outside call"}
METHODS = {
    "vcf": "Named alleles matched to a VCF file on GRCh38",
    "outside": "Call of another laboratory or program, taken over",
}
"""How a call came about, as Genotypes say it; from it the source is read again."""
RYR1 = {"Malignant Hyperthermia associated": 0.0, "Uncertain function": 1.0, "Normal function": 2.0}
UNKNOWN = 0.25
"""Where an allele stands that no table knows: before all that is not plainly worse, so that it is not passed over."""


def of(call: GeneCall) -> Known:
    """Give what is known of a gene by a call."""
    found = _of(call)
    return replace(found, coverage=_coverage(call)) if found.diplotypes else found


def _coverage(call: GeneCall) -> Coverage | None:
    if call.source != "vcf" or not call.missing:
        return None
    return Coverage(len(call.missing), len(genes()[call.gene].positions), call.not_excluded)


def _of(call: GeneCall) -> Known:
    pairs = tuple(_pair(one) for one in looked_up(call, lambda allele: level(call.gene, allele)))
    source = SOURCES.get(call.source, call.source)
    if not call.called and not pairs:
        return Known(call.gene, (), source, (), f"not called, because {call.because}", call.notes)
    said = tuple(part for part in call.phenotype.split("; ") if part)
    if pairs and not call.gene.startswith("HLA-"):
        words = tuple(part for part in (*said, call.activity) if part)
        notes = tuple(f"the laboratory said {part}" for part in words)
        found = Known(call.gene, pairs, source, (), "", (*call.notes, *notes))
        if wrong := denied(found, words):
            return Known(call.gene, (), source, (), f"not called, because {wrong}", _sides(call, pairs, words))
        return found
    return _reported(call, pairs, said, source)


def _sides(call: GeneCall, pairs: tuple[Pair, ...], words: tuple[str, ...]) -> tuple[str, ...]:
    """The notes of a call, and each of the results that contradict one another."""
    return (*call.notes, *(f"{MAY_BE}{one}" for one in (*map(str, pairs), *words)))


def denied(found: Known, words: Iterable[str]) -> str:
    """Say how a phenotype or score of the laboratory cannot be true with a diplotype; empty where it can.

    Two scores of one phenotype differ by tables, not by persons, and are no contradiction. Of words that the tables do
    not have, and of diplotypes that leave the phenotype open, nothing is said.
    """
    told = phenotype.of_call(found)
    means = {one.word for one in told.alternatives}
    if not means or told.open or told.not_called:
        return ""
    for word in words:
        said = {one.word for one in phenotype.of_call(Known(found.gene, reported=(word,))).alternatives}
        if said and not said & means:
            named = f"{' or '.join(map(str, found.diplotypes))} ({' or '.join(sorted(means))})"
            return f"the diplotype {named} and what the laboratory said, {word}, contradict each other"
    return ""


def _reported(call: GeneCall, pairs: tuple[Pair, ...], said: tuple[str, ...], source: str) -> Known:
    words = (call.activity,) if call.activity and call.gene in functions.scored() else said
    if words != said and said:
        told = [phenotype.of_call(Known(call.gene, reported=(word,))).agreed for word in (*words, *said)]
        if len({one.word if one else "" for one in told}) > 1:
            why = f"not called, because phenotype and activity score of {call.gene} contradict each other"
            return Known(call.gene, (), source, (), why, call.notes)
    return Known(call.gene, pairs, source, words, "", call.notes)


def level(gene: str, allele: str) -> float:
    """Rank an allele of DPYD or RYR1 by its function, the worst lowest."""
    found = functions.candidates(gene, allele)
    if not found:
        return UNKNOWN
    return float(found[0].activity) if found[0].activity not in ("", "n/a") else RYR1.get(found[0].function, 1.0)


def _pair(one: Diplotype) -> Pair:
    first, *rest = (strand.label for strand in one.strands)
    return Pair(first, rest[0] if rest else "")
