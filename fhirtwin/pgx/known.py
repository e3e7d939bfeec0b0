"""A call of a gene becomes what a phenotype is told from: the diplotype that is looked up, or a laboratory's word."""

from __future__ import annotations

from dataclasses import replace

from fhirtwin.pgx import functions, phenotype
from fhirtwin.pgx.calls import Diplotype, GeneCall
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
        notes = tuple(f"the laboratory said {part}" for part in (*said, call.activity) if part)
        return Known(call.gene, pairs, source, (), "", (*call.notes, *notes))
    return _reported(call, pairs, said, source)


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
