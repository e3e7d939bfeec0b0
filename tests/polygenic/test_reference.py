"""Alleles looked up in a FASTA: which is the reference, across lines, and what disagrees."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import FhirtwinError, Incorrect
from fhirtwin.polygenic import copies, reference
from fhirtwin.polygenic.variants import Variant, Variants, of
from tests.polygenic.files import vcf

GENOME = {"chr1": "ACGTTTGCAACGT", "chrM": "ACGT", "2": "NNNACGGT"}


def fasta(width: int = 4, packed: bool = False, **changes: str) -> io.BytesIO:
    text = ""
    for name, bases in (GENOME | changes).items():
        text += f">{name} of nobody\n"
        text += "".join(bases[at : at + width] + "\n" for at in range(0, len(bases), width))
    return io.BytesIO(gzip.compress(text.encode()) if packed else text.encode())


def told(some: Variants, **options: object) -> list[str]:
    return [one.reference for one in reference.look_up(fasta(**options), some).variants]  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 13])
@pytest.mark.parametrize("packed", [False, True])
def test_the_reference_is_told_whichever_allele_is_counted_and_wherever_lines_end(width: int, packed: bool) -> None:
    some = of(
        [
            Variant(1, 1, "A", "G"),
            Variant(1, 2, "T", "C"),
            Variant(1, 3, "GT", "G"),  # the genome goes on with TTT: either may be the reference
            Variant(1, 7, "GCA", "G"),
            Variant(1, 8, "CAG", "C"),
            Variant(2, 4, "A", "C"),
        ]
    )
    assert told(some, width=width, packed=packed) == ["A", "C", "", "", "C", "A"]


def test_lower_case_of_repeats_is_the_same_genome() -> None:
    assert told(of([Variant(1, 1, "A", "G")]), chr1="acgtttgcaacgt") == ["A"]


def test_alleles_that_the_genome_has_not_there_disagree() -> None:
    some = of([Variant(1, 1, "A", "G"), Variant(1, 2, "A", "G"), Variant(2, 1, "A", "G")])
    looked = reference.look_up(fasta(), some)
    np.testing.assert_array_equal(looked.agree, [True, False, False])
    assert [one.reference for one in looked.variants] == ["A", "", ""]


@pytest.mark.parametrize("one", [Variant(3, 1, "A", "G"), Variant(1, 14, "A", "G"), Variant(2, 8, "TAC", "T")])
def test_a_genome_that_lacks_a_place_of_the_score_is_refused(one: Variant) -> None:
    with pytest.raises(Incorrect, match=one.name):
        reference.look_up(fasta(), of([one]))


@given(st.binary(max_size=200))
def test_what_is_no_fasta_is_refused(data: bytes) -> None:
    with pytest.raises(FhirtwinError):
        reference.look_up(io.BytesIO(data.replace(b"1", b"0")), of([Variant(1, 1, "A", "G")]))


def test_a_reference_that_is_known_lets_a_block_tell() -> None:
    looked = reference.look_up(fasta(), of([Variant(1, 3, "G", "A"), Variant(1, 5, "C", "T")]))
    found = copies.read(vcf("1 1 A <NON_REF> 0/0 PASS END=13"), looked.variants)
    np.testing.assert_array_equal(found.counted, [2.0, 0.0])
