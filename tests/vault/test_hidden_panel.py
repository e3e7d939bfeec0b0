"""A gateway without weights against engines that have them, right ones and lying ones; all really sealed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fhirtwin.ckks import noise, profiles
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerWrong
from fhirtwin.packages.package import Package
from fhirtwin.vault import Vault
from tests.ckks.builders import evaluate, random_vector
from tests.engine import lying
from tests.packages.builders import packed_prevent, panel_of

DRAW = np.random.default_rng(20261121)


@pytest.fixture(scope="module")
def prevent(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return packed_prevent(tmp_path_factory.mktemp("prevent")).package


def _errors(package: Package, count: int) -> tuple[float, float]:
    """The largest error of a sum, and how far a check was off at most, over right answers."""
    panel, vault = panel_of(package).panel(), Vault(panel_of(package).hidden())
    evaluator = Evaluator(panel)
    extremes = [np.where(side * row > 0, panel.high, panel.low) for row in panel.weights for side in (1, -1)]
    worst = off = 0.0
    for number in range(count):
        vector = extremes[number] if number < len(extremes) else random_vector(panel, DRAW)
        features, opening = vault.seal(vector)
        ring = opening._ring
        assert ring is not None
        answer = evaluate(evaluator, features)
        totals, _ = vault._layout.sums(ring.decrypt(ring.load(answer.sealed_sums, vault.profile.product_scale)))
        off = max(off, opening._expected.off(totals))
        worst = max(worst, float(np.abs(totals[: len(panel.rows)] - panel.weights @ vector).max()))
        opened = vault.open(answer, opening)
        told = np.array([float(one) for one in opened.values.values()])
        assert np.abs(told - panel.weights @ vector).max() <= 0.0005 + 1e-4
    return worst, off


def test_right_answers_open_to_the_right_sums(prevent: Package) -> None:
    worst, off = _errors(prevent, 150)
    assert worst <= noise.error_of(panel_of(prevent).panel(), profiles.MASKED).max() <= 1e-4
    assert off <= profiles.MASKED.tolerance / 2


@pytest.mark.production_set
def test_no_error_over_ten_thousand_patients_exceeds_1e_4(prevent: Package) -> None:
    worst, off = _errors(prevent, 10_000)
    assert worst <= 1e-4 and off <= profiles.MASKED.tolerance / 2


def _believed(package: Package, evaluator: Evaluator, lie: object, calls: int) -> int:
    vault, believed = Vault(panel_of(package).hidden()), 0
    for _ in range(calls):
        features, opening = vault.seal(random_vector(panel_of(package).panel(), DRAW))
        try:
            vault.open(lie(evaluator, features), opening)  # type: ignore[operator]
            believed += 1
        except EngineAnswerWrong:
            pass
    return believed


def test_moved_sums_are_noticed_whatever_the_golden_cases_are(prevent: Package) -> None:
    evaluator, rows = Evaluator(panel_of(prevent).panel()), len(panel_of(prevent).public.rows)

    def moved(evaluator: Evaluator, features: object) -> object:
        row, by, guess = int(DRAW.integers(rows)), 0.1, float(DRAW.choice([-1, 1]) * DRAW.uniform(0.25, 0.5))
        return lying.moved(evaluator, features, {row: by, rows + row: guess * by})  # type: ignore[arg-type]

    # An evaluator of the published panel finds its layout among its own; lying.py looks there.
    assert _believed(prevent, evaluator, moved, 60) <= 6


def test_weights_of_another_version_are_noticed(prevent: Package) -> None:
    panel = panel_of(prevent).panel()
    stale = Evaluator(replace(panel, weights=panel.weights * (1 - 0.05 * DRAW.random(panel.weights.shape))))
    assert _believed(prevent, stale, evaluate, 40) <= 2


def test_what_no_golden_case_reaches_can_be_lied_about_and_the_page_says_so(prevent: Package) -> None:
    """The limit that the page on probes names: with fewer cases than features an engine that knows them has a way."""
    panel, cases = panel_of(prevent).panel(), panel_of(prevent).hidden().cases
    _, _, directions = np.linalg.svd(cases)
    unseen = directions[-1]
    assert np.abs(cases @ unseen).max() < 1e-9 and len(cases) < len(panel.features)
    liar = Evaluator(replace(panel, weights=panel.weights + 0.3 * unseen))
    assert _believed(prevent, liar, evaluate, 10) >= 8


def test_an_answer_to_another_patient_or_of_another_model_is_refused(prevent: Package) -> None:
    vault, evaluator = Vault(panel_of(prevent).hidden()), Evaluator(panel_of(prevent).panel())
    mine, opening = vault.seal(random_vector(panel_of(prevent).panel(), DRAW))
    other, _ = vault.seal(random_vector(panel_of(prevent).panel(), DRAW))
    stolen = replace(evaluate(evaluator, other), request_id=mine.request_id)
    with pytest.raises(EngineAnswerWrong):
        vault.open(stolen, opening)
    mine, opening = vault.seal(random_vector(panel_of(prevent).panel(), DRAW))
    with pytest.raises(EngineAnswerWrong):
        vault.open(replace(evaluate(evaluator, mine), panel_digest="0" * 64), opening)


def test_requests_have_the_same_bytes_whatever_is_in_them(prevent: Package, tmp_path: Path) -> None:
    vault, panel = Vault(panel_of(prevent).hidden()), panel_of(prevent).panel()
    sealed = [vault.seal(values)[0] for values in (np.zeros(len(panel.features)), panel.high, panel.low)]
    assert {(len(one.sealed_vector), one.evaluation_keys, one.panel_digest) for one in sealed} == {
        (profiles.MASKED.ciphertext_bytes, b"", prevent.hash)
    }
