"""What a polygenic model declares, how it lies in chunks, and which models are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fhirtwin.ckks import profiles
from fhirtwin.ckks.circuits import circuit as module
from fhirtwin.ckks.circuits.hidden_polygenic import HiddenPolygenic
from fhirtwin.ckks.circuits.polygenic import CHUNK, Polygenic, in_chunks
from fhirtwin.errors import Incorrect

VARIANTS = 2 * CHUNK + 7


def model(variants: int = VARIANTS, scores: int = 2, size: float = 0.01) -> Polygenic:
    draw = np.random.default_rng(variants)
    names = tuple(f"v{i}" for i in range(variants))
    return Polygenic(names, tuple(f"score-{i}" for i in range(scores)), draw.normal(size=(scores, variants)) * size)


MODEL = model()


def test_the_profile_is_pinned_and_inside_both_limits() -> None:
    profile = profiles.POLYGENIC
    assert (profile.degree, profile.modulus_bits, profile.input_bits, profile.weight_bits) == (4096, (60, 46), 29, 28)
    assert profile.mask_bits == 1
    profiles.check(profile)


def test_it_declares_what_it_takes() -> None:
    assert CHUNK == 4094
    assert (MODEL.cost.sealed_in, MODEL.cost.sealed_out, MODEL.cost.products) == (3, 2, 6)
    assert (MODEL.vector_bytes, MODEL.answer_bytes, MODEL.evaluation_keys_bytes) == (3 * 65_649, 2 * 65_649, 0)
    assert model(CHUNK).cost.sealed_in == 1
    assert model(CHUNK + 1).cost.sealed_in == 2
    assert model(110_000, 1).cost.sealed_in == 27
    assert model(110_000, 1).error <= 1e-4


def test_products_of_slots_add_up_to_the_score() -> None:
    dosages = np.random.default_rng(2).uniform(0, 2, VARIANTS)
    chunks = list(in_chunks([dosages]))
    for score in range(2):
        total = 0.0
        for chunk, weights in zip(chunks, MODEL.encoded(score), strict=True):
            products = MODEL.laid_out(chunk, 3.0) * weights
            total += products[:-1].real.sum()
        assert total + MODEL.constants[score] == pytest.approx(MODEL.weights[score] @ dosages, abs=1e-9)


@pytest.mark.parametrize("sizes", [[VARIANTS], [1] * 7 + [CHUNK] * 2, [CHUNK + 1, 0, CHUNK + 6], [5000, 3195]])
def test_blocks_are_cut_into_the_same_chunks_however_they_come(sizes: list[int]) -> None:
    dosages = np.arange(VARIANTS, dtype=np.float64)
    blocks = np.split(dosages, np.cumsum(sizes)[:-1])
    chunks = list(in_chunks(blocks))
    assert [chunk.size for chunk in chunks] == [CHUNK, CHUNK, 7]
    assert np.array_equal(np.concatenate(chunks), dosages)


def test_weights_of_check_slots_differ_by_score_chunk_and_model_and_none_is_small() -> None:
    other = replace(MODEL, weights=MODEL.weights * 0.999)
    tags = np.concatenate([MODEL.tags.ravel(), other.tags.ravel()])
    assert len(set(tags.tolist())) == 12
    assert np.abs(tags).min() >= 0.5
    assert np.abs(tags).max() <= 1.0


def test_the_digest_follows_from_everything() -> None:
    renamed = replace(MODEL, variants=(*MODEL.variants[:-1], "other"))
    swapped = replace(MODEL, scores=MODEL.scores[::-1])
    heavier = replace(MODEL, weights=MODEL.weights * 1.001)
    other_gain = replace(MODEL)
    other_gain.__dict__["gain"] = 2 * MODEL.gain
    assert len({one.digest for one in (MODEL, renamed, swapped, heavier, other_gain)}) == 5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"variants": ()}, "at least one variant"),
        ({"variants": ("v0",) * VARIANTS}, "names a variant or a score twice"),
        ({"scores": ("a", "a")}, "names a variant or a score twice"),
        ({"weights": MODEL.weights[:, :-1]}, "scores by variants"),
        ({"weights": MODEL.weights.astype(np.float32)}, "scores by variants"),
        ({"weights": MODEL.weights * np.nan}, "must be finite"),
        ({"weights": MODEL.weights * np.inf}, "must be finite"),
        ({"weights": MODEL.weights * np.array([[1.0], [0.0]])}, "score-1 has no weight"),
        ({"weights": MODEL.weights * 200}, "could overflow"),
        ({"weights": MODEL.weights * 20}, "The error of this model could be"),
    ],
)
def test_models_that_cannot_be_evaluated_safely_are_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(Incorrect, match=says):
        replace(MODEL, **change)  # type: ignore[arg-type]


def test_a_model_that_would_fill_an_engine_worker_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MEMORY_BYTES", 10_000)
    with pytest.raises(Incorrect, match="split it"):
        model()


def hidden(of: Polygenic, **changes: Any) -> HiddenPolygenic:
    told = {
        "variants": of.variants,
        "scores": of.scores,
        "package": "ab" * 32,
        "gain_bits": of.best_gain_bits,
        "sums": of.constants,
        "most": np.ceil(of.largest),
    }
    return HiddenPolygenic(**(told | changes))


def packaged(of: Polygenic) -> Polygenic:
    return Polygenic(of.variants, of.scores, of.weights, package="ab" * 32, gain_bits=of.best_gain_bits)


def test_without_weights_dosages_lie_as_with_them() -> None:
    whole, half = packaged(MODEL), hidden(MODEL)
    assert whole.digest == half.digest != MODEL.digest
    assert (whole.gain, whole.cost, whole.answer_bytes) == (half.gain, half.cost, half.answer_bytes)
    np.testing.assert_array_equal(whole.tags, half.tags)
    person = np.linspace(0, 2, 50)
    np.testing.assert_array_equal(whole.laid_out(person, 1.5), half.laid_out(person, 1.5))


@pytest.mark.parametrize(
    "changes",
    [
        {"sums": np.array([np.nan] * len(MODEL.scores))},
        {"most": np.zeros(len(MODEL.scores))},
        {"most": np.full(len(MODEL.scores), np.inf)},
        {"most": np.full(len(MODEL.scores), 1e6)},
        {"most": np.array([1.0])},
        {"gain_bits": 11},
        {"scores": ()},
        {"variants": ("a", "a")},
    ],
)
def test_a_public_half_that_says_what_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Incorrect):
        hidden(MODEL, **changes)


def test_a_gain_that_makes_the_error_too_great_is_refused() -> None:
    with pytest.raises(Incorrect, match="could be"):
        Polygenic(MODEL.variants, MODEL.scores, MODEL.weights, package="ab" * 32, gain_bits=-10)
