"""Golden cases asked of an engine: right answers pass, and the first wrong one is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fhirtwin import golden
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerWrong
from fhirtwin.packages.package import Package
from tests.packages.builders import packed_prevent, panel_of


class Beside:
    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator, self.asked = evaluator, 0

    def evaluate(self, features: SealedFeatures) -> SealedScores:
        self.asked += 1
        return self.evaluator.evaluate(features, wire.NO_KEYS)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return packed_prevent(tmp_path_factory.mktemp("prevent")).package


def test_a_right_engine_answers_every_case_to_within_rounding(package: Package) -> None:
    courier = Beside(Evaluator(panel_of(package).panel()))
    asked = golden.ask_by(courier, package)  # type: ignore[arg-type]
    assert asked.cases == courier.asked == 10 and 0 < asked.off <= 0.0006


def test_an_engine_with_one_other_weight_is_found_out_at_a_case_that_it_weighs_in(package: Package) -> None:
    panel = panel_of(package).panel()
    weights = panel.weights.copy()
    weights[0, 0] += 0.05
    assert np.abs(panel_of(package).hidden().cases[:, 0]).max() > 0.5
    with pytest.raises(EngineAnswerWrong, match=r"golden case case \d of prevent-packaged 1 is wrong"):
        golden.ask_by(Beside(Evaluator(replace(panel, weights=weights))), package)  # type: ignore[arg-type]
