"""One vector of all features, in the panel's order."""

from __future__ import annotations

import dataclasses
from random import Random

import numpy as np
import pytest

from fhirtwin.errors import Fault
from fhirtwin.features.panel import panel_values
from fhirtwin.predictors.cardiovascular.prevent import PREDICTOR as PREVENT
from fhirtwin.predictors.kidney.kfre import PREDICTOR as KFRE
from fhirtwin.predictors.model import FeatureVector, Predictor
from fhirtwin.predictors.registry import all_predictors, panel
from fhirtwin.predictors.score import plain_sums
from fhirtwin.testing.predictors import random_values, vector_of

PANEL = panel(all_predictors())


def drawn(predictor: Predictor) -> FeatureVector:
    return vector_of(predictor, random_values(predictor, Random(7)))  # noqa: S311


def test_sums_over_the_panel_are_the_sums_of_each_predictor() -> None:
    vectors = [drawn(p) for p in all_predictors()]
    sums = dict(zip(PANEL.rows, PANEL.weights @ panel_values(vectors, PANEL), strict=True))
    for vector in vectors:
        for row, expected in plain_sums(vector).items():
            assert sums[f"{vector.predictor.id}:{row}"] == pytest.approx(expected, abs=1e-12)


def test_predictors_that_are_not_asked_have_zeros() -> None:
    values = panel_values([drawn(KFRE)], PANEL)
    asked = np.array([name.startswith(KFRE.id) for name in PANEL.features])
    assert not values[~asked].any()
    assert values[asked].any()


def test_nobody_asked_gives_zeros() -> None:
    assert not panel_values([], PANEL).any()


def test_a_vector_given_twice_is_a_fault() -> None:
    vector = drawn(KFRE)
    with pytest.raises(Fault, match="does not fit"):
        panel_values([vector, vector], PANEL)


def test_a_predictor_the_panel_does_not_have_is_a_fault() -> None:
    with pytest.raises(Fault, match="does not fit"):
        panel_values([drawn(PREVENT)], panel([KFRE]))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 99.0, -99.0])
def test_a_feature_out_of_its_range_is_never_sealed(value: float) -> None:
    vector = drawn(KFRE)
    wrong = dataclasses.replace(vector, features={**vector.features, "age": value})
    with pytest.raises(Fault, match="outside its declared range"):
        panel_values([wrong], PANEL)
