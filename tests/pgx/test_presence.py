from __future__ import annotations

import pytest

from fhirtwin.pgx import presence, span
from fhirtwin.pgx.results import Known, Pair
from fhirtwin.pgx.span import Span


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("CYP2C19 *1/*17", ("CYP2C19", "*1/*17")),
        ("CYP2C19*17", ("CYP2C19", "*17")),
        ("CYP2C19", ("CYP2C19", "")),
        ("https://www.pharmvar.org|CYP2D6 *1/*41", ("CYP2D6", "*1/*41")),
        ("http://glstring.org|hla#3.33.0#HLA-B*08:01/HLA-B*40:01", ("HLA-B", "*08:01/*40:01")),
        ("DRB1*13:02", ("", "DRB1*13:02")),
    ],
)
def test_a_haplotype_is_parted_into_gene_and_alleles(text: str, parts: tuple[str, str]) -> None:
    assert presence.split(text) == parts


def known(gene: str, *pairs: tuple[str, str], **more: tuple[str, ...]) -> Known:
    return Known(gene, tuple(Pair(*one) for one in pairs), **more)


@pytest.mark.parametrize(
    ("alleles", "there"),
    [("*17", True), ("*1/*17", True), ("*17/*1", True), ("*2", False), ("*1/*1", False), ("", True)],
)
def test_one_call_tells_yes_or_no(alleles: str, there: bool) -> None:
    assert presence.present(known("CYP2C19", ("*1", "*17")), alleles) is there


def test_calls_that_fit_equally_well_tell_only_what_all_of_them_have() -> None:
    both = known("CYP2C19", ("*1", "*17"), ("*2", "*17"))
    assert [presence.present(both, one) for one in ("*17", "*2", "*3", "*1/*17")] == [True, None, False, None]


def test_a_phenotype_alone_and_a_gene_not_called_tell_nothing() -> None:
    reported = known("CYP2C19", reported=("Poor Metabolizer",))
    for one in (reported, Known("CYP2C19", not_called="no reads")):
        assert [presence.present(one, alleles) for alleles in ("*1", "*2/*2", "")] == [None, None, None]


def test_hla_goes_by_fields_and_what_was_typed_less_finely_is_open() -> None:
    typed = known("HLA-B", ("*27:05", "*15:02:01"))
    asked = ("*27", "*27:05", "*27:05:02", "*15:02", "*15:0", "*57:01")
    assert [presence.present(typed, one) for one in asked] == [True, True, None, True, None, False]
    said = known("HLA-B", reported=("*57:01 negative",))
    assert [presence.present(said, one) for one in ("*57:01", "*15:02")] == [False, None]


MED = "Mediterranean, Dallas, Panama, Sassari, Cagliari, Birmingham"


@pytest.mark.parametrize(
    ("gene", "pair", "asked"),
    [
        ("G6PD", ("B (reference)", "B (reference)"), "Mediterranean"),
        ("TPMT", ("*1", "*1"), "*3"),
        ("TPMT", ("*1", "*1"), "*1/*3"),
        ("CYP2C9", ("*1", "*1"), "*999"),
        ("DPYD", ("Reference", "Reference"), "c.1905+1A>G"),
        ("DPYD", ("Reference", "Reference"), "rs67376798"),
    ],
)
def test_a_name_that_no_table_has_is_not_called_absent(gene: str, pair: tuple[str, str], asked: str) -> None:
    assert presence.present(known(gene, pair), asked) is None
    assert not presence.is_named(gene, asked)


def test_a_name_that_no_table_has_is_there_where_it_was_reported() -> None:
    assert presence.present(known("CYP2C9", ("*1", "*999")), "*999") is True


@pytest.mark.parametrize(
    ("gene", "asked"),
    [("TPMT", "*3A"), ("G6PD", MED), ("DPYD", "HapB3"), ("CYP2D6", "*4.024"), ("RYR1", "c.7300G>A"), ("HLA-B", "*27")],
)
def test_names_of_the_tables_are_names(gene: str, asked: str) -> None:
    assert presence.is_named(gene, asked)


def test_a_comma_within_a_name_does_not_part_it() -> None:
    text = f"CYP2C19 *17,G6PD {MED},TPMT *3,, DPYD c.1129-5923C>G, c.1236G>A (HapB3),HLA-B*27"
    whole = ["CYP2C19 *17", f"G6PD {MED}", "TPMT *3", "DPYD c.1129-5923C>G, c.1236G>A (HapB3)", "HLA-B*27"]
    assert list(presence.parted([text])) == whole
    assert list(presence.parted(["", " , "])) == []


def test_ranges_are_zero_based_and_their_end_is_not_in_them() -> None:
    asked = span.read("NC_000010.11:100-101")
    assert asked == Span("NC_000010.11", 100, 101)
    places = {
        (99, 100): False,
        (100, 101): True,
        (101, 102): False,
        (90, 200): True,
        (100, 100): True,
        (101, 101): False,
    }
    assert {place: Span("NC_000010.11", *place).meets(asked) for place in places} == places
    assert not Span("NC_000010.10", 100, 101).meets(asked)
    assert not Span("NC_000010.10", 1, 2).comparable(asked)
    assert Span("NC_000011.10", 1, 2).comparable(asked)


@pytest.mark.parametrize(
    "text", ["NC_000010:1-2", "chr10:1-2", "NC_000010.11:2-2", "NC_000010.11:3-2", "NC_000010.11:1"]
)
def test_what_is_no_range_is_not_read(text: str) -> None:
    assert span.read(text) is None
