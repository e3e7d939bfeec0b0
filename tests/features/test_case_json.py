"""Prepared vectors: what is written is read back the same, and nothing that is left out is assumed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from fhirtwin.errors import Unprocessable
from fhirtwin.features import case, case_json
from fhirtwin.fhir import codec
from fhirtwin.predictors import registry
from tests.cohort.people import DAY, line, person
from tests.report.builders import DAY as STATED
from tests.report.builders import SETTINGS, facts, state

PREDICTORS = registry.all_predictors()


@pytest.mark.parametrize("known", [facts(), facts(uacr=None), facts(bmi=None)])
def test_a_case_comes_back_as_it_was(known: Any) -> None:
    made = case.of(state(known=known), STATED, PREDICTORS, SETTINGS)
    written = case_json.encode(made)
    read = case_json.decode(codec.decode(written), PREDICTORS)
    assert case_json.encode(read) == written
    assert [(v.features, v.values, v.outputs) for v in read.vectors] == [
        (v.features, v.values, v.outputs) for v in made.vectors
    ]
    assert [(v.inputs, v.checks) for v in read.vectors] == [(v.inputs, v.checks) for v in made.vectors]
    assert [[(r.output, r.reasons) for r in v.refusals] for v in read.vectors] == [
        [(r.output, r.reasons) for r in v.refusals] for v in made.vectors
    ]
    assert [r.reasons for r in read.refusals] == [r.reasons for r in made.refusals]
    assert read.notes == made.notes
    assert read.reference == made.reference


def _input(given: dict[str, Any], fact: str) -> dict[str, Any]:
    return next(one for one in given["vectors"][0]["inputs"] if one["fact"] == fact)


def _without(given: dict[str, Any], fact: str) -> None:
    vector = given["vectors"][0]
    vector["inputs"] = [one for one in vector["inputs"] if one["fact"] != fact]


Change = Callable[[dict[str, Any]], object]
CHANGES: list[tuple[str, Change]] = [
    ("must be in mg/dL", lambda g: _input(g, "total-cholesterol").update(unit="mmol/L")),
    ("must be in mg/dL", lambda g: _input(g, "total-cholesterol").pop("unit")),
    ("outside the published range", lambda g: _input(g, "total-cholesterol").update(value=4)),
    ("not of its kind", lambda g: _input(g, "total-cholesterol").update(value="200")),
    ("not of its kind", lambda g: _input(g, "total-cholesterol").update(value=True)),
    ("not of its kind", lambda g: _input(g, "sex").update(value="other")),
    ("not of its kind", lambda g: _input(g, "diabetes").update(value=1)),
    ("neither a number", lambda g: _input(g, "diabetes").update(value=None)),
    ("not the age", lambda g: g["vectors"][0].update(age=41)),
    ("not published for this age", lambda g: (g["vectors"][0].update(age=78), _input(g, "age").update(value=78))),
    ("that total-cvd-10y needs is missing", lambda g: _without(g, "total-cholesterol")),
    ("needs is missing|made of is missing", lambda g: _without(g, "systolic-bp")),
    ("does not say whether pregnancy", lambda g: g["vectors"][0]["checks"].pop(3)),
    ("does not hold", lambda g: g["vectors"][0]["checks"][0].update(value=True)),
    ("in version 2023.1", lambda g: g["vectors"][0].update(version="2022")),
    ("stands there twice", lambda g: g["vectors"][0]["inputs"].append(g["vectors"][0]["inputs"][0])),
    ("a model stands there twice", lambda g: g["vectors"].append(g["vectors"][0])),
    ("does not have", lambda g: g["vectors"][0]["outputs"].append("luck-10y")),
    ("names none, or one twice", lambda g: g["vectors"][0].update(outputs=[])),
    ("names none, or one twice", lambda g: g["vectors"][0]["outputs"].append(g["vectors"][0]["outputs"][0])),
    ("not a line of prepared vectors", lambda g: g["vectors"][0].update(extra=1)),
    ("not a line of prepared vectors", lambda g: g.update(date="soon")),
    ("not a line of prepared vectors", lambda g: g.pop("patient")),
    ("empty", lambda g: g.update(patient="")),
    ("total-cholesterol is of a day after", lambda g: _input(g, "total-cholesterol").update(time="2027-05-20")),
    ("total-cholesterol is of a day after", lambda g: _input(g, "total-cholesterol").update(time="2026-06-02")),
    ("is no date or dateTime", lambda g: _input(g, "total-cholesterol").update(time="20.5.2026")),
    ("is no date or dateTime", lambda g: _input(g, "total-cholesterol").update(time="2026-13-01")),
    ("is of a day after", lambda g: g["vectors"][0]["checks"][0].update(time="2026-07")),
]


@pytest.mark.parametrize(("text", "change"), CHANGES, ids=[str(n) for n in range(len(CHANGES))])
def test_what_is_wrong_is_named_without_its_value(text: str, change: Change) -> None:
    given = codec.decode(line(0, DAY))
    case_json.decode(copy.deepcopy(given), PREDICTORS)
    given["vectors"][0]["outputs"] = ["total-cvd-10y", "total-cvd-30y"]
    given["vectors"][0].update(age=50)
    _input(given, "age").update(value=50)
    case_json.decode(copy.deepcopy(given), PREDICTORS)
    change(given)
    with pytest.raises(Unprocessable, match=text) as told:
        case_json.decode(given, PREDICTORS)
    assert "mmol" not in str(told.value)
    assert "200" not in str(told.value)


@pytest.mark.parametrize("time", ["2026-06-01T23:59:59-08:00", "2026-06-01", "2026-06", "2026"])
def test_what_may_be_of_the_day_itself_is_known_on_it(time: str) -> None:
    given = codec.decode(line(0, DAY))
    _input(given, "total-cholesterol").update(time=time)
    assert time in {one.time for one in case_json.decode(given, PREDICTORS).vectors[0].inputs}


def test_models_that_are_not_asked_are_passed_over_and_those_not_there_are_named() -> None:
    given = person(0, DAY)
    heart = [one for one in PREDICTORS if one.id == "prevent-base"]
    given["vectors"] = [one for one in given["vectors"] if one["predictor"] != "prevent-base"]
    read = case_json.decode(codec.decode(codec.encode(given)), heart)
    assert read.vectors == ()
    assert [refusal.reasons for refusal in read.refusals] == [(case_json.NOT_THERE,)]


def test_the_server_is_the_lines_or_else_the_one_that_is_said() -> None:
    given = codec.decode(line(0, DAY))
    assert case_json.decode(given, PREDICTORS, "https://a.example").reference == "https://a.example/Patient/person-0"
    given["origin"] = "https://b.example"
    assert case_json.decode(given, PREDICTORS, "https://a.example").patient.origin == "https://b.example"
