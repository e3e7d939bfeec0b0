from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhirtwin.fhir import questionnaires
from tests.fhir.profiles.builders import Json, Loaded

URL = "http://example.org/Questionnaire/q"
EXTENSION = "http://hl7.org/fhir/StructureDefinition/"


def q(link: str, type_: str = "string", **members: Any) -> Json:
    return {"linkId": link, "type": type_, **members}


def a(link: str, *values: Any, member: str = "valueString", **members: Any) -> Json:
    made: Json = {"linkId": link, **members}
    return {**made, "answer": [{member: value} for value in values]} if values else made


def limited(**extensions: Any) -> Json:
    return {
        "extension": [
            {"url": EXTENSION + name.replace("_", "-"), "valueX": value} for name, value in extensions.items()
        ]
    }


def issues(asked: list[Json], given: list[Json], status: str = "completed") -> list[tuple[str, str]]:
    questionnaire = {"resourceType": "Questionnaire", "url": URL, "status": "active", "item": asked}
    response = {"resourceType": "QuestionnaireResponse", "questionnaire": f"{URL}|1", "status": status, "item": given}
    found = questionnaires.judge(response, Loaded(questionnaire).resource)
    return [(one.severity, one.expression[0].removeprefix("QuestionnaireResponse.")) for one in found]


TYPES = {
    "boolean": ("valueBoolean", True),
    "decimal": ("valueDecimal", Decimal("1.5")),
    "integer": ("valueInteger", 1),
    "date": ("valueDate", "2024-01-01"),
    "dateTime": ("valueDateTime", "2024-01-01"),
    "time": ("valueTime", "10:00:00"),
    "string": ("valueString", "x"),
    "text": ("valueString", "x\ny"),
    "url": ("valueUri", "http://x"),
    "choice": ("valueCoding", {"system": "http://s", "code": "c"}),
    "open-choice": ("valueString", "x"),
    "attachment": ("valueAttachment", {"url": "http://x"}),
    "reference": ("valueReference", {"reference": "Patient/p"}),
    "quantity": ("valueQuantity", {"value": 1, "code": "m"}),
}


@pytest.mark.parametrize("type_", TYPES)
def test_each_type_takes_its_own_answers(type_: str) -> None:
    member, value = TYPES[type_]
    assert issues([q("1", type_)], [a("1", value, member=member)]) == []
    wrong = ("valueInteger", 7) if type_ != "integer" else ("valueBoolean", True)
    assert issues([q("1", type_)], [a("1", wrong[1], member=wrong[0])]) == [("error", "item[0].answer[0].value")]


@pytest.mark.parametrize("type_", ["group", "display", "question"])
def test_types_without_answers_take_none(type_: str) -> None:
    assert issues([q("1", type_)], [a("1", "x")]) == [("error", "item[0]")]


def test_items_are_known_in_place_and_in_order() -> None:
    asked = [q("1"), q("g", "group", item=[q("2")])]
    assert issues(asked, [a("1", "x"), a("g", item=[a("2", "x")])]) == []
    assert issues(asked, [a("3", "x")]) == [("error", "item[0]")]
    assert issues(asked, [a("2", "x")]) == [("error", "item[0]")]
    assert issues(asked, [a("g", item=[a("2", "x")]), a("1", "x")]) == [("error", "item[1]")]


def test_items_below_an_answer_are_judged() -> None:
    asked = [q("1", item=[q("2", "integer")])]
    nested = {"linkId": "1", "answer": [{"valueString": "x", "item": [a("2", "seven")]}]}
    assert issues(asked, [nested]) == [("error", "item[0].answer[0].item[0].answer[0].value")]


@pytest.mark.parametrize("status", ["completed", "amended"])
def test_what_is_required_is_there_when_the_response_is_whole(status: str) -> None:
    asked = [q("1", required=True), q("g", "group", required=True, item=[q("2")])]
    assert issues(asked, [], status) == [("error", "QuestionnaireResponse")] * 2
    assert issues(asked, [a("1"), a("g")], status) == [("error", "item[0]"), ("error", "item[1]")]
    assert issues(asked, [], "in-progress") == []
    assert issues(asked, [a("1", "x"), a("g", item=[a("2", "x")])], status) == []


def test_what_does_not_repeat_comes_once() -> None:
    assert issues([q("1")], [a("1", "x", "y")]) == [("error", "item[0]")]
    assert issues([q("1", repeats=True)], [a("1", "x", "y")]) == []
    group = a("g", item=[a("2", "x")])
    assert issues([q("g", "group", item=[q("2")])], [group, group]) == [("error", "item[1]")]
    assert issues([q("g", "group", repeats=True, item=[q("2")])], [group, group]) == []


def test_answers_are_among_the_options() -> None:
    coding = {"system": "http://s", "code": "c"}
    options = [{"valueCoding": coding}, {"valueString": "yes"}]
    for type_ in ("choice", "open-choice"):
        asked = [q("1", type_, answerOption=options)]
        assert issues(asked, [a("1", {**coding, "display": "C"}, member="valueCoding")]) == []
        assert issues(asked, [a("1", {"system": "http://s", "code": "d"}, member="valueCoding")]) != []
        assert (issues(asked, [a("1", "no")]) == []) is (type_ == "open-choice")


def test_answers_are_in_the_value_set() -> None:
    asked = [q("1", "choice", answerValueSet="http://hl7.org/fhir/ValueSet/administrative-gender")]
    system = "http://hl7.org/fhir/administrative-gender"
    assert issues(asked, [a("1", {"system": system, "code": "male"}, member="valueCoding")]) == []
    assert issues(asked, [a("1", {"system": system, "code": "man"}, member="valueCoding")])[0][0] == "error"
    assert issues(asked, [a("1", {"code": "male"}, member="valueCoding")])[0][0] == "warning"


def test_an_option_that_excludes_others_stands_alone() -> None:
    none = {"valueString": "none", **limited(questionnaire_optionExclusive=True)}
    asked = [q("1", "choice", repeats=True, answerOption=[none, {"valueString": "pain"}])]
    assert issues(asked, [a("1", "none")]) == []
    assert issues(asked, [a("1", "pain", "none")]) == [("error", "item[0].answer[1]")]


@pytest.mark.parametrize(
    ("type_", "limit", "right", "wrong"),
    [
        ("integer", limited(minValue=3), 3, 2),
        ("integer", limited(maxValue=3), 3, 4),
        ("date", limited(maxValue="2024-01-31"), "2024-01-31", "2024-02-01"),
        ("decimal", limited(maxDecimalPlaces=1), Decimal("1.5"), Decimal("1.50")),
        ("string", {"maxLength": 2}, "ab", "abc"),
        ("string", limited(minLength=2), "ab", "a"),
        ("attachment", limited(mimeType="image/*"), {"contentType": "image/png"}, {"contentType": "text/plain"}),
        ("attachment", limited(maxSize=Decimal("0.1")), {"size": 100_000}, {"size": 100_001}),
        (
            "reference",
            limited(questionnaire_referenceResource="Patient"),
            {"reference": "Patient/1"},
            {"reference": "Group/1"},
        ),
        (
            "quantity",
            limited(questionnaire_unitOption={"system": "http://unitsofmeasure.org", "code": "m"}),
            {"value": 1, "system": "http://unitsofmeasure.org", "code": "m"},
            {"value": 1, "system": "http://unitsofmeasure.org", "code": "kg"},
        ),
        (
            "quantity",
            limited(questionnaire_unitValueSet="http://hl7.org/fhir/ValueSet/age-units"),
            {"value": 1, "system": "http://unitsofmeasure.org", "code": "a"},
            {"value": 1, "system": "http://unitsofmeasure.org", "code": "m"},
        ),
    ],
)  # fmt: skip
def test_limits_of_an_answer(type_: str, limit: Json, right: Any, wrong: Any) -> None:
    member = TYPES[type_][0]
    assert issues([q("1", type_, **limit)], [a("1", right, member=member)]) == []
    assert issues([q("1", type_, **limit)], [a("1", wrong, member=member)]) == [("error", "item[0].answer[0].value")]


@pytest.mark.parametrize("name", ["minValue", "maxDecimalPlaces", "minLength", "maxSize", "questionnaire_unitOption"])
def test_a_limit_of_the_wrong_type_limits_nothing(name: str) -> None:
    for type_ in ("integer", "string", "attachment", "quantity"):
        member, value = TYPES[type_]
        assert issues([q("1", type_, **limited(**{name: [1]}))], [a("1", value, member=member)]) == []


def test_occurrences() -> None:
    asked = [q("1", repeats=True, **limited(questionnaire_minOccurs=2, questionnaire_maxOccurs=3))]
    assert issues(asked, []) == []
    assert [len(issues(asked, [a("1", *"abcd"[:times])])) for times in (1, 2, 3, 4)] == [1, 0, 0, 1]


def when(operator: str, **answer: Any) -> Json:
    return {"enableWhen": [{"question": "1", "operator": operator, **answer}]}


@pytest.mark.parametrize(
    ("condition", "given", "enabled"),
    [
        (when("exists", answerBoolean=True), 1, True),
        (when("exists", answerBoolean=False), 1, False),
        (when("exists", answerBoolean=False), None, True),
        (when("=", answerInteger=1), 1, True),
        (when("=", answerInteger=1), 2, False),
        (when("=", answerInteger=1), None, False),
        (when("!=", answerInteger=1), 2, True),
        (when(">", answerInteger=1), 2, True),
        (when(">", answerInteger=1), 1, False),
        (when(">=", answerInteger=1), 1, True),
        (when("<", answerInteger=1), 0, True),
        (when("<=", answerInteger=1), 2, False),
    ],
)
def test_only_enabled_items_are_answered(condition: Json, given: int | None, enabled: bool) -> None:
    asked = [q("1", "integer"), q("2", required=True, **condition)]
    first = [] if given is None else [a("1", given, member="valueInteger")]
    assert (issues(asked, [*first, a("2", "x")]) == []) is enabled
    assert (issues(asked, first) == []) is not enabled


def test_a_condition_asks_the_nearest_repetition() -> None:
    inner = [q("1", "integer"), q("2", **when("=", answerInteger=1))]
    asked = [q("g", "group", repeats=True, item=inner)]

    def group(number: int, *more: Json) -> Json:
        return a("g", item=[a("1", number, member="valueInteger"), *more])

    assert issues(asked, [group(1, a("2", "x")), group(2)]) == []
    assert issues(asked, [group(1), group(2, a("2", "x"))]) == [("error", "item[1].item[1]")]


def test_all_or_any_of_several_conditions() -> None:
    two = [{"question": "1", "operator": "=", "answerInteger": number} for number in (1, 2)]
    for behaviour, expected in (("any", []), ("all", [("error", "item[1]")])):
        asked = [q("1", "integer"), q("2", enableWhen=two, enableBehavior=behaviour)]
        assert issues(asked, [a("1", 1, member="valueInteger"), a("2", "x")]) == expected


def test_a_questionnaire_may_be_contained_and_its_value_sets_too() -> None:
    value_set = {
        "resourceType": "ValueSet",
        "id": "v",
        "status": "active",
        "compose": {"include": [{"system": "http://s", "concept": [{"code": "c"}]}]},
    }
    asked = {
        "resourceType": "Questionnaire",
        "id": "q",
        "status": "active",
        "item": [q("1", "choice", answerValueSet="#v")],
    }
    response = {
        "resourceType": "QuestionnaireResponse",
        "contained": [asked, value_set],
        "questionnaire": "#q",
        "status": "completed",
        "item": [a("1", {"system": "http://s", "code": "d"}, member="valueCoding")],
    }
    assert [one.code for one in questionnaires.judge(response)] == ["code-invalid"]


def test_a_questionnaire_that_is_not_known_is_told() -> None:
    response = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    assert [one.severity for one in questionnaires.judge(response)] == ["information"]
    assert [one.severity for one in questionnaires.judge({**response, "questionnaire": URL})] == ["warning"]


def test_a_judgement_that_takes_too_much_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questionnaires, "MAX_STEPS", 10)
    asked = [q(str(number), "integer", **(when("exists", answerBoolean=True) if number else {})) for number in range(9)]
    assert issues(asked, [a("0", 1, member="valueInteger")])[-1] == ("error", "QuestionnaireResponse")
