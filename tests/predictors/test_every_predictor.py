"""The public contract, held against every predictor that this installation has."""

from __future__ import annotations

import pytest

from fhirtwin.ckks import profiles
from fhirtwin.predictors.model import Predictor
from fhirtwin.predictors.registry import SUM_BOUND, all_predictors, largest_sum
from fhirtwin.testing.predictors import check_golden, check_predictor
from tests.conftest import ROOT

every = pytest.mark.parametrize("predictor", all_predictors(), ids=lambda p: p.id)


@every
def test_keeps_the_contract(predictor: Predictor) -> None:
    check_predictor(predictor)


@every
def test_agrees_with_published_examples(predictor: Predictor) -> None:
    assert check_golden(predictor, ROOT / "fixtures" / "golden" / f"{predictor.id}.csv") >= 2


@every
def test_has_a_model_card_that_names_its_source_inputs_outputs_and_exclusions(predictor: Predictor) -> None:
    card = (ROOT / "docs" / "models" / f"{predictor.id}.md").read_text(encoding="utf-8")
    assert predictor.source.rpartition(" ")[2] in card
    assert f"`{predictor.version}`" in card
    for needed in predictor.inputs:
        line = next(line for line in card.splitlines() if line.startswith(f"| {needed.label} |"))
        assert needed.unit in line
        assert needed.code is None or needed.code.code in line
        for end in (needed.low, needed.high):
            assert end is None or f"{end:f}" in line.replace(",", "")
    for output in predictor.outputs:
        assert f"`{output.id}`" in card
    for rule in predictor.rules:
        assert rule.reason in card
    for heading in ("Use", "Not for", "Population", "Inputs", "Formula", "Error under encryption", "Calibration"):
        assert f"\n## {heading}" in card


@every
def test_sealed_sums_stay_within_the_bound(predictor: Predictor) -> None:
    assert max(largest_sum(predictor, row) for row in predictor.rows) <= SUM_BOUND


@every
def test_model_card_states_the_bounds_and_errors_that_hold(predictor: Predictor) -> None:
    card = (ROOT / "docs" / "models" / f"{predictor.id}.md").read_text(encoding="utf-8")
    largest = max(largest_sum(predictor, row) for row in predictor.rows)
    assert f"stays within ±{largest:.2f} (bound: ±{SUM_BOUND:g})" in card
    for profile in (profiles.MASKED, profiles.ROTATING):
        assert f"| sealed sum, as opened | {profile.error:.4f} |" in card
        assert f"| and rounded by the vault to {profile.step} | {profile.error + float(profile.step) / 2:.4f} |" in card
