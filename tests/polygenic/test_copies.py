"""Copies of a score's alleles in a VCF: what is counted, and what is missing by reason and never guessed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirtwin.errors import FhirtwinError, Incorrect, Unprocessable
from fhirtwin.pgx.vcf_rows import Reading
from fhirtwin.polygenic import copies, filling
from fhirtwin.polygenic.copies import (
    ABSENT,
    CONTRADICTED,
    FILTERED,
    NOT_CALLED,
    OTHER_ALLELES,
    OVERLAPPED,
    REFERENCE_NOT_KNOWN,
)
from fhirtwin.polygenic.variants import Variant, of
from tests.polygenic.files import vcf

A_G = Variant(1, 1000, "A", "G", frequency=0.25)
AT_A = Variant(1, 1000, "AT", "A")


def told(one: Variant, *rows: str, reading: Reading | None = None) -> float | str:
    """Copies of one variant, or why they are missing."""
    found = copies.read(vcf(*rows), of((one,)), reading or Reading())
    if found.missing:
        assert np.isnan(found.counted).all()
        ((reason, count),) = found.missing.items()
        assert count == 1
        return reason
    return float(found.counted[0])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("1 1000 A G 0/0", 2),
        ("1 1000 A G 0/1", 1),
        ("1 1000 A G 1|0", 1),
        ("chr1 1000 A G 1/1", 0),
        ("1 1000 G A 0/0", 0),
        ("1 1000 G A 1/1", 2),
        ("1 1000 a g 0/1", 1),
        ("1 1000 A . 0/0", 2),
        ("1 1000 G . 0/0", 0),
        ("1 1000 A <NON_REF> 0/0", 2),
        ("1 1000 A G,<NON_REF> 0/1", 1),
        ("1 1000 A T,G 0/2", 1),
        ("1 1000 A G,T 0/2", OTHER_ALLELES),
        ("1 1000 A T 0/1", OTHER_ALLELES),
        ("1 1000 A T 0/0", 2),
        ("1 1000 A G,* 1/2", OTHER_ALLELES),
        ("1 1000 T C 0/1", OTHER_ALLELES),  # the other strand: not turned
        ("1 1000 T . 0/0", OTHER_ALLELES),
        ("1 1000 C A 1/1", OTHER_ALLELES),
        ("1 1000 A G ./.", NOT_CALLED),
        ("1 1000 A G ./1", NOT_CALLED),
        ("1 1000 A G 1", NOT_CALLED),
        ("1 1000 A G 0/0/1", NOT_CALLED),
        ("1 1000 A G 0/1 LowQual", FILTERED),
        ("1 1000 A AT 0/1", ABSENT),  # an insertion behind the base says nothing of it
        ("1 1000 AT A 0/1", ABSENT),
        ("1 1000 AT A,GT 1/2", 1),
        ("1 1000 AT GC 0/1", OTHER_ALLELES),
        ("1 998 CCA C 0/1", OVERLAPPED),
        ("1 998 CCA C 0/0", ABSENT),
        ("1 900 C <DEL> 0/1 PASS END=1100", OVERLAPPED),
        ("1 900 C <DEL> 0/0 PASS END=1100", ABSENT),
        ("1 1000 A <NON_REF> 0/0 PASS END=1100", 2),
        ("1 1000 G <*> 0/0 PASS END=1100", 0),
        ("1 1000 T <*> 0/0 PASS END=1100", OTHER_ALLELES),
        ("1 900 C <NON_REF> 0/0 PASS END=1100", REFERENCE_NOT_KNOWN),
        ("1 900 C <NON_REF> ./. PASS END=1100", NOT_CALLED),
        ("1 999 A G 1/1", ABSENT),
        ("2 1000 A G 1/1", ABSENT),
    ],
)
def test_one_row_for_one_base(row: str, expected: float | str) -> None:
    assert told(A_G, row, "2 1 A C 0/1") == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("1 1000 A AT 0/1", 1),
        ("1 1000 A AT 1/1", 2),
        ("1 1000 AT A 0/1", 1),
        ("1 1000 AT A 1/1", 0),
        ("1 1000 A AT,ATT 1/2", OTHER_ALLELES),
        ("1 1000 ATT AT 0/1", OTHER_ALLELES),
        ("1 1000 ATT AT 0/0", ABSENT),
        ("1 1000 A G 0/1", OTHER_ALLELES),
        ("1 1000 A G 0/0", ABSENT),
        ("1 1000 A . 0/0", ABSENT),
        ("1 999 CA C 0/1", OVERLAPPED),
    ],
)
def test_one_row_for_an_insertion_or_deletion(row: str, expected: float | str) -> None:
    assert told(AT_A, row, "2 1 A C 0/1") == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (("1 1000 A G 0/1", "1 1000 A G 0/1"), 1),
        (("1 1000 A G 0/1", "1 1000 A G 1/1"), CONTRADICTED),
        (("1 1000 A G 0/1", "1 1000 A T 0/1"), CONTRADICTED),  # G and T, in two rows
        (("1 1000 A G 0/1", "1 998 CCA C 0/1"), CONTRADICTED),
        (("1 1000 A G 0/1", "1 1000 A AT 0/1"), 1),
        (("1 1000 A G ./.", "1 1000 A G 0/1"), CONTRADICTED),
    ],
)
def test_two_rows_must_say_the_same(rows: tuple[str, ...], expected: float | str) -> None:
    assert told(A_G, *rows) == expected


def test_absent_is_reference_when_it_is_stated_and_the_reference_is_known() -> None:
    stated = Reading(absent_is_reference=True)
    row = "1 5 C T 0/1"
    assert told(A_G, row) == ABSENT
    assert told(A_G, row, reading=stated) == REFERENCE_NOT_KNOWN
    assert told(A_G._replace(reference="A"), row, reading=stated) == 2
    assert told(A_G._replace(reference="G"), row, reading=stated) == 0
    assert told(AT_A._replace(reference="A"), row, reading=stated) == ABSENT
    assert told(A_G._replace(reference="A"), "2 5 C T 0/1", reading=stated) == ABSENT  # nothing of its chromosome


def test_a_block_shows_a_reference_that_is_known() -> None:
    block = "1 900 C <NON_REF> 0/0 PASS END=1100"
    assert told(A_G._replace(reference="G"), block) == 0
    assert told(AT_A._replace(reference="AT"), block) == 2


def test_a_reference_that_is_not_the_models_is_not_counted() -> None:
    assert told(A_G._replace(reference="G"), "1 1000 A G 0/1") == OTHER_ALLELES


def test_filters_that_the_caller_trusts_are_taken() -> None:
    assert told(A_G, "1 1000 A G 0/1 q10", reading=Reading(accepted_filters=frozenset({"q10"}))) == 1


def test_several_alleles_at_one_position_are_variants_of_their_own() -> None:
    both = of((Variant(1, 5, "A", "G"), Variant(1, 5, "T", "G")))
    found = copies.read(vcf("1 5 G A,T 1/2", "1 9 A C 0/0"), both)
    assert found.missing == {OTHER_ALLELES: 2}
    found = copies.read(vcf("1 5 G A,T 0/1", "1 9 A C 0/0"), both)
    assert found.missing == {OTHER_ALLELES: 1}
    np.testing.assert_array_equal(found.counted, [1.0, np.nan])


@pytest.mark.parametrize(
    "header", ["", "##reference=GRCh37\n", "##contig=<ID=1,length=249250621>\n", "##contig=<ID=1,length=5>\n"]
)
def test_another_build_or_none_that_is_known_is_refused(header: str) -> None:
    with pytest.raises(Unprocessable):
        copies.read(vcf("1 1000 A G 0/1", header=header), of((A_G,)))


def test_a_file_without_genotypes_is_refused() -> None:
    data = vcf("1 1000 A G 0/1").read().replace(b"\tGT\t", b"\tDS\t")
    with pytest.raises(Incorrect, match="genotype"):
        copies.read(io.BytesIO(data), of((A_G,)))


def test_the_sample_that_is_named_is_read() -> None:
    two = vcf("1 1000 A G 0/0\t1/1".replace("\t", "|||"), samples="S T").read().replace(b"|||", b"\t")
    assert copies.read(io.BytesIO(two), of((A_G,)), Reading(sample="T")).counted[0] == 0
    assert copies.read(io.BytesIO(two), of((A_G,)), Reading(sample="S")).counted[0] == 2
    with pytest.raises(Incorrect, match="2 samples"):
        copies.read(io.BytesIO(two), of((A_G,)))


MANY = of(tuple(Variant(1, 10 * (1 + at), "A", "G", frequency=0.25) for at in range(10)))


def shown(missing: int) -> copies.Copies:
    return copies.read(vcf(*(f"1 {10 * (1 + at)} A G 0/1" for at in range(missing, 10))), MANY)


def test_what_is_missing_counts_as_twice_the_frequency_as_far_as_it_may() -> None:
    told_ = filling.filled(shown(2), MANY, 0.2)
    np.testing.assert_array_equal(told_.dosages, [0.5] * 2 + [1.0] * 8)
    assert told_.missing == {ABSENT: 2}
    with pytest.raises(Unprocessable, match="3 of the 10 variants of this score are missing, and 2 may be: 3 not in"):
        filling.filled(shown(3), MANY, 0.2)
    with pytest.raises(Unprocessable, match="1 of the 10"):
        filling.filled(shown(1), MANY, 0.0)


def test_what_is_missing_and_of_no_known_frequency_is_refused() -> None:
    unknown = of(tuple(one._replace(frequency=None) for one in MANY))
    assert filling.filled(shown(0), unknown, 0.5).missing == {}
    with pytest.raises(Unprocessable, match="frequent"):
        filling.filled(shown(1), unknown, 0.5)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_is_refused_in_words_or_leaves_copies(data: st.DataObject) -> None:
    whole = vcf("1 1000 A G 0/1", "1 1003 AT A 0/1", "1 1004 A <NON_REF> 0/0 PASS END=2000").read()
    place = data.draw(st.integers(0, len(whole) - 1))
    put = data.draw(st.binary(min_size=1, max_size=4))
    asked = of((A_G, Variant(1, 1003, "A", "AT"), Variant(1, 1500, "C", "T", "C")))
    try:
        found = copies.read(io.BytesIO(whole[:place] + put + whole[place + len(put) :]), asked)
    except FhirtwinError:
        return
    known = found.counted[~np.isnan(found.counted)]
    assert np.isin(known, [0.0, 1.0, 2.0]).all()
    assert sum(found.missing.values()) == 3 - known.size
