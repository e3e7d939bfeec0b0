"""The cards of an answer, made ready to be shown: what is not as it should be is left out, nothing is trusted.

Source: https://cds-hooks.hl7.org/2.0/#card-attributes
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.api.ui import exchanges, markdown

INDICATORS: Final = {"info": "Information", "warning": "Warning", "critical": "Critical"}
"""In words, so that nobody has to tell colours apart."""

LONG: Final = 1200
"""Characters of HTML beyond which a detail is folded away."""

_WEB: Final = re.compile(r"https?://[^\s/]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a card; `url` is empty where it is no address of the web."""

    label: str
    url: str
    is_app: bool = False
    context: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """What a suggestion would do; `shown` is the resource, or the id of what would be deleted."""

    type: str
    description: str
    shown: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something that a user can accept."""

    id: str
    label: str
    is_recommended: bool
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a user may override a card; `number` counts from 0 in its list."""

    number: int
    display: str


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it is shown.

    Attributes:
        indicator: `info`, `warning` or `critical`; what is none of them is shown as a warning.
        detail: HTML that can do no harm.
    """

    id: str
    summary: str
    detail: str
    indicator: str
    source: Link
    topic: str
    suggestions: tuple[Suggestion, ...]
    links: tuple[Link, ...]
    reasons: tuple[Reason, ...]

    @property
    def is_long(self) -> bool:
        """Whether the detail is better unfolded by who wants to read it."""
        return len(self.detail) > LONG

    @property
    def indicator_text(self) -> str:
        """The indicator in words."""
        return INDICATORS[self.indicator]


def shown(answer: Mapping[str, Any]) -> tuple[Card, ...]:
    """The cards of an answer, in its order."""
    return tuple(_card(card) for card in _objects(answer, "cards"))


def actions(owner: Mapping[str, Any], member: str = "systemActions") -> tuple[Action, ...]:
    """The actions of a suggestion, or those that a client takes unasked."""
    return tuple(
        Action(
            type=_text(each, "type"),
            description=_text(each, "description"),
            shown=exchanges.pretty(each["resource"]) if "resource" in each else _text(each, "resourceId"),
        )
        for each in _objects(owner, member)
    )


def held_back(answer: Mapping[str, Any]) -> int:
    """How many cards an answer says are not in it, as this user overrode them before."""
    count = _object(_object(answer, "extension"), "org.fhirtwin.quietened").get("count")
    return count if isinstance(count, int) else 0


def issues(outcome: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Place and text of each issue of an OperationOutcome."""
    return [
        (
            ", ".join(str(place) for place in each.get("expression", ())),
            _text(each, "diagnostics") or _text(each, "code"),
        )
        for each in _objects(outcome, "issue")
    ]


def _card(card: Mapping[str, Any]) -> Card:
    indicator, source = _text(card, "indicator"), _object(card, "source")
    return Card(
        id=_text(card, "uuid"),
        summary=_text(card, "summary"),
        detail=markdown.to_html(_text(card, "detail")),
        indicator=indicator if indicator in INDICATORS else "warning",
        source=Link(_text(source, "label"), _url(source)),
        topic=_text(_object(source, "topic"), "display"),
        suggestions=tuple(_suggestion(each) for each in _objects(card, "suggestions")),
        links=tuple(_link(each) for each in _objects(card, "links")),
        reasons=tuple(
            Reason(number, _text(each, "display") or _text(each, "code"))
            for number, each in enumerate(_objects(card, "overrideReasons"))
        ),
    )


def _suggestion(each: Mapping[str, Any]) -> Suggestion:
    return Suggestion(
        id=_text(each, "uuid"),
        label=_text(each, "label"),
        is_recommended=each.get("isRecommended") is True,
        actions=actions(each, "actions"),
    )


def _link(each: Mapping[str, Any]) -> Link:
    return Link(_text(each, "label"), _url(each), _text(each, "type") == "smart", _text(each, "appContext"))


def _url(owner: Mapping[str, Any]) -> str:
    url = _text(owner, "url")
    return url if _WEB.match(url) else ""


def _text(owner: Mapping[str, Any], member: str) -> str:
    value = owner.get(member)
    return value if isinstance(value, str) else ""


def _object(owner: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    value = owner.get(member)
    return value if isinstance(value, Mapping) else {}


def _objects(owner: Mapping[str, Any], member: str) -> list[Mapping[str, Any]]:
    value = owner.get(member)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
