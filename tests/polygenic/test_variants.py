"""Files of variants: read back as they are written, and in no other form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import Incorrect
from fhirtwin.polygenic import variants
from fhirtwin.polygenic.variants import Variant, of

_ALLELES = st.text("ACGT", min_size=1, max_size=4)
_VARIANT = (
    st.builds(
        Variant,
        st.integers(1, 22),
        st.integers(1, variants.LARGEST_POSITION),
        _ALLELES,
        _ALLELES,
        frequency=st.none() | st.floats(0, 1).map(variants.rounded),
    )
    .filter(lambda one: one.counted != one.other)
    .flatmap(
        lambda one: st.sampled_from(["", one.counted, one.other]).map(
            lambda reference: Variant(one.chromosome, one.position, one.counted, one.other, reference, one.frequency)
        )
    )
)


@given(st.lists(_VARIANT, min_size=1, max_size=20, unique_by=lambda one: one.place))
def test_variants_are_read_as_they_were_written(some: list[Variant]) -> None:
    given_ = of(tuple(sorted(some, key=lambda one: one.place)))
    assert variants.read(variants.write(given_), "variants.tsv").names[:] == given_.names[:]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1\t5\tA\tG\t.\t.",
        "1\t5\tA\tG\t.\t.\n\n",
        "1\t5\tA\tG\t.\n",
        "1\t5\tA\tG\t.\t.\t.\n",
        "0\t5\tA\tG\t.\t.\n",
        "23\t5\tA\tG\t.\t.\n",
        "X\t5\tA\tG\t.\t.\n",
        "1\t0\tA\tG\t.\t.\n",
        "1\t05\tA\tG\t.\t.\n",
        "1\t999999999\tA\tG\t.\t.\n",
        "1\t5\tA\tA\t.\t.\n",
        "1\t5\ta\tG\t.\t.\n",
        "1\t5\tA\tN\t.\t.\n",
        "1\t5\tA\tG\tT\t.\n",
        "1\t5\tA\tG\tA\t1.5\n",
        "1\t5\tA\tG\tA\tnan\n",
        "1\t5\tA\tG\tA\t0.1234567\n",
        "1\t5\tA\tG\t.\t.\r\n",
        "1\t5\tA\tG\t.\t.\n1\t5\tG\tA\t.\t.\n",
        "1\t5\tA\tG\t.\t.\n1\t4\tG\tA\t.\t.\n",
        "2\t5\tA\tG\t.\t.\n1\t5\tG\tA\t.\t.\n",
        "1\t5\t" + "A" * 256 + "\tG\t.\t.\n",
        "１\t5\tA\tG\t.\t.\n",
    ],
)
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(Incorrect, match=r"variants\.tsv"):
        variants.read(text.encode(), "variants.tsv")


@pytest.mark.parametrize(
    ("counted", "other", "ambiguous"),
    [("A", "T", True), ("C", "G", True), ("A", "G", False), ("AC", "GT", True), ("AT", "A", False), ("AT", "T", False)],
)
def test_alleles_that_read_the_same_on_both_strands(counted: str, other: str, ambiguous: bool) -> None:
    assert Variant(1, 1, counted, other).is_strand_ambiguous is ambiguous
