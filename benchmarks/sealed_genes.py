"""Lookups of genes under encryption against the plain tables: differences, errors, and what they cost.

    .venv/bin/python -m benchmarks.sealed_genes [--people 10000]

Every person is sealed alone, with the production parameters and a fresh key a ciphertext. First the differences: in
phenotypes of all genes, with one diplotype of each and then with equal calls, words and no calls; in the rows of
guidelines over every combination of values of one gene and of two; in doses of warfarin. Then what one question costs,
in one process by CPU time beside encryption and decryption alone, and by wall time through an engine process and its
Unix socket. Exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks import calibration, genotypes
from benchmarks.panel import encrypt_and_decrypt, synthetic_panel
from fhirtwin.assess_genes import SealedGenes
from fhirtwin.ckks import profiles, wire
from fhirtwin.ckks.context import Ring
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import Unprocessable
from fhirtwin.pgx import functions, guideline, phenotype, recommendations, warfarin
from fhirtwin.pgx.circuits import tables
from fhirtwin.pgx.results import GenePhenotype, Known, Phenotype
from fhirtwin.vault import Vault
from tests.engine.process import running_engine

DOSE_BAR_MG, CARD_BAR_MS, ROUNDS = 0.01, 300.0, 200
CARD_GENES = (
    "CYP2B6", "CYP2C19", "CYP2C9", "CYP2D6", "CYP3A4", "CYP3A5", "DPYD", "G6PD", "NAT2", "NUDT15", "SLCO1B1", "TPMT",
    "UGT1A1", "VKORC1",
)  # fmt: skip
CARD_DRUGS = (
    "amitriptyline", "citalopram", "clopidogrel", "codeine", "fluorouracil", "mercaptopurine", "phenytoin",
    "sertraline", "simvastatin", "tacrolimus",
)  # fmt: skip

Told = dict[str, GenePhenotype]


def plain(calls: list[Known]) -> Told:
    return {call.gene: phenotype.of_call(call) for call in calls}


def different_phenotypes(genes: SealedGenes, people: int, make: Callable[..., list[Known]]) -> int:
    draw, found = genotypes.drawing(), 0
    for _ in range(people):
        calls = make(draw)
        found += genes.phenotypes(calls) != plain(calls)
    return found


def grids() -> Iterator[tuple[list[str], Told, dict[str, dict[str, str]]]]:
    """Drugs that share genes and values, with everything that can be known of those genes."""
    of_genes: dict[tuple[tuple[str, frozenset[str]], ...], list[str]] = {}
    for drug in guideline.table():
        of_genes.setdefault(tuple((gene, guideline.values(drug, gene)) for gene in guideline.genes(drug)), []).append(
            drug
        )
    for of, drugs in of_genes.items():
        for values in product(*(sorted(known) for _, known in of)):
            known = {gene: value for (gene, _), value in zip(of, values, strict=True) if value != "No Result"}
            alleles = {gene: dict([value.split()]) for gene, value in known.items() if gene.startswith("HLA-")}
            yield drugs, {g: GenePhenotype(g, (_told(g, v),)) for g, v in known.items() if g not in alleles}, alleles


def _told(gene: str, value: str) -> Phenotype:
    return Phenotype(gene, "", value) if gene in functions.scored() else Phenotype(gene, value)


def different_rows(genes: SealedGenes) -> tuple[int, int, int]:
    """Combinations, rows, and how many combinations gave other rows than the plain tables."""
    combinations, rows, found = 0, 0, 0
    for drugs, told, alleles in grids():
        answers = genes.advise(drugs, told, alleles)
        found += answers != tuple(recommendations.advise(drug, told, alleles) for drug in drugs)
        combinations += 1
        rows += sum(len(answer.recommendations) for answer in answers)
    return combinations, rows, found


def dose_errors(genes: SealedGenes, people: int) -> tuple[float, float, int]:
    """The largest error and the largest dose, in mg a week, and how many were refused by one side alone."""
    draw, largest, dose, apart = genotypes.drawing(), 0.0, 0.0, 0
    for _ in range(people):
        person = genotypes.person(draw)
        pair = [_dose(estimate, person) for estimate in (warfarin.estimate, genes.warfarin)]
        if pair[0] is None or pair[1] is None:
            apart += pair[0] is not pair[1]
            continue
        largest, dose = max(largest, abs(pair[0] - pair[1])), max(dose, pair[0])
    return largest, dose, apart


def _dose(estimate: Callable[[warfarin.Person], warfarin.Dose], person: warfarin.Person) -> float | None:
    try:
        return estimate(person).weekly
    except Unprocessable:
        return None


def largest_sum_error(evaluator: Evaluator, people: int) -> float:
    """Of an opened sum before it is rounded."""
    shelf, largest, draw = tables.phenotypes(), 0.0, genotypes.drawing()
    vault = Vault(shelf.panel, mode="sparse")
    for _ in range(people):
        wanted = {
            call.gene: [tables.pair(*rule[1:]) for rule in phenotype.asked(call)][: shelf.copies]
            for call in genotypes.unsure(draw)
        }
        values = shelf.values(0, shelf.kept(wanted))
        sealed, opening = vault.seal(values)
        assert opening._ring is not None
        sums = vault._sums(opening._ring, evaluator.evaluate(sealed, wire.NO_KEYS), opening)
        largest = max(largest, float(np.abs(sums - shelf.panel.weights @ values).max()))
    return largest


def milliseconds(clock: Callable[[], float], once: Callable[..., object], *given: object) -> float:
    start = clock()
    once(*given)
    return (clock() - start) * 1000


def compare(genes: SealedGenes, evaluator: Evaluator, people: int) -> list[tuple[str, float, float]]:
    """Print what differs; give figures with their bars."""
    print(f"people: {people}")
    combinations, rows, other_rows = different_rows(genes)
    error, dose, apart = dose_errors(genes, people)
    print(
        f"{combinations} combinations of values of one gene and of two, {rows} rows; largest dose {dose:.1f} mg a week"
    )
    return [
        (
            "people whose phenotypes differ, one diplotype a gene",
            different_phenotypes(genes, people, genotypes.sure),
            0,
        ),
        (
            "people whose phenotypes differ, equal calls, words",
            different_phenotypes(genes, people, genotypes.unsure),
            0,
        ),
        ("combinations of which a row differs", other_rows, 0),
        ("largest error of a dose of warfarin, mg a week", error, DOSE_BAR_MG),
        ("people to whom one side gives a dose alone", apart, 0),
        ("largest error of a sum before rounding", largest_sum_error(evaluator, people // 10), profiles.SPARSE.error),
    ]


def cost(evaluator: Evaluator) -> list[tuple[str, float, float]]:
    draw = genotypes.drawing()
    people = [[call for call in genotypes.sure(draw) if call.gene in CARD_GENES] for _ in range(ROUNDS)]
    told = [plain(calls) for calls in people]
    ring = Ring(profiles.SPARSE)
    ring.make_keys()
    alone = encrypt_and_decrypt(ring)
    here = SealedGenes(lambda features: evaluator.evaluate(features, wire.NO_KEYS))
    cpu: dict[str, list[float]] = {"alone": [], "plain": [], "sealed": []}
    wall: dict[str, list[float]] = {"plain": [], "phenotypes": [], "advice": [], "card": []}
    with tempfile.TemporaryDirectory() as folder, running_engine(Path(folder)) as engine:
        courier = engine.courier()
        there = SealedGenes(courier.evaluate)
        for calls, known in zip(people, told, strict=True):
            cpu["alone"].append(milliseconds(time.process_time, alone))
            cpu["plain"].append(milliseconds(time.process_time, plain, calls))
            cpu["sealed"].append(milliseconds(time.process_time, here.phenotypes, calls))
            wall["plain"].append(milliseconds(time.perf_counter, plain, calls))
            wall["phenotypes"].append(milliseconds(time.perf_counter, there.phenotypes, calls))
            wall["advice"].append(milliseconds(time.perf_counter, there.advise, CARD_DRUGS, known))
            wall["card"].append(wall["phenotypes"][-1] + wall["advice"][-1])
        courier.close()
    ratio = min(cpu["sealed"]) / min(cpu["alone"])
    print(
        f"CPU of one ciphertext: encrypt + decrypt alone {min(cpu['alone']):.2f} ms, plain {min(cpu['plain']):.3f} ms,"
    )
    print(f"sealed phenotypes of 14 genes {min(cpu['sealed']):.2f} ms, {ratio:.2f} times encrypt + decrypt alone")
    names = {
        "plain": "14 genes, plain tables",
        "phenotypes": "14 genes, sealed, one ciphertext",
        "advice": "10 drugs, sealed, four ciphertexts",
        "card": "both, as the card of an order would",
    }
    print(f"{'wall milliseconds through an engine process':50} {'p50':>10} {'p95':>10}")
    for name, label in names.items():
        print(f"{label:50} {statistics.median(wall[name]):10.3f} {np.percentile(wall[name], 95):10.3f}")
    return [("sealed card, 95th percentile, ms", float(np.percentile(wall["card"], 95)), CARD_BAR_MS)]


def measure(people: int) -> int:
    print(f"calibration: {calibration.milliseconds():.3f} ms of CPU for a fixed piece of work\n")
    evaluator = Evaluator(synthetic_panel(), tables.panels())
    genes = SealedGenes(lambda features: evaluator.evaluate(features, wire.NO_KEYS))
    figures = [*cost(evaluator), *compare(genes, evaluator, people)]
    print()
    for name, value, bar in figures:
        print(f"{name:55} {value:12.6f}  bar {bar:10.4f}  {'ok' if value <= bar else 'MISSED'}")
    return int(any(not value <= bar for _, value, bar in figures))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=10_000)
    sys.exit(measure(parser.parse_args().people))
