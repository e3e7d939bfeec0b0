"""Tables: slots only for what weighs something, and vectors of which one of each choice is hot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fhirtwin.ckks import packing, profiles
from fhirtwin.ckks.panel import Panel, joined
from fhirtwin.ckks.sparse import NONCE_LIMIT, Sparse
from fhirtwin.engine import evaluator as engine
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerWrong, Fault, Incorrect, Unprocessable
from fhirtwin.vault import Vault
from tests.ckks.builders import evaluate, random_lookup, random_panel, random_table

TABLE = random_table()
ENGINE = Evaluator(random_panel(), [TABLE])


def laid(table: Panel = TABLE) -> Sparse:
    layout = packing.layout(table, profiles.SPARSE)
    assert isinstance(layout, Sparse)
    return layout


def test_sums_are_the_rows_then_the_nonce_then_the_canaries() -> None:
    layout, vector = laid(), random_lookup(TABLE, np.random.default_rng(1))
    totals, residue = layout.sums(layout.spread(vector, 1.25) * layout.weights)
    right = [*(TABLE.weights @ vector), 1.25, *layout.expected_canaries(vector, 1.25)]
    assert len(layout.expected_canaries(vector, 1.25)) == 2
    assert totals == pytest.approx(right, abs=1e-11)
    assert residue == 0


def test_any_panel_may_lie_so() -> None:
    panel = random_panel()
    layout, draw = laid(panel), np.random.default_rng(2)
    vector = draw.uniform(panel.low, panel.high)
    totals, _ = layout.sums(layout.spread(vector, 0.5) * layout.weights)
    assert totals[: layout.rows] == pytest.approx(panel.weights @ vector, abs=1e-11)


def test_every_feature_the_nonce_and_the_panel_tell_in_a_canary() -> None:
    layout, nothing = laid(), np.zeros(len(TABLE.features))
    still = np.array(layout.expected_canaries(nothing, 0.0))
    assert (still == 0).all()
    for place in range(nothing.size):
        one = nothing.copy()
        one[place] = 1.0
        assert np.abs(layout.expected_canaries(one, 0.0)).max() > 10 * profiles.SPARSE.tolerance
    assert np.abs(layout.expected_canaries(nothing, 1.0)).min() > 10 * profiles.SPARSE.tolerance
    other = laid(replace(TABLE, choices=TABLE.choices[1:]))
    assert other.expected_canaries(nothing, 1.0) != layout.expected_canaries(nothing, 1.0)


def test_canaries_keep_to_their_limit() -> None:
    layout = laid()
    worst = np.where(layout.canary[: len(TABLE.features)] > 0, 1.0, 0.0)
    assert max(map(abs, layout.expected_canaries(worst, NONCE_LIMIT))) <= 8.0


def test_a_table_that_needs_too_many_slots_is_refused() -> None:
    with pytest.raises(Incorrect, match="needs 2058 slots"):
        packing.layout(random_table(1, (2, 2047)), profiles.SPARSE)


def test_masks_cancel_in_every_lane() -> None:
    layout = laid()
    masks = engine._masks(layout)
    assert np.abs(np.bincount(layout.lane_of, masks.real[: layout.lane_of.size])).max() < 1e-9
    assert np.abs(masks[layout.lane_of.size :]).max() == 0
    assert np.abs(masks.imag[: layout.lane_of.size]).min() > 0


def test_sealed_lookups_are_right_within_the_error_bound() -> None:
    vault, draw = Vault(TABLE, mode="sparse"), np.random.default_rng(3)
    for _ in range(50):
        vector = random_lookup(TABLE, draw)
        features, opening = vault.seal(vector)
        assert opening._ring is not None
        sums = vault._sums(opening._ring, evaluate(ENGINE, features), opening)
        assert np.abs(sums - TABLE.weights @ vector).max() <= profiles.SPARSE.error


def test_answers_from_another_table_are_refused_on_both_sides() -> None:
    other = Vault(random_table(2), mode="sparse")
    features, _ = other.seal(np.zeros(len(TABLE.features)))
    with pytest.raises(Unprocessable, match="another panel"):
        evaluate(ENGINE, features)
    vault = Vault(TABLE, mode="sparse")
    mine, opening = vault.seal(random_lookup(TABLE, np.random.default_rng(1)))
    theirs, _ = vault.seal(random_lookup(TABLE, np.random.default_rng(2)))
    with pytest.raises(EngineAnswerWrong):
        vault.open(replace(evaluate(ENGINE, theirs), request_id=mine.request_id), opening)


def test_a_table_is_not_evaluated_under_the_profile_of_the_panel() -> None:
    features, _ = Vault(TABLE).seal(np.zeros(len(TABLE.features)))
    with pytest.raises(Unprocessable, match="another panel"):
        evaluate(ENGINE, features)


def test_all_tables_and_panels_make_requests_of_one_size() -> None:
    sealed = [Vault(TABLE, mode="sparse").seal(random_lookup(TABLE, np.random.default_rng(i)))[0] for i in range(4)]
    sealed.append(Vault(random_panel()).seal(np.zeros(27))[0])
    assert {len(one.sealed_vector) for one in sealed} == {profiles.SPARSE.ciphertext_bytes}
    assert ENGINE.request_lengths["P1-sparse"] == ENGINE.request_lengths["P1-mask"]


def test_two_of_a_choice_are_never_sealed() -> None:
    both = np.zeros(len(TABLE.features))
    both[[4, 5]] = 1.0
    with pytest.raises(Fault, match="more than one feature of a choice"):
        Vault(TABLE, mode="sparse").seal(both)


def test_of_a_choice_only_the_greatest_counts_for_the_range_and_the_limit() -> None:
    low, high = TABLE.range()
    assert (low == 0).all()
    assert high.tolist() == TABLE.weights.max(axis=1).tolist()
    with pytest.raises(Incorrect, match="book-1 could sum to"):
        replace(TABLE, choices=()).check()


@pytest.mark.parametrize("choices", [((),), ((0, 0),), ((0, 1), (1, 2)), ((0, 85),), ((-1,),)])
def test_choices_that_are_none_are_refused(choices: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(Incorrect, match="choice of a panel"):
        replace(TABLE, choices=choices).check()


def test_what_may_be_chosen_is_part_of_the_digest() -> None:
    assert replace(TABLE, choices=TABLE.choices[1:]).digest != TABLE.digest


def test_joined_panels_give_what_each_gives() -> None:
    parts = {"a": TABLE, "b": random_panel(), "c": TABLE}
    together, draw = joined(parts), np.random.default_rng(4)
    together.check()
    vectors = [random_lookup(TABLE, draw), random_panel().high, random_lookup(TABLE, draw)]
    right = np.concatenate([one.weights @ vector for one, vector in zip(parts.values(), vectors, strict=True)])
    assert (together.weights @ np.concatenate(vectors)).tolist() == pytest.approx(right.tolist())
    assert together.rows[0] == "a:book-0"
    assert together.features[-1] == f"c:{TABLE.features[-1]}"
    assert not together.chosen_twice(np.concatenate(vectors))
    with pytest.raises(Fault, match="more than one"):
        Vault(together, mode="sparse").seal(np.concatenate([np.ones(len(TABLE.features)), *vectors[1:]]))
