"""The circuits of the genes hold all that the plain tables hold, within what a ciphertext has room for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import genotypes
from fhirtwin.ckks import packing, profiles
from fhirtwin.pgx import functions, guideline, phenotype, warfarin
from fhirtwin.pgx.circuits import dosing, tables
from fhirtwin.pgx.circuits.shelf import Shelf


def test_every_rule_is_in_the_circuit_of_phenotypes() -> None:
    books = {book.name: book for book in tables.phenotypes().books}
    assert len(books) == 19
    assert sum(len(book.entries) for book in books.values()) == 186
    for (gene, first, second), (word, date) in functions.pairs().items():
        keys = [one for one in (first, second) if one]
        assert books[gene].entries[tables.pair(first, second)] == (word, phenotype.score(gene, keys), date)


def test_every_row_of_the_guidelines_is_in_the_circuit_of_advice() -> None:
    books = {book.name: book for book in tables.advice().books}
    seen = 0
    for drug, rows in guideline.table().items():
        for (population, key), row in rows.items():
            written = books[tables.book_of(gene for gene, _ in key)].entries[tuple(value for _, value in key)]
            (its,) = [one for one in written if (one.drug.name, one.population) == (drug, population)]
            assert (its.action, its.steps, its.strength, its.implications) == (
                row.action,
                row.steps,
                row.strength,
                row.implications,
            )
            seen += 1
    assert seen == sum(len(of) for book in books.values() for of in book.entries.values()) == 2124


@pytest.mark.parametrize("shelf", [tables.phenotypes(), tables.advice()], ids=["phenotypes", "advice"])
def test_circuits_keep_to_the_limits_of_their_profile(shelf: Shelf[object]) -> None:
    layout = packing.layout(shelf.panel, profiles.SPARSE)
    assert layout.lane_of.size <= profiles.SPARSE.slots
    assert layout.high.max() <= 16
    assert max(len(book.codes) for book in shelf.books) < 16 * 32


def test_the_dose_in_the_clear_is_that_of_the_equations() -> None:
    draw, panel = genotypes.drawing(), dosing.panel()
    for _ in range(10_000):
        person = genotypes.person(draw)
        values = dosing.values(person)
        assert ((panel.low <= values) & (values <= panel.high)).all()
        assert not panel.chosen_twice(values)
        sums = dict(zip(panel.rows, (panel.weights @ values).tolist(), strict=True))
        known = warfarin.genes_known(person)
        equation = warfarin.PHARMACOGENETIC if known else warfarin.CLINICAL
        right = sum(equation[name] * value for name, value in warfarin.inputs(person, known).items())
        assert dosing.total(person, sums) == pytest.approx(right, abs=1e-12)


def test_the_largest_error_of_a_sealed_dose_is_below_a_hundredth_of_a_milligram() -> None:
    """By calculation, at the person whose dose is the largest that the inputs allow."""
    largest = warfarin.Person(18, 250, 300, "-1639 GG", "*1/*1", "White", inducer=True)
    root = np.sqrt(warfarin.estimate(largest).weekly)
    for change in ({"race": "Asian"}, {"cyp2c9": "unknown"}, {"amiodarone": True}, {"age": 120}, {"vkorc1": "unknown"}):
        assert warfarin.estimate(replace(largest, **change)).weekly < root**2
    off = (profiles.SPARSE.error + float(profiles.SPARSE.step) / 2) / dosing.TIMES
    assert (root + off) ** 2 - root**2 < 0.01
