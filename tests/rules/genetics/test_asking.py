"""All that a call may ask has room in one sealed question, but for rare people."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from benchmarks import genotypes
from fhirtwin.errors import Unprocessable
from fhirtwin.pgx import guideline, phenoconversion
from fhirtwin.pgx.circuits import tables
from fhirtwin.pgx.lookup import PLAIN
from fhirtwin.pgx.results import Known
from fhirtwin.rules.genetics import asking
from fhirtwin.rules.genetics.person import Person
from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.twin.genome import GeneResult
from tests.rules.building import situation, taken

NAMES = sorted({*guideline.drugs(), *(drug for drug, _ in phenoconversion.inhibitors())} & set(CODES))
PEOPLE = 1000


@pytest.mark.parametrize(("make", "most"), [(genotypes.sure, 0), (genotypes.unsure, 10)])
def test_how_many_of_a_thousand_people_have_no_room(make: Callable[[random.Random], list[Known]], most: int) -> None:
    draw, refused = genotypes.drawing(), 0
    for _ in range(PEOPLE):
        calls = make(draw)
        results = {call.gene: GeneResult(call, (), "") for call in calls}
        person = Person(results, PLAIN.phenotypes(calls), {}, {})
        beside = tuple(taken(name, name) for name in draw.sample(NAMES, 5))
        wanted: dict[str, list[tuple[str, ...]]] = {}
        for key in set(asking.of_call(situation(*draw.sample(NAMES, 10), facts=beside), person)):
            wanted.setdefault(tables.book_of(gene for gene, _ in key), []).append(tuple(value for _, value in key))
        try:
            tables.advice().kept(wanted)
        except Unprocessable:
            refused += 1
    assert refused <= most
