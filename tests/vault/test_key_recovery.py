"""The attack of Li and Micciancio (EUROCRYPT 2021, https://eprint.iacr.org/2020/1533): a CKKS decryption gives the key.

A ciphertext (c0, c1) opens to m = c0 + c1·s. Whoever holds c0, c1 and m exactly divides and has s. The attack is run on
what the vault lets out, and on a raw decryption, so that it is seen to bite.

Of a panel or table the vault lets out one number a row, and the attacker needs every slot: masks, and what he does not
see, stop him with rounding or without, and those tests pass without it. Rounding is what stops him where every slot is
let out, and that is a batch: `test_rounding_alone_keeps_the_key_of_a_batch` has it taken away.
"""

from __future__ import annotations

import numpy as np
import pytest

from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.packing import Grid
from fhirtwin.ckks.panel import Panel
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.vault import BatchVault, Vault, checking
from tests.ckks.builders import (
    CIPHERTEXT_HEADER,
    PLAINTEXT_HEADER,
    evaluate,
    random_lookup,
    random_panel,
    random_table,
    random_vector,
)

PANEL = random_panel()


def secret_key(ring: Ring) -> np.ndarray:
    """NTT coefficients modulo the data prime."""
    return np.frombuffer(ring._pyfhel.to_bytes_secret_key("none")[PLAINTEXT_HEADER:], dtype="<u8")[
        : ring.profile.degree
    ]


def recovered(ring: Ring, sealed: bytes, guess: np.ndarray, scale: float) -> float:
    """Share of the key's coefficients that (guess − c0) / c1 hits, one by one, modulo the first data prime."""
    q, degree = int(ring._pyfhel.qi[0]), ring.profile.degree
    c0, c1 = np.frombuffer(sealed[CIPHERTEXT_HEADER:], dtype="<u8").reshape(2, -1, degree)[:, 0]
    encoded = ring._pyfhel.encodeComplex(np.ascontiguousarray(guess, dtype=np.complex128), scale=scale)
    m = np.frombuffer(encoded.to_bytes("none")[PLAINTEXT_HEADER:], dtype="<u8")[:degree]
    tried = [(int(a) - int(b)) * pow(int(c), -1, q) % q if c else 0 for a, b, c in zip(m, c0, c1, strict=True)]
    return float((np.array(tried, dtype=np.uint64) == secret_key(ring)).mean())


def probe_in(slots: np.ndarray, layout: Grid) -> np.ndarray:
    """The probe's vector, read from where it was laid."""
    pairs = slots[: layout.blocks * layout.lanes].reshape(layout.blocks, layout.lanes)[:, layout.rows]
    raised = np.column_stack([pairs.real, pairs.imag]).reshape(-1)[: len(PANEL.features)]
    return np.asarray(raised / layout.gains)


@pytest.mark.parametrize("mode", ["masked", "rotating"])
def test_the_attack_works_on_a_raw_decryption(mode: str) -> None:
    vault = Vault(PANEL, mode=mode)
    features, opening = vault.seal(random_vector(PANEL, np.random.default_rng(1)))
    ring = opening._ring
    assert ring is not None
    scale = vault.profile.input_scale
    raw = ring.decrypt(ring.load(features.sealed_vector, scale))
    assert recovered(ring, features.sealed_vector, raw, scale) > 0.99


@pytest.mark.parametrize("mode", ["masked", "rotating"])
def test_what_leaves_the_vault_recovers_nothing_of_the_key(mode: str) -> None:
    """The attacker knows the panel, the features, the probe and all that was opened: the strongest he could be.

    He still lacks the masks, in the imaginary parts of all slots. So it is not rounding that this test shows.
    """
    evaluator = Evaluator(PANEL)
    vault = Vault(PANEL, mode=mode)
    profile, layout = vault.profile, vault._layout
    assert isinstance(layout, Grid)
    for seed in range(3):
        vector = random_vector(PANEL, np.random.default_rng(seed))
        features, opening = vault.seal(vector)
        answer = evaluate(evaluator, features)
        # Kept from before opening, which overwrites the key in masked mode.
        ring, held = Ring(profile), opening._ring
        assert held is not None
        ring._pyfhel.from_bytes_secret_key(held._pyfhel.to_bytes_secret_key("none"))
        scores = vault.open(answer, opening)

        exact_input = opening._expected.slots
        assert recovered(ring, features.sealed_vector, exact_input, profile.input_scale) == 0.0
        lanes = np.zeros((layout.blocks, layout.lanes), dtype=np.complex128)
        lanes[0, : layout.rows] = [float(value) for value in scores.values.values()]
        exact_sums = np.concatenate([PANEL.weights @ vector, PANEL.weights @ probe_in(exact_input, layout)])
        assert opening._expected.off(exact_sums) < 1e-9
        lanes[0, layout.rows : 2 * layout.rows] = exact_sums[layout.rows :]
        guess = np.zeros(profile.slots, dtype=np.complex128)
        guess[: lanes.size] = lanes.reshape(-1)
        assert recovered(ring, answer.sealed_sums, guess, profile.product_scale) == 0.0
        everywhere = np.tile(lanes[0], profile.slots // layout.lanes + 1)[: profile.slots]
        assert recovered(ring, answer.sealed_sums, everywhere, profile.product_scale) == 0.0


def test_what_a_table_lets_out_recovers_nothing_of_the_key() -> None:
    """Here, too, masks and slots that nobody sees are enough without rounding."""
    table = random_table()
    vault, evaluator = Vault(table, mode="sparse"), Evaluator(PANEL, [table])
    profile, layout = vault.profile, vault._layout
    for seed in range(3):
        vector = random_lookup(table, np.random.default_rng(seed))
        features, opening = vault.seal(vector)
        answer = evaluate(evaluator, features)
        ring, held = Ring(profile), opening._ring
        assert held is not None
        ring._pyfhel.from_bytes_secret_key(held._pyfhel.to_bytes_secret_key("none"))
        raw = held.decrypt(held.load(features.sealed_vector, profile.input_scale))
        assert recovered(ring, features.sealed_vector, raw, profile.input_scale) > 0.99, "the attack bites"
        exact_input = opening._expected.slots
        scores = vault.open(answer, opening)
        assert recovered(ring, features.sealed_vector, exact_input, profile.input_scale) == 0.0
        guess = np.zeros(profile.slots, dtype=np.complex128)
        first_slots = np.unique(layout.lane_of, return_index=True)[1][: layout.rows]
        guess[first_slots] = [float(value) for value in scores.values.values()]
        assert recovered(ring, answer.sealed_sums, guess, profile.product_scale) == 0.0


@pytest.mark.parametrize("is_rounded", [True, False])
def test_rounding_alone_keeps_the_key_of_a_batch(is_rounded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full batch lets out every slot but those of the probes, which this attacker is given, unrounded.

    Of one feature the engine's answer is the ciphertext that it got times a whole number, so each sum over the weight
    is a slot of the decryption of the input: with all of them unrounded, the attack has the whole key.
    """
    panel = Panel(("x",), np.array([-1.0]), np.array([1.0]), ("y",), np.array([[1.0]]))
    circuit = Batch(panel)
    vault, evaluator, profile = BatchVault(circuit), Evaluator(PANEL, circuits=[circuit]), circuit.profile
    features, opening = vault.seal(np.random.default_rng(4).uniform(-1.0, 1.0, (circuit.patients, 1)))
    answer, held, seats = evaluate(evaluator, features), opening._ring, opening._expected
    assert held is not None
    ring = Ring(profile)
    ring._pyfhel.from_bytes_secret_key(held._pyfhel.to_bytes_secret_key("none"))
    raw = circuit.gathered(held.decrypt(held.load(answer.sealed_sums, profile.product_scale))[None])
    if not is_rounded:
        monkeypatch.setattr(checking, "counts", lambda sums, step: sums / step)
    scores = vault.open(answer, opening)

    everybody = np.empty((circuit.vectors, 1))
    everybody[seats.probes], everybody[seats.nobody] = raw[seats.probes], raw[seats.nobody]
    everybody[seats.patients] = scores.counts * float(scores.step)
    assert np.abs(everybody - raw).max() <= (0.00051 if is_rounded else 1e-12)
    inputs = (everybody / circuit.rounded[0, 0])[:, 0]
    guess = inputs[: profile.slots] + 1j * inputs[profile.slots :]
    share = recovered(ring, features.sealed_vector, guess, profile.input_scale)
    assert share == 0.0 if is_rounded else share > 0.99
