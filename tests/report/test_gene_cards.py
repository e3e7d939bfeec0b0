from __future__ import annotations

from fhirtwin.api.cds.answers import response_rules
from fhirtwin.pgx.recommendations import DISCLAIMER
from fhirtwin.report.gene_cards import Card, genome_card
from fhirtwin.report.wording import escape
from fhirtwin.rules.genetics import standing
from fhirtwin.twin.state import Fact, PatientKey
from tests.rules.building import WHO, situation, taken
from tests.rules.genetics.building import result

POOR = result("CYP2C19", "*2/*2")
NORMAL = result("CYP2D6", "*1/*1")
GAP = result("DPYD", "no read at its places", "gene-not-called")


def card_of(*facts: Fact, who: PatientKey = WHO) -> Card | None:
    return genome_card(situation(facts=facts).state, who)


def shown(*facts: Fact) -> Card:
    card = card_of(*facts)
    assert card is not None
    return card


def test_no_card_without_results_and_none_when_nothing_matters() -> None:
    assert card_of() is None
    assert card_of(taken("codeine")) is None
    assert card_of(NORMAL, GAP) is None


def test_one_line_names_what_matters_and_how_many_genes_are_known() -> None:
    card = shown(POOR, NORMAL, GAP, result("HLA-B", "*57:01 positive", "allele-status"))
    assert card["summary"] == ("Pharmacogenomics, 3 of 4 genes known: CYP2C19 poor metabolizer; HLA-B*57:01 positive")
    assert card["indicator"] == "info"
    assert list(response_rules.broken({"cards": [card]})) == []
    assert "CYP2D6 normal metabolizer" in card["detail"]
    assert "DPYD: not called, because no read at its places" in card["detail"]
    assert "Observation/CYP2C19-diplotype version 1" in card["detail"]
    assert escape(DISCLAIMER) in card["detail"]
    assert "2023-08" in card["source"]["label"]


def test_uuid_is_of_the_patient_and_the_results_alone() -> None:
    assert shown(POOR)["uuid"] == shown(POOR, taken("codeine"))["uuid"]
    others = {shown(result("CYP2C19", "*2/*3"))["uuid"], shown(POOR, NORMAL)["uuid"]}
    stranger = card_of(POOR, who=PatientKey("", "2"))
    assert stranger is not None
    assert len({shown(POOR)["uuid"], stranger["uuid"], *others}) == 4


def test_many_genes_still_make_a_legal_summary() -> None:
    many = [
        result(gene, word, "gene-phenotype")
        for gene, word in (
            ("CYP2B6", "Poor Metabolizer"),
            ("CYP2C19", "Poor Metabolizer"),
            ("CYP3A5", "Normal Metabolizer"),
            ("NUDT15", "Poor Metabolizer"),
            ("TPMT", "Poor Metabolizer"),
            ("UGT1A1", "Poor Metabolizer"),
        )
    ]
    card = shown(*many)
    assert list(response_rules.broken({"cards": [card]})) == []
    assert "6 genes known" in card["summary"]
    assert all(fact.display in card["summary"] for fact in many)  # none is dropped, in words or by its name


def test_what_may_kill_stands_first_and_nothing_is_dropped_in_silence() -> None:
    three = (POOR, result("CYP2D6", "*4/*4"), result("DPYD", "c.1905+1G>A (*2A)/c.1905+1G>A (*2A)"))
    card = shown(*three)
    assert card["summary"].startswith("Pharmacogenomics, 3 genes known: DPYD poor metabolizer")
    assert all(fact.display in card["summary"] for fact in three)
    many = [result("HLA-B", f"*{name} positive", "allele-status", name) for name in ("57:01", "58:01", "15:02")]
    words = ("CYP2B6", "CYP2C19", "CYP2C9", "CYP2D6", "NUDT15", "TPMT", "UGT1A1", "SLCO1B1", "DPYD")
    more = [result(gene, "Poor Metabolizer", "gene-phenotype") for gene in words]
    longest = shown(*many, *more, result("RYR1", "Malignant Hyperthermia Susceptibility", "gene-phenotype"))
    assert len(longest["summary"]) < 140
    assert not longest["summary"].endswith("…")
    assert list(response_rules.broken({"cards": [longest]})) == []


def test_which_values_matter_by_themselves() -> None:
    matters = {
        ("CYP2C19", "Rapid Metabolizer"),
        ("CYP2D6", "0.0"),
        ("CYP3A5", "Normal Metabolizer"),  # tacrolimus needs more
        ("DPYD", "1.5"),
        ("RYR1", "Malignant Hyperthermia Susceptibility"),
        ("HLA-A", "*31:01 positive"),
    }
    does_not = {
        ("CYP2C19", "Normal Metabolizer"),
        ("CYP2D6", "2.0"),
        ("CYP3A5", "Poor Metabolizer"),
        ("RYR1", "Uncertain Susceptibility"),
        ("HLA-A", "*31:01 negative"),
        ("CYP2D6", "No Result"),
        ("G6PD", "Normal"),
    }
    assert all(standing.urgency(*one) > 1 for one in matters)
    assert not any(standing.urgency(*one) > 1 for one in does_not)
