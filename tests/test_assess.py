from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from fhirtwin import timing
from fhirtwin.ckks.sealed import SealedScores
from fhirtwin.errors import EngineAnswerRefused, EngineUnavailable
from fhirtwin.predictors import score
from tests.gateway_in_process import Beside, assessor
from tests.report.builders import DAY, LISTS, SETTINGS, facts, state


@pytest.mark.parametrize("sealing", ["masked", "rotating"])
def test_what_comes_back_is_what_the_plain_arithmetic_gives(sealing: str) -> None:
    settings = replace(SETTINGS, sealing=sealing)
    found = assessor(Beside(), settings).assess(state(), DAY)
    assert [result.vector.predictor.id for result in found.results] == ["kfre-4-variable", "prevent-base"]
    for result in found.results:
        plain = score.scores(result.vector, score.plain_sums(result.vector), settings)
        assert [(s.output.id, s.percent, s.category) for s in result.scores] == [
            (s.output.id, s.percent, s.category) for s in plain
        ]
        assert f"{sealing} mode" in result.how


def test_all_predictors_of_a_patient_go_in_one_ciphertext() -> None:
    courier = Beside()
    assessor(courier, SETTINGS).assess(state(), DAY)
    assert len(courier.sent) == 1


def test_what_is_sent_has_the_same_size_whoever_is_asked_for() -> None:
    courier = Beside()
    both = assessor(courier, SETTINGS)
    both.assess(state(), DAY)
    both.assess(state(), DAY, only={"prevent-base"})
    first, second = courier.sent
    assert len(first.sealed_vector) == len(second.sealed_vector)
    assert first.sealed_vector != second.sealed_vector


def test_only_those_asked_for_are_run() -> None:
    found = assessor(Beside(), SETTINGS).assess(state(), DAY, only={"kfre-4-variable"})
    assert [result.vector.predictor.id for result in found.results] == ["kfre-4-variable"]
    assert found.refusals == ()


def test_one_that_cannot_be_calculated_does_not_stop_the_other() -> None:
    found = assessor(Beside(), SETTINGS).assess(state(known=facts(uacr=None)), DAY)
    assert [result.vector.predictor.id for result in found.results] == ["prevent-base"]
    assert [refusal.predictor.id for refusal in found.refusals] == ["kfre-4-variable"]


def test_nothing_is_sent_when_nobody_is_eligible() -> None:
    courier = Beside()
    found = assessor(courier, SETTINGS).assess(state(known=()), DAY)
    assert (found.results, courier.sent) == ((), [])
    assert len(found.refusals) == 2


def test_the_day_decides_what_is_known_and_how_old_the_patient_is() -> None:
    later = assessor(Beside(), SETTINGS).assess(state(), date(2027, 2, 3), only={"prevent-base"})
    assert later.results[0].vector.age_years == 63
    before_all = assessor(Beside(), SETTINGS).assess(state(), date(2020, 1, 1))
    assert before_all.results == ()


@pytest.mark.parametrize("error", [EngineUnavailable("down"), EngineAnswerRefused("wrong")])
def test_a_failed_engine_is_an_error_and_never_a_part_of_an_answer(error: Exception) -> None:
    with pytest.raises(type(error)):
        assessor(Beside(fails=error), SETTINGS).assess(state(), DAY)  # type: ignore[arg-type]


def _replay(courier: Beside) -> Any:
    answers: list[SealedScores] = []

    def spoil(scores: SealedScores) -> SealedScores:
        answers.append(scores)
        return answers[0]

    courier.spoil = spoil
    return courier


def test_an_earlier_answer_is_not_believed_again() -> None:
    replaying = assessor(_replay(Beside()), SETTINGS)
    replaying.assess(state(), DAY)
    with pytest.raises(EngineAnswerRefused):
        replaying.assess(state(), DAY)


def test_an_answer_relabelled_for_another_request_is_not_believed() -> None:
    courier, kept = Beside(), []

    def relabel(scores: SealedScores) -> SealedScores:
        kept.append(scores)
        return replace(kept[0], request_id=scores.request_id)

    courier.spoil = relabel
    swapping = assessor(courier, SETTINGS)
    swapping.assess(state(), DAY)
    with pytest.raises(EngineAnswerRefused):
        swapping.assess(state(known=facts(systolic_bp="118")), DAY)


def test_the_time_of_each_stage_is_told() -> None:
    timing.begin()
    assessor(Beside(), SETTINGS).assess(state(lists=LISTS), DAY)
    told = {part.partition(";")[0] for part in timing.header().split(", ")}
    assert {"map", "seal", "open"} <= told
