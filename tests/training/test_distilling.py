"""A student says what its teacher says, can be sealed, and its report is of rows that it was not trained on."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from fhirtwin.ckks import wire
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import Fault, Incorrect
from fhirtwin.training.distilling import Distilled, auc, distil
from fhirtwin.vault import NetworkVault
from tests.ckks.builders import random_panel

NAMES = tuple("abcdefgh")


def teacher(rows: np.ndarray) -> np.ndarray:
    """Steps and a product, as trees have them."""
    return (rows[:, :3] > 0).sum(axis=1)[:, None] * 0.8 + rows[:, 3:4] * rows[:, 4:5] * 0.5 - 1.0


def people(count: int = 3000, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 8)) * 3 + 5


def told(rows: np.ndarray) -> np.ndarray:
    return teacher((rows - 5) / 3)


@pytest.fixture(scope="module")
def student() -> Distilled:
    rows = people()
    happened = np.random.default_rng(2).random(len(rows)) < 1 / (1 + np.exp(-told(rows)[:, 0]))
    return distil(rows, told(rows), NAMES, ("y",), labels=happened, epochs=20)


def test_a_student_says_what_its_teacher_says_to_rows_that_neither_saw(student: Distilled) -> None:
    report, fresh = student.report, people(2000, 9)
    inside = np.linalg.norm(student.inputs(fresh), axis=1) <= student.network.radius
    off = student.network.evaluate_plain(student.inputs(fresh[inside])) - told(fresh[inside])
    assert 0.97 < inside.mean() <= 1 and report.covered == pytest.approx(inside.mean(), abs=0.02)
    assert np.sqrt((off**2).mean()) == pytest.approx(report.typical, rel=0.15)
    assert report.typical < 0.5 * told(fresh).std()
    assert report.worst < np.ptp(told(fresh))
    assert report.tested == 750 and 2200 < report.trained <= 2250
    assert report.auc_teacher is not None and report.auc_student is not None
    assert report.auc_teacher - 0.06 < report.auc_student < report.auc_teacher + 0.06


def test_sealed_it_says_the_same_within_what_is_declared(student: Distilled) -> None:
    network = student.network
    assert student.report.error == network.error <= 3e-4
    engine, vault = Evaluator(random_panel(), circuits=[network]), NetworkVault(network)
    first, _ = vault.seal(np.zeros(8))
    digest = wire.keys_digest(first.evaluation_keys)
    engine.evaluate(first, digest)
    for values in [*student.inputs(people(20, 3)), *network.samples[-10:]]:
        if np.linalg.norm(values) > network.radius:
            with pytest.raises(Fault, match="further from the centre"):
                vault.seal(values)
            continue
        sealed, opening = vault.seal(np.ascontiguousarray(values))
        answer = engine.evaluate(replace(sealed, evaluation_keys=b""), digest)
        outputs = vault._outputs(opening.take(), answer, opening)
        assert np.abs(outputs - network.evaluate_plain(values)).max() <= 3e-4


def test_the_same_rows_and_seed_give_the_same_network(student: Distilled) -> None:
    rows = people(500)
    one, other, third = (distil(rows, told(rows), NAMES, ("y",), epochs=3, seed=seed) for seed in (1, 1, 2))
    assert one.network.digest == other.network.digest != third.network.digest
    assert one.report.auc_student is None


def test_what_was_put_aside_changes_nothing_but_the_report() -> None:
    rows = people(500)
    aside = np.random.default_rng(1).permutation(500)[:125]
    other = told(rows)
    other[aside] += 100.0
    one, changed = (distil(rows, says, NAMES, ("y",), epochs=3) for says in (told(rows), other))
    assert one.network.digest == changed.network.digest
    assert changed.report.worst > one.report.worst + 50


def test_several_outputs_are_taught_at_once() -> None:
    rows = people(600)
    both = np.hstack([told(rows), -2 * told(rows) + 1])
    made = distil(rows, both, NAMES, ("y", "z"), epochs=10)
    assert made.network.outputs == ("y", "z") and made.network.evaluate_plain(made.inputs(rows)).shape == (600, 2)


def test_auc_is_that_of_counting_pairs() -> None:
    draw = np.random.default_rng(3)
    scores, labels = draw.integers(0, 6, 80).astype(np.float64), draw.random(80) < 0.4
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[labels] for b in scores[~labels]]
    assert auc(scores, labels) == pytest.approx(np.mean(pairs))


ROWS = people(500)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rows": np.where(ROWS > 8, np.nan, ROWS)}, "no missing value"),
        ({"told": told(ROWS) * np.inf}, "log odds, not probabilities"),
        ({"rows": ROWS[:399], "told": told(ROWS)[:399]}, "must be 400 rows"),
        ({"rows": np.tile(ROWS, 9), "names": tuple(map(str, range(72)))}, "64 inputs"),
        ({"names": NAMES[1:]}, "a column for each name"),
        ({"rows": np.where(np.arange(8) == 2, 1.0, ROWS)}, "c is the same in all rows"),
        ({"told": np.ones((500, 1))}, "y is the same in all rows"),
        ({"labels": np.ones(500)}, "truth value for each row"),
        ({"labels": np.ones(500, dtype=np.bool_)}, "all alike"),
        ({"covered": 0.2}, r"from 0\.5 to 1"),
        ({"told": told(ROWS) * 1e5}, "No network was precise enough: .* smaller `covered`"),
    ],
)
def test_what_nothing_can_be_taught_by_is_refused(change: dict[str, object], says: str) -> None:
    given: dict[str, object] = {"rows": ROWS, "told": told(ROWS), "names": NAMES, "outputs": ("y",), "epochs": 1}
    with pytest.raises(Incorrect, match=says):
        distil(**given | change)  # type: ignore[arg-type]


def test_nothing_that_serves_imports_it_or_what_it_needs() -> None:
    code = (
        "import sys, fhirtwin.app, fhirtwin.serving, fhirtwin.cli, fhirtwin.engine.server;"
        "import fhirtwin.packages.xgboost_json;"
        "roots = {m.partition('.')[0] for m in sys.modules};"
        "print(roots & {'xgboost', 'onnxruntime', 'torch', 'sklearn', 'scipy'},"
        " [m for m in sys.modules if m.startswith('fhirtwin.training')])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "set() []"


def test_a_teacher_of_scikit_learn_is_given_by_what_it_says() -> None:
    """Of which no file is read: scikit-learn's own format is a pickle."""
    from sklearn.neural_network import MLPClassifier

    rows = people(1500)
    inputs = (rows - 5) / 3
    happened = np.random.default_rng(5).random(1500) < 1 / (1 + np.exp(-3 * np.sin(inputs[:, 0]) - inputs[:, 1]))
    model = MLPClassifier((16,), max_iter=400, tol=1e-3, random_state=1).fit(inputs, happened)
    chance = np.clip(model.predict_proba(inputs)[:, 1:], 1e-3, 1 - 1e-3)
    report = distil(rows, np.log(chance / (1 - chance)), NAMES, ("y",), labels=happened, epochs=20).report
    assert report.auc_teacher is not None and report.auc_student is not None
    assert 0.7 < report.auc_teacher - 0.06 < report.auc_student
