"""What is written of a gene is read again as the same, of all 23 genes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirtwin.fhir import codec, validator
from fhirtwin.pgx import functions, hla, phenotype
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.results import GENES, Known, Pair
from fhirtwin.report.genomics.genotype import genotype
from fhirtwin.twin import genome
from tests.twin.builders import facts_of


def names(gene: str) -> list[str]:
    """Every name of an allele that a table or a definition has."""
    known = {one.allele for one in functions.alleles().get(gene, {}).values()}
    defined = set(genes()[gene].by_name) if gene in genes() else set()
    typed = {f"*{first:02d}:{second:02d}" for first in (7, 8, 15, 31, 57, 58) for second in (1, 2, 5)}
    return sorted(known | defined or typed)


@st.composite
def called(draw: st.DrawFn) -> Known:
    gene = draw(st.sampled_from(GENES))
    allele = st.sampled_from(names(gene))
    one_copy = gene == "MT-RNR1"
    pair = st.builds(Pair, allele) if one_copy else st.builds(Pair, allele, allele)
    pairs = draw(
        st.lists(pair, min_size=1, max_size=1 if one_copy else 3, unique_by=lambda p: frozenset((p.first, p.second)))
    )
    return Known(gene, tuple(pairs))


@st.composite
def reported(draw: st.DrawFn) -> Known:
    gene = draw(st.sampled_from([g for g in GENES if g not in {*phenotype.WITHOUT_PHENOTYPE, "VKORC1"}]))
    word = draw(st.sampled_from(sorted(phenotype.words(gene))))
    scores = [score for score in phenotype.scores(gene, word) if score] if gene in functions.scored() else []
    return Known(gene, reported=(draw(st.sampled_from([word, *scores])),))


WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("Z", "C")), min_size=1)
REASONS = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)


def again(known: Known) -> Known:
    written = genotype(known, "Patient/pat", "2024-03-01")
    assert validator.validate(written) == []
    read = codec.decode(codec.encode(written))
    ((gene, found),) = genome.of(facts_of([read])).items()
    assert gene == known.gene and found.conflict == ""
    return found.known


@settings(max_examples=400)
@given(called())
def test_diplotypes(known: Known) -> None:
    assert again(known).diplotypes == known.diplotypes


@given(reported())
def test_phenotypes_and_scores(known: Known) -> None:
    assert again(known).reported == known.reported


@pytest.mark.parametrize("word", ["-1639 GG", "-1639 AG", "-1639 AA"])
def test_phenotypes_of_vkorc1_are_its_genotypes(word: str) -> None:
    agreed = phenotype.of_call(again(Known("VKORC1", reported=(word,)))).agreed
    assert agreed and agreed.word == word


@given(st.sampled_from(GENES), REASONS)
def test_reasons_why_a_gene_was_not_called(gene: str, reason: str) -> None:
    known = Known(gene, not_called=f"not called, because {reason}")
    assert again(known).not_called == known.not_called


@pytest.mark.parametrize("gene", ["HLA-A", "HLA-B"])
def test_statuses_of_alleles(gene: str) -> None:
    said = tuple(f"{allele} {hla.POSITIVE if n else hla.NEGATIVE}" for n, allele in enumerate(hla.ASKED[gene]))
    assert hla.statuses(again(Known(gene, reported=said))) == hla.statuses(Known(gene, reported=said))
