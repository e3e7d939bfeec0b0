"""A position that nobody tested is no reference call: what a call leaves open goes with it."""

from __future__ import annotations

import pytest

from fhirtwin.pgx import coverage, known, phenotype, presence
from fhirtwin.pgx.calling import call_gene
from fhirtwin.pgx.coverage import Coverage
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.genotype import Genotype, Sample
from fhirtwin.pgx.results import Known

STAR_9A = "c.85T>C (*9A)"


def called(gene: str, *shown: str, without: str = "", base: str = "") -> Known:
    """Call a gene of a sample that has the reference at the positions of some alleles, or at all but those of one.

    Args:
        gene: which.
        shown: alleles at whose positions the reference is; none for all positions.
        without: the allele whose positions are not shown.
        base: the allele of which one copy has the bases.
    """
    defined = genes()[gene]
    kept = {i for name in shown for i in defined.by_name[name].bases} or {p.index for p in defined.positions}
    kept -= set(defined.by_name[without].bases) if without else set()
    bases = {p.index: Genotype((p.reference, p.reference)) for p in defined.positions if p.index in kept}
    for index, wanted in (defined.by_name[base].bases if base else {}).items():
        bases[index] = Genotype((defined.positions[index].reference, min(wanted)))
    return known.of(call_gene(defined, Sample({gene: bases})))


def test_one_harmless_position_of_dpyd_is_no_normal_metabolizer() -> None:
    found = called("DPYD", STAR_9A)
    assert [str(pair) for pair in found.diplotypes] == ["Reference/Reference"]
    told = phenotype.of_call(found)
    assert told.alternatives == ()
    assert told.not_called.startswith("not known, because 82 of 83 positions were not tested, among them those of c.")
    for name in coverage.DECIDING["DPYD"]:
        assert name in told.not_called


@pytest.mark.parametrize("name", sorted(coverage.DECIDING["DPYD"]))
def test_each_of_the_four_variants_is_needed_and_no_other(name: str) -> None:
    assert name in genes()["DPYD"].by_name
    assert phenotype.of_call(called("DPYD", without=name)).alternatives == ()
    four = phenotype.of_call(called("DPYD", *coverage.DECIDING["DPYD"])).agreed
    assert four and four.word == "Normal Metabolizer"


def test_all_of_ryr1_is_needed_and_what_is_there_is_told_all_the_same() -> None:
    assert "not known" in phenotype.of_call(called("RYR1", without="c.7300G>A")).not_called
    whole = phenotype.of_call(called("RYR1")).agreed
    assert whole and whole.word == "Uncertain Susceptibility"
    there = phenotype.of_call(called("RYR1", "c.7300G>A", base="c.7300G>A")).agreed
    assert there and there.word == "Malignant Hyperthermia Susceptibility"


def test_a_lowered_metabolizer_is_told_with_the_alleles_that_might_lower_it_more() -> None:
    lowered = phenotype.of_call(called("DPYD", STAR_9A, "c.2846A>T", base="c.2846A>T"))
    assert [one.word for one in lowered.alternatives] == ["Intermediate Metabolizer"]
    assert lowered.agreed is None
    assert lowered.open and set(lowered.open.alleles) == coverage.DECIDING["DPYD"] - {"c.2846A>T"}
    whole = phenotype.of_call(called("DPYD", base="c.2846A>T")).agreed
    assert whole and whole.word == "Intermediate Metabolizer"


@pytest.mark.parametrize(
    ("alleles", "there"),
    [
        ("c.1905+1G>A (*2A)", None),
        ("*2A", None),
        ("c.2846A>T", None),
        (STAR_9A, False),
        ("Reference", None),
        ("Reference/Reference", None),
        (f"Reference/{STAR_9A}", False),
    ],
)
def test_an_allele_that_was_not_looked_for_is_not_absent(alleles: str, there: bool | None) -> None:
    assert presence.present(called("DPYD", STAR_9A), alleles) is there


def test_star_alleles_are_told_with_what_was_not_excluded() -> None:
    found = called("CYP2C19", "*2", base="*2")
    assert presence.present(found, "*38") is True
    assert presence.present(found, "*17") is None
    (told,) = found.remarks
    assert told.startswith("31 of 35 positions were not tested; not excluded: ") and "; *17; " in told
    assert called("CYP2C19").coverage is None and called("CYP2C19").remarks == ()


def test_the_sentence_is_read_again_and_no_other_is() -> None:
    for one in (Coverage(82, 83, ("c.2846A>T", "c.1129-5923C>G, c.1236G>A (HapB3)")), Coverage(1, 2)):
        assert coverage.read(str(one)) == one
    assert coverage.read("83 positions") is None


def test_several_results_leave_open_what_each_of_them_does() -> None:
    narrow, wide = Coverage(30, 35, ("*2", "*3")), Coverage(5, 35, ("*3", "*4"))
    assert coverage.together([narrow, wide]) == Coverage(5, 35, ("*3",))
    assert coverage.together([narrow, None]) is None and coverage.together([]) is None


def test_people_are_told_of_those_that_decide_first() -> None:
    names = (*(f"c.{n}A>G" for n in range(1, 40)), "c.2846A>T")
    told = Coverage(40, 83, names).short("DPYD")
    assert told.startswith("40 of 83 positions were not tested; not excluded: c.2846A>T; c.1A>G; ")
    assert told.endswith("; 20 more") and "c.39A>G" not in told
