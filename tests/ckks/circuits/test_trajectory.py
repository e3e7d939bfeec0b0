"""Trajectories: the panel of one equals stepping the model; what could be wrong is refused when it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from fhirtwin import __version__
from fhirtwin.ckks import profiles, wire
from fhirtwin.ckks.circuits.trajectory import Trajectory
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.web import create_app
from fhirtwin.errors import EngineAnswerWrong, Fault, Incorrect
from fhirtwin.vault import Vault
from tests.ckks.builders import KEY, evaluate, random_panel

MODES = ["sparse"]
PANEL = random_panel()


def model(steps: int = 24, states: int = 12, inputs: int = 4, outputs: int = 8, seed: int = 1) -> Trajectory:
    """Damped and coupled, with outputs of very different sizes: hundreds, ones, hundredths."""
    draw = np.random.default_rng(seed)
    transition = np.eye(states) * 0.95 + draw.normal(size=(states, states)) * 0.01
    units = 10.0 ** (np.arange(outputs) % 5 - 2)
    high = draw.uniform(0.5, 3.0, states + inputs)
    return Trajectory(
        tuple(f"s{i}" for i in range(states)),
        tuple(f"u{i}" for i in range(inputs)),
        tuple(f"y{i}" for i in range(outputs)),
        -high,
        high,
        transition,
        draw.normal(size=(states, inputs)) * 0.05,
        draw.normal(size=(outputs, states)) * units[:, None],
        steps,
        tuple((units * 1e-2).tolist()),
    )


def stepped(of: Trajectory, values: np.ndarray) -> np.ndarray:
    """Step by step, as a textbook would; shape (steps, outputs)."""
    x, held, told = values[: len(of.states)], values[len(of.states) :], []
    for _ in range(of.steps):
        x = of.transition @ x + of.drive @ held
        told.append(of.readout @ x)
    return np.stack(told)


def vectors(of: Trajectory, count: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    drawn = draw.uniform(of.low, of.high, (count, of.low.size))
    drawn[::2] = np.where(drawn[::2] > 0, of.high, of.low)
    return drawn


MODEL = model()


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(PANEL, circuits=[MODEL])


def test_the_rows_of_the_panel_are_the_steps_of_the_model() -> None:
    for values in vectors(MODEL, 20, 3):
        rows = (MODEL.panel.weights @ values).reshape(24, 8) * MODEL.scales
        assert np.abs(rows / stepped(MODEL, values) - 1).max() < 1e-9


def test_scales_are_powers_of_two_that_fill_the_bound_and_no_more() -> None:
    assert np.array_equal(np.exp2(np.rint(np.log2(MODEL.scales))), MODEL.scales)
    sums = (np.abs(MODEL.panel.weights) @ MODEL.panel.largest()).reshape(24, 8).max(axis=0)
    assert ((sums > 8) & (sums <= 16)).all()
    assert MODEL.scales.max() / MODEL.scales.min() > 1000


@pytest.mark.parametrize("mode", MODES)
def test_sealed_trajectories_are_those_of_the_model(evaluator: Evaluator, mode: str) -> None:
    vault = Vault(MODEL.panel, mode=mode)
    for values in vectors(MODEL, 25, 4):
        features, opening = vault.seal(values)
        told = MODEL.read(vault.open(evaluate(evaluator, features), opening))
        right = stepped(MODEL, values)
        for column, (name, series) in enumerate(told.items()):
            step = MODEL.step_of(name, vault.profile)
            assert all(value % step == 0 for value in series)
            off = np.abs(np.array([float(value) for value in series]) - right[:, column]).max()
            assert off <= float(step) / 2 + MODEL.errors(vault.profile)[column]


@pytest.mark.production_set
@pytest.mark.parametrize("mode", MODES)
def test_error_before_rounding_is_within_what_is_declared(evaluator: Evaluator, mode: str) -> None:
    vault, worst = Vault(MODEL.panel, mode=mode), 0.0
    values = vectors(MODEL, 5000, 5)
    extremes = [np.where(side * row > 0, MODEL.high, MODEL.low) for row in MODEL.panel.weights for side in (1, -1)]
    values[: len(extremes)] = extremes
    for one in values:
        features, opening = vault.seal(one)
        assert opening._ring is not None
        sums = vault._sums(opening._ring, evaluate(evaluator, features), opening)
        worst = max(worst, float(np.abs(sums * np.tile(MODEL.scales, 24) - stepped(MODEL, one).ravel()).max()))
        worst = max(worst, float(np.abs(sums - MODEL.panel.weights @ one).max()))
        assert np.abs(sums - MODEL.panel.weights @ one).max() <= 1e-4


def test_a_trajectory_without_inputs_and_of_one_step_is_one(evaluator: Evaluator) -> None:
    small = model(steps=1, inputs=0, states=2, outputs=1)
    vault, values = Vault(small.panel, mode="sparse"), vectors(small, 1, 1)[0]
    features, opening = vault.seal(values)
    told = small.read(vault.open(evaluate(Evaluator(PANEL, circuits=[small]), features), opening))
    assert float(told["y0"][0]) == pytest.approx(
        stepped(small, values)[0, 0], abs=float(small.step_of("y0", profiles.SPARSE))
    )


def test_it_fills_one_ciphertext_and_takes_no_evaluation_keys() -> None:
    features, _ = Vault(MODEL.panel, mode="sparse").seal(MODEL.high)
    assert features.evaluation_keys == b""
    assert len(features.sealed_vector) == 65_649


def test_it_goes_through_the_door_of_an_engine_that_names_it(evaluator: Evaluator) -> None:
    client = create_app(evaluator, KEY).test_client()
    assert client.get(wire.READY).json["circuits"] == [MODEL.panel.digest]  # type: ignore[index]
    vault = Vault(MODEL.panel, mode="sparse")
    features, opening = vault.seal(MODEL.high)
    digest = wire.keys_digest(features.evaluation_keys)
    request = wire.write_request(features, __version__, KEY, digest, with_keys=False)
    response = client.post(wire.EVALUATE, data=request)
    assert response.status_code == 200
    assert vault.open(wire.read_response(response.data, KEY, features, request).scores, opening).values


def test_the_trajectory_of_another_model_is_refused(evaluator: Evaluator) -> None:
    other = replace(MODEL, transition=MODEL.transition * 0.99)
    vault = Vault(MODEL.panel, mode="sparse")
    features, opening = vault.seal(MODEL.high)
    wrong = Evaluator(PANEL, circuits=[other])
    answer = evaluate(wrong, replace(features, panel_digest=other.panel.digest))
    with pytest.raises(EngineAnswerWrong):
        vault.open(replace(answer, panel_digest=features.panel_digest), opening)
    features, opening = vault.seal(MODEL.high)
    scores = vault.open(evaluate(evaluator, features), opening)
    with pytest.raises(Fault, match="another model"):
        other.read(scores)


def test_scaling_is_exact_in_decimals() -> None:
    assert MODEL.step_of("y0", profiles.SPARSE) == Decimal("0.001") * Decimal(float(MODEL.scales[0]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"transition": MODEL.transition[:-1]}, "shape"),
        ({"drive": MODEL.drive.T}, "shape"),
        ({"readout": MODEL.readout * np.nan}, "finite float64"),
        ({"transition": MODEL.transition.astype(np.float32)}, "finite float64"),
        ({"low": MODEL.low * np.inf}, "finite float64"),
        ({"low": MODEL.high, "high": MODEL.low}, "lower bound above"),
        ({"steps": 0}, "from 1 to 1000 steps"),
        ({"steps": 1001}, "from 1 to 1000 steps"),
        ({"transition": np.eye(12) * 10}, "grows beyond"),
        ({"tolerances": (0.1,)}, "needs a tolerance"),
        ({"tolerances": (np.nan,) * 8}, "needs a tolerance"),
        ({"outputs": ("y",) * 8}, "names an output twice"),
        ({"readout": np.vstack([MODEL.readout[:-1], np.zeros(12)])}, "has no weight"),
    ],
)
def test_models_that_cannot_be_evaluated_safely_are_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(Incorrect, match=says):
        replace(MODEL, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("check", [lambda m: m.check(profiles.SPARSE), lambda m: Evaluator(PANEL, circuits=[m])])
def test_an_output_that_would_not_be_precise_enough_is_refused_by_name(check: Callable[[Trajectory], object]) -> None:
    strict = replace(MODEL, tolerances=(*MODEL.tolerances[:-1], 1e-9))
    with pytest.raises(Incorrect, match="Output y7 could be off by"):
        check(strict)


def test_a_trajectory_that_does_not_fit_a_ciphertext_is_refused() -> None:
    with pytest.raises(Incorrect, match="does not fit a ciphertext of 2048"):
        Evaluator(PANEL, circuits=[model(steps=60)])
