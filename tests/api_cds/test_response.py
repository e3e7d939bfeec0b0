from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.api.cds.response import check
from fhirtwin.errors import Fault

GOOD: dict[str, Any] = {
    "uuid": "0a4ff2f5-8d6c-5d0f-9a3e-6f2d0c1b7e55",
    "summary": "x" * 139,
    "indicator": "info",
    "source": {"label": "s", "url": "https://s.example", "topic": {"system": "urn:s", "code": "t"}},
    "links": [{"label": "l", "url": "https://l.example", "type": "absolute"}],
}


def test_a_card_by_the_rules_may_leave() -> None:
    check("s", [GOOD, {"summary": "x", "indicator": "critical", "source": {"label": "s"}}])


def test_a_card_with_suggestions_by_the_rules_may_leave() -> None:
    check("s", [{**GOOD, "suggestions": [{"label": "s"}], "selectionBehavior": "at-most-one"}])


def test_nothing_to_say_may_leave() -> None:
    check("s", [])


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"summary": "x" * 140}, "summary"),
        ({"summary": " "}, "summary"),
        ({"indicator": "hard-stop"}, "indicator"),
        ({"source": {}}, "source"),
        ({"source": None}, "source"),
        ({"source": "s"}, "source.label"),
        ({"source": {"url": "https://s.example"}}, "source.label"),
        ({"source": {"label": "s", "url": "/relative"}}, "source.url"),
        ({"source": {"label": "s", "topic": {"code": "t"}}}, "source.topic"),
        ({"uuid": "1"}, "uuid"),
        ({"detail": ""}, "detail"),
        ({"links": []}, "links"),
        ({"links": [{"label": "l", "url": "RiskAssessment/1", "type": "absolute"}]}, "links[0].url"),
        ({"links": [{"label": "l", "url": "https://l.example", "type": "relative"}]}, "links[0]"),
        (
            {"links": [{"label": "l", "url": "https://l.example", "type": "absolute", "appContext": "x"}]},
            "links[0].appContext",
        ),
        ({"suggestions": [{"label": "s"}]}, "selectionBehavior"),
        ({"suggestions": [], "selectionBehavior": "any"}, "suggestions"),
        ({"suggestions": [{"uuid": "u"}], "selectionBehavior": "any"}, "suggestions"),
        ({"extension": None}, "extension"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_card_that_breaks_a_rule_does_not_leave(change: dict[str, Any], place: str) -> None:
    with pytest.raises(Fault, match="service s made an answer") as caught:
        check("s", [GOOD, {**GOOD, **change}])
    assert f"cards[1].{place} " in str(caught.value)
