"""Checks what a service answers: nothing leaves that breaks the rules of CDS Hooks.

Source: https://cds-hooks.hl7.org/2.0/#cds-service-response
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from fhirtwin.api.cds.service import Response
from fhirtwin.errors import Fault
from fhirtwin.fhir import validator
from fhirtwin.report.cards import INDICATORS
from fhirtwin.report.wording import SUMMARY_LENGTH

Broken = Iterator[tuple[str, str]]
"""Places, each with the rule that is broken there."""

_URL: Final = re.compile(r"https?://[^\s/?#]+\S*")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TARGET: Final = re.compile(r"([A-Z][A-Za-z]{1,63})/[A-Za-z0-9\-.]{1,64}")
_NAME: Final = re.compile(r"[A-Za-z]{1,40}")
_DEEPEST: Final = 20

ACTIONS: Final = ("create", "update", "delete")
BEHAVIORS: Final = ("at-most-one", "any")
LINKS: Final = ("absolute", "smart")


def as_json(service: str, answer: Response) -> dict[str, Any]:
    """An answer as it leaves; members without content are left out, save for `cards`.

    Raises:
        Fault: it breaks a rule; the text names the service, the place and the rule, and nothing of the patient.
    """
    body: dict[str, Any] = {"cards": list(answer.cards)}
    if answer.system_actions:
        body["systemActions"] = list(answer.system_actions)
    if answer.extension:
        body["extension"] = answer.extension
    check(service, body["cards"], answer.system_actions, answer.extension)
    return body


def check(
    service: str,
    cards: Sequence[Mapping[str, Any]],
    system_actions: Sequence[Mapping[str, Any]] = (),
    extension: Mapping[str, Any] | None = None,
) -> None:
    """Let an answer pass, or none of it.

    Raises:
        Fault: it breaks a rule; the text names the service, the place and the rule.
    """
    body = {"cards": cards, "systemActions": list(system_actions), "extension": extension}
    given = {name: value for name, value in body.items() if value or name == "cards"}
    for place, rule in broken(given):
        raise Fault(f"CDS service {service} made an answer that must not leave: {place} {rule}.")


def broken(body: Any) -> Broken:
    """Tell every rule that the body of an answer breaks."""
    if not isinstance(body, Mapping):
        yield "the answer", "must be an object"
        return
    if not isinstance(body.get("cards"), list | tuple):
        yield "cards", "must be an array"
    else:
        for number, card in enumerate(body["cards"]):
            yield from _at(f"cards[{number}]", _object(card, _CARD, _card_rules))
    if "systemActions" in body:
        yield from _array(body["systemActions"], "systemActions", _action)
    yield from _extension(body)
    for name in body:
        if name not in ("cards", "systemActions", "extension"):
            yield _named(name), "is not defined by CDS Hooks"


# ---- the parts of an answer ----------------------------------------------------------------------------------------

Rule = Callable[[Any], str]
"""What is wrong with the value of a member; empty when nothing is."""


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


_CODING: Final[Mapping[str, Rule]] = {"code": _text, "system": _text, "display": _text}
_SOURCE: Final[Mapping[str, Rule]] = {"label": _text, "url": _url, "icon": _url, "topic": _anything}
_LINK: Final[Mapping[str, Rule]] = {
    "label": _text,
    "url": _url,
    "type": _one_of(*LINKS),
    "appContext": _text,
    "autolaunchable": _bool,
}
_ACTION: Final[Mapping[str, Rule]] = {
    "type": _one_of(*ACTIONS),
    "description": _text,
    "resource": _anything,
    "resourceId": _text,
}
_SUGGESTION: Final[Mapping[str, Rule]] = {"label": _text, "uuid": _uuid, "isRecommended": _bool, "actions": _anything}
_CARD: Final[Mapping[str, Rule]] = {
    "uuid": _uuid,
    "summary": _summary,
    "detail": _text,
    "indicator": _one_of(*INDICATORS),
    "source": _anything,
    "suggestions": _anything,
    "selectionBehavior": _one_of(*BEHAVIORS),
    "overrideReasons": _anything,
    "links": _anything,
}
_REQUIRED: Final[Mapping[int, tuple[str, ...]]] = {
    id(_CODING): ("code", "system"),
    id(_SOURCE): ("label",),
    id(_LINK): ("label", "url", "type"),
    id(_ACTION): ("type", "description"),
    id(_SUGGESTION): ("label",),
    id(_CARD): ("summary", "indicator", "source"),
}


def _object(value: Any, members: Mapping[str, Rule], further: Callable[[Mapping[str, Any]], Broken]) -> Broken:
    """Hold an object to its members, then to what concerns several of them."""
    if not isinstance(value, Mapping):
        yield "", "must be an object"
        return
    for name, item in value.items():
        rule = members.get(name)
        if name == "extension":
            continue
        if rule is None:
            yield _named(name), "is not defined by CDS Hooks"
        elif item is None or item in ("", [], (), {}):
            yield name, members[name](item) or "must be left out when there is nothing to put there"
        elif wrong := rule(item):
            yield name, wrong
    for name in _REQUIRED[id(members)]:
        if name not in value:
            yield name, members[name](None) or "must be there"
    yield from _extension(value)
    yield from further(value)


def _nothing_more(_: Mapping[str, Any]) -> Broken:
    return iter(())


def _card_rules(card: Mapping[str, Any]) -> Broken:
    if card.get("source"):
        yield from _at("source", _object(card["source"], _SOURCE, _source_rules))
    for name, one in (("links", _link), ("overrideReasons", _reason), ("suggestions", _suggestion)):
        if card.get(name):
            yield from _array(card[name], name, one)
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
        yield from _at("topic", _object(source["topic"], _CODING, _nothing_more))


def _link(link: Any) -> Broken:
    yield from _object(link, _LINK, _link_rules)


def _link_rules(link: Mapping[str, Any]) -> Broken:
    if "appContext" in link and link.get("type") != "smart":
        yield "appContext", "must only be there with the type smart"


def _reason(reason: Any) -> Broken:
    yield from _object(reason, _CODING, _reason_rules)


def _reason_rules(reason: Mapping[str, Any]) -> Broken:
    if "display" not in reason:
        yield "display", "must be text"


def _suggestion(suggestion: Any) -> Broken:
    yield from _object(suggestion, _SUGGESTION, _suggestion_rules)


def _suggestion_rules(suggestion: Mapping[str, Any]) -> Broken:
    if suggestion.get("actions"):
        yield from _array(suggestion["actions"], "actions", _action)


def _action(action: Any) -> Broken:
    yield from _object(action, _ACTION, _action_rules)


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


# ---- what holds everywhere -----------------------------------------------------------------------------------------


def _array(items: Any, name: str, one: Callable[[Any], Broken]) -> Broken:
    if not isinstance(items, list | tuple) or not items:
        yield name, "must be an array that is not empty"
        return
    for number, item in enumerate(items):
        yield from _at(f"{name}[{number}]", one(item))


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
