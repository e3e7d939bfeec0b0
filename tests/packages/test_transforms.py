"""What a description can say: PREVENT, whole, comes out as the built-in predictor does."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random

import numpy as np
import pytest

from fhirtwin.errors import Fault
from fhirtwin.packages import transforms
from fhirtwin.packages.forms.predictive import FactorForm, FeatureForm
from fhirtwin.packages.package import Package
from fhirtwin.predictors.cardiovascular.prevent import PREDICTOR as PREVENT
from fhirtwin.predictors.model import Input, Row
from fhirtwin.predictors.score import plain_sums, probability, scores
from fhirtwin.settings import Settings
from fhirtwin.testing.predictors import check_predictor, random_values, vector_of
from tests.packages.builders import packed_prevent, panel_of


@pytest.fixture(scope="module")
def prevent(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return packed_prevent(tmp_path_factory.mktemp("prevent")).package


def test_prevent_as_a_package_is_the_built_in_predictor(prevent: Package) -> None:
    panel, random, settings = panel_of(prevent).panel(), Random(3), Settings()  # noqa: S311
    names = [row.name for row in panel_of(prevent).public.rows]
    for _ in range(200):
        values = random_values(PREVENT, random)
        built_in, packaged = vector_of(PREVENT, values), vector_of(prevent.predictor, values)
        vector = np.array([packaged.features[f.name] for f in prevent.predictor.features])
        assert ((vector >= panel.low) & (vector <= panel.high)).all()
        sums, right = dict(zip(names, panel.weights @ vector, strict=True)), plain_sums(built_in)
        for ours, theirs in zip(PREVENT.outputs, prevent.predictor.outputs, strict=True):
            expected = probability(built_in, ours, right[ours.row(values)], settings)
            found = probability(packaged, theirs, sums[theirs.row(values)], settings)
            assert found == pytest.approx(expected, abs=1e-12)


def test_with_its_weights_put_in_it_keeps_the_contract_of_all_predictors(prevent: Package) -> None:
    names = [feature.name for feature in prevent.predictor.features]
    assert panel_of(prevent).weights is not None
    rows = tuple(
        Row(row.name, dict(zip(names, weights.tolist(), strict=True)))
        for row, weights in zip(panel_of(prevent).public.rows, panel_of(prevent).weights, strict=True)
    )
    check_predictor(replace(prevent.predictor, rows=rows))


def test_without_them_no_score_can_be_made_of_nothing(prevent: Package) -> None:
    vector = vector_of(prevent.predictor, random_values(PREVENT, Random(1)))  # noqa: S311
    assert plain_sums(vector) == {}
    with pytest.raises(Fault, match="No sum came back"):
        scores(vector, plain_sums(vector), Settings())


INPUTS = {
    "age": Input("age", "age", "a", Decimal(20), Decimal(80)),
    "alt": Input("alt", "ALT", "U/L", Decimal(5), Decimal(500)),
    "ast": Input("ast", "AST", "U/L", Decimal(4), Decimal(400)),
    "diabetes": Input("diabetes", "diabetes"),
}


@pytest.mark.parametrize(
    ("product", "bounds"),
    [
        ([FactorForm("age", minus=50, over=10)], (-3, 3)),
        ([FactorForm("age", minus=50, over=-10)], (-3, 3)),
        ([FactorForm("age", minus=50, over=10, power=2)], (0, 9)),
        ([FactorForm("age", minus=50, over=10, power=3)], (-27, 27)),
        ([FactorForm("age")], (0, 80)),  # 0 is put in: it stands for "not asked"
        ([FactorForm("age", at_least=60, minus=60, over=10)], (0, 2)),
        ([FactorForm("age", minus=50, over=10), FactorForm("diabetes")], (-3, 3)),
        (
            [FactorForm("age", over=10), FactorForm("ast", power=-1, over=4), FactorForm("alt", power=-0.5, over=5)],
            (0, 8),
        ),
        ([FactorForm("ast", less="alt", over=100)], (-4.96, 3.95)),
    ],
)
def test_the_bounds_of_a_feature_hold_what_it_can_be(product: list[FactorForm], bounds: tuple[float, float]) -> None:
    feature = FeatureForm("f", tuple(product))
    found = transforms.bounds_of(feature, INPUTS)
    assert found == pytest.approx(bounds)
    random = Random(5)  # noqa: S311
    for _ in range(500):
        values = {
            fact: random.random() < 0.5
            if one.low is None or one.high is None
            else random.choice((one.low, one.high, (one.low + one.high) / 2, one.low + (one.high - one.low) / 7))
            for fact, one in INPUTS.items()
        }
        assert found[0] - 1e-12 <= transforms.value_of(feature, values) <= found[1] + 1e-12


def test_a_feature_of_an_absent_value_is_0_and_nothing_is_limited_unless_it_says_so() -> None:
    feature = FeatureForm("f", (FactorForm("age"), FactorForm("ast", less="alt")))
    assert transforms.value_of(feature, {"age": Decimal(40)}) == 0.0
    assert transforms.facts_of(feature) == {"age", "ast", "alt"}
