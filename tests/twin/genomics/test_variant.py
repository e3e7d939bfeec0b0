"""Variants one by one, and sequences: places on GRCh38 that define alleles, with the bases of each copy."""

from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.pgx.calls import MAY_BE
from fhirtwin.terms.systems import LOINC
from fhirtwin.twin import genome
from fhirtwin.twin.genomics import place, transcript
from fhirtwin.twin.genomics.possible import possible
from tests.twin.builders import facts_of
from tests.twin.genomics.builders import DBSNP, coded, component, molecular_sequence, result, studied, variant
from tests.twin.genomics.test_alleles import refused, told

Json = dict[str, Any]
STAR_TWO = "chr10:94781859 A/G"
HERE = component("48013-7", coded("http://www.ncbi.nlm.nih.gov/nuccore", "NC_000010.11"))
AT = component("81254-5", {"low": {"value": 94781859}})
FROM_ONE = component("92822-6", coded(LOINC, "LA30102-0"))
ALT = component("69551-0", "A")
HET = component("53034-5", coded(LOINC, "LA6706-1"))
HGVS = component("81290-9", coded("http://varnomen.hgvs.org", "NC_000010.11:g.94781859G>A"))
OLD_CHROMOSOME = component("48013-7", coded("http://www.ncbi.nlm.nih.gov/nuccore", "NC_000010.10"))
HOM = component("53034-5", coded(LOINC, "LA6705-3"))
OLD = component("62374-4", coded(LOINC, "LA14029-5"))


def there(*components: Json, answer: str = "LA9633-4") -> Json:
    return result("69548-6", coded(LOINC, answer), *components)


@pytest.mark.parametrize(
    "resource",
    [
        variant("CYP2C19", "rs4244285", "A"),
        there(component("81255-2", coded("http://www.ncbi.nlm.nih.gov/SNP", "rs4244285")), ALT, HET),
        there(HERE, AT, FROM_ONE, component("69547-8", "G"), ALT, HET),
        there(HERE, AT, FROM_ONE, ALT, HET, component("81252-9", coded(DBSNP, "rs4244285"))),
        there(HGVS, HET),
        there(HGVS, HERE, AT, FROM_ONE, ALT, HET, studied("CYP2C19")),
    ],
)
def test_place_is_read_by_dbsnp_by_coordinates_or_by_hgvs(resource: Json) -> None:
    assert told(resource) == [("CYP2C19", "variant", STAR_TWO)]


@pytest.mark.parametrize("component_code", ["81290-9", "48004-6"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NM_000110.4:c.1905+1G>A", "chr1:97450058 C/T"),
        ("NM_000110.3:c.1905+1G>A", "chr1:97450058 C/T"),
        ("NM_000110.4(DPYD):c.2846A>T", "chr1:97082391 A/T"),
        ("NM_000110.4:c.1679T>G", "chr1:97515787 A/C"),
        ("NM_000110.4:c.1236G>A", "chr1:97573863 C/T"),
        ("NM_000110.4:c.1129-5923C>G", "chr1:97579893 C/G"),
    ],
)
def test_variant_of_dpyd_is_read_by_its_name_on_the_transcript(component_code: str, name: str, value: str) -> None:
    written = component(component_code, coded("http://varnomen.hgvs.org", name))
    assert told(there(written, HET)) == [("DPYD", "variant", value)]
    assert told(there(written, HET, studied("DPYD"))) == [("DPYD", "variant", value)]


def test_names_on_the_transcript_are_where_the_definitions_have_them() -> None:
    for name, change in transcript._changes().items():
        (one,) = [locus for locus, _ in place.made(change) if locus.gene == "DPYD"]
        assert one.position.start == change.start, name


def test_variant_that_is_refused_leaves_its_gene_uncalled_and_says_what_it_may_mean() -> None:
    named = there(component("81252-9", coded(DBSNP, "rs3918290")), HET)
    (found,) = facts_of([named]).facts
    assert (found.name, found.display, found.value) == (
        "gene-not-called",
        "DPYD",
        "it does not tell the alternate base",
    )
    assert found.note == f"{MAY_BE}chr1:97450058 C/T"
    (each,) = possible("DPYD", [found])
    assert str(each.diplotypes[0]) == "Reference/c.1905+1G>A (*2A)"
    old = variant("DPYD", "rs3918290", "T", "LA6706-1", OLD)
    (found,) = facts_of([old]).facts
    assert (found.name, found.display, found.note) == ("gene-not-called", "DPYD", "")
    unknown = variant("DPYD", "rs12345", "A")
    assert facts_of([unknown]).facts == ()  # of the thousands that no definition knows nothing is said


@pytest.mark.parametrize(
    ("resource", "value"),
    [
        (variant("CYP2C19", "rs4244285", "A", "LA6705-3"), "chr10:94781859 A/A"),
        (variant("CYP2C19", "rs4244285", "A", ""), "chr10:94781859 A/."),
        (variant("CYP2C19", "rs4986893", "A", "", answer="LA9634-2"), "chr10:94780653 G/G"),
        (variant("G6PD", "rs5030868", "A", "LA6707-9"), "chrX:154534419 A"),
    ],
)
def test_copies_are_those_that_are_told(resource: Json, value: str) -> None:
    ((_, _, said),) = told(resource)
    assert said == value


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (variant("CYP2C19", "rs4244285", "A", "LA6706-1", OLD), "not on GRCh38"),
        (there(OLD_CHROMOSOME, AT, FROM_ONE, ALT, HET), "not on GRCh38"),
        (variant("CYP2C19", "rs4244285", "A", "LA6706-1", component("69547-8", "C")), "reference bases"),
        (variant("CYP2D6", "rs4244285", "A"), "its place differ"),
        (variant("CYP2C19", "rs12345", "A"), "no definition knows"),
        (there(HERE, AT, ALT, HET), "no definition knows"),
        (there(HGVS, component("69551-0", "T"), HET), "differ"),
        (there(HERE, AT, FROM_ONE, ALT, HET, component("81252-9", coded(DBSNP, "rs4986893"))), "different places"),
        (there(component("81252-9", coded(DBSNP, "rs4244285")), HET), "alternate base"),
        (variant("CYP2C19", "rs4244285", "A", answer="LA18198-4"), "there or that it is not"),
        (variant("CYP2C19", "rs4244285", "A", "LA6706-1", HOM), "two allelic"),
        (there(component("81252-9", coded(DBSNP, "rs4244285")), component("69551-0", "<DEL>"), HET), "not readable"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_refused_with_its_reason(resource: Json, why: str) -> None:
    assert why in refused(resource)


def test_absence_at_a_place_with_several_alternates_tells_nothing() -> None:
    assert "other bases possible" in refused(variant("UGT1A1", "rs3064744", "C", "", answer="LA9634-2"))


def test_sequence_tells_what_one_copy_has() -> None:
    assert told(molecular_sequence(94781858, "G", "A")) == [("CYP2C19", "variant", "chr10:94781859 A/.")]
    counted_from_one = molecular_sequence(94781859, "G", "A", coordinateSystem=1)
    assert told(counted_from_one) == [("CYP2C19", "variant", "chr10:94781859 A/.")]


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (molecular_sequence(94781858, "G", "A", type="rna"), "DNA"),
        (molecular_sequence(94781858, "G", "A", coordinateSystem=7), "no chromosome"),
        (molecular_sequence(94781858, "G", "A", referenceSeq={"genomeBuild": "GRCh37"}), "not on GRCh38"),
        (molecular_sequence(94781858, "G", "A", referenceSeq={"strand": "crick"}), "other strand"),
        (molecular_sequence(94781858, "C", "A"), "reference bases"),
        (molecular_sequence(5, "C", "A"), "no definition knows"),
        (molecular_sequence(94781858, "G", "A", variant=[]), "no change"),
        (molecular_sequence(94781858, "G", "A", variant=[{"start": 94781858}]), "not readable"),
        (molecular_sequence(94781858, "G", "A", variant=[{"observedAllele": "A"}]), "where its change is"),
    ],
)  # fmt: skip
def test_sequence_that_is_not_certain_is_refused(resource: Json, why: str) -> None:
    assert why in refused(resource)


def test_two_sequences_with_different_bases_are_the_two_copies() -> None:
    facts = facts_of([molecular_sequence(94781858, "G", "A"), variant("CYP2C19", "rs4244285", "A")])
    found = genome.of(facts)["CYP2C19"]
    assert found.conflict == "" and [str(pair) for pair in found.known.diplotypes] == ["*1/*2", "*2/*38"]
    alone = genome.of(facts_of([molecular_sequence(94781858, "G", "A")]))["CYP2C19"]
    assert "half calls" in alone.known.not_called
