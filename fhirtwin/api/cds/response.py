"""Checks what a service answers: nothing leaves that breaks the rules of CDS Hooks.

Source: https://cds-hooks.hl7.org/2.0/#cds-service-response
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fhirtwin.errors import Fault
from fhirtwin.report.cards import INDICATORS
from fhirtwin.report.wording import SUMMARY_LENGTH

_MEMBERS: Final = frozenset(
    {"uuid", "summary", "detail", "indicator", "source", "links", "extension"}
    | {"suggestions", "selectionBehavior", "overrideReasons"}
)
_URL: Final = re.compile(r"https?://[^\s/]+\S*")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def check(service: str, cards: Sequence[Mapping[str, Any]]) -> None:
    """Let an answer pass, or none of it.

    Raises:
        Fault: a card breaks a rule; the text names the service, the place and the rule.
    """
    for number, card in enumerate(cards):
        for place, rule in _broken(card):
            raise Fault(f"CDS service {service} made an answer that must not leave: cards[{number}].{place} {rule}.")


def _broken(card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in card.items():
        if name not in _MEMBERS:
            yield name, "is not defined by CDS Hooks"
        if value in (None, "", [], {}):
            yield name, "must be left out when there is nothing to put there"
    if not _is_text(card.get("summary")) or len(card["summary"]) > SUMMARY_LENGTH:
        yield "summary", f"must be text of 1 to {SUMMARY_LENGTH} characters"
    if card.get("indicator") not in INDICATORS:
        yield "indicator", f"must be one of {', '.join(INDICATORS)}"
    if "uuid" in card and not _UUID.fullmatch(str(card["uuid"])):
        yield "uuid", "must be a UUID"
    yield from _broken_source(card.get("source"))
    yield from _broken_links(card)
    yield from _broken_suggestions(card)


def _broken_source(source: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(source, Mapping) or not _is_text(source.get("label")):
        yield "source.label", "must be text"
        return
    if "url" in source and not _URL.fullmatch(str(source["url"])):
        yield "source.url", "must be an absolute URL"
    topic = source.get("topic")
    if topic is not None and not (_is_text(topic.get("code")) and _is_text(topic.get("system"))):
        yield "source.topic", "must have code and system"


def _broken_links(card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for number, link in enumerate(card.get("links", ())):
        if not _is_text(link.get("label")) or link.get("type") not in ("absolute", "smart"):
            yield f"links[{number}]", "must have a label, and the type absolute or smart"
        if not _URL.fullmatch(str(link.get("url"))):
            yield f"links[{number}].url", "must be an absolute URL"
        if "appContext" in link and link.get("type") != "smart":
            yield f"links[{number}].appContext", "must only be there with the type smart"


def _broken_suggestions(card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "suggestions" not in card:
        return
    if card.get("selectionBehavior") not in ("at-most-one", "any"):
        yield "selectionBehavior", "must be at-most-one or any when there are suggestions"
    if not all(_is_text(suggestion.get("label")) for suggestion in card["suggestions"]):
        yield "suggestions", "must each have a label"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""
