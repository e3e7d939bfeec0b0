"""Many patients in one batch: each gets its own results, and an engine that answers wrongly gives nobody any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from fhirtwin.assess_cohort import CohortAssessor
from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.profiles import BATCH
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerWrong
from fhirtwin.predictors import registry, score
from tests.cohort.people import case, settled
from tests.report.builders import SETTINGS

PANEL = registry.panel(registry.all_predictors())
ONE = BATCH.answer_bytes


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(PANEL, circuits=[Batch(PANEL)])


class Carrier:
    """Hands sealed bytes to the evaluator, and spoils what comes back."""

    def __init__(self, evaluator: Evaluator, spoil: Callable[[SealedScores], SealedScores] = lambda s: s) -> None:
        self._evaluator, self._spoil = evaluator, spoil
        self.sent: list[SealedFeatures] = []

    def evaluate(self, features: SealedFeatures) -> SealedScores:
        self.sent.append(features)
        return self._spoil(self._evaluator.evaluate(features, wire.NO_KEYS))


def test_everybody_gets_what_the_plain_arithmetic_gives_them(evaluator: Evaluator) -> None:
    found = settled()
    cases = [case(next(found)) for _ in range(300)]
    carrier = Carrier(evaluator)
    results = CohortAssessor(PANEL, carrier.evaluate, SETTINGS).assess(cases)
    assert len(carrier.sent) == 1
    for one, said in zip(cases, results, strict=True):
        assert [result.vector for result in said] == list(one.vectors)
        for result in said:
            sums = {name: round(s / 0.001) * 0.001 for name, s in score.plain_sums(result.vector).items()}
            assert result.scores == score.scores(result.vector, sums, SETTINGS)
            assert "many patients in one call" in result.how


def test_who_has_no_vector_takes_no_place_and_moves_nobody(evaluator: Evaluator) -> None:
    found = settled()
    cases = [case(next(found)) for _ in range(9)]
    nobody = replace(cases[0], vectors=(), notes=())
    carrier = Carrier(evaluator)
    assessor = CohortAssessor(PANEL, carrier.evaluate, SETTINGS)
    right = assessor.assess(cases)
    mixed = [one for each in cases for one in (nobody, each)]
    results = assessor.assess(mixed)
    assert results[::2] == [()] * 9
    assert [[r.scores for r in said] for said in results[1::2]] == [[r.scores for r in said] for said in right]
    assert len({len(sent.sealed_vector) for sent in carrier.sent}) == 1


def test_nothing_is_sent_for_people_of_whom_nothing_can_be_said(evaluator: Evaluator) -> None:
    carrier = Carrier(evaluator)
    nobody = replace(case(0), vectors=(), notes=())
    assert CohortAssessor(PANEL, carrier.evaluate, SETTINGS).assess([nobody] * 3) == [()] * 3
    assert CohortAssessor(PANEL, carrier.evaluate, SETTINGS).assess([]) == []
    assert carrier.sent == []


def _added(scores: SealedScores, share: float) -> SealedScores:
    """Half a unit more for a share of the places: no key is needed to add."""
    import numpy as np

    ring = Ring(BATCH)
    slots = np.zeros(BATCH.slots, dtype=np.complex128)
    slots[: int(share * BATCH.slots)] = 0.5 + 0.5j
    parts = [scores.sealed_sums[start : start + ONE] for start in range(0, len(scores.sealed_sums), ONE)]
    first = ring.load(parts[0], BATCH.product_scale, primes=1)
    ring.add_plain(first, ring.encode(slots, BATCH.product_scale))
    return replace(scores, sealed_sums=b"".join([ring.save(first), *parts[1:]]))


def _swapped(scores: SealedScores) -> SealedScores:
    data = scores.sealed_sums
    return replace(scores, sealed_sums=data[ONE : 2 * ONE] + data[:ONE] + data[2 * ONE :])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: _added(s, 1.0),
        _swapped,
        lambda s: replace(s, request_id=bytes(16)),
        lambda s: replace(s, sealed_sums=b""),
    ],
    ids=["adds", "swaps two models", "answers another", "answers nothing"],
)
def test_an_engine_that_answers_wrongly_gives_nobody_anything(
    evaluator: Evaluator, spoil: Callable[[SealedScores], SealedScores]
) -> None:
    assessor = CohortAssessor(PANEL, Carrier(evaluator, spoil).evaluate, SETTINGS)
    with pytest.raises(EngineAnswerWrong):
        assessor.assess([case(n) for n in range(50)])


def test_the_answer_of_another_batch_is_refused(evaluator: Evaluator) -> None:
    earlier: list[SealedScores] = []

    def repeat(scores: SealedScores) -> SealedScores:
        earlier.append(scores)
        return replace(earlier[0], request_id=scores.request_id)

    assessor = CohortAssessor(PANEL, Carrier(evaluator, repeat).evaluate, SETTINGS)
    assessor.assess([case(0)])
    with pytest.raises(EngineAnswerWrong):
        assessor.assess([case(0)])


def test_a_lie_about_a_tenth_of_the_places_is_caught_four_times_in_five(evaluator: Evaluator) -> None:
    """1 - 0.9 ** 16 is 0.81; over 30 batches fewer than 16 is a chance of 1 in 10,000."""
    assessor = CohortAssessor(PANEL, Carrier(evaluator, lambda s: _added(s, 0.1)).evaluate, SETTINGS)
    caught = 0
    for _ in range(30):
        try:
            assessor.assess([case(0)])
        except EngineAnswerWrong:
            caught += 1
    assert caught >= 16
