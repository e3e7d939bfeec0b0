"""Genotypes and haplotypes as they are met: what is read of them, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.pgx.calls import MAY_BE
from fhirtwin.terms.systems import LOINC
from tests.twin.builders import read
from tests.twin.genomics.builders import coded, component, genotype, haplotype, result, studied

Json = dict[str, Any]
GENE_ID = "http://www.genenames.org/geneId"


def told(resource: Json) -> list[tuple[str, str, str]]:
    made = read(resource)
    assert made.unused == ()
    return [(fact.display, fact.name, str(fact.value)) for fact in made.facts]


def refused(resource: Json) -> str:
    made = read(resource)
    assert all(fact.name == "gene-not-called" for fact in made.facts)
    (left,) = made.unused
    return left.reason


@pytest.mark.parametrize(
    "resource",
    [
        genotype("CYP2C19", "CYP2C19 *1/*17"),
        genotype("CYP2C19", "CYP2C19*1/*17"),
        genotype("CYP2C19", "CYP2C19*1/CYP2C19*17"),
        genotype("CYP2C19", "*1/*17"),
        result("84413-4", {"text": "CYP2C19 *1/*17"}),
        result("84413-4", {"text": "CYP2C19 *1/*17"}, studied("CYP2C19")),
        result("84413-4", coded("https://www.pharmvar.org", "CYP2C19 *1/*17", "CYP2C19 *1/*17")),
        result("84413-4", coded("http://www.pharmvar.org", "PV00123", "CYP2C19 *1/*17")),
        result("84413-4", {"text": "CYP2C19 *1/*17"}, studied("CYP2C19", system=GENE_ID)),
        result("84413-4", {"text": "*1/*17"}, studied("CYP2C19", "2621", GENE_ID)),
        result("84413-4", {"text": "*1/*17"}, studied("CYP2C19", "CYP2C19")),
        result("84413-4", {"text": "CYP2C19 *1/*17"}, studied("CYP2C19"), studied("VKORC1")),
        result("84413-4", None, studied("CYP2C19"), valueString="*1/*17"),
        genotype("CYP2C19", "CYP2C19 *1/*17", category=None, effectiveDateTime=None),
        genotype("CYP2C19", "CYP2C19 *1/*17", status="amended"),
    ],
)
def test_genotype_is_read_in_every_form(resource: Json) -> None:
    assert told(resource) == [("CYP2C19", "diplotype", "*1/*17")]


@pytest.mark.parametrize(
    ("gene", "said", "fact"),
    [
        ("CYP2D6", "CYP2D6 *1x2/*4", ("diplotype", "*1x2/*4")),
        ("CYP2D6", "*36+*10/*41", ("diplotype", "*36 + *10/*41")),
        ("CYP2D6", "*1/*4.024", ("diplotype", "*1/*4")),
        ("DPYD", "c.1905+1G>A/Reference", ("diplotype", "c.1905+1G>A (*2A)/Reference")),
        ("DPYD", "*1/*2A", ("diplotype", "Reference/c.1905+1G>A (*2A)")),
        ("DPYD", "DPYD *1/*1", ("diplotype", "Reference/Reference")),
        ("CYP2C19", "cyp2c19 *1/*17", ("diplotype", "*1/*17")),
        ("VKORC1", "-1639 G/A", ("diplotype", "rs9923231 reference (C)/rs9923231 variant (T)")),
        ("MT-RNR1", "m.1555A>G", ("diplotype", "m.1555A>G")),
        ("HLA-B", "HLA-B*57:01 positive", ("allele-status", "*57:01 positive")),
        ("HLA-B", "HLA-B*15:02", ("haplotype", "*15:02")),
        ("HLA-B", "hla#3.33.0#HLA-B*08:01/HLA-B*40:01", ("diplotype", "*08:01/*40:01")),
        ("HLA-A", "hla#3.31.0#HLA-A*03:01:01:01+HLA-A*30:01:01", ("diplotype", "*03:01:01:01/*30:01:01")),
        ("HLA-B", "hla#3.31.0#HLA-A*03:01~HLA-B*57:01+HLA-A*30:01~HLA-B*08:01", ("diplotype", "*08:01/*57:01")),
        ("HLA-B", "hla#3.31.0#HLA-B*57:01+HLA-B*08:01/HLA-B*08:02", ("diplotype", "*08:01/*57:01 | *08:02/*57:01")),
    ],
)  # fmt: skip
def test_spellings_of_the_wild(gene: str, said: str, fact: tuple[str, str]) -> None:
    assert told(genotype(gene, said)) == [(gene, *fact)]


def test_dpyd_is_known_by_its_own_number_and_not_by_that_of_another_gene() -> None:
    said = {"text": "c.1905+1G>A (*2A)/Reference"}
    theirs = component("48018-6", coded("http://www.genenames.org", "HGNC:3012", "DPYD"))
    assert told(result("84413-4", said, theirs)) == [("DPYD", "diplotype", "c.1905+1G>A (*2A)/Reference")]
    cdx2 = component("48018-6", coded("http://www.genenames.org", "HGNC:1806", "CDX2"))
    assert "no table here knows" in refused(result("84413-4", said, cdx2))


def test_several_statuses_of_one_gene() -> None:
    said = {"text": "HLA-B *57:01 positive; *15:02 negative"}
    assert told(result("84413-4", said, studied("HLA-B"))) == [
        ("HLA-B", "allele-status", "*57:01 positive"),
        ("HLA-B", "allele-status", "*15:02 negative"),
    ]


def test_haplotype_is_one_allele() -> None:
    assert told(haplotype("CYP2C9", "CYP2C9*4")) == [("CYP2C9", "haplotype", "*4")]


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (genotype("CYP2C19", "CYP2D6 *1/*4"), "differ"),
        (genotype("CYP2C19", "no variants found"), "not written as alleles"),
        (result("84413-4", {"text": "*1/*17"}), "does not name its gene"),
        (result("84413-4", {"text": "DRB1*13:AKBAR"}, component("48018-6", coded(GENE_ID, "HGNC:4948", "HLA-DRB1"))),
         "no table here knows"),
        (result("84413-4", {"text": "*1/*17"}, studied("CYP2C9", "2621", GENE_ID)), "no table here knows"),
        (result("84413-4", {"text": "*1/*2", **coded("http://www.pharmvar.org", "*1/*17")}, studied("CYP2C19")),
         "different alleles"),
        (result("84413-4", {"text": "*1/*2 likely", **coded("http://www.pharmvar.org", "*1/*1")}, studied("CYP2C19")),
         "different alleles"),
        (genotype("HLA-B", "hla#3.31.0#HLA-B*57:01/HLA-B*57:02"), "not written as alleles"),
        (genotype("CYP2C19", "CYP2C19 *1/*17", status="preliminary"), "status"),
        (genotype("CYP2C19", "CYP2C19 *1/*17", focus=[{"reference": "Patient/other"}]), "focus"),
        (result("84413-4", {"text": "*1/*17"}, studied("CYP2C19"),
                component("48002-0", coded("http://loinc.org", "LA6684-0"))), "not germline"),
        (result("84413-4", None), "does not name its gene"),
        (result("53041-0", None), "of a kind from which"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_refused_with_its_reason(resource: Json, why: str) -> None:
    assert why in refused(resource)


def test_unreadable_result_leaves_its_gene_uncalled_and_says_no_word_of_it() -> None:
    made = read(genotype("CYP2C19", "Jane Doe has it"))
    ((fact,), (left,)) = made.facts, made.unused
    assert (fact.name, fact.display) == ("gene-not-called", "CYP2C19")
    assert "Jane" not in left.reason + str(fact.value)


def test_absent_value_is_a_gene_that_was_not_called_with_the_reason() -> None:
    absent = result("84413-4", None, studied("TPMT"), dataAbsentReason={"text": "too little DNA"})
    assert told(absent) == [("TPMT", "gene-not-called", "too little DNA")]
    silent = result("84413-4", None, studied("TPMT"), dataAbsentReason=coded("http://x.example", "unknown"))
    assert told(silent) == [("TPMT", "gene-not-called", "the laboratory gave no result")]


def _counted(said: str, number: Any, gene: str = "CYP2D6") -> Json:
    made = genotype(gene, said)
    value = {"valueQuantity": number} if isinstance(number, dict) else {"valueInteger": number}
    return {**made, "component": [*made["component"], {"code": coded(LOINC, "82155-3"), **value}]}


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("*1/*2", 2),
        ("*1/*2", {"value": 2}),
        ("*1x2/*2", 3),
        ("*1/*5", 1),
        ("*5/*5", 0),
        ("*1xN/*4", 4),
        ("*36+*10/*1", 2),
    ],
)
def test_number_of_copies_that_fits_changes_nothing(said: str, number: Any) -> None:
    assert [name for _, name, _ in told(_counted(said, number))] == ["diplotype"]


@pytest.mark.parametrize(
    ("said", "number", "may_be"),
    [
        ("*1/*2", 3, ["*1x2/*2", "*1/*2x2"]),
        ("*1/*5", 2, ["*1x2/*5"]),
        ("*1/*2", 1, []),
        ("*1x2/*2", 4, []),
        ("*1/*2", {"value": 3, "comparator": ">="}, []),
        ("*1/*2", "three", []),
    ],
)
def test_number_of_copies_that_does_not_fit_leaves_the_gene_uncalled(said: str, number: Any, may_be: list[str]) -> None:
    (found,) = read(_counted(said, number)).facts
    assert (found.name, found.display) == ("gene-not-called", "CYP2D6")
    assert found.note == "\n".join(f"{MAY_BE}{one}" for one in may_be)


def test_other_genes_have_two_copies() -> None:
    (found,) = read(_counted("*1/*2", 3, "CYP2C19")).facts
    assert found.name == "gene-not-called" and "(3)" in str(found.value)


def test_variant_that_counts_copies_names_its_gene() -> None:
    gain = result("69548-6", coded(LOINC, "LA9633-4"), studied("CYP2D6"))
    gain["component"].append({"code": coded(LOINC, "82155-3"), "valueQuantity": {"value": 3}})
    (found,) = read(gain).facts
    assert (found.name, found.display) == ("gene-not-called", "CYP2D6")
