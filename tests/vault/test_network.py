"""Networks: sealed, evaluated through three layers, opened; every wrong answer refused, no overflow silent."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.network import Network
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.hidden_network import CANARIES
from fhirtwin.ckks.levelled import LevelledRing, scales
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.circuits import network as engine_side
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.web import create_app
from fhirtwin.errors import EngineAnswerWrong, Fault, Incorrect, Precondition
from fhirtwin.vault import NetworkVault
from tests.ckks.builders import KEY, random_panel
from tests.ckks.circuits.test_network import model
from tests.vault.test_key_recovery import recovered

PANEL = random_panel()
MODEL = model()
BAR = 3e-4


class Pair:
    """A vault and an engine that has its evaluation keys."""

    def __init__(self, network: Network = MODEL) -> None:
        self.network, self.vault = network, NetworkVault(network)
        self.engine = Evaluator(PANEL, circuits=[network])
        self.give_keys()

    def give_keys(self) -> None:
        features, _ = self.vault.seal(np.zeros(len(self.vault.circuit.inputs)))
        self.digest = wire.keys_digest(features.evaluation_keys)
        self.engine.evaluate(features, self.digest)

    def evaluate(self, features: SealedFeatures) -> SealedScores:
        return self.engine.evaluate(replace(features, evaluation_keys=b""), self.digest)

    def refused(self, answer: SealedScores, opening: object) -> str:
        with pytest.raises(EngineAnswerWrong) as caught:
            self.vault.open(answer, opening)  # type: ignore[arg-type]
        assert caught.value.__cause__ is None
        self.give_keys()
        return str(caught.value)


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair()


def test_outputs_are_those_of_the_network_and_rounded_to_the_step(pair: Pair) -> None:
    for values in MODEL.samples[[0, 600, 1030, 1200]]:
        features, opening = pair.vault.seal(values)
        told = pair.vault.open(pair.evaluate(features), opening)
        assert tuple(told.values) == MODEL.outputs
        for value, right in zip(told.values.values(), MODEL.evaluate_plain(values), strict=True):
            assert value % MODEL.profile.step == 0
            assert abs(float(value) - right) <= 0.0015 + MODEL.error


def largest_error(pair: Pair, samples: np.ndarray) -> float:
    worst, network = 0.0, pair.network
    for values in samples:
        features, opening = pair.vault.seal(values)
        outputs = pair.vault._outputs(opening.take(), pair.evaluate(features), opening)
        worst = max(worst, float(np.abs(outputs - network.evaluate_plain(values)).max()))
    return worst


def test_error_before_rounding_is_within_what_the_network_declares(pair: Pair) -> None:
    samples = np.concatenate([MODEL.samples[:5], MODEL.samples[512:517], MODEL.samples[1024::40]])
    assert MODEL.error / 50 < largest_error(pair, samples) <= MODEL.error <= BAR


@pytest.mark.production_set
def test_error_over_many_inputs_extremes_included() -> None:
    for seed in (3, 4):
        network = model(seed=seed, radius=4.0)
        assert largest_error(Pair(network), network.samples[::8]) <= network.error <= BAR


def test_a_smaller_network_is_filled_up_with_zeros() -> None:
    small = model((5, 3, 2, 1))
    assert largest_error(Pair(small), small.samples[::200]) <= small.error


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, 1.001])
def test_an_input_outside_its_range_is_refused_by_name_alone(pair: Pair, bad: float) -> None:
    values = np.zeros(64)
    values[7] = bad
    with pytest.raises(Fault, match=r"^Input x7 is outside the range its network declares\.$"):
        pair.vault.seal(values)


def test_inputs_too_far_from_the_centre_are_refused(pair: Pair) -> None:
    with pytest.raises(Fault, match=r"^The inputs lie further from the centre than their network declares\.$"):
        pair.vault.seal(np.full(64, 0.7))


@pytest.mark.parametrize("values", [np.zeros(63), np.zeros((64, 1)), np.zeros(64, dtype=np.float32), np.zeros(0)])
def test_vectors_of_another_shape_or_type_are_refused(pair: Pair, values: np.ndarray) -> None:
    with pytest.raises(Fault, match="one float64 for each input"):
        pair.vault.seal(values)


def test_a_column_of_a_table_is_sealed_as_the_numbers_it_shows(pair: Pair) -> None:
    table = MODEL.samples[:2].T.copy()
    assert largest_error(pair, table.T) <= MODEL.error


def test_all_patients_take_the_same_bytes_and_operations(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    done: Counter[str] = Counter()

    def counting(of: type, name: str) -> Callable[..., object]:
        real = getattr(of, name)

        def call(*given: object, **named: object) -> object:
            done[name] += 1
            return real(*given, **named)

        return call

    sealed = [pair.vault.seal(values)[0] for values in (np.zeros(64), MODEL.samples[1030])]
    assert {len(features.sealed_vector) for features in sealed} == {655_473}
    for of, names in (
        (Ring, ("load", "multiply", "add", "add_plain", "add_rotated", "save")),
        (LevelledRing, ("square", "rescale", "go_down")),
    ):
        for name in names:
            monkeypatch.setattr(of, name, counting(of, name))
    counts, lengths = [], set()
    for features in sealed:
        done.clear()
        lengths.add(len(pair.evaluate(features).sealed_sums))
        counts.append(dict(done))
    assert counts[0] == counts[1]
    assert (counts[0]["add_rotated"], counts[0]["square"], counts[0]["multiply"]) == (16, 2, 4)
    assert lengths == {131_185}


def test_masks_leave_outputs_alone_and_those_of_canaries_cancel() -> None:
    grids = np.stack([engine_side.masks().reshape(64, 64).real for _ in range(50)])
    assert np.abs(grids[:, ::16, 0]).max() == 0
    assert np.abs(np.delete(grids[:, :, 0], np.arange(0, 64, 16), axis=1)).min() > 0
    assert np.abs(grids[:, :, 1 : CANARIES + 1].sum(axis=1)).max() < 1e-9
    assert np.abs(grids[:, :, CANARIES + 1 :]).max() == 0
    assert len({grid.tobytes() for grid in grids}) == 50


def test_what_stands_beside_the_outputs_is_masked(pair: Pair) -> None:
    """The gateway opens partial sums of outputs: the same question twice must not give the same ones."""
    values, opened = MODEL.samples[3], []
    for _ in range(2):
        features, opening = pair.vault.seal(values)
        ring = opening.take()
        answer = ring.load(pair.evaluate(features).sealed_sums, scales(MODEL.profile, ring.primes)[2], primes=1)
        opened.append(ring.decrypt(answer).real.reshape(64, 64))
    apart = np.abs(opened[0] - opened[1])
    assert apart[::16, 0].max() < 1e-4
    assert np.median(np.delete(apart[:, 0], np.arange(0, 64, 16))) > 1.0


def test_evaluation_keys_are_asked_for_remembered_and_checked(pair: Pair) -> None:
    features, _ = pair.vault.seal(np.zeros(64))
    fresh = Evaluator(PANEL, circuits=[MODEL])
    with pytest.raises(Precondition, match="Send the evaluation keys"):
        fresh.evaluate(replace(features, evaluation_keys=b""), pair.digest)
    for keys in (features.evaluation_keys[:-1], features.evaluation_keys + b"\x00"):
        with pytest.raises(Incorrect, match="wrong length"):
            fresh.evaluate(replace(features, evaluation_keys=keys), pair.digest)
    with pytest.raises(Incorrect, match="cannot be read"):
        fresh.evaluate(replace(features, evaluation_keys=bytes(len(features.evaluation_keys))), pair.digest)
    assert len(features.evaluation_keys) == MODEL.evaluation_keys_bytes
    assert not pair.engine.holds_secret_key


def test_the_engine_keeps_the_keys_of_two_gateways(pair: Pair) -> None:
    engine, features = Evaluator(PANEL, circuits=[MODEL]), []
    for vault in (pair.vault, NetworkVault(MODEL), NetworkVault(MODEL)):
        sealed, _ = vault.seal(np.zeros(64))
        features.append((replace(sealed, evaluation_keys=b""), wire.keys_digest(sealed.evaluation_keys)))
        engine.evaluate(sealed, features[-1][1])
    for sealed, digest in features[1:]:
        engine.evaluate(sealed, digest)
    with pytest.raises(Precondition):
        engine.evaluate(*features[0])


def test_every_wrong_answer_is_refused_with_one_text_and_ends_the_key(pair: Pair) -> None:
    draw, texts, digests = np.random.default_rng(9), set(), set()
    samples = MODEL.samples[:20]
    for kind in range(10):
        digests.add(pair.digest)
        features, opening = pair.vault.seal(samples[kind])
        right = pair.evaluate(features)
        data = bytearray(right.sealed_sums)
        if kind == 0:
            data[draw.integers(113, len(data))] ^= 0x40
        elif kind == 1:
            data[40] ^= 0xFF
        elif kind == 2:
            del data[-1:]
        elif kind == 3:
            data += draw.bytes(8)
        elif kind == 4:  # not evaluated at all
            data = bytearray(features.sealed_vector[: len(data)])
        elif kind == 5:  # another patient's, under the same key
            data = bytearray(pair.evaluate(pair.vault.seal(samples[kind + 10])[0]).sealed_sums)
        elif kind == 6:
            right = replace(right, request_id=bytes(16))
        elif kind == 7:
            right = replace(right, panel_digest="00" * 32)
        elif kind == 8:  # two coefficients swapped
            data[200:208], data[3000:3008] = data[3000:3008], data[200:208]
        else:
            right = replace(right, profile="P1-mask")
        texts.add(pair.refused(replace(right, sealed_sums=bytes(data)), opening))
    assert len(texts) == 1
    assert len(digests) == 10, "each wrong answer was the last under its key"


def test_the_answer_of_an_engine_with_other_weights_is_refused(pair: Pair) -> None:
    other = replace(MODEL, biases=(MODEL.biases[0], MODEL.biases[1], MODEL.biases[2] + 0.5))
    wrong = Evaluator(PANEL, circuits=[other])
    features, opening = pair.vault.seal(MODEL.samples[0])
    answer = wrong.evaluate(replace(features, panel_digest=other.digest), pair.digest)
    pair.refused(replace(answer, panel_digest=features.panel_digest), opening)


def test_an_output_that_wraps_round_is_refused_and_never_told(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that no check let through: the last layer is heavy enough to pass the modulus."""
    network = model()
    layer, bias = network.weights[2] * 1e5, network.biases[2]
    heavy = object.__new__(Network)
    heavy.__dict__.update(
        {**network.__dict__, "digest": network.digest, "gains": network.gains, "weights": (*network.weights[:2], layer)}
    )
    values = network.samples[1024:][np.argmax(np.abs(network.evaluate_plain(network.samples[1024:])).max(axis=1))]
    largest = np.abs(layer @ ((network._units(values)[1]) ** 2) + bias).max()
    assert largest / 64 > 2.0 ** (59 - 53), (
        "the mean over slots, of which one in 64 holds an output, is past the modulus"
    )
    engine = Evaluator(PANEL, circuits=[heavy])
    features, opening = pair.vault.seal(values)
    answer, ring = engine.evaluate(features, pair.digest), pair.vault._keys._now[0]
    opened = ring.decrypt(ring.load(answer.sealed_sums, scales(MODEL.profile, ring.primes)[2], primes=1))
    assert np.median(np.abs(opened.reshape(64, 64)[:, CANARIES + 1 :])) > 1.0, "what should be zero is far from it"
    pair.refused(answer, opening)


def test_an_answer_opens_once_and_what_opens_it_stays_here(pair: Pair) -> None:
    features, opening = pair.vault.seal(np.zeros(64))
    answer = pair.evaluate(features)
    with pytest.raises(Fault, match="does not leave the process"):
        pickle.dumps(opening)
    pair.vault.open(answer, opening)
    with pytest.raises(Fault, match="once only"):
        pair.vault.open(answer, opening)


def test_it_goes_through_the_door_of_the_engine(pair: Pair) -> None:
    client = create_app(Evaluator(PANEL, circuits=[MODEL]), KEY).test_client()
    features, opening = pair.vault.seal(MODEL.samples[0])
    bare = wire.write_request(features, __version__, KEY, pair.digest, with_keys=False)
    assert client.post(wire.EVALUATE, data=bare).status_code == 412
    request = wire.write_request(features, __version__, KEY, pair.digest, with_keys=True)
    response = client.post(wire.EVALUATE, data=request)
    assert response.status_code == 200
    assert pair.vault.open(wire.read_response(response.data, KEY, features, request).scores, opening).values


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b + b"\x00", lambda b: bytes(len(b)), lambda b: b[:131_185]]
)
def test_ciphertexts_that_are_none_are_refused_by_the_engine(pair: Pair, damage: Callable[[bytes], bytes]) -> None:
    features, _ = pair.vault.seal(np.zeros(64))
    with pytest.raises(Incorrect, match="ciphertext"):
        pair.evaluate(replace(features, sealed_vector=damage(features.sealed_vector)))


def test_what_leaves_the_vault_recovers_nothing_of_the_key(pair: Pair) -> None:
    values = MODEL.samples[2]
    features, opening = pair.vault.seal(values)
    answer, ring, profile = pair.evaluate(features), pair.vault._keys._now[0], MODEL.profile
    raw = ring.decrypt(ring.load(features.sealed_vector, profile.input_scale))
    assert recovered(ring, features.sealed_vector, raw, profile.input_scale) > 0.99, "the attack bites"
    assert recovered(ring, features.sealed_vector, MODEL.hidden.spread(values), profile.input_scale) == 0.0
    told = pair.vault.open(answer, opening)
    guess = np.zeros(profile.slots, dtype=np.complex128)
    guess[::1024] = [float(value) for value in told.values.values()]
    assert recovered(ring, answer.sealed_sums, guess, scales(profile, ring.primes)[2]) == 0.0
