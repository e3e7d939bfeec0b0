"""What labels say of genes: contraindications, what to avoid, limits of doses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from fhirtwin.pgx import hla, labels, phenotype
from fhirtwin.pgx.results import GenePhenotype, Known, Pair, Phenotype
from fhirtwin.terms.facts import FLAGS
from tests.conftest import ROOT


def _said(drug: str, *calls: Known, disease: str = "") -> list[labels.Finding]:
    told = {call.gene: phenotype.of_call(call) for call in calls}
    alleles = {call.gene: hla.statuses(call) for call in calls}
    by_gene = {call.gene: call for call in calls}
    return [*labels.say(drug, told, alleles, by_gene, {disease} - {""})]


def _met(drug: str, *calls: Known, disease: str = "") -> list[bool | None]:
    return [one.met for one in _said(drug, *calls, disease=disease)]


def _call(gene: str, pair: str) -> Known:
    return Known(gene, (Pair(*pair.split("/")),))


def test_valproate_is_raised_for_polg_and_named_when_nobody_looked() -> None:
    assert _met("Divalproex Sodium", disease="polg-disease") == [True, None]
    assert _met("valproic acid", disease="urea-cycle-disorder") == [None, True]
    assert _met("valproic acid") == [None, None]


@pytest.mark.parametrize(
    ("drug", "gene", "pair", "met"),
    [
        ("abacavir", "HLA-B", "*57:01/*07:02", True),
        ("abacavir", "HLA-B", "*08:01/*07:02", False),
        ("abacavir", "HLA-B", "*57/*07:02", None),
        ("rasburicase", "G6PD", "Mahidol/Mahidol", True),
        ("rasburicase", "G6PD", "Mahidol/A", None),
        ("rasburicase", "G6PD", "A/A", False),
        ("pegloticase", "G6PD", "Mahidol/Mahidol", True),
        ("tafenoquine", "G6PD", "Mahidol/A", None),
        ("methylene blue", "G6PD", "Mahidol/Mahidol", True),
        ("primaquine", "G6PD", "Mahidol/Mahidol", None),
        ("primaquine", "G6PD", "A/A", False),
        ("thioridazine", "CYP2D6", "*4/*5", True),
        ("thioridazine", "CYP2D6", "*1/*5", None),
        ("thioridazine", "CYP2D6", "*1/*1", False),
        ("thioridazine", "CYP2D6", "*1/*999", None),
        ("pimozide", "CYP2D6", "*4/*5", True),
        ("tetrabenazine", "CYP2D6", "*1/*4", False),
        ("carbamazepine", "HLA-B", "*15:02/*07:02", True),
        ("capecitabine", "DPYD", "c.1905+1G>A (*2A)/c.1905+1G>A (*2A)", True),
        ("capecitabine", "DPYD", "c.1905+1G>A (*2A)/c.2846A>T", None),
        ("capecitabine", "DPYD", "Reference/Reference", False),
    ],
)
def test_genotypes_that_a_label_speaks_of(drug: str, gene: str, pair: str, met: bool | None) -> None:
    assert _met(drug, _call(gene, pair)) == [met]


@pytest.mark.parametrize(
    ("pair", "met"),
    [("*3/*3", [True, False, False]), ("*3/*1", [False, True, False]), ("*2/*3", [False, False, True])],
)
def test_siponimod_by_the_pair_of_alleles(pair: str, met: list[bool | None]) -> None:
    assert _met("siponimod", _call("CYP2C9", pair)) == met


@pytest.mark.parametrize(("pair", "met"), [("*28/*28", [True]), ("*1/*28", [False])])
def test_irinotecan_by_two_of_the_allele(pair: str, met: list[bool | None]) -> None:
    assert _met("irinotecan", _call("UGT1A1", pair)) == met


@pytest.mark.parametrize(("pair", "met"), [("*3/*1", [None, True]), ("*1/*1", [None, False]), ("*2/*2", [None, False])])
def test_carriers_of_an_allele_that_is_no_hla(pair: str, met: list[bool | None]) -> None:
    assert _met("phenytoin", _call("CYP2C9", pair)) == met


@pytest.mark.parametrize(
    ("ryr1", "cacna1s", "met"),
    [
        ("Malignant Hyperthermia Susceptibility", "Uncertain Susceptibility", True),
        ("Uncertain Susceptibility", "Malignant Hyperthermia Susceptibility", True),
        ("Uncertain Susceptibility", "Uncertain Susceptibility", None),
        ("Uncertain Susceptibility", "", None),
    ],
)
@pytest.mark.parametrize("drug", ["desflurane", "isoflurane", "sevoflurane", "succinylcholine"])
def test_malignant_hyperthermia_is_met_by_either_gene_and_never_ruled_out(
    drug: str, ryr1: str, cacna1s: str, met: bool | None
) -> None:
    told = {
        gene: GenePhenotype(gene, (Phenotype(gene, word),))
        for gene, word in (("RYR1", ryr1), ("CACNA1S", cacna1s))
        if word
    }
    assert [one.met for one in labels.find(drug, told)] == [met]


@pytest.mark.parametrize(
    ("pair", "met"),
    [
        ("*4/*5", [None, False, False]),
        ("*1/*4", [False, None, False]),
        ("*1/*1", [False, False, None]),
        ("*1x≥3/*1", [False] * 3),
    ],
)
def test_what_needs_another_condition_is_never_told_as_met(pair: str, met: list[bool | None]) -> None:
    found = _said("eliglustat", _call("CYP2D6", pair))
    assert [one.met for one in found] == met
    assert all("CYP3A" in one.statement.only_with for one in found)


def test_only_contraindications_are_found_as_such() -> None:
    call = _call("CYP2D6", "*4/*5")
    told = {"CYP2D6": phenotype.of_call(call)}
    assert labels.find("pimozide", told) == ()
    (limit,) = labels.say("pimozide", told)
    assert (limit.met, limit.statement.kind) == (True, "limit")
    assert "4 mg/day" in limit.statement.limit
    assert [one.statement.kind for one in labels.find("thioridazine", told)] == ["contraindicated"]


def test_drugs_without_such_a_label_have_none() -> None:
    assert _met("sertraline") == []


def test_every_statement_says_who_says_it_and_can_be_met() -> None:
    for one in labels.statements():
        assert one.source and one.url.startswith("https://") and one.when
        assert one.kind in ("contraindicated", "avoid", "reduce", "limit", "consider")
        assert bool(one.limit) == (one.kind in ("reduce", "limit"))
        assert one.words or one.allele or one.diplotype or one.disease in FLAGS
        for word in (*one.words, *one.unsure):
            assert all(word in phenotype.words(gene) for gene in one.genes), word


def test_the_page_names_every_drug_with_a_statement() -> None:
    page = (ROOT / "docs/pgx/recommendations.md").read_text(encoding="utf-8")
    assert [one.drugs[0] for one in labels.statements() if one.drugs[0] not in page] == []


def test_every_label_of_the_recorded_report_that_forbids_is_here(shared: Path) -> None:
    report = json.loads((shared / "data/pgx/testcases/dev/end_to_end_example1.json").read_text(encoding="utf-8"))
    forbidding = {
        row["drug"]
        for row in report["recommendations"]
        if row["source"] == "FDA_LABEL" and "contraindicat" in row["text"].casefold()
    }
    known = {drug for one in labels.statements() if one.kind == labels.CONTRAINDICATED for drug in one.drugs}
    assert forbidding and forbidding <= known


def test_drugs_of_the_fdas_table_are_spelled_as_there(shared: Path) -> None:
    with (shared / "data/pgx/clinpgx/fda_pgx_associations_index.tsv").open(encoding="utf-8") as lines:
        listed = {row["drug"] for row in csv.DictReader(lines, delimiter="\t")}
    limits = {one.drugs[0] for one in labels.statements() if one.kind == "limit"}
    assert limits <= listed
