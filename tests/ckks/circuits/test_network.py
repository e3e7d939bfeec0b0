"""What a network declares, and which networks are refused before anything is sealed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from fhirtwin.ckks import profiles
from fhirtwin.ckks.circuits.network import ALL_STEPS, Network
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.levelled import LevelledRing, scales
from fhirtwin.errors import Fault, Incorrect

PROFILE = profiles.NETWORK


@cache
def model(sizes: tuple[int, ...] = (64, 64, 16, 4), seed: int = 3, radius: float = 5.0) -> Network:
    draw = np.random.default_rng(seed)
    weights = [draw.normal(size=(sizes[i + 1], sizes[i])) / np.sqrt(sizes[i]) for i in range(3)]
    biases = [draw.normal(size=sizes[i + 1]) * 0.1 for i in range(3)]
    names = tuple(f"x{i}" for i in range(sizes[0])), tuple(f"y{i}" for i in range(sizes[3]))
    high = np.ones(sizes[0])
    return Network(names[0], names[1], -high, high, radius, (weights[0], weights[1], weights[2] * 0.07), tuple(biases))  # type: ignore[arg-type]


def test_the_profile_is_pinned_and_inside_both_limits() -> None:
    assert (PROFILE.degree, PROFILE.modulus_bits) == (8192, (60, 29, 24, 29, 28, 44))
    assert sum(PROFILE.modulus_bits) == profiles.MAX_MODULUS_BITS[8192] == 214
    profiles.check(PROFILE)
    for change in ({"modulus_bits": (60, 29, 24, 29, 28, 48)}, {"degree": 4096}, {"weight_bits": 25}, {"name": "P3"}):
        with pytest.raises(Incorrect, match="profile"):
            Ring(replace(PROFILE, **change))  # type: ignore[arg-type]


def test_lengths_are_those_that_seal_writes() -> None:
    ring = LevelledRing(PROFILE)
    ring.make_keys()
    sealed = ring.encrypt(np.ones(4096, dtype=np.complex128), PROFILE.input_scale)
    assert len(sealed) == PROFILE.ciphertext_bytes == 655_473
    assert len(ring.make_rotation_keys([1, 2])) == PROFILE.rotation_keys_bytes(2)
    assert len(ring.make_relinearisation_key()) == PROFILE.relinearisation_key_bytes
    loaded = ring.load(sealed, PROFILE.input_scale)
    ring.go_down(loaded, 4)
    assert len(ring.save(loaded)) == PROFILE.answer_bytes == 131_185
    assert np.abs(ring.decrypt(ring.load(ring.save(loaded), PROFILE.input_scale, primes=1)) - 1).max() < 1e-5
    with pytest.raises(Incorrect, match="wrong length"):
        ring.load(sealed, PROFILE.input_scale, primes=1)
    with pytest.raises(Incorrect, match="wrong length"):
        ring.load(ring.save(loaded), PROFILE.input_scale)


def test_squares_need_their_key_and_levels_exist() -> None:
    """Pyfhel would make a key up from a random secret, and go on with garbage."""
    ring = LevelledRing(PROFILE)
    with pytest.raises(Fault, match="no key to open with"):
        ring.make_relinearisation_key()
    ring.make_keys()
    sealed = ring.load(ring.encrypt(np.full(4096, 1.5 + 0j), PROFILE.input_scale), PROFILE.input_scale)
    engine = LevelledRing(PROFILE)
    with pytest.raises(Incorrect, match="keys are missing"):
        engine.square(sealed)
    key = ring.make_relinearisation_key()
    for damage in (key[:-1], key + b"\x00", b""):
        with pytest.raises(Incorrect, match="wrong length"):
            engine.load_relinearisation_key(damage)
    with pytest.raises(Incorrect, match="cannot be read"):
        engine.load_relinearisation_key(bytes(len(key)))
    engine.load_relinearisation_key(key)
    engine.square(sealed)
    assert np.abs(ring.decrypt(sealed) - 2.25).max() < 1e-4
    assert not engine.holds_secret_key
    for level in (-1, 5):
        with pytest.raises(Fault, match="no such level"):
            ring.encode_at(np.ones(4096, dtype=np.complex128), 2.0**20, level)


def test_scales_end_where_outputs_have_room() -> None:
    ring = LevelledRing(PROFILE)
    assert [prime.bit_length() for prime in ring.primes] == [60, 29, 24, 29, 28]
    first, second, third = np.log2(scales(PROFILE, ring.primes))
    assert (first, round(second), round(third)) == (57.0, 53, 53)


def test_a_network_declares_what_it_takes() -> None:
    network = model()
    assert (network.cost.sealed_in, network.cost.sealed_out) == (1, 1)
    assert (network.cost.rotations, network.cost.squares, network.cost.products) == (16, 2, 4)
    assert network.evaluation_keys_bytes == 51_191_081
    assert len(ALL_STEPS) == 12
    assert 1e-5 < network.error <= 3e-4


def test_bounds_hold_for_all_samples_and_samples_are_admissible() -> None:
    network = model()
    samples = network.samples
    assert (np.abs(samples) <= 1).all()
    assert np.linalg.norm(samples, axis=1).max() <= network.radius
    first, second, outputs = network._units(samples)
    assert (np.abs(first) <= network.largest_units[0]).all()
    assert (np.abs(second) <= network.largest_units[1]).all()
    assert (np.abs(outputs) <= network.largest_outputs).all()
    assert np.abs(outputs[1024:]).max() > 3 * np.abs(outputs[:1024]).max(), "ascent goes further than chance"


def test_evaluation_in_clear_is_the_three_layers() -> None:
    network, x = model(), model().samples[5]
    h1 = (network.weights[0] @ x + network.biases[0]) ** 2
    h2 = (network.weights[1] @ h1 + network.biases[1]) ** 2
    assert network.evaluate_plain(x) == pytest.approx(network.weights[2] @ h2 + network.biases[2], abs=1e-12)


def test_the_digest_follows_from_everything() -> None:
    network = model()
    others = [
        replace(network, radius=4.9),
        replace(network, outputs=network.outputs[::-1]),
        replace(network, biases=(*network.biases[:2], network.biases[2] + 0.001)),
        replace(network, high=network.high * 0.99),
    ]
    other_gains = replace(network)
    other_gains.__dict__["gains"] = tuple(2 * gain for gain in network.gains)
    assert len({one.digest for one in (network, *others, other_gains)}) == 6


def _with_layer(number: int, layer: np.ndarray) -> dict[str, object]:
    weights = list(model().weights)
    weights[number] = layer
    return {"weights": tuple(weights)}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_with_layer(0, model().weights[0][:, :-1]), "shape"),
        (_with_layer(1, model().weights[1].T.copy()), "shape"),
        (_with_layer(1, model().weights[1] * np.nan), "finite float64"),
        (_with_layer(2, model().weights[2].astype(np.float32)), "finite float64"),
        (_with_layer(2, model().weights[2] * 0), "has no weight"),
        (_with_layer(2, model().weights[2] * 10), "The error of this model could be"),
        (_with_layer(1, model().weights[1] * 1e5), "could overflow"),
        (_with_layer(1, model().weights[1] * 1e-7), "layer 2 are too small"),
        ({"low": np.full(64, 0.1)}, "zero within"),
        ({"high": np.full(64, np.inf)}, "finite float64"),
        ({"radius": 0.0}, "radius be positive"),
        ({"radius": float("nan")}, "radius be positive"),
        ({"radius": float("inf")}, "The error of this model could be"),
        ({"inputs": ("x",) * 64}, "names an input or an output twice"),
        ({"outputs": ("y0", "y1", "y2")}, "names an input or an output twice"),
    ],
)
def test_networks_that_cannot_be_evaluated_safely_are_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(Incorrect, match=says):
        replace(model(), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("sizes", [(65, 64, 16, 4), (64, 65, 16, 4), (64, 64, 17, 4), (64, 64, 16, 5)])
def test_networks_that_do_not_fit_are_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(Incorrect, match="at most 64 inputs, 64 and 16 units, 4 outputs"):
        model(sizes)
