from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from fhirtwin.ckks.sealed import SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerWrong, Fault, Incorrect
from fhirtwin.vault import Vault
from tests.ckks.builders import evaluate, random_panel, random_vector
from tests.engine import lying

PANEL = random_panel()
MODES = ["masked", "rotating"]


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(PANEL)


@pytest.fixture(scope="module", params=MODES)
def vault(request: pytest.FixtureRequest) -> Vault:
    return Vault(PANEL, mode=request.param)


def values(seed: int = 0) -> np.ndarray:
    return random_vector(PANEL, np.random.default_rng(seed))


@pytest.mark.parametrize("shape", [(1, 1), (15, 27), (32, 64)])
@pytest.mark.parametrize("seed", [11, 12])
def test_masked_rotating_and_plain_agree_within_the_error_bound(shape: tuple[int, int], seed: int) -> None:
    panel = random_panel(seed, *shape)
    engine = Evaluator(panel)
    vaults = [Vault(panel, mode=mode) for mode in MODES]
    draw = np.random.default_rng(seed)
    for _ in range(25):
        vector = random_vector(panel, draw)
        for one in vaults:
            features, opening = one.seal(vector)
            assert opening._ring is not None
            sums = one._sums(opening._ring, evaluate(engine, features), opening)
            assert np.abs(sums - panel.weights @ vector).max() <= 1e-4


def test_opened_values_are_rounded_to_the_declared_step(vault: Vault, evaluator: Evaluator) -> None:
    vector = values()
    features, opening = vault.seal(vector)
    scores = vault.open(evaluate(evaluator, features), opening)
    assert tuple(scores.values) == PANEL.rows
    assert scores.profile == vault.profile.name
    assert scores.panel_digest == PANEL.digest
    for value, right in zip(scores.values.values(), PANEL.weights @ vector, strict=True):
        assert isinstance(value, Decimal)
        assert value % vault.profile.step == 0
        assert value.as_tuple().exponent == -3
        assert abs(float(value) - right) <= 0.0005 + vault.profile.error


def test_features_of_predictors_that_are_not_asked_may_be_zero_outside_their_bounds() -> None:
    panel = replace(PANEL, low=PANEL.high / 2)
    vault = Vault(panel)
    features, opening = vault.seal(np.zeros(len(panel.features)))
    scores = vault.open(evaluate(Evaluator(panel), features), opening)
    assert set(scores.values.values()) == {Decimal("0.000")}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, 6.0])
def test_values_outside_the_declared_range_are_refused_by_name_and_without_the_value(vault: Vault, bad: float) -> None:
    vector = values()
    vector[4] = bad
    with pytest.raises(Fault, match=r"^Feature feature-4 is outside the range its predictor declares\.$"):
        vault.seal(vector)


@pytest.mark.parametrize("vector", [np.zeros(26), np.zeros(28), np.zeros((27, 1)), np.zeros(27, dtype=np.float32)])
def test_vectors_of_another_shape_or_type_are_refused(vault: Vault, vector: np.ndarray) -> None:
    with pytest.raises(Fault, match="one float64 for each feature"):
        vault.seal(vector)


def test_a_column_of_a_table_is_sealed_as_the_numbers_it_shows(vault: Vault, evaluator: Evaluator) -> None:
    table = np.stack([values(3), values(4)], axis=1)
    features, opening = vault.seal(table[:, 1])
    scores = vault.open(evaluate(evaluator, features), opening)
    assert [float(v) for v in scores.values.values()] == pytest.approx((PANEL.weights @ values(4)).tolist(), abs=7e-4)


def test_masked_mode_takes_a_fresh_key_for_each_request(evaluator: Evaluator) -> None:
    vault = Vault(PANEL)
    keys = set()
    for _ in range(4):
        features, opening = vault.seal(values())
        assert features.evaluation_keys == b""
        assert opening._ring is not None
        pyfhel = opening._ring._pyfhel
        keys.add(pyfhel.to_bytes_secret_key("none"))
        vault.open(evaluate(evaluator, features), opening)
        assert pyfhel.to_bytes_secret_key("none") not in keys, "the key of an answered request is overwritten"
    assert len(keys) == 4


def test_requests_that_are_open_at_the_same_time_do_not_share_a_key(evaluator: Evaluator) -> None:
    vault = Vault(PANEL)
    pending = [(values(seed), *vault.seal(values(seed))) for seed in range(4)]
    assert len({id(opening._ring) for _, _, opening in pending}) == 4
    for vector, features, opening in reversed(pending):
        scores = vault.open(evaluate(evaluator, features), opening)
        opened = [float(v) for v in scores.values.values()]
        assert opened == pytest.approx((PANEL.weights @ vector).tolist(), abs=7e-4)


def test_a_process_that_is_forked_off_seals_under_keys_of_its_own(evaluator: Evaluator) -> None:
    vault = Vault(PANEL)
    features, opening = vault.seal(values())
    vault.open(evaluate(evaluator, features), opening)  # which makes the key of the next request
    told, tells = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.write(tells, vault.seal(values())[0].sealed_vector[-32:])
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(tells)
    of_child, of_parent = os.read(told, 32), vault.seal(values())[0].sealed_vector[-32:]
    os.close(told)
    assert len(of_child) == 32 and of_child != of_parent


def test_rotating_mode_makes_only_the_rotation_keys_it_needs() -> None:
    features, _ = Vault(PANEL, mode="rotating").seal(values())
    assert len(features.evaluation_keys) == 32_824 + 4 * 131_185 <= 700_000


def test_rotating_mode_keeps_its_key_until_an_answer_is_refused(evaluator: Evaluator) -> None:
    """Else an engine could try one wrong answer after the other on the same key, and watch what becomes of them."""
    vault = Vault(PANEL, mode="rotating")
    (first, opening), (pending, still_open), (spoilt, refused_opening) = (vault.seal(values()) for _ in range(3))
    vault.open(evaluate(evaluator, first), opening)
    assert vault.seal(values())[0].evaluation_keys == first.evaluation_keys
    refused(vault, replace(evaluate(evaluator, spoilt), sealed_sums=first.sealed_vector), refused_opening)
    features, opening = vault.seal(values())
    assert features.evaluation_keys != first.evaluation_keys
    opened = [vault.open(evaluate(evaluator, f), o) for f, o in ((features, opening), (pending, still_open))]
    assert opened[0] == opened[1], "what was under way under the old key is opened all the same"
    assert vault.seal(values())[0].evaluation_keys == features.evaluation_keys


def test_an_answer_opens_once(vault: Vault, evaluator: Evaluator) -> None:
    features, opening = vault.seal(values())
    answer = evaluate(evaluator, features)
    vault.open(answer, opening)
    with pytest.raises(Fault, match="once only"):
        vault.open(answer, opening)


@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy])
def test_what_opens_an_answer_is_not_copied_and_shows_nothing(
    vault: Vault, copying: Callable[[object], object]
) -> None:
    _, opening = vault.seal(values())
    assert repr(opening) == "Opening()"
    with pytest.raises(Fault, match="does not leave the process"):
        copying(opening)


def test_modes_and_panels_that_cannot_be_evaluated_are_refused() -> None:
    with pytest.raises(Incorrect, match="masked or rotating"):
        Vault(PANEL, mode="plain")
    with pytest.raises(Incorrect, match="could sum to"):
        Vault(replace(PANEL, weights=PANEL.weights * 1.1))


def refused(vault: Vault, answer: SealedScores, opening: object) -> str:
    with pytest.raises(EngineAnswerWrong) as caught:
        vault.open(answer, opening)  # type: ignore[arg-type]
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_every_wrong_answer_is_refused_with_one_text(vault: Vault, evaluator: Evaluator) -> None:
    draw = np.random.default_rng(9)
    texts = set()
    other = Vault(PANEL, mode=vault.profile.mode)
    for case in range(60):
        features, opening = vault.seal(values(case))
        right = evaluate(evaluator, features)
        data = bytearray(right.sealed_sums)
        kind = case % 10
        if kind == 0:  # a bit of the body
            data[draw.integers(113, len(data))] ^= 1 << int(draw.integers(5, 8))
        elif kind == 1:  # a header byte
            data[draw.integers(113)] ^= 0xFF
        elif kind == 2:
            del data[-draw.integers(1, len(data)) :]
        elif kind == 3:
            data += draw.bytes(8)
        elif kind == 4:
            data = bytearray(draw.bytes(len(data)))
        elif kind == 5:  # valid, not evaluated at all
            data = bytearray(features.sealed_vector)
        elif kind == 6:  # two coefficients swapped
            data[200:208], data[3000:3008] = data[3000:3008], data[200:208]
        elif kind == 7:  # right, but sealed by another key
            data = bytearray(evaluate(evaluator, other.seal(values(case))[0]).sealed_sums)
        elif kind == 8:
            right = replace(right, request_id=bytes(16))
        elif kind == 9:
            right = replace(right, panel_digest="00" * 32)
        texts.add(refused(vault, replace(right, sealed_sums=bytes(data)), opening))
    assert len(texts) == 1


def test_the_answer_for_another_patient_is_refused_even_under_the_same_key(vault: Vault, evaluator: Evaluator) -> None:
    for case in range(20):
        (mine, opening), (theirs, _) = vault.seal(values(case)), vault.seal(values(case + 100))
        swapped = evaluate(evaluator, theirs)
        refused(vault, replace(swapped, request_id=mine.request_id), opening)


def test_a_replayed_answer_is_refused_even_with_the_request_id_forged(vault: Vault, evaluator: Evaluator) -> None:
    old, _ = vault.seal(values(1))
    recorded = evaluate(evaluator, old)
    for _ in range(20):
        features, opening = vault.seal(values(1))
        refused(vault, replace(recorded, request_id=features.request_id), opening)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: replace(p, weights=p.weights * 0.999),
        lambda p: replace(p, weights=p.weights[::-1].copy()),
    ],
    ids=["scaled", "reversed"],
)
def test_the_answer_of_an_engine_with_other_weights_is_refused(vault: Vault, change: Callable[..., object]) -> None:
    wrong = Evaluator(change(PANEL))  # type: ignore[arg-type]
    features, opening = vault.seal(values(2))
    answer = evaluate(wrong, replace(features, panel_digest=wrong.panel.digest))
    refused(vault, replace(answer, panel_digest=features.panel_digest), opening)


def test_sums_outside_what_the_panel_can_give_are_refused(
    vault: Vault, evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = replace(vault._layout, low=vault._layout.low, high=vault._layout.high - 100.0)
    monkeypatch.setattr(vault, "_layout", layout)
    features, opening = vault.seal(values(2))
    refused(vault, evaluate(evaluator, features), opening)


def test_anything_where_zero_must_be_is_refused(vault: Vault) -> None:
    """An engine that writes into lanes it should leave alone is caught, though rows and check lanes are right."""
    evaluator = Evaluator(PANEL)
    plain = np.zeros(vault.profile.slots, dtype=np.complex128)
    plain[-1] = 0.01
    features, opening = vault.seal(values(2))
    answer = evaluate(evaluator, features)
    ring = evaluator._rings[vault.profile.name]
    sealed = ring.load(answer.sealed_sums, vault.profile.product_scale)
    ring.add_plain(sealed, ring.encode(plain, vault.profile.product_scale))
    refused(vault, replace(answer, sealed_sums=ring.save(sealed)), opening)


@pytest.mark.parametrize("by", [0.0012, -0.0012, 0.5, -0.5, 17.0, 31.0])
@pytest.mark.parametrize("row", [0, -1])
def test_a_row_that_a_lying_engine_moves_is_refused(vault: Vault, evaluator: Evaluator, row: int, by: float) -> None:
    """From 0.001 on and the noise, which is a thousandth of the odds, whatever the factor of the probe."""
    features, opening = vault.seal(values(2))
    refused(vault, lying.moved(evaluator, features, {row % vault._layout.rows: by}), opening)


@pytest.mark.parametrize("by", [0.0004, -0.5])
def test_a_row_of_the_probe_that_is_moved_is_refused(vault: Vault, evaluator: Evaluator, by: float) -> None:
    features, opening = vault.seal(values(2))
    refused(vault, lying.moved(evaluator, features, {vault._layout.rows: by}), opening)


def test_the_sums_of_another_patient_are_refused_beside_a_right_probe(evaluator: Evaluator) -> None:
    """Under one key an engine could put together what it was sent for two patients."""
    vault = Vault(PANEL, mode="rotating")
    (mine, opening), (theirs, _) = vault.seal(values(1)), vault.seal(values(2))
    refused(vault, lying.swapped(evaluator, mine, theirs), opening)


def test_an_engine_that_knows_of_the_probe_and_guesses_the_factor_is_rarely_believed(
    vault: Vault, evaluator: Evaluator
) -> None:
    """By 1 in 100 at 0.1, says the page; of 300 more than 12 are then less likely than 1 in 10,000."""
    believed = 0
    for case in range(300):
        features, opening = vault.seal(values(case))
        answer = lying.moved(evaluator, features, {0: 0.1, vault._layout.rows: 0.375 * 0.1})
        try:
            vault.open(answer, opening)
            believed += 1
        except EngineAnswerWrong:
            pass
    assert believed <= 12


def test_a_lie_that_is_too_small_to_matter_is_not_noticed(vault: Vault, evaluator: Evaluator) -> None:
    """The limit that the threat model names: half a step of what the vault rounds to."""
    features, opening = vault.seal(values(2))
    scores = vault.open(lying.moved(evaluator, features, {0: 0.0004}), opening)
    assert float(scores.values[PANEL.rows[0]]) == pytest.approx(float((PANEL.weights @ values(2))[0]), abs=0.0011)
