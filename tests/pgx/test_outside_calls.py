"""Outside calls: read strictly, and never silently against the VCF."""

from __future__ import annotations

import pytest

from fhirtwin.errors import Incorrect, TooLarge
from fhirtwin.pgx.calls import Diplotype, GeneCall, Strand
from fhirtwin.pgx.outside_calls import MOST_LINES, read_outside_calls, with_outside


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("CYP2D6\t*4/*1", "*1/*4"),
        ("CYP2D6\t*1/*36+*10", "*1/*36 + *10"),
        ("CYP2D6\t*1x5/*2", "*1x≥3/*2"),
        ("CYP2D6\t*2≥3/*2", "*2/*2x≥3"),
        ("CYP2D6\t*41x3/*4.001", "*4/*41x3"),
        ("CYP2D6\t*1x2/*5", "*1x2/*5"),
        ("CYP2D6\t*1xN/*4", "*1xN/*4"),
        ("HLA-B\t*57:01/*15:02", "*15:02/*57:01"),
        ("MT-RNR1\tm.1555A>G", "m.1555A>G"),
        ("G6PD\tB (reference)/Chatham", "B (reference)/Chatham"),
        ("G6PD\tChatham", "Chatham"),
        ("CYP2B6\t*1/[*6 + *8]", "*1/[*6 + *8]"),
        ("SLCO1B1\t*1/*45", "*1/*45"),
        ("IFNL3\trs12979860 reference (C)/rs12979860 variant (T)", "rs12979860 reference (C)/rs12979860 variant (T)"),
        ("DPYD\tReference/c.1129-5923C>G, c.1236G>A (HapB3)", "Reference/c.1129-5923C>G, c.1236G>A (HapB3)"),
    ],
)
def test_diplotypes(line: str, label: str) -> None:
    (call,) = read_outside_calls(f"# from a laboratory\n\n{line}\n")
    assert call.diplotype is not None and call.diplotype.label == label


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("CYP2D6 *1/*4", "parted by tabs"),
        ("CYP9Z9\t*1/*4", "no gene of that symbol"),
        ("CYP2C19\t*1/*999", "no allele of that name"),
        ("CYP2D6\t*1/hybrid", "no allele of that name"),
        ("CYP2D6\t*1", "not two alleles"),
        ("CYP2D6\t*1x0/*4", r"a deletion as `\*5`"),
        ("HLA-B\t57:01", r"write `\*57:01/\*08:01`, `\*57:01`, or"),
        ("HLA-B\t*57:01 positive\tnegative", "another word than positive or negative"),
        ("HLA-B\t*57:01\thigh risk", "another word than positive or negative"),
        ("CYP2D6\t*1/*2/*3", "no allele of that name|not two alleles"),
        ("HLA-B\t57-01/*15:02", "no allele of that name"),
        ("MT-RNR1\tm.1555A>G/m.1555A>G", "one allele|one copy"),
        ("CYP2D6\t\t\t", "no diplotype, no phenotype"),
        ("CYP2D6\t\t\thigh", "activity score"),
        ("CYP2D6\t*1/*1\t\t\t\t", "parted by tabs"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_line(line: str, text: str) -> None:
    with pytest.raises(Incorrect, match=f"line 2: .*({text})"):
        read_outside_calls(f"#\n{line}")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("*57:01", "*57:01 positive"),
        ("*57:01 positive", "*57:01 positive"),
        ("*57:01 Negative", "*57:01 negative"),
        ("*57:01:01", "*57:01 positive"),
        ("*57:01\tnegative", "*57:01 negative"),
        ("\t*57:01 positive", "*57:01 positive"),
    ],
)
def test_one_hla_allele_says_whether_it_is_there(line: str, status: str) -> None:
    (call,) = read_outside_calls(f"HLA-B\t{line}")
    assert (call.diplotype, call.phenotype) == (None, status)


def test_too_many_lines_are_refused() -> None:
    with pytest.raises(TooLarge):
        read_outside_calls("CYP2D6\t*1/*1\n" * (MOST_LINES + 1))


def _vcf(*alleles: str, gene: str = "CYP2C19") -> dict[str, GeneCall]:
    return {gene: GeneCall(gene, (Diplotype.of(*(Strand((one,)) for one in alleles)),))}


def test_an_outside_call_that_contradicts_the_vcf_leaves_the_gene_uncalled() -> None:
    outside = read_outside_calls("CYP2C19\t*2/*2")
    call = with_outside(_vcf("*1", "*1"), outside)["CYP2C19"]
    assert not call.called and not call.labels and "contradict" in call.because
    prevailing = with_outside(_vcf("*1", "*1"), outside, overriding=True)["CYP2C19"]
    assert prevailing.labels == ("*2/*2",) and prevailing.source == "outside" and prevailing.notes
    assert with_outside(_vcf("*2", "*2"), outside)["CYP2C19"].labels == ("*2/*2",)


def test_outside_calls_that_contradict_one_another_are_no_call() -> None:
    outside = read_outside_calls("CYP2D6\t*1/*4\nCYP2D6\t*1/*1")
    assert "contradict one another" in with_outside({}, outside)["CYP2D6"].because
    assert with_outside({}, outside, overriding=True)["CYP2D6"].labels == ("*1/*1", "*1/*4")
    same = read_outside_calls("CYP2D6\t*1/*4\nCYP2D6\t*4/*1")
    assert with_outside({}, same)["CYP2D6"].labels == ("*1/*4",)


def test_an_outside_call_stands_where_the_vcf_has_none() -> None:
    calls = {"CYP2D6": GeneCall("CYP2D6", because="not called from single variants")}
    assert with_outside(calls, read_outside_calls("CYP2D6\t*1/*4"))["CYP2D6"].labels == ("*1/*4",)


def test_not_called_outside_is_not_called() -> None:
    call = with_outside({}, read_outside_calls("HLA-B\t."))["HLA-B"]
    assert not call.called and call.because


def test_hla_alleles_become_statuses() -> None:
    call = with_outside({}, read_outside_calls("HLA-B\t*15:02/*57:01:01"))["HLA-B"]
    assert call.phenotype == "*15:02 positive; *57:01 positive; *58:01 negative"
