"""An engine that lies in one of a hundred calls, against the vault: all is really sealed, evaluated and opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerWrong
from fhirtwin.predictors import registry
from fhirtwin.vault import Vault
from tests.ckks.builders import evaluate, random_vector
from tests.engine import lying

SHARE, CALLS, RUNS = 0.01, 1000, 1000
PANEL = registry.panel(registry.all_predictors())
ROWS = len(PANEL.rows)
DRAW = np.random.default_rng(20261121)

Lie = Callable[[Evaluator, SealedFeatures], SealedScores]


def _size() -> float:
    """From 1 % of the odds to a factor of 2.7, up or down."""
    return float(DRAW.choice([-1, 1]) * 10 ** DRAW.uniform(-2, 0))


def some_rows(evaluator: Evaluator, features: SealedFeatures) -> SealedScores:
    chosen = DRAW.choice(ROWS, DRAW.integers(1, ROWS), replace=False)
    return lying.moved(evaluator, features, {int(row): _size() for row in chosen})


def as_cleverly_as_it_can(evaluator: Evaluator, features: SealedFeatures) -> SealedScores:
    """It knows how probes are made, and guesses the factor."""
    row, by = int(DRAW.integers(ROWS)), _size()
    guess = float(DRAW.choice([-1, 1]) * DRAW.uniform(0.25, 0.5))
    return lying.moved(evaluator, features, {row: by, ROWS + row: guess * by})


def another_patients(evaluator: Evaluator, features: SealedFeatures) -> SealedScores:
    other, _ = Vault(PANEL, mode="masked").seal(random_vector(PANEL, DRAW))
    return replace(evaluate(evaluator, other), profile=features.profile, request_id=features.request_id)


STALE = Evaluator(replace(PANEL, weights=PANEL.weights * (1 - 0.05 * DRAW.random(PANEL.weights.shape))))


def stale_model(_: Evaluator, features: SealedFeatures) -> SealedScores:
    answer = evaluate(STALE, replace(features, panel_digest=STALE.panel.digest))
    return replace(answer, panel_digest=features.panel_digest)


LIES: tuple[Lie, ...] = (some_rows, as_cleverly_as_it_can, another_patients, stale_model)


@pytest.mark.production_set
def test_it_is_caught_within_a_thousand_calls_in_99_of_100_runs() -> None:
    """Only the calls that it lies in are made: answers that are right are never refused (`test_production_panel`)."""
    evaluator, vault = Evaluator(PANEL), Vault(PANEL)
    caught = 0
    for _ in range(RUNS):
        for _ in range(DRAW.binomial(CALLS, SHARE)):
            features, opening = vault.seal(random_vector(PANEL, DRAW))
            answer = LIES[DRAW.integers(len(LIES))](evaluator, features)
            try:
                vault.open(answer, opening)
            except EngineAnswerWrong:
                caught += 1
                break
    assert caught >= 0.99 * RUNS


@pytest.mark.parametrize("mode", ["masked", "rotating"])
@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_nearly_every_lie_is_noticed_at_once(mode: str, lie: Lie) -> None:
    evaluator, vault = Evaluator(PANEL), Vault(PANEL, mode=mode)
    believed = 0
    for _ in range(40):
        features, opening = vault.seal(random_vector(PANEL, DRAW))
        try:
            vault.open(lie(evaluator, features), opening)
            believed += 1
        except EngineAnswerWrong:
            pass
    assert believed <= 8  # of the clever one 1 in 50 on average; of the others none but by rare luck


def test_requests_tell_nothing_of_patient_or_probe_by_their_size() -> None:
    vault = Vault(PANEL)
    sealed = [vault.seal(values)[0] for values in (np.zeros(len(PANEL.features)), PANEL.high, PANEL.low)]
    assert len({len(one.sealed_vector) for one in sealed}) == 1
    assert {(one.profile, one.panel_digest, one.evaluation_keys) for one in sealed} == {
        (vault.profile.name, PANEL.digest, b"")
    }
