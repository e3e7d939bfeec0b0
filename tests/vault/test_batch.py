"""Batches: sealed, evaluated, opened; and every way to get one wrong is refused."""

from __future__ import annotations

import copy
import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fhirtwin.ckks.circuits.batch import PROBES, Batch
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.sealed import SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerWrong, Fault, Incorrect, Unprocessable
from fhirtwin.vault import BatchVault
from tests.ckks.builders import evaluate, random_panel, random_table, random_vector
from tests.vault.test_key_recovery import recovered

PANEL = random_panel(3, rows=5, features=9)
CIRCUIT = Batch(PANEL)
ONE = CIRCUIT.profile.ciphertext_bytes


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(PANEL, circuits=[CIRCUIT])


@pytest.fixture(scope="module")
def vault() -> BatchVault:
    return BatchVault(CIRCUIT)


def patients(count: int, seed: int = 1, panel: Panel = PANEL) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return np.stack([random_vector(panel, draw) for _ in range(count)])


@pytest.mark.parametrize("count", [1, 2, 2047, 2048, 2049, CIRCUIT.patients])
def test_every_patient_gets_the_sums_of_the_plain_panel(vault: BatchVault, evaluator: Evaluator, count: int) -> None:
    values = patients(count)
    features, opening = vault.seal(values)
    scores = vault.open(evaluate(evaluator, features), opening)
    assert scores.counts.shape == (count, 5)
    assert scores.counts.dtype == np.int64
    right = values @ PANEL.weights.T
    assert np.abs(scores.counts * float(scores.step) - right).max() <= 0.0005 + CIRCUIT.error


def test_error_before_rounding_is_within_what_the_circuit_declares(vault: BatchVault, evaluator: Evaluator) -> None:
    """Corners of the box, and the largest and least sum of each row, among 4,080 patients at a time."""
    values = patients(CIRCUIT.patients, 5)
    extremes = [np.where(side * row > 0, PANEL.high, PANEL.low) for row in PANEL.weights for side in (1, -1)]
    values[: len(extremes)] = extremes
    features, opening = vault.seal(values)
    sums = vault._sums(evaluate(evaluator, features), opening)
    assert np.abs(sums - values @ PANEL.weights.T).max() <= CIRCUIT.error <= 1e-4


def test_panels_with_zero_weights_and_with_choices_are_evaluated() -> None:
    table = random_table()
    circuit = Batch(table)
    vault, evaluator = BatchVault(circuit), Evaluator(PANEL, circuits=[circuit])
    values = np.zeros((3, len(table.features)))
    values[0, 0] = values[1, 5] = 1.0
    features, opening = vault.seal(values)
    scores = vault.open(evaluate(evaluator, features), opening)
    assert np.abs(scores.counts * 0.001 - values @ table.weights.T).max() <= 0.0006
    values[2, [0, 1]] = 1.0
    with pytest.raises(Fault, match="more than one feature of a choice"):
        vault.seal(values)


def test_messages_are_as_long_for_one_patient_as_for_thousands(vault: BatchVault, evaluator: Evaluator) -> None:
    few, many = vault.seal(patients(1))[0], vault.seal(patients(4000))[0]
    assert len(few.sealed_vector) == len(many.sealed_vector) == CIRCUIT.vector_bytes
    assert len(evaluate(evaluator, few).sealed_sums) == len(evaluate(evaluator, many).sealed_sums) == 5 * ONE


def test_the_engine_does_the_same_operations_for_all_patients(
    vault: BatchVault, evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: Counter[str] = Counter()

    def counting(name: str) -> Callable[..., object]:
        real = getattr(Ring, name)

        def call(*given: object, **named: object) -> object:
            done[name] += 1
            return real(*given, **named)

        return call

    sealed = [vault.seal(values)[0] for values in (np.zeros((1, 9)), patients(4000))]
    for name in ("load", "product", "add", "save", "encode", "multiply", "add_plain", "add_rotated"):
        monkeypatch.setattr(Ring, name, counting(name))
    counts = []
    for features in sealed:
        done.clear()
        evaluate(evaluator, features)
        counts.append(dict(done))
    assert counts[0] == counts[1] == {"load": 9, "product": CIRCUIT.cost.products, "add": 40, "save": 5}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, 6.0])
def test_a_value_outside_its_range_is_refused_without_saying_whose_or_what(vault: BatchVault, bad: float) -> None:
    values = patients(20)
    values[11, 4] = bad
    with pytest.raises(Fault, match=r"^Feature feature-4 is outside the range its predictor declares\.$"):
        vault.seal(values)


@pytest.mark.parametrize(
    "values",
    [np.zeros(9), np.zeros((3, 8)), np.zeros((3, 9), dtype=np.float32), np.zeros((0, 9)), np.zeros((4081, 9))],
    ids=["one-dimensional", "narrow", "single", "nobody", "too many"],
)
def test_arrays_of_another_shape_or_type_are_refused(vault: BatchVault, values: np.ndarray) -> None:
    with pytest.raises(Fault, match=r"one float64|from 1 to 4080 patients"):
        vault.seal(values)


@pytest.mark.parametrize(
    "view", [lambda v: v[::2], np.asfortranarray, lambda v: v[::-1]], ids=["strided", "columns", "back"]
)
def test_views_are_sealed_as_the_numbers_they_show(
    vault: BatchVault, evaluator: Evaluator, view: Callable[[np.ndarray], np.ndarray]
) -> None:
    values = view(patients(64))
    features, opening = vault.seal(values)
    scores = vault.open(evaluate(evaluator, features), opening)
    assert np.abs(scores.counts * 0.001 - values @ PANEL.weights.T).max() <= 0.0006


def test_probes_lie_at_other_places_each_time_and_between_patients(vault: BatchVault) -> None:
    seats = [vault.seal(patients(10))[1]._expected for _ in range(8)]
    assert len({one.probes.tobytes() for one in seats}) == 8
    assert {one.probes.size for one in seats} == {PROBES}
    for one in seats:
        everyone = np.concatenate([one.patients, one.probes, one.nobody])
        assert sorted(everyone.tolist()) == list(range(4096))
    assert max(one.probes.max() for one in seats) > 2048, "in both halves"


def test_every_batch_has_a_key_of_its_own_that_is_overwritten(vault: BatchVault, evaluator: Evaluator) -> None:
    keys = set()
    for _ in range(4):
        features, opening = vault.seal(patients(3))
        assert features.evaluation_keys == b""
        assert opening._ring is not None
        pyfhel = opening._ring._pyfhel
        keys.add(pyfhel.to_bytes_secret_key("none"))
        vault.open(evaluate(evaluator, features), opening)
        assert pyfhel.to_bytes_secret_key("none") not in keys
    assert len(keys) == 4
    assert not evaluator.holds_secret_key


def refused(vault: BatchVault, answer: SealedScores, opening: object) -> str:
    with pytest.raises(EngineAnswerWrong) as caught:
        vault.open(answer, opening)  # type: ignore[arg-type]
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_every_wrong_answer_is_refused_with_one_text(vault: BatchVault, evaluator: Evaluator) -> None:
    draw, texts = np.random.default_rng(9), set()
    for case in range(44):
        features, opening = vault.seal(patients(50, case))
        right = evaluate(evaluator, features)
        data, kind = bytearray(right.sealed_sums), case % 11
        start = ONE * int(draw.integers(5))
        if kind == 0:
            data[start + draw.integers(113, ONE)] ^= 1 << int(draw.integers(5, 8))
        elif kind == 1:
            data[start + draw.integers(113)] ^= 0xFF
        elif kind == 2:
            del data[-draw.integers(1, len(data)) :]
        elif kind == 3:
            data += draw.bytes(8)
        elif kind == 4:  # two models swapped
            data[:ONE], data[ONE : 2 * ONE] = data[ONE : 2 * ONE], data[:ONE]
        elif kind == 5:  # one model told twice
            data[:ONE] = data[ONE : 2 * ONE]
        elif kind == 6:  # not evaluated at all
            data = bytearray(features.sealed_vector[: 5 * ONE])
        elif kind == 7:  # right for another batch, under another key
            data = bytearray(evaluate(evaluator, vault.seal(patients(50, case))[0]).sealed_sums)
        elif kind == 8:
            right = replace(right, request_id=bytes(16))
        elif kind == 9:
            right = replace(right, panel_digest=PANEL.digest)
        else:
            right = replace(right, profile="P1-mask")
        texts.add(refused(vault, replace(right, sealed_sums=bytes(data)), opening))
    assert len(texts) == 1


@pytest.mark.parametrize("change", [lambda w: w * 0.99, lambda w: w[::-1].copy()], ids=["scaled", "reversed"])
def test_the_answer_of_an_engine_with_other_weights_is_refused(
    vault: BatchVault, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    other = Batch(replace(PANEL, weights=change(PANEL.weights)))
    features, opening = vault.seal(patients(30))
    answer = evaluate(Evaluator(PANEL, circuits=[other]), replace(features, panel_digest=other.digest))
    refused(vault, replace(answer, panel_digest=features.panel_digest), opening)


def moved(evaluator: Evaluator, answer: SealedScores, places: np.ndarray, by: float) -> SealedScores:
    """What an engine that lies gives: the sums of some places are others, in the first model."""
    ring = evaluator._circuits[CIRCUIT.digest].ring
    sealed = ring.load(answer.sealed_sums[:ONE], CIRCUIT.profile.product_scale)
    shift = np.zeros(4096)
    shift[places] = by
    plain = shift[:2048] + 1j * shift[2048:]
    ring.add_plain(sealed, ring.encode(plain, CIRCUIT.profile.product_scale))
    return replace(answer, sealed_sums=ring.save(sealed) + answer.sealed_sums[ONE:])


def test_an_empty_place_that_is_not_zero_is_refused(vault: BatchVault, evaluator: Evaluator) -> None:
    features, opening = vault.seal(patients(100))
    place = opening._expected.nobody[-1:]
    refused(vault, moved(evaluator, evaluate(evaluator, features), place, 0.01), opening)


def test_an_engine_that_lies_about_everybody_is_refused_and_about_one_it_is_not_always(
    vault: BatchVault, evaluator: Evaluator
) -> None:
    """The limit that the page names: a lie about one place is caught only where a probe sits, 16 of 4,096 times."""
    values = patients(CIRCUIT.patients)
    features, opening = vault.seal(values)
    refused(vault, moved(evaluator, evaluate(evaluator, features), np.arange(4096), 0.01), opening)
    features, opening = vault.seal(values)
    middle = values @ PANEL.weights[0]
    patient = int(np.argmin(np.abs(middle)))
    place = opening._expected.patients[patient : patient + 1]
    scores = vault.open(moved(evaluator, evaluate(evaluator, features), place, 0.5), opening)
    assert scores.counts[patient, 0] * 0.001 == pytest.approx(middle[patient] + 0.5, abs=0.001)


def test_an_engine_that_lies_about_one_place_in_two_is_refused(vault: BatchVault, evaluator: Evaluator) -> None:
    """16 probes all miss with a probability of 1 in 65,536."""
    features, opening = vault.seal(patients(CIRCUIT.patients))
    places = np.random.default_rng(4).permutation(4096)[:2048]
    refused(vault, moved(evaluator, evaluate(evaluator, features), places, 0.01), opening)


def test_a_sum_outside_its_range_is_refused(vault: BatchVault, evaluator: Evaluator) -> None:
    features, opening = vault.seal(patients(CIRCUIT.patients))
    place = opening._expected.patients[:1]
    refused(vault, moved(evaluator, evaluate(evaluator, features), place, -31.0), opening)


def test_an_answer_opens_once_and_what_opens_it_stays_here(vault: BatchVault, evaluator: Evaluator) -> None:
    features, opening = vault.seal(patients(3))
    answer = evaluate(evaluator, features)
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(Fault, match="does not leave the process"):
            copying(opening)  # type: ignore[operator]
    assert repr(opening) == "Opening()"
    vault.open(answer, opening)
    with pytest.raises(Fault, match="once only"):
        vault.open(answer, opening)


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-1], lambda b: b + b"\x00", lambda b: b[:ONE], lambda b: bytes(len(b)), lambda b: b""],
    ids=["short", "long", "one", "zeros", "empty"],
)
def test_ciphertexts_that_are_none_are_refused_by_the_engine(
    vault: BatchVault, evaluator: Evaluator, damage: Callable[[bytes], bytes]
) -> None:
    features, _ = vault.seal(patients(3))
    with pytest.raises(Incorrect, match="ciphertext"):
        evaluate(evaluator, replace(features, sealed_vector=damage(features.sealed_vector)))
    with pytest.raises(Incorrect, match="evaluation keys"):
        evaluate(evaluator, replace(features, evaluation_keys=b"k"))
    with pytest.raises(Unprocessable):
        evaluate(evaluator, replace(features, profile="P1-mask"))


def test_what_a_batch_lets_out_recovers_nothing_of_the_key(vault: BatchVault, evaluator: Evaluator) -> None:
    values = patients(CIRCUIT.patients)
    features, opening = vault.seal(values)
    answer, held = evaluate(evaluator, features), opening._ring
    assert held is not None
    ring, profile = Ring(CIRCUIT.profile), CIRCUIT.profile
    ring._pyfhel.from_bytes_secret_key(held._pyfhel.to_bytes_secret_key("none"))
    first, scale = features.sealed_vector[:ONE], profile.input_scale
    assert recovered(ring, first, held.decrypt(held.load(first, scale)), scale) > 0.99, "the attack bites"
    seats = opening._expected
    scores = vault.open(answer, opening)
    everybody = np.zeros((4096, 5))
    everybody[seats.patients] = scores.counts * float(scores.step)
    everybody[seats.probes] = seats.expected
    guess = everybody[:2048, 0] + 1j * everybody[2048:, 0]
    assert recovered(ring, answer.sealed_sums[:ONE], guess, profile.product_scale) == 0.0


@pytest.mark.production_set
def test_error_over_batches_of_the_panel_of_the_bar() -> None:
    from benchmarks.panel import synthetic_panel

    panel = synthetic_panel()
    circuit = Batch(panel)
    vault, evaluator = BatchVault(circuit), Evaluator(PANEL, circuits=[circuit])
    for seed in range(3):
        values = patients(circuit.patients, seed, panel)
        features, opening = vault.seal(values)
        sums = vault._sums(evaluate(evaluator, features), opening)
        assert np.abs(sums - values @ panel.weights.T).max() <= circuit.error <= 1e-4
