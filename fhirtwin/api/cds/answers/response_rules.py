"""The rules of an answer, each told by the place where it is broken; no value of an answer is ever told.

Source: https://cds-hooks.hl7.org/2.0/#cds-service-response
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.fhir import validator
from fhirtwin.report.cards import INDICATORS
from fhirtwin.rules.findings import SUMMARY_LENGTH

Broken = Iterator[tuple[str, str]]
"""Places, each with the rule that is broken there."""

Rule = Callable[[Any], str]
"""What is wrong with the value of a member; empty when nothing is."""

ACTIONS: Final = ("create", "update", "delete")
BEHAVIORS: Final = ("at-most-one", "any")
LINKS: Final = ("absolute", "smart")

_URL: Final = re.compile(r"https?://[^\s/?#]+\S*")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TARGET: Final = re.compile(r"([A-Z][A-Za-z]{1,63})/[A-Za-z0-9\-.]{1,64}")
_NAME: Final = re.compile(r"[A-Za-z]{1,40}")
_DEEPEST: Final = 20


def broken(body: Any) -> Broken:
    """Tell every rule that the body of an answer breaks."""
    if not isinstance(body, Mapping):
        yield "the answer", "must be an object"
        return
    if not isinstance(body.get("cards"), list | tuple):
        yield "cards", "must be an array"
    else:
        for number, card in enumerate(body["cards"]):
            yield from _at(f"cards[{number}]", _object(card, _CARD))
    if "systemActions" in body:
        yield from _array(body["systemActions"], "systemActions", _ACTION)
    yield from _extension(body)
    for name in body:
        if name not in ("cards", "systemActions", "extension"):
            yield _named(name), "is not defined by CDS Hooks"


# ---- the parts of an answer ----------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and value.strip() else "must be text"


def _bool(value: Any) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def _url(value: Any) -> str:
    return "" if isinstance(value, str) and _URL.fullmatch(value) else "must be an absolute URL"


def _uuid(value: Any) -> str:
    return "" if isinstance(value, str) and _UUID.fullmatch(value) else "must be a UUID"


def _summary(value: Any) -> str:
    right = not _text(value) and len(value) <= SUMMARY_LENGTH
    return "" if right else f"must be text of 1 to {SUMMARY_LENGTH} characters"


def _one_of(*choices: str) -> Rule:
    def rule(value: Any) -> str:
        return "" if isinstance(value, str) and value in choices else f"must be one of {', '.join(choices)}"

    return rule


def _anything(_: Any) -> str:
    return ""  # looked at by rules of its own


def _nothing_more(_: Mapping[str, Any]) -> Broken:
    return iter(())


@dataclass(frozen=True, slots=True)
class _Shape:
    """An object of an answer: its members with their rules, those that must be there, and what concerns several."""

    members: Mapping[str, Rule]
    required: tuple[str, ...]
    further: Callable[[Mapping[str, Any]], Broken] = _nothing_more


def _object(value: Any, shape: _Shape) -> Broken:
    if not isinstance(value, Mapping):
        yield "", "must be an object"
        return
    for name, item in value.items():
        rule = shape.members.get(name)
        if name == "extension":
            continue
        if rule is None:
            yield _named(name), "is not defined by CDS Hooks"
        elif item is None or item in ("", [], (), {}):
            yield name, rule(item) or "must be left out when there is nothing to put there"
        elif wrong := rule(item):
            yield name, wrong
    for name in shape.required:
        if name not in value:
            yield name, shape.members[name](None) or "must be there"
    yield from _extension(value)
    yield from shape.further(value)


def _card_rules(card: Mapping[str, Any]) -> Broken:
    if card.get("source"):
        yield from _at("source", _object(card["source"], _SOURCE))
    for name, shape in (("links", _LINK), ("overrideReasons", _REASON), ("suggestions", _SUGGESTION)):
        if card.get(name):
            yield from _array(card[name], name, shape)
    if "suggestions" not in card:
        return
    if "selectionBehavior" not in card:
        yield "selectionBehavior", f"must be {' or '.join(BEHAVIORS)} when there are suggestions"
    suggestions = [each for each in card["suggestions"] or () if isinstance(each, Mapping)]
    recommended = sum(each.get("isRecommended") is True for each in suggestions)
    if card.get("selectionBehavior") == "at-most-one" and recommended > 1:
        yield "suggestions", "must have at most one that is recommended under at-most-one"


def _source_rules(source: Mapping[str, Any]) -> Broken:
    if source.get("topic"):
        yield from _at("topic", _object(source["topic"], _CODING))


def _link_rules(link: Mapping[str, Any]) -> Broken:
    if "appContext" in link and link.get("type") != "smart":
        yield "appContext", "must only be there with the type smart"


def _suggestion_rules(suggestion: Mapping[str, Any]) -> Broken:
    if suggestion.get("actions"):
        yield from _array(suggestion["actions"], "actions", _ACTION)


def _action_rules(action: Mapping[str, Any]) -> Broken:
    if action.get("type") == "delete":
        found = _TARGET.fullmatch(str(action.get("resourceId")))
        if not (found and validator.is_resource_type(found[1])):
            yield "resourceId", "must be `Type/id` of what is to be deleted"
        if "resource" in action:
            yield "resource", "must not be there in a delete"
        return
    if "resourceId" in action:
        yield "resourceId", "must only be there in a delete"
    for issue in validator.validate(action.get("resource"), prefix="resource")[:1]:
        yield issue.expression[0], f"must be a whole resource of FHIR R4 ({issue.code})"
        return
    if action.get("type") == "update" and "id" not in action["resource"]:
        yield "resource.id", "must be there in an update"


_CODING: Final = _Shape({"code": _text, "system": _text, "display": _text}, ("code", "system"))
_REASON: Final = _Shape(_CODING.members, ("code", "system", "display"))
_SOURCE: Final = _Shape({"label": _text, "url": _url, "icon": _url, "topic": _anything}, ("label",), _source_rules)
_LINK: Final = _Shape(
    {"label": _text, "url": _url, "type": _one_of(*LINKS), "appContext": _text, "autolaunchable": _bool},
    ("label", "url", "type"),
    _link_rules,
)
_ACTION: Final = _Shape(
    {"type": _one_of(*ACTIONS), "description": _text, "resource": _anything, "resourceId": _text},
    ("type", "description"),
    _action_rules,
)
_SUGGESTION: Final = _Shape(
    {"label": _text, "uuid": _uuid, "isRecommended": _bool, "actions": _anything}, ("label",), _suggestion_rules
)
_CARD: Final = _Shape(
    {
        "uuid": _uuid,
        "summary": _summary,
        "detail": _text,
        "indicator": _one_of(*INDICATORS),
        "source": _anything,
        "suggestions": _anything,
        "selectionBehavior": _one_of(*BEHAVIORS),
        "overrideReasons": _anything,
        "links": _anything,
    },
    ("summary", "indicator", "source"),
    _card_rules,
)


# ---- what holds everywhere -----------------------------------------------------------------------------------------


def _array(items: Any, name: str, shape: _Shape) -> Broken:
    if not isinstance(items, list | tuple) or not items:
        yield name, "must be an array that is not empty"
        return
    for number, item in enumerate(items):
        yield from _at(f"{name}[{number}]", _object(item, shape))


def _extension(owner: Mapping[str, Any]) -> Broken:
    """An extension is an object of things that are there: https://cds-hooks.hl7.org/2.0/#extensions."""
    if "extension" not in owner:
        return
    given = owner["extension"]
    if not isinstance(given, Mapping) or not given:
        yield "extension", "must be an object that is not empty"
    elif holds_nothing(given):
        yield "extension", "must not hold null, nor anything empty"


def holds_nothing(value: Any, depth: int = 0) -> bool:
    """Whether there is null or something empty anywhere in a value, or it is nested too deeply to tell."""
    if value is None or value in ("", [], (), {}) or depth > _DEEPEST:
        return True
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return any(holds_nothing(each, depth + 1) for each in inner)


def _at(place: str, found: Broken) -> Broken:
    return ((f"{place}.{inner}" if inner else place, rule) for inner, rule in found)


def _named(name: Any) -> str:
    """A member's name, when it is one that may be told."""
    return name if isinstance(name, str) and _NAME.fullmatch(name) else "a member with an unusual name"
