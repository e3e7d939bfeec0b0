from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from fhirtwin.ckks import profiles, wire
from fhirtwin.ckks.packing import Grid
from fhirtwin.engine import evaluator as module
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerRefused, Incorrect, Precondition, Unprocessable
from fhirtwin.vault import Vault
from tests.ckks.builders import evaluate, random_panel

PANEL = random_panel()
VALUES = PANEL.high / 2


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(PANEL)


@pytest.mark.parametrize("mode", ["masked", "rotating"])
def test_an_engine_never_holds_a_secret_key(mode: str) -> None:
    evaluator = Evaluator(PANEL)
    features, _ = Vault(PANEL, mode=mode).seal(VALUES)
    evaluate(evaluator, features)
    assert not evaluator.holds_secret_key


def test_another_panel_is_refused(evaluator: Evaluator) -> None:
    features, _ = Vault(PANEL).seal(VALUES)
    with pytest.raises(Unprocessable, match="another panel"):
        evaluate(evaluator, replace(features, panel_digest="00" * 32))


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:-1],
        lambda b: b + b"\x00",
        lambda b: b"",
        lambda b: bytes(len(b)),
        lambda b: b[:16] + b"\xff" * 32 + b[48:],
    ],
    ids=["short", "long", "empty", "zeros", "header"],
)
def test_ciphertexts_that_are_none_are_refused(evaluator: Evaluator, damage: Callable[[bytes], bytes]) -> None:
    features, _ = Vault(PANEL).seal(VALUES)
    with pytest.raises(Incorrect, match="ciphertext"):
        evaluate(evaluator, replace(features, sealed_vector=damage(features.sealed_vector)))


def test_evaluation_keys_are_asked_for_remembered_and_forgotten_in_the_end() -> None:
    evaluator = Evaluator(PANEL)
    vaults = [Vault(PANEL, mode="rotating") for _ in range(module._KEY_SETS_EACH + 1)]
    first, _ = vaults[0].seal(VALUES)
    digest, bare = wire.keys_digest(first.evaluation_keys), replace(first, evaluation_keys=b"")
    with pytest.raises(Precondition, match="Send the evaluation keys"):
        evaluator.evaluate(bare, digest)
    evaluator.evaluate(first, digest)
    evaluator.evaluate(bare, digest)
    for other in vaults[1:]:
        evaluate(evaluator, other.seal(VALUES)[0])
    with pytest.raises(Precondition, match="Send the evaluation keys"):
        evaluator.evaluate(bare, digest)


def test_a_request_that_is_sent_again_is_answered_again_and_changes_nothing(evaluator: Evaluator) -> None:
    vault = Vault(PANEL)
    features, opening = vault.seal(VALUES)
    first, second = evaluate(evaluator, features), evaluate(evaluator, features)
    assert first.sealed_sums != second.sealed_sums, "masks are drawn anew"
    assert vault.open(second, opening).values


def test_masks_cancel_in_masked_mode_and_hide_every_partial_product(evaluator: Evaluator) -> None:
    layout = evaluator.layouts["P1-mask"]
    assert isinstance(layout, Grid)
    used = layout.blocks * layout.lanes
    drawn = np.stack([module._masks(layout) for _ in range(200)])
    grid = drawn[:, :used].reshape(200, layout.blocks, layout.lanes)
    assert np.abs(grid.real.sum(axis=1)).max() < 1e-9
    assert np.abs(drawn[:, used:]).max() == 0
    limit = 2.0**profiles.MASKED.mask_bits
    assert np.abs(grid.imag).max() <= limit
    assert np.abs(grid.real).max() <= 2 * limit
    # Uniform over plus and minus 64 has a standard deviation of 37; zero-sum over 14 blocks takes a fourteenth of the
    # variance away. With 200 draws a standard deviation is known to within 3 %: 6 standard errors are 18 %.
    assert grid.imag.std(axis=0) == pytest.approx(limit / np.sqrt(3), rel=0.18)
    assert grid.real.std(axis=0) == pytest.approx(limit / np.sqrt(3) * np.sqrt(1 - 1 / layout.blocks), rel=0.18)


def test_masks_in_rotating_mode_touch_no_sum(evaluator: Evaluator) -> None:
    masks = module._masks(evaluator.layouts["P1-rot"])
    assert np.abs(masks.real).max() == 0
    assert np.abs(masks.imag).min() > 0


def test_masks_are_never_the_same_twice(evaluator: Evaluator) -> None:
    layout = evaluator.layouts["P1-mask"]
    assert len({module._masks(layout).tobytes() for _ in range(50)}) == 50


def mutations(data: bytes, count: int) -> Iterator[bytes]:
    """Of the same length, so that they pass the first check: headers, sizes and coefficients of a SEAL ciphertext."""
    draw = np.random.default_rng(17)
    for number in range(count):
        changed = bytearray(data)
        kind = number % 5
        if kind == 0:
            changed[int(draw.integers(16))] ^= 1 << int(draw.integers(8))
        elif kind == 1:
            changed[int(draw.integers(16, 113))] ^= 1 << int(draw.integers(8))
        elif kind == 2:
            place = int(draw.integers(0, 105))
            changed[place : place + 8] = draw.choice([0, 1, 2**31, 2**40, 2**63 - 1]).astype("<u8").tobytes()
        elif kind == 3:
            place = 113 + 8 * int(draw.integers(8000))
            changed[place : place + 8] = b"\xff" * 8
        else:
            place = int(draw.integers(113, len(data) - 40))
            changed[place : place + 40] = draw.bytes(40)
        yield bytes(changed)


@pytest.mark.parametrize("mode", ["masked", "rotating"])
def test_of_hundreds_of_mutated_ciphertexts_none_crashes_the_engine_and_none_opens(
    evaluator: Evaluator, mode: str
) -> None:
    vault = Vault(PANEL, mode=mode)
    original, _ = vault.seal(VALUES)
    refused_by = {"engine": 0, "vault": 0}
    for number, mutated in enumerate(mutations(original.sealed_vector, 250)):
        features, opening = vault.seal(VALUES)
        # Half are of this request, so that the vault has the key; the others of an earlier one.
        sent = mutated if number % 2 else mutated[:113] + features.sealed_vector[113:-8] + mutated[-8:]
        if sent == features.sealed_vector:
            continue
        try:
            answer = evaluate(evaluator, replace(features, sealed_vector=sent))
        except Incorrect:
            refused_by["engine"] += 1
            continue
        with pytest.raises(EngineAnswerRefused):
            vault.open(answer, opening)
        refused_by["vault"] += 1
    assert refused_by["engine"] > 50
    assert refused_by["vault"] > 50
