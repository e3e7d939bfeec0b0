"""Genes on the sealed road: the same as the plain tables, or refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from benchmarks import genotypes
from fhirtwin import __version__
from fhirtwin.assess_genes import SealedGenes
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.web import create_app
from fhirtwin.errors import EngineAnswerRefused, EngineUnavailable, Fault, Unprocessable
from fhirtwin.pgx import functions, guideline, phenotype, recommendations, warfarin
from fhirtwin.pgx.circuits import tables
from fhirtwin.pgx.circuits.book import CODE_STEP
from fhirtwin.pgx.response import evidence, linear
from fhirtwin.pgx.response.compare import compare
from fhirtwin.pgx.response.evidence import Baseline
from fhirtwin.pgx.results import GenePhenotype, Known, Pair, Phenotype
from fhirtwin.pgx.warfarin import Person
from tests.ckks.builders import random_panel
from tests.engine.process import running_engine

ENGINE = Evaluator(random_panel(), tables.panels())
SURE = [Known("CYP2D6", (Pair("*1", "*4"),)), Known("CYP2C19", (Pair("*1", "*2"),)), Known("TPMT", (Pair("*1", "*1"),))]


class Way:
    """To an engine in this process; remembers what went, and may change what comes."""

    def __init__(self, change: Callable[[SealedScores], SealedScores] | None = None) -> None:
        self.sent: list[SealedFeatures] = []
        self._change = change

    def __call__(self, features: SealedFeatures) -> SealedScores:
        self.sent.append(features)
        answer = ENGINE.evaluate(features, wire.NO_KEYS)
        return self._change(answer) if self._change else answer


@pytest.fixture(scope="module")
def genes() -> SealedGenes:
    return SealedGenes(Way())


def plain(calls: list[Known]) -> dict[str, GenePhenotype]:
    return {call.gene: phenotype.of_call(call) for call in calls}


def test_what_is_told_of_a_gene_is_word_for_word_what_the_plain_tables_tell(genes: SealedGenes) -> None:
    told = genes.phenotypes(SURE)
    assert told == plain(SURE)
    agreed = told["CYP2D6"].agreed
    assert agreed is not None
    assert (agreed.word, agreed.score, agreed.rule) == ("Intermediate Metabolizer", "1.0", "*1 1.0 + *4 0.0")


@pytest.mark.production_set
def test_people_of_every_kind_are_told_the_same(genes: SealedGenes) -> None:
    draw = genotypes.drawing()
    different = 0
    for _ in range(500):
        calls = genotypes.unsure(draw)
        different += genes.phenotypes(calls) != plain(calls)
    assert different == 0


@pytest.mark.production_set
def test_ten_thousand_people_are_told_the_same(genes: SealedGenes) -> None:
    """Eight in a ciphertext, which has room for so many pairs; `benchmarks.sealed_genes` seals each alone."""
    draw = genotypes.drawing()
    people = [genotypes.sure(draw) for _ in range(10_000)]
    different, copies = 0, tables.phenotypes().copies
    for several in (people[start : start + copies] for start in range(0, len(people), copies)):
        wanted: dict[str, list[tuple[str, ...]]] = {}
        for call in (call for calls in several for call in calls):
            wanted.setdefault(call.gene, []).extend(tables.pair(*rule[1:]) for rule in phenotype.asked(call))
        told, _ = genes._phenotypes.look_up(wanted)
        rules = {(gene, pair[0], pair[1]): (word, date) for (gene, pair), (word, _, date) in told.items()}
        rules |= {(gene, second, first): rule for (gene, first, second), rule in rules.items()}
        different += sum(
            phenotype.of_call(call, rules) != phenotype.of_call(call) for calls in several for call in calls
        )
    assert different == 0


def key_of(gene: str, value: str) -> Phenotype:
    """A phenotype that guidelines look up by this value."""
    return Phenotype(gene, "", value) if gene in functions.scored() else Phenotype(gene, value)


def grid(
    of: tuple[tuple[str, frozenset[str]], ...],
) -> list[tuple[dict[str, GenePhenotype], dict[str, dict[str, str]]]]:
    """Every combination of values of some genes, as what is known of a person."""
    found = []
    for values in product(*(sorted(known) for _, known in of)):
        known = {gene: value for (gene, _), value in zip(of, values, strict=True) if value != "No Result"}
        alleles = {gene: dict([value.split()]) for gene, value in known.items() if gene.startswith("HLA-")}
        told = {
            gene: GenePhenotype(gene, (key_of(gene, value),)) for gene, value in known.items() if gene not in alleles
        }
        found.append((told, alleles))
    return found


@pytest.mark.production_set
def test_all_grids_of_one_gene_and_of_two_give_the_rows_of_the_plain_tables(genes: SealedGenes) -> None:
    of_genes: dict[tuple[tuple[str, frozenset[str]], ...], list[str]] = {}
    for drug in guideline.table():
        of_genes.setdefault(tuple((gene, guideline.values(drug, gene)) for gene in guideline.genes(drug)), []).append(
            drug
        )
    seen, cells, different = 0, 0, 0
    for of, drugs in of_genes.items():
        for told, alleles in grid(of):
            answers = genes.advise(drugs, told, alleles)
            different += answers != tuple(recommendations.advise(drug, told, alleles) for drug in drugs)
            seen += sum(len(answer.recommendations) for answer in answers)
            cells += len(of) == 2
    assert different == 0
    assert cells == 417
    assert seen == 2138  # each row once, and 14 of malignant hyperthermia by either gene where both say so


def test_a_word_of_a_laboratory_that_stands_for_eleven_scores_is_looked_up_whole(genes: SealedGenes) -> None:
    ultrarapid = Phenotype("CYP2D6", "Ultrarapid Metabolizer")
    told = {"CYP2D6": GenePhenotype("CYP2D6", (ultrarapid,)), "CYP2C19": GenePhenotype("CYP2C19")}
    drugs = ["Amitriptyline", "codeine", "citalopram", "lithium"]
    answers = genes.advise(drugs, told)
    assert answers == tuple(recommendations.advise(drug, told) for drug in drugs)
    assert len(answers[0].recommendations) == 11


@pytest.mark.production_set
def test_doses_of_warfarin_are_within_a_hundredth_of_a_milligram(genes: SealedGenes) -> None:
    draw, largest = genotypes.drawing(), 0.0
    for vkorc1, cyp2c9, race in product(warfarin.VKORC1, warfarin.CYP2C9, warfarin.RACES):
        person = replace(genotypes.person(draw), vkorc1=vkorc1, cyp2c9=cyp2c9, race=race)
        sealed, right = genes.warfarin(person), warfarin.estimate(person)
        assert sealed == replace(right, weekly=sealed.weekly, terms=())
        largest = max(largest, abs(sealed.weekly - right.weekly))
    assert 0 < largest <= 0.01


@pytest.mark.parametrize(
    ("setting", "outcome", "step"),
    [("depression", "response", step) for step in evidence.STEPS]
    + [("depression", "discontinuation", 1), ("schizophrenia", "response", 1)],
)
def test_response_is_that_of_the_plain_model(genes: SealedGenes, setting: str, outcome: str, step: int) -> None:
    drugs = sorted({drug for drug, where, _ in evidence.effects() if where == setting})
    for rate in (None, 0.01, 0.5, 0.99):
        baseline = None if rate is None else Baseline(rate, rate, rate, "", "x")
        told = compare(drugs, setting, step, baselines={outcome: baseline} if baseline else {})
        plain = {one.drug: getattr(one, outcome) for one in (*told.ranked, *told.without)}
        sealed = genes.response(setting, outcome, step, baseline)
        assert sealed.keys() == {drug for drug, estimate in plain.items() if estimate}
        assert max(abs(sealed[drug] - plain[drug].probability) for drug in sealed) <= 1e-4


def test_response_of_random_settings_is_that_of_the_plain_model_for_every_drug(genes: SealedGenes) -> None:
    draw = random.Random(7)  # noqa: S311 - figures for a test
    largest, drugs_seen = 0.0, set[str]()
    for _ in range(60):
        setting, outcome = draw.choice(sorted({(where, what) for _, where, what in evidence.effects()}))
        step = 1 if setting == "schizophrenia" else draw.choice(evidence.STEPS)
        rate = draw.uniform(0.01, 0.99)
        baseline = Baseline(rate, rate, rate, "", "x")
        drugs = [drug for drug, where, what in evidence.effects() if (where, what) == (setting, outcome)]
        plain = {row.drug: row for row in linear.linear_rows(drugs, setting, outcome)}
        features = linear.features(setting, outcome, step, baseline)
        sealed = genes.response(setting, outcome, step, baseline)
        assert sealed.keys() == plain.keys()
        largest = max(largest, *(abs(sealed[drug] - linear.evaluate(plain[drug], features)) for drug in plain))
        drugs_seen |= sealed.keys()
    assert drugs_seen == {drug for drug, *_ in evidence.effects()}
    assert largest <= 1e-4


@pytest.mark.parametrize(
    ("setting", "outcome", "step", "rate"),
    [
        ("schizophrenia", "response", 2, 0.3),
        ("schizophrenia", "discontinuation", 1, None),
        ("mania", "response", 1, None),
    ]
    + [("depression", "response", 1, rate) for rate in (0.009, 0.991)],
)
def test_response_that_is_not_known_or_has_no_room_is_refused(
    setting: str, outcome: str, step: int, rate: float | None
) -> None:
    way = Way()
    with pytest.raises(Unprocessable):
        SealedGenes(way).response(setting, outcome, step, None if rate is None else Baseline(rate, rate, rate, "", "x"))
    assert way.sent == []


def test_who_the_equation_does_not_know_is_refused_before_anything_is_sent() -> None:
    way = Way()
    with pytest.raises(Unprocessable, match="needs height in cm"):
        SealedGenes(way).warfarin(Person(65, 1.7, 70))
    assert way.sent == []


def test_every_question_takes_the_same_number_of_messages_of_the_same_size() -> None:
    way = Way()
    genes, draw = SealedGenes(way), genotypes.drawing(3)
    counts = []
    for calls in ([], SURE, genotypes.unsure(draw), [Known("TPMT", not_called="not called, because")]):
        genes.phenotypes(calls)
        counts.append(len(way.sent))
    assert counts == [1, 2, 3, 4]
    genes.advise([], {})
    genes.advise(sorted(guideline.table()), plain(genotypes.sure(draw)))
    genes.warfarin(Person(65, 170, 70))
    assert len(way.sent) == 4 + 3 * 4
    assert len({len(one.sealed_vector) for one in way.sent}) == 1
    assert {one.evaluation_keys for one in way.sent} == {b""}
    assert {one.panel_digest for one in way.sent} == {panel.digest for panel in tables.panels()}


def test_more_that_fits_than_there_is_room_for_is_refused_and_nothing_is_left_out(genes: SealedGenes) -> None:
    names = ["*1", "*4", "*10", "*9", "*1x2", "*17x2"]
    every = tuple(Pair(first, second) for first, second in product(names, names) if first <= second)
    with pytest.raises(Unprocessable, match="More than 8 values of CYP2D6 fit equally well"):
        genes.phenotypes([Known("CYP2D6", every)])


def test_two_calls_of_one_gene_are_refused(genes: SealedGenes) -> None:
    with pytest.raises(Fault, match="two calls of TPMT"):
        genes.phenotypes([SURE[2], Known("TPMT", (Pair("*1", "*2"),))])


def moved(gene: str, by: float) -> Callable[[SealedScores], SealedScores]:
    """What an engine that lies gives: the sum of one gene is another, and all others are right."""
    (layout,) = [one for (digest, _), one in ENGINE._by_panel.items() if digest == tables.phenotypes().panel.digest]
    lane = next(number for number, row in enumerate(layout.panel.rows) if row.startswith(f"0:{gene}:"))
    plain = np.zeros(layout.profile.slots, dtype=np.complex128)
    plain[int(np.argmax(layout.lane_of == lane))] = by

    def change(answer: SealedScores) -> SealedScores:
        ring = ENGINE._rings[layout.profile.name]
        sealed = ring.load(answer.sealed_sums, layout.profile.product_scale)
        ring.add_plain(sealed, ring.encode(plain, layout.profile.product_scale))
        return replace(answer, sealed_sums=ring.save(sealed))

    return change


@pytest.mark.parametrize(
    ("gene", "codes"),
    [
        ("CYP2D6", 0.5),
        ("TPMT", 0.2),
        ("CYP2D6", -0.15),
        ("CYP2D6", 1.0),  # another phenotype, but its score is not the one of the pair that was sealed
        ("CYP2D6", 100.0),
        ("NUDT15", 1.0),  # was not looked up
    ],
)
def test_answers_that_are_no_code_of_what_was_asked_are_refused(gene: str, codes: float) -> None:
    way = Way(moved(gene, codes * float(CODE_STEP)))
    with pytest.raises(EngineAnswerRefused, match="thrown away"):
        SealedGenes(way).phenotypes(SURE)


def test_answers_that_were_tampered_with_or_are_of_others_are_refused() -> None:
    draw = np.random.default_rng(5)
    way = Way()
    SealedGenes(way).phenotypes([Known("CYP2D6", (Pair("*4", "*4"),))])
    of_another = ENGINE.evaluate(way.sent[0], wire.NO_KEYS)

    def flipped(answer: SealedScores) -> SealedScores:
        data = bytearray(answer.sealed_sums)
        data[int(draw.integers(113, len(data)))] ^= 0x40
        return replace(answer, sealed_sums=bytes(data))

    for change in (flipped, lambda answer: replace(answer, sealed_sums=of_another.sealed_sums), lambda _: of_another):
        for _ in range(5):
            with pytest.raises(EngineAnswerRefused):
                SealedGenes(Way(change)).phenotypes(SURE)


def test_an_engine_process_has_the_tables_and_says_so(tmp_path: Path) -> None:
    draw = genotypes.drawing(7)
    with running_engine(tmp_path) as engine:
        courier = engine.courier()
        for panel in tables.panels():
            courier.ready(panel.digest)
        with pytest.raises(EngineUnavailable, match="another panel"):
            courier.ready("00" * 32)
        genes, calls = SealedGenes(courier.evaluate), genotypes.unsure(draw)
        told = genes.phenotypes(calls)
        assert told == plain(calls)
        assert genes.advise(["codeine"], told) == (recommendations.advise("codeine", told),)
        assert genes.warfarin(Person(65, 170, 70, "-1639 GG", "*1/*1", "White")).weekly == pytest.approx(41.1, abs=0.06)
        courier.close()


def test_an_engine_without_the_tables_is_told_apart() -> None:
    way = Way()
    SealedGenes(way).phenotypes(SURE)
    client = create_app(Evaluator(random_panel()), bytes(32)).test_client()
    request = wire.write_request(way.sent[0], __version__, bytes(32), wire.NO_KEYS, with_keys=False)
    response = client.post(wire.EVALUATE, data=request)
    assert (response.status_code, "another panel" in response.text) == (422, True)
