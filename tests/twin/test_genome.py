"""What a patient's genes come to when all facts about them are put together."""

from __future__ import annotations

from datetime import date

import pytest

from fhirtwin.fhir import validator
from fhirtwin.pgx import hgnc
from fhirtwin.pgx.recommendations import advise
from fhirtwin.pgx.results import Pair
from fhirtwin.terms.facts import GENES
from fhirtwin.twin import genome
from fhirtwin.twin.derived import as_of
from fhirtwin.twin.genomics.possible import possible
from fhirtwin.twin.projection import to_fhir
from fhirtwin.twin.state import Fact, Source
from tests.twin.builders import person, state_of


def gene(symbol: str, name: str, value: str, source: str = "o1", time: str = "2024-03-01", note: str = "") -> Fact:
    assert name in GENES
    by = {"system": hgnc.SYSTEM, "code": hgnc.IDS[symbol], "display": symbol}
    return Fact(name, value, (Source("", "Observation", source, "1"),), time=time, note=note, **by)


def result(*facts: Fact, sex: str = "female") -> genome.GeneResult:
    ((_, found),) = genome.of(person(*facts, sex=sex)).items()
    return found


def test_diplotype_becomes_a_phenotype_with_its_sources_and_time() -> None:
    results = genome.of(
        state_of(gene("CYP2C19", "diplotype", "*1/*17", time="2024-03"), gene("CYP2D6", "haplotype", "*4"))
    )
    assert set(results) == {"CYP2C19", "CYP2D6"}
    found = results["CYP2C19"]
    assert found.known.diplotypes == (Pair("*1", "*17"),)
    assert (found.sources, found.time, found.conflict) == ((Source("", "Observation", "o1", "1"),), "2024-03", "")
    agreed = genome.phenotypes(results)["CYP2C19"].agreed
    assert agreed and agreed.word == "Rapid Metabolizer"
    assert "only the allele *4 was reported" in genome.phenotypes(results)["CYP2D6"].not_called


def test_gene_nobody_looked_at_is_not_in_it() -> None:
    assert genome.of(person()) == {}


def test_equal_calls_stay_equal_until_another_source_tells() -> None:
    both = gene("CYP2C19", "diplotype", "*1/*17 | *2/*4")
    assert result(both).known.diplotypes == (Pair("*1", "*17"), Pair("*2", "*4"))
    assert result(both, gene("CYP2C19", "diplotype", "*4/*2", "o2")).known.diplotypes == (Pair("*2", "*4"),)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ([("diplotype", "*1/*17"), ("diplotype", "*1/*2")], r"diplotypes .* \*1/\*17 and \*1/\*2"),
        ([("diplotype", "*1/*17"), ("haplotype", "*2")], r"the allele \*2"),
        ([("haplotype", "*1"), ("haplotype", "*2"), ("haplotype", "*3")], "more different alleles"),
        ([("gene-phenotype", "Poor Metabolizer"), ("gene-phenotype", "Normal Metabolizer")], "phenotypes"),
        ([("variant", "chr10:94781859 A/G"), ("variant", "chr10:94781859 G/G")], "variants .* chr10:94781859"),
        ([("diplotype", "*1/*17"), ("variant", "chr10:94781859 A/G")], "variants that were reported contradict"),
    ],
)
def test_contradiction_leaves_the_gene_uncalled_whatever_the_dates(facts: list[tuple[str, str]], why: str) -> None:
    found = result(*(gene("CYP2C19", name, value, f"o{n}", f"202{n}-01-01") for n, (name, value) in enumerate(facts)))
    assert found.known.diplotypes == () and found.known.reported == ()
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(found.conflict)
    assert found.known.not_called == f"not called, because {found.conflict}"
    assert len(found.sources) == len(facts)


def test_two_alleles_of_one_time_are_a_diplotype_except_where_there_are_tandems() -> None:
    def both(symbol: str, time: str) -> tuple[Fact, Fact]:
        return gene(symbol, "haplotype", "*2", "o1", "2024-03-01"), gene(symbol, "haplotype", "*1", "o2", time)

    assert result(*both("CYP2C19", "2024-03-01")).known.diplotypes == (Pair("*1", "*2"),)
    assert result(*both("CYP2C19", "2023-03-01")).known.not_called
    assert result(*both("CYP2D6", "2024-03-01")).known.not_called


def test_one_allele_is_enough_where_there_is_one_copy() -> None:
    assert result(gene("MT-RNR1", "haplotype", "m.1555A>G")).known.diplotypes == (Pair("m.1555A>G"),)
    assert result(
        gene("G6PD", "haplotype", "Canton, Taiwan-Hakka, Gifu-like, Agrigento-like"), sex="male"
    ).known.diplotypes
    assert result(gene("G6PD", "haplotype", "Canton, Taiwan-Hakka, Gifu-like, Agrigento-like")).known.not_called


def test_variants_are_matched_and_what_is_not_reported_is_not_reference() -> None:
    found = result(gene("CYP2C19", "variant", "chr10:94781859 A/G"), gene("CYP2C19", "variant", "chr10:94842866 G/G"))
    assert [str(pair) for pair in found.known.diplotypes] == ["*1/*2"]
    assert found.known.source == genome.VARIANTS
    (told,) = found.known.remarks
    assert told.startswith("33 of 35 positions were not tested; not excluded: *3; ")
    assert found.known.coverage and {"*3", "*17"} <= {*found.known.coverage.alleles}
    assert not {"*1", "*2"} & {*found.known.coverage.alleles}
    assert "not called" in result(gene("CYP2D6", "variant", "chr22:42128945 C/T")).known.not_called


def test_variants_that_fit_a_diplotype_are_evidence_of_it() -> None:
    found = result(gene("CYP2C19", "diplotype", "*2/*17"), gene("CYP2C19", "variant", "chr10:94781859 A/G", "o2"))
    assert [str(pair) for pair in found.known.diplotypes] == ["*2/*17"]
    assert len(found.sources) == 2


def test_word_and_score_of_the_laboratory_are_one_and_a_note_beside_a_diplotype() -> None:
    told = (gene("CYP2D6", "gene-phenotype", "Intermediate Metabolizer"), gene("CYP2D6", "gene-phenotype", "1.0"))
    assert result(*told).known.reported == ("1.0",)
    beside = result(*told, gene("CYP2D6", "diplotype", "*1/*4")).known
    assert beside.reported == () and "the laboratory said 1.0" in beside.notes


@pytest.mark.parametrize(
    ("symbol", "diplotype"),
    [("CYP2C19", "*1/*1"), ("CYP2D6", "*1/*1"), ("TPMT", "*1/*1"), ("DPYD", "Reference/Reference")],
)
def test_diplotype_and_word_of_a_laboratory_that_cannot_both_be_true_leave_the_gene_uncalled(
    symbol: str, diplotype: str
) -> None:
    pair, word = gene(symbol, "diplotype", diplotype), gene(symbol, "gene-phenotype", "Poor Metabolizer", "o2")
    found = result(pair, word)
    assert found.known.diplotypes == () and diplotype in found.conflict and "Poor Metabolizer" in found.conflict
    assert {
        str(one.diplotypes[0]) if one.diplotypes else one.reported[0] for one in possible(symbol, (pair, word))
    } == {
        diplotype,
        "Poor Metabolizer",
    }


def test_score_of_other_tables_is_no_contradiction_while_the_phenotype_is_the_same() -> None:
    found = result(gene("CYP2D6", "diplotype", "*1/*10"), gene("CYP2D6", "gene-phenotype", "1.5", "o2"))
    assert found.known.diplotypes and "the laboratory said 1.5" in found.known.notes


SPLICE, SPLICE_LOW = "chr1:97450058 {}", "chr1:97082391 {}"  # c.1905+1G>A and c.2846A>T


@pytest.mark.parametrize(
    ("diplotype", "variants", "fits"),
    [
        ("Reference/Reference", [SPLICE.format("C/T")], False),
        ("Reference/Reference", [SPLICE.format("T/.")], False),
        ("Reference/Reference", [SPLICE.format("C/C")], True),
        ("Reference/c.1905+1G>A (*2A)", [SPLICE.format("C/T")], True),
        ("Reference/c.1905+1G>A (*2A)", [SPLICE.format("T/.")], True),
        ("Reference/c.1905+1G>A (*2A)", [SPLICE.format("T/T")], False),
        ("Reference/c.1905+1G>A (*2A)", [SPLICE.format("C/C")], False),
        ("c.1905+1G>A (*2A)/c.1905+1G>A (*2A)", [SPLICE.format("C/T")], False),
        ("c.1905+1G>A (*2A)/c.1905+1G>A (*2A)", [SPLICE.format("T/.")], True),
        ("c.1905+1G>A (*2A)/c.1905+1G>A (*2A)", [SPLICE_LOW.format("A/T")], True),  # the worst of each copy is named
        ("Reference/c.1905+1G>A (*2A)", [SPLICE_LOW.format("A/T")], True),  # both on one copy
        ("Reference/c.1905+1G>A (*2A)", [SPLICE_LOW.format("A/A")], False),
        ("Reference/c.2846A>T", [SPLICE.format("C/T")], False),
        ("Reference/Reference", ["chr1:97883329 A/G"], True),  # c.85T>C, of normal function
    ],
)
def test_variants_and_a_diplotype_of_a_gene_of_listed_variants(diplotype: str, variants: list[str], fits: bool) -> None:
    told = [gene("DPYD", "variant", one, f"v{number}") for number, one in enumerate(variants)]
    found = result(gene("DPYD", "diplotype", diplotype), *told)
    assert bool(found.known.diplotypes) == fits == (not found.conflict)
    assert fits or (diplotype in found.conflict and variants[0] in found.conflict)


def test_unknown_allele_is_not_called_by_name() -> None:
    told = genome.phenotypes(genome.of(person(gene("CYP2C19", "diplotype", "*1/*99"))))["CYP2C19"]
    assert told.not_called == "not called, because no table knows the allele *99 of CYP2C19"


def test_reason_of_a_laboratory_that_did_not_call_is_passed_on() -> None:
    found = result(gene("TPMT", "gene-not-called", "the sample was too small"))
    assert found.known.not_called == "not called, because the sample was too small"


def test_hla_statuses_come_from_types_and_from_words() -> None:
    results = genome.of(
        person(
            gene("HLA-B", "diplotype", "*57:01/*08:01"), gene("HLA-A", "allele-status", "*31:01 negative"),
            gene("HLA-B", "allele-status", "*57:01 positive", "o2"),
        )
    )  # fmt: skip
    assert genome.allele_statuses(results) == {
        "HLA-A": {"*31:01": "negative"},
        "HLA-B": {"*15:02": "negative", "*57:01": "positive", "*58:01": "negative"},
    }
    answer = advise("abacavir", genome.phenotypes(results), genome.allele_statuses(results))
    assert [one.action for one in answer.recommendations] == ["avoid"]


@pytest.mark.parametrize("other", [("allele-status", "*57:01 negative"), ("diplotype", "*08:01/*07:02")])
def test_hla_contradiction_gives_no_status(other: tuple[str, str]) -> None:
    results = genome.of(person(gene("HLA-B", "allele-status", "*57:01 positive"), gene("HLA-B", *other, "o2")))
    assert genome.allele_statuses(results) == {}
    assert results["HLA-B"].conflict


def test_facts_about_genes_stand_on_a_day_and_are_written_as_text() -> None:
    state = as_of(person(gene("CYP2C19", "diplotype", "*1/*17")), date(2025, 1, 1))
    assert set(genome.of(state)) == {"CYP2C19"}
    assert genome.of(as_of(state, date(2024, 1, 1))) == {}
    written = [e["resource"] for e in to_fhir(state, base_url="https://twin.example/fhir")["entry"]]
    (fact,) = [r for r in written[1:] if r["code"]["coding"][0]["code"] == "diplotype"]
    assert fact["valueCodeableConcept"] == {"text": "*1/*17"}
    coding = {"system": "http://www.genenames.org", "code": "HGNC:2621", "display": "CYP2C19"}
    assert coding in [e.get("valueCoding") for e in fact["extension"]]
    assert validator.validate(fact) == []
