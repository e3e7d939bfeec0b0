"""Scoring files: what is read, what is left out by reason, and what would be another sum and is refused."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirtwin.errors import FhirtwinError, Incorrect
from fhirtwin.polygenic import scoring_file
from fhirtwin.polygenic.scoring_file import AMBIGUOUS, NO_BASES, NO_OTHER_ALLELE, NO_POSITION, NOT_AUTOSOMAL
from tests.polygenic.files import COLUMNS, ROWS, changed, scoring


@pytest.mark.parametrize("packed", [False, True])
def test_positions_of_the_harmonised_columns_are_read(packed: bool) -> None:
    found = scoring_file.read(scoring(packed=packed))
    assert found.variants.names[:] == ("1:1000:A:G", "1:2000:C:T", "2:500:T:G", "22:70:AT:A")
    np.testing.assert_array_equal(found.weights, [0.5, -0.25, 0.1, 2.0])
    np.testing.assert_array_equal(found.variants.frequencies, [0.25, 0.5, np.nan, 0.1])
    assert found.left_out == {}
    assert found.about["pgs_id"] == "PGS999999"


def test_variants_and_their_weights_are_put_in_order_together() -> None:
    found = scoring_file.read(scoring(ROWS[::-1]))
    assert found.variants.names[0] == "1:1000:A:G"
    np.testing.assert_array_equal(found.weights, [0.5, -0.25, 0.1, 2.0])


def test_a_file_whose_own_positions_are_on_grch38_is_read_by_them() -> None:
    columns = ["chr_name", "chr_position", "effect_allele", "other_allele", "effect_weight"]
    found = scoring_file.read(scoring([["3", "7", "A", "C", "1"]], columns, HmPOS_build=None, genome_build="GRCh38"))
    assert found.variants.names[:] == ("3:7:A:C",)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"hm_chr": ""}, NO_POSITION),
        ({"hm_pos": ""}, NO_POSITION),
        ({"hm_pos": "NA"}, NO_POSITION),
        ({"hm_pos": "-5"}, NO_POSITION),
        ({"hm_pos": "999999999"}, NO_POSITION),
        ({"hm_chr": "X"}, NOT_AUTOSOMAL),
        ({"hm_chr": "CHR_HSCHR6_MHC"}, NOT_AUTOSOMAL),
        ({"effect_allele": "HLA-DQA1*0102"}, NO_BASES),
        ({"effect_allele": "I"}, NO_BASES),
        ({"effect_allele": ""}, NO_BASES),
        ({"other_allele": ""}, NO_OTHER_ALLELE),
        ({"other_allele": "G/T"}, NO_OTHER_ALLELE),
        ({"other_allele": "T"}, AMBIGUOUS),
        ({"effect_allele": "AC", "other_allele": "GT"}, AMBIGUOUS),
    ],
)
def test_what_cannot_be_used_is_left_out_by_reason(values: dict[str, str], reason: str) -> None:
    found = scoring_file.read(scoring(changed(0, **values)))
    assert found.left_out == {reason: 1}
    assert found.variants.names[:] == ("1:2000:C:T", "2:500:T:G", "22:70:AT:A")
    np.testing.assert_array_equal(found.weights, [-0.25, 0.1, 2.0])


def test_alleles_that_read_the_same_on_both_strands_are_taken_when_the_author_states_the_strand() -> None:
    found = scoring_file.read(scoring(changed(0, other_allele="T")), on_forward_strand=True)
    assert found.variants.names[0] == "1:1000:A:T"


def test_an_inferred_other_allele_is_taken_where_there_is_one() -> None:
    columns = [name if name != "other_allele" else "hm_inferOtherAllele" for name in COLUMNS]
    assert scoring_file.read(scoring(columns=columns)).variants.names[0] == "1:1000:A:G"


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ({"HmPOS_build": "GRCh37"}, "not on GRCh38"),
        ({"HmPOS_build": None}, "not on GRCh38"),
        ({"format_version": "3.0"}, "format_version=2.0"),
        ({"format_version": None}, "format_version=2.0"),
        ({"variants_number": "5"}, "cut off"),
        ({"weight_type": "OR"}, "ratios"),
        ({"weight_type": "HR"}, "ratios"),
    ],
)
def test_a_header_that_says_otherwise_is_refused(header: dict[str, Any], text: str) -> None:
    with pytest.raises(Incorrect, match=text):
        scoring_file.read(scoring(**header))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"effect_weight": "NaN"}, "effect_weight"),
        ({"effect_weight": "inf"}, "effect_weight"),
        ({"effect_weight": ""}, "effect_weight"),
        ({"effect_weight": "1e300"}, "effect_weight"),
        ({"effect_weight": "0x10"}, "effect_weight"),
        ({"effect_weight": "1" * 50}, "effect_weight"),
        ({"allelefrequency_effect": "1.5"}, "allelefrequency_effect"),
        ({"other_allele": "A"}, "as well"),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_its_line(values: dict[str, str], text: str) -> None:
    with pytest.raises(Incorrect, match=rf"line \d+: .*{text}"):
        scoring_file.read(scoring(changed(0, **values)))


@pytest.mark.parametrize("flag", ["is_haplotype", "is_diplotype", "is_interaction", "is_dominant", "is_recessive"])
def test_weights_that_are_not_for_copies_are_refused(flag: str) -> None:
    columns = [*COLUMNS, flag]
    assert len(scoring_file.read(scoring([[*row, "False"] for row in ROWS], columns)).variants) == 4
    with pytest.raises(Incorrect, match=flag):
        scoring_file.read(scoring([[*row, "True"] for row in ROWS], columns))


def test_weights_by_number_of_copies_are_refused() -> None:
    with pytest.raises(Incorrect, match="dosage_N_weight"):
        scoring_file.read(scoring([[*row, "1"] for row in ROWS], [*COLUMNS, "dosage_1_weight"]))


def test_a_variant_that_is_there_twice_is_refused_whichever_allele_is_counted() -> None:
    for again in (["rs9", "A", "G"], ["rs9", "G", "A"]):
        with pytest.raises(Incorrect, match="twice"):
            scoring_file.read(scoring([*ROWS, [*again, "1", "", "", "", "1", "1000"]]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"#format_version=2.0\n",
        b"#format_version=2.0\n#format_version=2.0\n",
        b"#a=1\n" * 2000,
        b"\x1f\x8b\x00",
        b"\xff\xfe\n",
        scoring().read()[:-10],
        scoring(columns=[*COLUMNS[:-1], "hm_chr"]).read(),
        scoring([]).read(),
        scoring(columns=COLUMNS[1:]).read(),
    ],
)
def test_what_is_no_whole_scoring_file_is_refused(data: bytes) -> None:
    with pytest.raises(FhirtwinError):
        scoring_file.read(io.BytesIO(data))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(scoring().read()) - 1), st.binary(min_size=1, max_size=4))
def test_damage_is_refused_in_words_or_leaves_a_score(place: int, put: bytes) -> None:
    data = scoring().read()
    try:
        found = scoring_file.read(io.BytesIO(data[:place] + put + data[place + len(put) :]))
    except FhirtwinError:
        return
    assert np.isfinite(found.weights).all()
    assert len(found.variants) == len(found.weights) <= 4
