"""One harmless position of a gene is no usual dose: what was not tested is said wherever it could matter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhirtwin.pgx import known
from fhirtwin.pgx.calling import call_gene
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.genotype import Genotype, Sample
from fhirtwin.rules.genetics import dosing, person
from fhirtwin.twin.state import Fact
from tests.report.genomics.builders import bundle, components, of_type
from tests.rules.building import situation
from tests.rules.genetics.building import one, result, told


def harmless(gene: str, *, whole: bool = False) -> Fact:
    """A call from the reference at the last position that has one base, or at all of them."""
    defined = genes()[gene]
    last = [one for one in defined.positions if len(one.reference) == 1][-1:]
    shown = {p.index: Genotype((p.reference, p.reference)) for p in (defined.positions if whole else last)}
    found = known.of(call_gene(defined, Sample({gene: shown})))
    note = "\n".join(("Named alleles matched to a VCF file on GRCh38", str(found.coverage or "")))
    return replace(result(gene, str(found.diplotypes[0])), note=note.strip(), time="2025-01-10")


@pytest.mark.parametrize(
    ("gene", "drug", "how"),
    [
        ("NUDT15", "azathioprine", "is told normal from 1 of 18 positions, *2, *3 and "),
        ("TPMT", "azathioprine", "is told normal from 1 of 43 positions, "),
        ("CYP2C9", "phenytoin", "is told normal from 1 of 83 positions, "),
        ("CYP2C9", "siponimod", "is told normal from 1 of 83 positions, "),
        ("CYP2B6", "efavirenz", "is told normal from 1 of 48 positions, "),
        ("CYP2C19", "clopidogrel", "is told "),
        ("UGT1A1", "atazanavir", "is told normal from 1 of 4 positions, "),
        ("G6PD", "rasburicase", "is not known, 170 of 171 positions were not tested"),
        ("CFTR", "ivacaftor", "is not known, 92 of 93 positions were not tested"),
        ("RYR1", "succinylcholine", "is not known, 312 of 313 positions were not tested"),
    ],
)
def test_what_would_be_no_card_is_a_remark(gene: str, drug: str, how: str) -> None:
    (found,) = told(drug, facts=(harmless(gene),))
    assert found.rule == f"genes.not-called.{gene}" and found.severity.value == "info"
    assert found.summary.startswith(f"{gene} {how}") and found.summary.endswith(f": {drug} not judged by it")
    assert len(found.summary) <= 140
    assert any(line.startswith(f"{gene}: ") and "positions were not tested" in line for line in found.detail)


def test_a_phenotype_that_untested_alleles_may_change_is_not_agreed() -> None:
    for whole in (False, True):
        fact = harmless("NUDT15", whole=whole)
        phenotypes = person.of(situation(facts=(fact,)).state).phenotypes
        assert bool(phenotypes["NUDT15"].agreed) is whole


@pytest.mark.parametrize(
    ("gene", "drug"),
    [("NUDT15", "azathioprine"), ("TPMT", "azathioprine"), ("CYP2C9", "siponimod"), ("G6PD", "rasburicase")],
)
def test_nothing_is_said_where_all_was_tested(gene: str, drug: str) -> None:
    assert told(drug, facts=(harmless(gene, whole=True),)) == ()


def test_each_gene_of_a_drug_is_told() -> None:
    rules = {one.rule for one in told("azathioprine", facts=(harmless("NUDT15"), harmless("TPMT")))}
    assert rules == {"genes.not-called.NUDT15", "genes.not-called.TPMT"}


def test_a_warning_from_little_says_perhaps() -> None:
    (found,) = told("tacrolimus", facts=(harmless("CYP3A5"),))
    assert "perhaps CYP3A5 normal metabolizer" in found.summary
    assert any("only if *3" in line for line in found.detail)
    (whole,) = told("tacrolimus", facts=(harmless("CYP3A5", whole=True),))
    assert "perhaps" not in whole.summary and not any("only if" in line for line in whole.detail)


@pytest.mark.parametrize("gene", ["NUDT15", "TPMT"])
def test_an_implication_says_itself_what_it_hangs_on(gene: str) -> None:
    fact, whole = harmless(gene), harmless(gene, whole=True)
    made = of_type(bundle(fact, asked=("azathioprine",)), "Observation", "therapeutic-implication")
    assert made
    for implication in made:
        (said,) = components(implication, "conclusion-string")
        assert f"Perhaps {gene} Normal Metabolizer, only if *" in said and "positions were not tested" in said
        assert any(f"perhaps {gene} Normal" in text for text in components(implication, "therapeutic-implication"))
    sure = of_type(bundle(whole, asked=("azathioprine",)), "Observation", "therapeutic-implication")
    assert sure and not any("only if" in components(one, "conclusion-string")[0] for one in sure)


@pytest.mark.parametrize(("gene", "drug"), [("G6PD", "rasburicase"), ("CFTR", "ivacaftor"), ("DPYD", "capecitabine")])
def test_a_report_does_not_call_known_what_is_not(gene: str, drug: str) -> None:
    made = bundle(harmless(gene), asked=(drug,))
    assert of_type(made, "Observation", "therapeutic-implication") == []
    said = made["entry"][0]["resource"]["conclusion"]
    assert f"Called: {gene} " in said and "Known:" not in said and "for what is known of" not in said
    assert f"{drug}: {gene}: not known, because " in said


def test_no_dose_of_warfarin_rests_on_an_allele_that_was_not_tested() -> None:
    little, whole = (
        person.of(situation("warfarin", facts=(harmless("CYP2C9", whole=one),)).state) for one in (False, True)
    )
    assert dosing.genotype("CYP2C9", whole) == ("*1/*1", "")
    assert dosing.genotype("CYP2C9", little) == ("", "*2 and *3 of CYP2C9 are not excluded")


def test_normal_dpyd_of_which_most_was_not_tested_is_told_as_not_known() -> None:
    note = "Named alleles matched to a VCF file on GRCh38\n82 of 83 positions were not tested; not excluded: c.2846A>T"
    found = one("capecitabine", facts=(replace(result("DPYD", "Reference/Reference"), note=note),))
    assert found.summary == "DPYD is not known, 82 of 83 positions were not tested: capecitabine not judged by it"
    assert "DPYD: 82 of 83 positions were not tested; not excluded: c.2846A>T." in found.detail
    lowered = one("capecitabine", facts=(replace(result("DPYD", "c.1679T>G (*13)/Reference"), note=note),))
    assert "intermediate metabolizer" in lowered.summary
    assert "DPYD: 82 of 83 positions were not tested; not excluded: c.2846A>T." in lowered.detail
    assert "(VCF)" in lowered.detail[0]
