from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.api.cds.answers.response import check
from fhirtwin.api.cds.answers.response_rules import broken
from fhirtwin.errors import Fault
from tests.conforming import conforms

UUID = "0a4ff2f5-8d6c-5d0f-9a3e-6f2d0c1b7e55"
ORDER: dict[str, Any] = {
    "resourceType": "ServiceRequest",
    "status": "draft",
    "intent": "proposal",
    "subject": {"reference": "Patient/1"},
}
CREATE = {"type": "create", "description": "Order it", "resource": ORDER}
UPDATE = {"type": "update", "description": "Change it", "resource": {**ORDER, "id": "s1"}}
DELETE = {"type": "delete", "description": "Take it away", "resourceId": "ServiceRequest/s1"}
REASON = {
    "code": "patient-refused",
    "system": "https://terminology.example/reasons",
    "display": "Patient refused",
}
LINK = {"label": "l", "url": "https://l.example", "type": "absolute"}
SMART = {"label": "l", "url": "https://l.example/launch", "type": "smart", "appContext": "{}", "autolaunchable": True}
SUGGESTION = {"label": "Order", "uuid": UUID, "isRecommended": True, "actions": [DELETE, CREATE, UPDATE]}
CHANGED_ONLY = {"resourceType": "ServiceRequest", "id": "s1"}
TOPIC = {"system": "urn:s", "code": "t", "display": "T"}
GOOD: dict[str, Any] = {
    "uuid": UUID,
    "summary": "x" * 139,
    "detail": "Some *Markdown*.",
    "indicator": "info",
    "source": {"label": "s", "url": "https://s.example", "icon": "https://s.example/i.png", "topic": TOPIC},
    "suggestions": [SUGGESTION, {"label": "Nothing", "uuid": UUID}],
    "selectionBehavior": "at-most-one",
    "overrideReasons": [REASON],
    "links": [LINK, SMART],
    "extension": {"com.example.x": {"a": 1}},
}
LEAST = {"summary": "x", "indicator": "critical", "source": {"label": "s"}}


def without(value: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name not in names}


def test_what_uses_every_member_by_the_rules_may_leave() -> None:
    check("s", [GOOD, LEAST], [without(CREATE, "extension"), UPDATE, DELETE], {"com.example.y": {"z": [1]}})


@pytest.mark.parametrize("indicator", ["info", "warning", "critical"])
def test_each_indicator_may_leave(indicator: str) -> None:
    check("s", [{**LEAST, "indicator": indicator}])


def test_nothing_to_say_may_leave() -> None:
    check("s", [])


def in_suggestion(**changes: Any) -> dict[str, Any]:
    return {"suggestions": [{**SUGGESTION, **changes}]}


def in_action(**changes: Any) -> dict[str, Any]:
    return in_suggestion(actions=[DELETE, changes])


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("83", {"summary": "x" * 140}, "summary"),
    ("83", {"summary": " "}, "summary"),
    ("83", {"summary": 5}, "summary"),
    ("85", {"detail": ["x"]}, "detail"),
    ("3", {"detail": ""}, "detail"),
    ("3", {"detail": None}, "detail"),
    ("87", {"indicator": ...}, "indicator"),
    ("88", {"indicator": "hard-stop"}, "indicator"),
    ("90", {"source": ...}, "source"),
    ("90", {"source": None}, "source"),
    ("90", {"source": "s"}, "source"),
    ("105", {"source": {}}, "source"),
    ("105", {"source": {"url": "https://s.example"}}, "source.label"),
    ("105", {"source": {"label": ["s"]}}, "source.label"),
    ("107", {"source": {"label": "s", "url": "/relative"}}, "source.url"),
    ("107", {"source": {"label": "s", "url": "javascript:alert(1)"}}, "source.url"),
    ("111", {"source": {"label": "s", "icon": "i.png"}}, "source.icon"),
    ("115", {"source": {"label": "s", "topic": "t"}}, "source.topic"),
    ("115", {"source": {"label": "s", "topic": []}}, "source.topic"),
    ("217", {"source": {"label": "s", "topic": {"code": "t"}}}, "source.topic.system"),
    ("216", {"source": {"label": "s", "topic": {"system": "urn:s"}}}, "source.topic.code"),
    ("218", {"source": {"label": "s", "topic": {"system": "urn:s", "code": 5}}}, "source.topic.code"),
    ("", {"source": {"label": "s", "logo": "x"}}, "source.logo"),
    ("80", {"uuid": "1"}, "uuid"),
    ("80", {"uuid": 5}, "uuid"),
    ("3", {"links": []}, "links"),
    ("103", {"links": {"label": "l"}}, "links"),
    ("103", {"links": ["l"]}, "links[0]"),
    ("138", {"links": [without(LINK, "label")]}, "links[0].label"),
    ("139", {"links": [{**LINK, "url": "RiskAssessment/1"}]}, "links[0].url"),
    ("139", {"links": [without(LINK, "url")]}, "links[0].url"),
    ("141", {"links": [without(LINK, "type")]}, "links[0].type"),
    ("142", {"links": [{**LINK, "type": "relative"}]}, "links[0].type"),
    ("147", {"links": [{**LINK, "appContext": "x"}]}, "links[0].appContext"),
    ("144", {"links": [{**SMART, "appContext": {"a": 1}}]}, "links[0].appContext"),
    ("", {"links": [{**SMART, "autolaunchable": "yes"}]}, "links[0].autolaunchable"),
    ("93", {"selectionBehavior": ...}, "selectionBehavior"),
    ("95", {"selectionBehavior": "all"}, "selectionBehavior"),
    ("96", {"selectionBehavior": ["any"]}, "selectionBehavior"),
    ("92", {"suggestions": {"label": "x"}}, "suggestions"),
    ("92", {"suggestions": ["x"]}, "suggestions[0]"),
    ("3", {"suggestions": []}, "suggestions"),
    ("", {"suggestions": [SUGGESTION, SUGGESTION]}, "suggestions"),
    ("117", in_suggestion(label=None), "suggestions[0].label"),
    ("119", in_suggestion(uuid="u"), "suggestions[0].uuid"),
    ("121", in_suggestion(isRecommended="true"), "suggestions[0].isRecommended"),
    ("124", in_suggestion(actions=CREATE), "suggestions[0].actions"),
    ("3", in_suggestion(actions=[]), "suggestions[0].actions"),
    ("", in_suggestion(actionSelectionBehavior="any"), "suggestions[0].actionSelectionBehavior"),
    ("127", in_action(**{**CREATE, "type": "append"}), "suggestions[0].actions[1].type"),
    ("128", in_action(**without(CREATE, "description")), "suggestions[0].actions[1].description"),
    ("131", in_action(**without(CREATE, "resource")), "suggestions[0].actions[1].resource"),
    ("130", in_action(**{**CREATE, "resource": "ServiceRequest/1"}), "suggestions[0].actions[1].resource"),
    (
        "130",
        in_action(**{**CREATE, "resource": {**ORDER, "status": "x"}}),
        "suggestions[0].actions[1].resource.status",
    ),
    (
        "132",
        in_action(**{**UPDATE, "resource": {"resourceType": "ServiceRequest", "id": "s1"}}),
        "suggestions[0].actions[1].resource.status",
    ),
    ("132", in_action(**{**UPDATE, "resource": ORDER}), "suggestions[0].actions[1].resource.id"),
    ("131", in_action(**{**CREATE, "resourceId": "ServiceRequest/1"}), "suggestions[0].actions[1].resourceId"),
    ("133", in_action(**{**DELETE, "resource": "ServiceRequest/s1"}), "suggestions[0].actions[1].resource"),
    ("134", in_action(**without(DELETE, "resourceId")), "suggestions[0].actions[1].resourceId"),
    ("135", in_action(**{**DELETE, "resourceId": "s1"}), "suggestions[0].actions[1].resourceId"),
    ("135", in_action(**{**DELETE, "resourceId": "Servicerequest/s1"}), "suggestions[0].actions[1].resourceId"),
    ("98", {"overrideReasons": REASON}, "overrideReasons"),
    ("98", {"overrideReasons": ["because"]}, "overrideReasons[0]"),
    ("100", {"overrideReasons": [without(REASON, "display")]}, "overrideReasons[0].display"),
    ("136", {"overrideReasons": [{**REASON, "display": " "}]}, "overrideReasons[0].display"),
    ("219", {"overrideReasons": [{**REASON, "display": 5}]}, "overrideReasons[0].display"),
    ("217", {"overrideReasons": [without(REASON, "system")]}, "overrideReasons[0].system"),
    ("216", {"overrideReasons": [without(REASON, "code")]}, "overrideReasons[0].code"),
    ("214", {"extension": [{"a": 1}]}, "extension"),
    ("214", {"extension": "x"}, "extension"),
    ("3", {"extension": None}, "extension"),
    ("3", {"extension": {"com.example.x": {"y": None}}}, "extension"),
    ("3", {"extension": {"com.example.x": [""]}}, "extension"),
    ("", {"colour": "red"}, "colour"),
    ("", {"Jane Doe 1960": "red"}, "a member with an unusual name"),
]


@pytest.mark.parametrize(("change", "place"), [conforms(row, change, place) for row, change, place in CASES])
def test_a_card_that_breaks_a_rule_does_not_leave(change: dict[str, Any], place: str) -> None:
    bad = {name: value for name, value in {**GOOD, **change}.items() if value is not ...}
    with pytest.raises(Fault, match="service s made an answer") as caught:
        check("s", [GOOD, bad])
    assert f"cards[1].{place} " in str(caught.value)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "cards"),
        ({"cards": None}, "cards"),
        ({"cards": {}}, "cards"),
        ({"cards": ["x"]}, "cards[0]"),
        ([], "the answer"),
        ({"cards": [], "systemActions": []}, "systemActions"),
        ({"cards": [], "systemActions": [{**CREATE, "type": "x"}]}, "systemActions[0].type"),
        ({"cards": [], "systemActions": [without(CREATE, "description")]}, "systemActions[0].description"),
        ({"cards": [], "extension": []}, "extension"),
        ({"cards": [], "extension": {}}, "extension"),
        ({"cards": [], "decisions": [1]}, "decisions"),
    ],
)
@pytest.mark.conforms("cds-hooks_2.0@74", "cds-hooks_2.0@75")
def test_an_answer_that_breaks_a_rule_is_told_by_place(body: Any, place: str) -> None:
    assert [found for found, _ in broken(body)] == [place]


def test_a_deep_extension_is_refused_and_not_followed_for_ever() -> None:
    deep: Any = 1
    for _ in range(50):
        deep = {"a": deep}
    assert [place for place, _ in broken({"cards": [], "extension": deep})] == ["extension"]


def test_no_value_of_an_answer_is_told() -> None:
    secret = {**GOOD, "summary": "Jane Doe " * 40, "links": [{**LINK, "url": "Jane Doe"}]}
    assert "Jane" not in "".join(f"{place} {rule}" for place, rule in broken({"cards": [secret]}))
