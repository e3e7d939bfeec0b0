"""Whatever stands in a genomics result, it is read or refused, quickly and in the words of this project."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.pgx import functions, naming
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.results import GENES
from tests.cost import growth
from tests.twin.builders import read
from tests.twin.genomics.builders import coded, component, genotype, implication, result, studied, variant

PARTS = [
    "CYP2D6",
    "HLA-B",
    "*1",
    "*57:01",
    "/",
    "|",
    " | ",
    "+",
    "~",
    "hla#3.1.0#",
    "xN",
    "c.85T>C",
    "positive",
    "[",
    "]",
    ",",
]
SAID = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PARTS), max_size=12).map("".join))


@given(st.sampled_from(GENES), SAID, SAID)
def test_any_words_are_read_or_refused(gene: str, code: str, text: str) -> None:
    value = {**coded("http://www.pharmvar.org", code), "text": text}
    for resource in (
        result("84413-4", value, studied(gene)),
        result("84414-2", value),
        result("50956-2", value),
        implication(text, studied(gene)),
        variant(gene, code, text, code),
    ):
        made = read(resource)
        assert made.facts or made.unused
        for left in made.unused:
            assert len(text) < 12 or text not in left.reason


@pytest.mark.parametrize("said", ["/" * 152, "c.85T>C, " * 8 + "/" * 16, "*1/*2 | " * 300, "*1+" * 23 + "*1"])
@pytest.mark.parametrize("gene", ["DPYD", "G6PD", "CYP2D6", "HLA-B"])
def test_long_words_take_no_time(gene: str, said: str) -> None:
    assert growth(lambda size: read(genotype(gene, said * size)), 1) < 24


def test_names_of_the_tables_are_within_the_limits() -> None:
    names = [one.allele for gene in GENES for one in functions.alleles().get(gene, {}).values()]
    names += [name for gene in genes().values() for name in gene.by_name]
    assert max(map(len, names)) <= naming.LONGEST
    assert 2 * max(name.count("/") for name in names) + 1 <= naming.MOST_STROKES


def test_place_between_two_bases_is_none() -> None:
    here = component("48013-7", coded("http://www.ncbi.nlm.nih.gov/nuccore", "NC_000010.11"))
    counted = component("92822-6", coded("http://loinc.org", "LA30102-0"))
    at = component("81254-5", {"low": {"value": Decimal("94781859.5")}})
    made = read(result("69548-6", coded("http://loinc.org", "LA9633-4"), here, counted, at, component("69551-0", "A")))
    assert made.facts == () and "no definition knows" in made.unused[0].reason
