"""Every predictor through seal, engine and vault in one process: figures and words are those of the plain road."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from random import Random

import pytest

from fhirtwin.ckks import profiles
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.features.panel import panel_values
from fhirtwin.predictors.model import FeatureVector
from fhirtwin.predictors.registry import all_predictors, panel
from fhirtwin.predictors.score import plain_sums, probability, scores
from fhirtwin.settings import Settings
from fhirtwin.testing.predictors import check_predictor, random_values, vector_of
from fhirtwin.vault import Vault

PATIENTS = 500
Road = Callable[[list[FeatureVector]], Mapping[str, Decimal]]

pytestmark = pytest.mark.production_set


@pytest.fixture(scope="module", params=["masked", "rotating"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def road(mode: str) -> Road:
    """The sums of all rows of the panel, sealed, evaluated, opened and rounded."""
    whole = panel(all_predictors())
    vault, engine = Vault(whole, mode=mode), Evaluator(whole)

    def run(vectors: list[FeatureVector]) -> Mapping[str, Decimal]:
        sealed, opening = vault.seal(panel_values(vectors, whole))
        return vault.open(engine.evaluate(sealed, b"keys of this test"), opening).values

    return run


def of(vector: FeatureVector, sums: Mapping[str, Decimal]) -> dict[str, Decimal]:
    prefix = f"{vector.predictor.id}:"
    return {row.removeprefix(prefix): value for row, value in sums.items() if row.startswith(prefix)}


def most(mode: str) -> float:
    """What an opened and rounded sum may be off by."""
    profile = profiles.for_mode(mode)
    return profile.error + float(profile.step) / 2


def test_every_predictor_keeps_its_contract_sealed(mode: str, road: Road) -> None:
    for predictor in all_predictors():
        check_predictor(
            predictor,
            evaluate=lambda vector: {row: float(value) for row, value in of(vector, road([vector])).items()},
            tolerance=most(mode),
            draws=100,
        )


def test_risks_and_categories_are_those_of_the_plain_road(mode: str, road: Road) -> None:
    random, settings, compared = Random(11), Settings(), 0  # noqa: S311
    for _ in range(PATIENTS):
        vectors = [vector_of(p, random_values(p, random)) for p in all_predictors()]
        sums = road(vectors)
        for vector in vectors:
            plain = plain_sums(vector)
            for sealed in scores(vector, of(vector, sums), settings):
                output = sealed.output
                exact = plain[output.row(vector.values)]
                # The side of a threshold may change only where the plain risk lies within the error of it.
                possible = [exact - most(mode), exact, exact + most(mode)]
                chances = [Decimal(probability(vector, output, x, settings)) * 100 for x in possible]
                assert sealed.category in [output.category(c, settings) for c in chances]
                assert chances[0] - Decimal("0.1") <= sealed.percent <= chances[2] + Decimal("0.1")
                compared += 1
    assert compared == PATIENTS * sum(len(p.outputs) for p in all_predictors())
