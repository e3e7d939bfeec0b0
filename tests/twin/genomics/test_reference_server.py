"""The outputs of HL7's reference server for genomics operations are read, all ten files of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.fhir import codec
from tests.twin.builders import read

Json = dict[str, Any]
NO_GENE = "it does not name its gene; the genotype that it was derived from is read by itself"
DIPLOTYPES = {("CYP2C19", "*1/*17"), ("CYP2D6", "*1/*41")}
EXPECTED: dict[str, tuple[set[tuple[str, str]], set[str]]] = {
    "find_subject_haplotypes__1": ({("CYP2D6", "*1/*41")}, set()),
    "find_subject_haplotypes__2": (DIPLOTYPES, set()),
    "find_subject_haplotypes__3": ({("HLA-B", "*08:01/*40:01")}, set()),
    "find_subject_haplotypes__4": ({("HLA-B", "*08:01/*40:01")}, set()),
    "find_subject_specific_haplotypes__1": ({("CYP2C19", "*1/*1")}, set()),
    "find_subject_specific_haplotypes__2": (set(), set()),
    "find_subject_specific_haplotypes__3": (set(), {"it is of a gene that no table here knows"}),
    "find_subject_tx_implications__2": (DIPLOTYPES | {("CYP2C19", "Rapid Metabolizer")}, {NO_GENE}),
    "find_subject_tx_implications__4": (DIPLOTYPES | {("CYP2C19", "Rapid Metabolizer")}, {NO_GENE}),
}


def observations(parameters: list[Json]) -> Iterator[Json]:
    for parameter in parameters:
        if "resource" in parameter:
            yield parameter["resource"]
        yield from observations(parameter.get("part", []))


@pytest.mark.parametrize("name", EXPECTED)
def test_output_is_read(name: str, shared: Path) -> None:
    answer = codec.decode((shared / f"data/pgx/fhir/genomics-operations/{name}.json").read_bytes())
    made = [read(one) for one in observations(answer.get("parameter", []))]
    assert {(fact.display, str(fact.value)) for one in made for fact in one.facts} == EXPECTED[name][0]
    assert {left.reason for one in made for left in one.unused} == EXPECTED[name][1]
