"""How others write alleles, and what becomes of it."""

from __future__ import annotations

import pytest

from fhirtwin.pgx import hgnc, naming, places
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.functions import alleles
from fhirtwin.pgx.results import GENES, Pair


def test_every_gene_has_its_number_and_none_has_two() -> None:
    assert set(hgnc.IDS) == set(GENES)
    assert len(hgnc.SYMBOLS) == len(GENES)


@pytest.mark.parametrize(
    ("gene", "written", "read"),
    [
        ("CYP2C19", "*1/*17", "*1/*17"),
        ("CYP2C19", "CYP2C19 *1/*17", "*1/*17"),
        ("CYP2C19", "CYP2C19*1/CYP2C19*17", "*1/*17"),
        ("CYP2C19", "*1/*17 | *2/*4", "*1/*17 | *2/*4"),
        ("CYP2C19", "*1/*99", "*1/*99"),
        ("CYP2D6", "*1x2/*4.024", "*1x2/*4"),
        ("CYP2D6", "*36+*10/*1", "*36 + *10/*1"),
        ("CYP2D6", "*1xN/*4", "*1xN/*4"),
        ("CYP2D6", "*1/*2x>=3", "*1/*2x≥3"),
        ("HLA-B", "HLA-B*57:01/HLA-B*08:01:01", "*57:01/*08:01:01"),
        ("VKORC1", "C/T", "rs9923231 reference (C)/rs9923231 variant (T)"),
        ("VKORC1", "G/A", "rs9923231 reference (C)/rs9923231 variant (T)"),
        ("VKORC1", "AG", "rs9923231 variant (T)/rs9923231 reference (C)"),
        ("VKORC1", "rs9923231 C/T", "rs9923231 reference (C)/rs9923231 variant (T)"),
        ("VKORC1", "-1639G>A G/A", "rs9923231 reference (C)/rs9923231 variant (T)"),
        ("VKORC1", "-1639 A/A", "rs9923231 variant (T)/rs9923231 variant (T)"),
        ("IFNL3", "rs12979860 C/T", "rs12979860 reference (C)/rs12979860 variant (T)"),
        ("DPYD", "[c.85T>C + c.1905+1G>A]/c.85T>C", "c.1905+1G>A (*2A)/c.85T>C (*9A)"),
        ("DPYD", "c.85T>C, c.2846A>T/Reference", "c.2846A>T/Reference"),
        ("DPYD", "Reference/*2A", "Reference/c.1905+1G>A (*2A)"),
        ("DPYD", "c.1905+1G>A/HapB3", "c.1905+1G>A (*2A)/c.1129-5923C>G, c.1236G>A (HapB3)"),
        ("MT-RNR1", "1555A>G", "m.1555A>G"),
        ("TPMT", "*1/*3A", "*1/*3A"),
        ("UGT1A1", "*1/*80+*28", "*1/*80+*28"),
    ],
)
def test_spellings_are_read(gene: str, written: str, read: str) -> None:
    assert naming.text(naming.diplotypes(gene, written)) == read


@pytest.mark.parametrize(
    ("gene", "written"),
    [
        ("CYP2C19", "poor metabolizer"),
        ("CYP2C19", "*1/"),
        ("CYP2C19", "*1/*2/*3"),
        ("CYP2C19", "*1/*17 | nonsense"),
        ("CYP2C19", "CYP2D6 *1/*4"),
        ("CYP2C19", ""),
        ("VKORC1", "C/A"[0] + "/X"),
        ("VKORC1", "-1639G>A"),
        ("HLA-B", "*57"),
        ("CYP2D6", "*1 by *4"),
        ("CYP2D6", "*" * 10_000),
    ],
)
def test_what_is_no_diplotype_is_not_read(gene: str, written: str) -> None:
    assert naming.diplotypes(gene, written) == ()


def test_every_name_of_the_tables_is_itself_alone_and_in_a_pair() -> None:
    for gene in GENES:
        names = {*alleles().get(gene, {})} and {one.allele for one in alleles()[gene].values()}
        names |= set(genes()[gene].by_name) if gene in genes() else set()
        other = sorted(names)[0] if names else ""
        for name in names:
            assert naming.allele(gene, name) == name
            if gene != "MT-RNR1":
                assert naming.diplotypes(gene, f"{name}/{other}") == (Pair(name, other),), (gene, name)


def test_places_are_written_and_read() -> None:
    locus = places.by_rsid()["rs4244285"]
    written = places.text("CYP2C19", locus.position, ("G", "A"))
    assert written == "chr10:94781859 A/G"
    read = places.read("CYP2C19", written)
    assert read and (read[0], read[1].bases) == (locus.position.index, ("A", "G"))
    for wrong in ("chr10:1 A/G", "chr1:94781859 A/G", "chr10:94781859", "chr10:94781859 A/B"):
        assert places.read("CYP2C19", wrong) is None
