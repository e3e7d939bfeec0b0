"""Phenotypes that laboratories concluded, in the forms of every version of the guide, and as single LOINC results."""

from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.terms.systems import LOINC, profile
from tests.twin.builders import read
from tests.twin.genomics.builders import coded, component, implication, result, studied
from tests.twin.genomics.test_alleles import refused, told

Json = dict[str, Any]


@pytest.mark.parametrize(
    "resource",
    [
        implication("LA9657-3", studied("CYP2C19"), code="53040-2", system=LOINC),
        result("53040-2", coded(LOINC, "LA9657-3", "Poor metabolizer"), studied("CYP2C19")),
        result("53040-2", {**coded(LOINC, "LA9657-3", "Poor metabolizer"), "text": "CYP2C19 poor metaboliser"}),
        implication("CYP2C19 Poor Metabolizer", code="predicted-therapeutic-implication"),
        implication("LA9657-3", studied("CYP2C19"), code="predicted-therapeutic-implication"),
        implication("LA9657-3", studied("CYP2C19")),
        implication("Poor metabolizer", studied("CYP2C19")),
        result("53040-2", coded(LOINC, "LA9657-3"), studied("CYP2C19")),
        implication("Poor Metabolizer", studied("CYP2C19"),
                    system="http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/TbdCodes"),
    ],
)  # fmt: skip
def test_the_component_that_moved_is_read_in_all_its_forms(resource: Json) -> None:
    ((gene, name, word),) = told(resource)
    assert (gene, name, word.casefold()) == ("CYP2C19", "gene-phenotype", "poor metabolizer")


def test_transport_and_score() -> None:
    assert told(implication("LA25395-7", studied("SLCO1B1"), code="51971-0", system=LOINC)) == [
        ("SLCO1B1", "gene-phenotype", "Decreased Function")
    ]
    assert told(implication("1.25", studied("CYP2D6"))) == [("CYP2D6", "gene-phenotype", "1.25")]


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (implication("Poor Metabolizer"), "does not name its gene"),
        (implication("Poor Metabolizer", studied("CYP2C19"), studied("CYP2D6")), "several genes"),
        (implication("CYP2D6 Poor Metabolizer", studied("CYP2C19")), "differ"),
        (implication("rather slow", studied("CYP2C19")), "no phenotype that the guideline uses"),
        (implication("LA19541-4", studied("HLA-B"), code="83009-1", system=LOINC), "for a medicine"),
        (implication("LA6677-4", code="51961-1", system=LOINC), "for a medicine"),
        (result("therapeutic-implication", None, studied("CYP2C19"),
                system="http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs"), "no phenotype"),
    ],
)  # fmt: skip
def test_what_tells_no_phenotype_of_one_gene_is_refused(resource: Json, why: str) -> None:
    assert why in refused(resource)


@pytest.mark.parametrize(
    ("code", "value", "fact"),
    [
        ("79713-4", coded(LOINC, "LA10317-8"), ("TPMT", "gene-phenotype", "Intermediate Metabolizer")),
        ("79716-7", {"text": "Normal metabolizer"}, ("CYP2C9", "gene-phenotype", "Normal metabolizer")),
        ("79722-5", coded(LOINC, "LA25393-2"), ("SLCO1B1", "gene-phenotype", "Normal Function")),
        ("50956-2", coded(LOINC, "LA9633-4"), ("HLA-B", "allele-status", "*57:01 positive")),
        ("50956-2", {"text": "Negative"}, ("HLA-B", "allele-status", "*57:01 negative")),
        ("57979-7", coded("http://example.org", "x", "Not detected"), ("HLA-B", "allele-status", "*15:02 negative")),
    ],
)
def test_single_results_are_read_by_their_code(code: str, value: Json, fact: tuple[str, str, str]) -> None:
    assert told(result(code, value)) == [fact]


@pytest.mark.parametrize("value", [{"text": "see report"}, {"text": "Positive", **coded(LOINC, "LA9634-2")}, None])
def test_single_result_without_a_clear_answer_is_refused(value: Json | None) -> None:
    assert "not one that is known here" in refused(result("50956-2", value))


@pytest.mark.parametrize(
    ("code", "value", "fact"),
    [
        ("79713-4", coded(LOINC, "LA9657-3", "Poor metabolizer"), ("TPMT", "gene-phenotype", "Poor Metabolizer")),
        (
            "79716-7",
            coded(LOINC, "LA25391-6", "Normal metabolizer"),
            ("CYP2C9", "gene-phenotype", "Normal Metabolizer"),
        ),
        ("79722-5", coded(LOINC, "LA25394-0", "Poor function"), ("SLCO1B1", "gene-phenotype", "Poor Function")),
        ("79716-7", {"text": "1.0", **coded("", "", "Intermediate Metabolizer")}, ("CYP2C9", "gene-phenotype", "1.0")),
    ],
)
def test_code_and_display_are_two_spellings_of_one_phenotype(
    code: str, value: Json, fact: tuple[str, str, str]
) -> None:
    assert told(result(code, value)) == [fact]


@pytest.mark.parametrize(("code", "gene"), [("79714-2", "CYP2C19"), ("79715-9", "CYP2D6"), ("79719-1", "DPYD")])
def test_gene_of_a_phenotype_is_read_of_the_name_beside_its_code(code: str, gene: str) -> None:
    name = f"{gene} gene product metabolic activity interpretation in Blood or Tissue Qualitative by CPIC"
    value = coded(LOINC, "LA9657-3", "Poor metabolizer")
    with_name = result(code, value) | {"code": coded(LOINC, code, name)}
    assert told(with_name) == [(gene, "gene-phenotype", "Poor Metabolizer")]
    assert "no name beside it" in refused(result(code, value))
    other = result(code, value) | {"code": coded(LOINC, code, f"{gene} something else")}
    assert "no name beside it" in refused(other)


def test_code_and_display_that_name_two_phenotypes_are_refused() -> None:
    assert "different phenotypes" in refused(result("79713-4", coded(LOINC, "LA9657-3", "Normal metabolizer")))


def test_single_result_without_a_value_says_so() -> None:
    absent = result("79713-4", None, dataAbsentReason=coded("http://x.example", "error"))
    assert "absent" in refused(absent)


def test_phenotype_beside_a_genotype_is_kept_with_it() -> None:
    word = component("therapeutic-implication", {"text": "Rapid Metabolizer"},
                     "http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs")  # fmt: skip
    both = result("84413-4", {"text": "CYP2C19 *1/*17"}, studied("CYP2C19"), word)
    assert told(both) == [("CYP2C19", "diplotype", "*1/*17"), ("CYP2C19", "gene-phenotype", "Rapid Metabolizer")]


def test_what_this_server_concluded_tells_it_nothing() -> None:
    made = implication("CYP2D6 Poor Metabolizer") | {"meta": {"profile": [profile("therapeutic-implication")]}}
    assert "this server concluded it" in refused(made)


@pytest.mark.parametrize(
    ("code", "value", "status"),
    [
        ({"text": "HLA-B*57:01"}, "POSITIVE", "*57:01 positive"),
        ({"text": "HLA-B*57:01"}, "Not detected", "*57:01 negative"),
        ({"text": "HLA-B 5701 screening"}, "negative", "*57:01 negative"),
        (coded("http://lab.test/codes", "HLAB1502", "HLA-B*15:02 genotype"), "positive", "*15:02 positive"),
    ],
)
def test_result_of_a_house_s_own_code_is_read_by_the_name_of_the_hla_allele(
    code: Json, value: str, status: str
) -> None:
    made = {**result("50956-2", None), "code": code, "valueString": value}
    gene = "HLA-B"
    assert told(made) == [(gene, "allele-status", status)]


def test_what_a_name_does_not_plainly_say_is_not_read() -> None:
    unclear = {**result("50956-2", None), "code": {"text": "HLA-B*57:01"}, "valueString": "see report"}
    assert "not one that is known here" in refused(unclear)
    for code in (
        {"text": "HLA-B*57:01 of the donor"},
        {"text": "HLA-B*08:01"},
        coded(LOINC, "99999-9", "HLA-B*57:01"),
        {"text": "HLA-B*57:01", "coding": [{"system": "http://lab.test/codes", "code": "1", "display": "HLA-B*58:01"}]},
    ):
        made = read({**result("50956-2", None), "code": code, "valueString": "positive"})
        assert made.facts == ()
