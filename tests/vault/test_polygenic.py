"""Polygenic scores: sealed chunk by chunk, opened; chunks that are lost, moved or doubled are refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.polygenic import CHUNK, Polygenic
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.circuits import polygenic as engine_side
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.web import create_app
from fhirtwin.errors import EngineAnswerWrong, Fault, Incorrect
from fhirtwin.vault import PolygenicVault
from tests.ckks.builders import KEY, evaluate, random_panel
from tests.ckks.circuits.test_polygenic import MODEL, VARIANTS, model
from tests.vault.test_key_recovery import recovered

PANEL = random_panel()
ONE = MODEL.profile.ciphertext_bytes


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(PANEL, circuits=[MODEL])


@pytest.fixture(scope="module")
def vault() -> PolygenicVault:
    return PolygenicVault(MODEL)


def dosages(seed: int = 1, of: Polygenic = MODEL) -> np.ndarray:
    """Called, imputed, and the extremes of the first score."""
    draw, size = np.random.default_rng(seed), len(of.variants)
    if seed % 4 == 2:
        return draw.uniform(0, 2, size)
    if seed % 4 == 3:
        return np.where(of.weights[0] > 0, 2.0, 0.0)
    return draw.integers(0, 3, size).astype(np.float64)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_scores_are_those_of_the_plain_sum(vault: PolygenicVault, evaluator: Evaluator, seed: int) -> None:
    person = dosages(seed)
    features, opening = vault.seal([person])
    told = vault.open(evaluate(evaluator, features), opening)
    assert tuple(told.values) == MODEL.scores
    for value, right in zip(told.values.values(), MODEL.weights @ person, strict=True):
        assert value % MODEL.profile.step == 0
        assert abs(float(value) - right) <= 0.0005 + MODEL.error


def test_error_before_rounding_is_within_what_the_model_declares(vault: PolygenicVault, evaluator: Evaluator) -> None:
    worst = 0.0
    for seed in range(60):
        person = dosages(seed)
        features, opening = vault.seal([person])
        sums = vault._sums(evaluate(evaluator, features), opening)
        worst = max(worst, float(np.abs(sums + MODEL.constants - MODEL.weights @ person).max()))
    assert MODEL.error / 30 < worst <= MODEL.error <= 1e-4


@pytest.mark.production_set
def test_error_over_110_000_variants() -> None:
    large = model(110_000, 1)
    vault, evaluator = PolygenicVault(large), Evaluator(PANEL, circuits=[large])
    for seed in range(40):
        person = dosages(seed, large)
        features, opening = vault.seal(np.split(person, 11))
        sums = vault._sums(evaluate(evaluator, features), opening)
        assert np.abs(sums + large.constants - large.weights @ person).max() <= large.error <= 1e-4


def test_chunks_are_sealed_as_blocks_come(vault: PolygenicVault, monkeypatch: pytest.MonkeyPatch) -> None:
    """So no more than a chunk and a block lies about in clear."""
    done: list[str] = []
    real = Ring.encrypt_again
    monkeypatch.setattr(Ring, "encrypt_again", lambda *given: done.append("sealed") or real(*given))

    def blocks() -> object:
        for block in (dosages()[:CHUNK], dosages()[CHUNK : 2 * CHUNK], dosages()[2 * CHUNK :]):
            done.append("read")
            yield block

    vault.seal(blocks())  # type: ignore[arg-type]
    assert done == ["read", "sealed"] * 3


def test_views_are_sealed_as_the_numbers_they_show(vault: PolygenicVault, evaluator: Evaluator) -> None:
    people = np.stack([dosages(1), dosages(2)], axis=1)
    features, opening = vault.seal([people[:, 1]])
    told = vault.open(evaluate(evaluator, features), opening)
    assert float(told.values["score-0"]) == pytest.approx(MODEL.weights[0] @ dosages(2), abs=0.0006)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -0.001, 2.001, 9.0])
def test_a_dosage_that_is_missing_or_none_is_refused_by_name_alone(vault: PolygenicVault, bad: float) -> None:
    person = dosages()
    person[5000] = bad
    with pytest.raises(Fault, match=r"^The dosage of variant v5000 is missing, or outside 0 to 2\.$"):
        vault.seal(np.split(person, [100, 4999]))


@pytest.mark.parametrize(
    ("blocks", "says"),
    [
        ([], "0 dosages for"),
        ([np.ones(VARIANTS - 1)], f"{VARIANTS - 1} dosages for {VARIANTS} variants"),
        ([np.ones(VARIANTS), np.ones(1)], "more dosages than"),
        ([np.ones((VARIANTS, 1))], "one for each variant"),
        ([np.ones(VARIANTS, dtype=np.float32)], "must be float64"),
        ([np.ones(VARIANTS, dtype=np.int8)], "must be float64"),
    ],
)
def test_dosages_that_are_not_one_for_each_variant_are_refused(
    vault: PolygenicVault, blocks: list[np.ndarray], says: str
) -> None:
    with pytest.raises(Fault, match=says):
        vault.seal(blocks)


def test_every_request_has_the_same_bytes_and_a_key_of_its_own(vault: PolygenicVault, evaluator: Evaluator) -> None:
    keys = set()
    for person in (np.zeros(VARIANTS), dosages()):
        features, opening = vault.seal([person])
        assert len(features.sealed_vector) == 3 * ONE
        assert len(evaluate(evaluator, features).sealed_sums) == 2 * ONE
        assert opening._ring is not None
        pyfhel = opening._ring._pyfhel
        keys.add(pyfhel.to_bytes_secret_key("none"))
        vault.open(evaluate(evaluator, features), opening)
        assert pyfhel.to_bytes_secret_key("none") not in keys
    assert len(keys) == 2
    assert not evaluator.holds_secret_key


def test_masks_cancel_hide_every_slot_and_are_never_the_same() -> None:
    profile = MODEL.profile
    drawn = np.stack([engine_side.masks(profile) for _ in range(200)])
    assert np.abs(drawn.real.sum(axis=1)).max() < 1e-9
    assert np.abs(drawn[:, -1]).max() == 0
    limit = 2.0**profile.mask_bits
    assert drawn.real[:, :-1].std(axis=0) == pytest.approx(limit / np.sqrt(3), rel=0.2)
    assert drawn.imag[:, :-1].std(axis=0) == pytest.approx(limit / np.sqrt(3), rel=0.2)
    assert len({one.tobytes() for one in drawn}) == 200


def refused(vault: PolygenicVault, answer: SealedScores, opening: object) -> str:
    with pytest.raises(EngineAnswerWrong) as caught:
        vault.open(answer, opening)  # type: ignore[arg-type]
    assert caught.value.__cause__ is None
    return str(caught.value)


def chunks(features: SealedFeatures) -> list[bytes]:
    return [features.sealed_vector[start : start + ONE] for start in range(0, 3 * ONE, ONE)]


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 0, 2), (0, 1, 1), (2, 1, 0)])
def test_chunks_that_were_moved_doubled_or_lost_are_refused(
    vault: PolygenicVault, evaluator: Evaluator, order: tuple[int, ...]
) -> None:
    features, opening = vault.seal([dosages()])
    parts = chunks(features)
    wrong = replace(features, sealed_vector=b"".join(parts[place] for place in order))
    refused(vault, evaluate(evaluator, wrong), opening)


def test_a_chunk_of_somebody_else_is_refused(vault: PolygenicVault, evaluator: Evaluator) -> None:
    (mine, opening), (theirs, _) = vault.seal([dosages(1)]), vault.seal([dosages(2)])
    mixed = replace(mine, sealed_vector=b"".join([*chunks(mine)[:2], chunks(theirs)[2]]))
    refused(vault, evaluate(evaluator, mixed), opening)


def test_every_wrong_answer_is_refused_with_one_text(vault: PolygenicVault, evaluator: Evaluator) -> None:
    draw, texts = np.random.default_rng(9), set()
    for case in range(40):
        features, opening = vault.seal([dosages(case)])
        right = evaluate(evaluator, features)
        data, kind = bytearray(right.sealed_sums), case % 10
        if kind == 0:
            data[draw.integers(113, ONE)] ^= 1 << int(draw.integers(5, 8))
        elif kind == 1:
            data[ONE + draw.integers(113)] ^= 0xFF
        elif kind == 2:
            del data[-draw.integers(1, len(data)) :]
        elif kind == 3:
            data += draw.bytes(8)
        elif kind == 4:  # two scores swapped
            data = data[ONE:] + data[:ONE]
        elif kind == 5:
            data[:ONE] = data[ONE:]
        elif kind == 6:  # not evaluated at all
            data = bytearray(features.sealed_vector[: 2 * ONE])
        elif kind == 7:  # replayed
            data = bytearray(evaluate(evaluator, vault.seal([dosages(case)])[0]).sealed_sums)
        elif kind == 8:
            right = replace(right, request_id=bytes(16))
        else:
            right = replace(right, panel_digest="00" * 32)
        texts.add(refused(vault, replace(right, sealed_sums=bytes(data)), opening))
    assert len(texts) == 1


@pytest.mark.parametrize("change", [lambda w: w * 0.9, lambda w: w[::-1].copy()], ids=["scaled", "swapped"])
def test_the_answer_of_an_engine_with_other_weights_is_refused(
    vault: PolygenicVault, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    other = replace(MODEL, weights=change(MODEL.weights))
    features, opening = vault.seal([dosages()])
    answer = evaluate(Evaluator(PANEL, circuits=[other]), replace(features, panel_digest=other.digest))
    refused(vault, replace(answer, panel_digest=features.panel_digest), opening)


def test_an_answer_opens_once_and_what_opens_it_stays_here(vault: PolygenicVault, evaluator: Evaluator) -> None:
    features, opening = vault.seal([dosages()])
    answer = evaluate(evaluator, features)
    with pytest.raises(Fault, match="does not leave the process"):
        pickle.dumps(opening)
    vault.open(answer, opening)
    with pytest.raises(Fault, match="once only"):
        vault.open(answer, opening)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b + bytes(ONE), lambda b: b[ONE:], lambda b: bytes(len(b))]
)
def test_chunks_that_are_none_are_refused_by_the_engine(
    vault: PolygenicVault, evaluator: Evaluator, damage: Callable[[bytes], bytes]
) -> None:
    features, _ = vault.seal([dosages()])
    with pytest.raises(Incorrect, match="ciphertext"):
        evaluate(evaluator, replace(features, sealed_vector=damage(features.sealed_vector)))


def test_it_goes_through_the_door_of_the_engine(vault: PolygenicVault, evaluator: Evaluator) -> None:
    features, opening = vault.seal([dosages()])
    request = wire.write_request(features, __version__, KEY, wire.NO_KEYS, with_keys=False)
    response = create_app(evaluator, KEY).test_client().post(wire.EVALUATE, data=request)
    assert response.status_code == 200
    assert vault.open(wire.read_response(response.data, KEY, features, request).scores, opening).values


def test_what_leaves_the_vault_recovers_nothing_of_the_key(vault: PolygenicVault, evaluator: Evaluator) -> None:
    features, opening = vault.seal([dosages()])
    answer, held = evaluate(evaluator, features), opening._ring
    assert held is not None
    ring, profile = Ring(MODEL.profile), MODEL.profile
    ring._pyfhel.from_bytes_secret_key(held._pyfhel.to_bytes_secret_key("none"))
    raw = held.decrypt(held.load(answer.sealed_sums[:ONE], profile.product_scale))
    # Scales of a ciphertext and of what is encoded for the attack must agree, and a raw sum is read to 2^-57 at best.
    first = chunks(features)[0]
    assert recovered(ring, first, held.decrypt(held.load(first, profile.input_scale)), profile.input_scale) > 0.99
    told = vault.open(answer, opening)
    assert recovered(ring, first, MODEL.laid_out(dosages()[:CHUNK], 0.0), profile.input_scale) == 0.0
    guess = np.zeros(profile.slots, dtype=np.complex128)
    guess[0] = float(told.values["score-0"]) - MODEL.constants[0]
    guess[-1] = opening._expected[0]
    assert recovered(ring, answer.sealed_sums[:ONE], guess, profile.product_scale) == 0.0
    assert np.abs(raw - guess).max() > 0.1, "the mask keeps the sums of slots apart from the score"
