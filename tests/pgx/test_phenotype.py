"""Diplotypes become phenotypes: every one that CPIC lists, and the ways in which one may not be told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks import phenotypes
from fhirtwin.pgx import functions, phenotype
from fhirtwin.pgx.results import GENES, Known, Pair


def test_every_diplotype_that_cpic_lists_has_its_phenotype_and_score(shared: Path) -> None:
    seen, wrong = Counter[str](), []
    for row in phenotypes.listed(shared / "data/pgx/cpic/diplotypes"):
        seen[row["gene"]] += 1
        said = phenotypes.told(row)
        if said != phenotypes.as_listed(row):
            wrong.append((row, said))
    assert wrong == []
    assert (sum(seen.values()), len(seen)) == (51_107, 19)


def test_rules_are_small_enough_to_read() -> None:
    size = sum(path.stat().st_size for folder in functions.FOLDERS for path in folder.glob("[fp][ua]*.tsv"))
    assert size < 100_000


def _told(gene: str, *diplotypes: str) -> list[tuple[str, str]]:
    calls = tuple(Pair(*text.split("/")) for text in diplotypes)
    return [(one.word, one.score) for one in phenotype.of_call(Known(gene, calls)).alternatives]


@pytest.mark.parametrize(
    ("text", "word", "score"),
    [
        ("*1/*1x3", "Ultrarapid Metabolizer", "≥4.0"),
        ("*4/*2x7", "Ultrarapid Metabolizer", "≥3.0"),
        ("*36+*10/*1", "Normal Metabolizer", "1.25"),
        ("*10 + *36/*4", "Intermediate Metabolizer", "0.25"),
        ("*13+*1/*4", "Intermediate Metabolizer", "1.0"),
        ("*68+*4/*4", "Poor Metabolizer", "0.0"),
        ("*41x3/*4", "Intermediate Metabolizer", "0.75"),
        ("*28/*1", "Indeterminate", "n/a"),
    ],
)
def test_copies_and_tandems_of_cyp2d6(text: str, word: str, score: str) -> None:
    assert _told("CYP2D6", text) == [(word, score)]


def test_copies_that_are_not_counted_give_what_two_and_more_would() -> None:
    assert _told("CYP2D6", "*1/*2xN") == [("Ultrarapid Metabolizer", "3.0"), ("Ultrarapid Metabolizer", "≥4.0")]
    assert _told("CYP2D6", "*4/*2xN") == [("Normal Metabolizer", "2.0"), ("Ultrarapid Metabolizer", "≥3.0")]


@pytest.mark.parametrize("text", ["*1/*999", "*1x0/*1", "*36+*77/*1", "*10x9/*1"])
def test_alleles_without_a_table_are_not_called(text: str) -> None:
    call = phenotype.of_call(Known("CYP2D6", (Pair(*text.split("/")),)))
    assert call.alternatives == () and "no table knows the allele" in call.not_called and call.agreed is None


def test_equal_alternatives_that_agree_are_one_phenotype() -> None:
    call = Known("CYP2C19", (Pair("*1", "*2"), Pair("*1", "*3")))
    assert phenotype.of_call(call).agreed == phenotype.of_call(call).alternatives[0]
    assert len(phenotype.of_call(call).alternatives) == 1


def test_equal_alternatives_that_differ_are_all_told_and_none_is_chosen() -> None:
    call = phenotype.of_call(Known("CYP2B6", (Pair("*1", "*6"), Pair("*4", "*9"), Pair("*1", "*1"))))
    assert [one.word for one in call.alternatives] == ["Intermediate Metabolizer", "Normal Metabolizer"]
    assert call.agreed is None


def test_one_diplotype_that_cannot_be_told_is_said_beside_those_that_can() -> None:
    call = phenotype.of_call(Known("CYP2C19", (Pair("*1", "*2"), Pair("*1", "*777"))))
    assert len(call.alternatives) == 1 and "*777" in call.not_called and call.agreed is None


def test_one_copy_of_a_gene_of_which_two_are_needed_is_not_called() -> None:
    assert "single copy" in phenotype.of_call(Known("CYP2C19", (Pair("*1"),))).not_called


@pytest.mark.parametrize(
    ("gene", "said", "word", "score"),
    [
        ("CYP2C19", "CYP2C19 poor metaboliser", "Poor Metabolizer", ""),
        ("CYP2D6", "1.25", "Normal Metabolizer", "1.25"),
        ("CYP2D6", ">=3.0", "Ultrarapid Metabolizer", "≥3.0"),
        ("SLCO1B1", "Decreased  Function", "Decreased Function", ""),
    ],
)
def test_words_of_the_laboratory_are_taken_when_the_guideline_has_them(
    gene: str, said: str, word: str, score: str
) -> None:
    agreed = phenotype.of_call(Known(gene, reported=(said,))).agreed
    assert agreed is not None and (agreed.word, agreed.score) == (word, score)


@pytest.mark.parametrize("said", ["slow-ish", "Rapid Acetylator", "1.1", ""])
def test_words_that_no_guideline_has_are_not_called(said: str) -> None:
    call = phenotype.of_call(Known("CYP2D6", reported=(said,)))
    assert call.agreed is None and "no phenotype that the guideline uses" in call.not_called


def test_every_gene_is_answered_for() -> None:
    with_rules = {gene for gene, _, _ in functions.pairs()}
    assert set(GENES) == with_rules | set(phenotype.WITHOUT_PHENOTYPE) and len(GENES) == 23
    for gene in phenotype.WITHOUT_PHENOTYPE:
        assert "has no phenotype" in phenotype.of_call(Known(gene, (Pair("*1", "*1"),))).not_called
    assert "no table here knows the gene" in phenotype.of_call(Known("BRCA1")).not_called


def test_each_function_and_rule_names_its_source_and_day() -> None:
    assert all(row["source"] and row["date"] for row in functions.rows("functions.tsv"))
    assert all(row["date"] for row in functions.rows("pairs.tsv"))


def test_gene_without_activity_scores_has_none_for_any_phenotype() -> None:
    assert phenotype.scores("CYP2D6", "Poor Metabolizer") == ("0.0",)
    assert phenotype.scores("NAT2", "Poor Metabolizer") == ()
    assert phenotype.scores("CYP2C19", "Poor Metabolizer") == ()
