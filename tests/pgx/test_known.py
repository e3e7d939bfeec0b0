"""Calls of a VCF or of an outside laboratory become phenotypes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhirtwin.pgx import guideline, hla, known, phenotype, recommendations
from fhirtwin.pgx.calls import MAY_BE, Diplotype, GeneCall, Strand
from fhirtwin.pgx.outside_calls import read_outside_calls, with_outside
from fhirtwin.pgx.results import GENES, GenePhenotype


def tell(call: GeneCall) -> GenePhenotype:
    return phenotype.of_call(known.of(call))


def _outside(*lines: str) -> dict[str, GeneCall]:
    return with_outside({}, read_outside_calls("\n".join("\t".join(line.split("|")) for line in lines)))


@pytest.mark.parametrize(
    ("line", "word", "score"),
    [
        ("CYP2D6|*1/*1x3", "Ultrarapid Metabolizer", "≥4.0"),
        ("CYP2D6|*36+*10/*1", "Normal Metabolizer", "1.25"),
        ("CYP2C19|*2/*17", "Intermediate Metabolizer", ""),
        ("CYP2D6|||1.25", "Normal Metabolizer", "1.25"),
        ("CYP2D6||Normal Metabolizer|2.0", "Normal Metabolizer", "2.0"),
        ("CYP2C9||Poor Metabolizer", "Poor Metabolizer", ""),
        ("MT-RNR1|1555A>G", "increased risk of aminoglycoside-induced hearing loss", ""),
        ("DPYD|[c.1905+1G>A (*2A) + c.85T>C (*9A)]/Reference", "Intermediate Metabolizer", "1.0"),
    ],
)
def test_outside_calls(line: str, word: str, score: str) -> None:
    call = _outside(line)[line.partition("|")[0]]
    agreed = tell(call).agreed
    assert agreed is not None, tell(call)
    assert (agreed.word, agreed.score) == (word, score)


def test_phenotype_and_score_that_contradict_are_not_called() -> None:
    told = tell(_outside("CYP2D6||Poor Metabolizer|2.0")["CYP2D6"])
    assert told.alternatives == () and "contradict each other" in told.not_called


def test_a_gene_that_was_not_called_keeps_its_reason() -> None:
    told = tell(GeneCall("CYP2C19", because="the file shows none of its positions"))
    assert told.not_called == "not called, because the file shows none of its positions"


def test_what_the_laboratory_said_beside_a_diplotype_is_a_note_where_both_can_be_true() -> None:
    told = tell(_outside("CYP2D6|*1/*10|Normal Metabolizer|1.5")["CYP2D6"])
    assert told.agreed is not None and told.agreed.score == "1.25"
    assert told.notes == ("the laboratory said Normal Metabolizer", "the laboratory said 1.5")


@pytest.mark.parametrize(
    "line", ["CYP2C19|*1/*1|Poor Metabolizer", "CYP2D6|*1/*1|Poor Metabolizer|0.0", "CYP2D6|*1/*1||0.0"]
)
def test_a_diplotype_and_a_phenotype_that_cannot_both_be_true_are_not_called_and_both_named(line: str) -> None:
    gene, diplotype, *words = line.split("|")
    told = tell(_outside(line)[gene])
    assert told.alternatives == ()
    assert "the diplotype *1/*1 (Normal Metabolizer) and what the laboratory said" in told.not_called
    assert told.notes == tuple(f"{MAY_BE}{one}" for one in (diplotype, *filter(None, words)))


def test_a_variant_that_no_table_knows_is_not_passed_over() -> None:
    call = GeneCall("RYR1", (Diplotype.of(Strand(("Reference",)), Strand(("c.14918C>T", "c.1840C>T"))),))
    assert tell(call).agreed is not None  # c.1840C>T is plainly associated
    call = GeneCall("RYR1", (Diplotype.of(Strand(("Reference",)), Strand(("c.14918C>T",))),))
    assert tell(call).alternatives == () and "c.14918C>T" in tell(call).not_called


def test_hla_alleles_of_an_outside_call() -> None:
    assert hla.statuses(known.of(_outside("HLA-B|*15:02/*57:01")["HLA-B"])) == {
        "*15:02": "positive",
        "*57:01": "positive",
        "*58:01": "negative",
    }


def test_the_recorded_report_from_its_labels_by_way_of_calls(shared: Path) -> None:
    report = json.loads((shared / "data/pgx/testcases/dev/end_to_end_example1.json").read_text(encoding="utf-8"))
    labels = {gene: said["recommendation"][0]["label"] for gene, said in report["genes"].items()}
    labels["CFTR"] = labels["CFTR"].replace("Reference", "ivacaftor non-responsive CFTR sequence")
    lines = [f"{gene}|{label}" for gene, label in labels.items() if "Unknown" not in label]
    calls = _outside(*lines)
    assert set(calls) == set(GENES) - {"HLA-A"}
    told = {gene: tell(call) for gene, call in calls.items()}
    alleles = {gene: hla.statuses(known.of(call)) for gene, call in calls.items()}
    wanted: dict[str, set[tuple[str, str]]] = {}
    for one in report["recommendations"]:
        if one["source"] == "CPIC_GUIDELINE" and one["drug"] in guideline.drugs():
            wanted.setdefault(one["drug"], set()).add(
                ((one["population"] or "general").strip(), one["classification"].title())
            )
    same = 0
    for drug, rows in wanted.items():
        found = recommendations.advise(drug, told, alleles).recommendations
        same += len(rows & {(row.population, row.strength.title()) for row in found})
    assert same == 82
