"""Feedback of a CDS client becomes what users made of which cards; every fault is named, with its place.

Source: https://cds-hooks.hl7.org/2.0/#feedback
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fhirtwin.errors import Issue

OUTCOMES: Final = ("accepted", "overridden")

_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT: Final = re.compile(r"(?i)\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]00:00)", re.ASCII)
_FIELD: Final = "feedback"
_Fault = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """What one user made of one card.

    Attributes:
        place: where it stands in the body.
        card: uuid of the card, in lower case.
        outcome: one of `OUTCOMES`.
        suggestions: ids of those that were accepted.
        reason: system and code of the reason that was chosen; None where none was.
        comment: what the user wrote; empty where nothing.
        moment: when the user acted, aware, in UTC.
    """

    place: str
    card: str
    outcome: str
    suggestions: tuple[str, ...]
    reason: tuple[str, str] | None
    comment: str
    moment: datetime


def read(body: Mapping[str, Any], most: int) -> tuple[list[Item], list[Issue]]:
    """Read a body; members that CDS Hooks does not define are passed over.

    Args:
        body: decoded JSON.
        most: items that one body may have.

    Returns:
        The items that are as they should be, and what is wrong with the others.
    """
    sent = body.get(_FIELD)
    if not isinstance(sent, list) or not sent:
        return [], [Issue("required", "`feedback` must be an array with at least one item.", (_FIELD,))]
    if len(sent) > most:
        return [], [
            Issue("too-long", f"`feedback` may have at most {most} items (FHIRTWIN_MAX_FEEDBACK_ITEMS).", (_FIELD,))
        ]
    items, issues = [], []
    for number, one in enumerate(sent):
        place = f"{_FIELD}[{number}]"
        faults = list(_faults(one))
        if faults:
            issues += [Issue("invalid", text, (f"{place}{where}",)) for where, text in faults]
        else:
            items.append(_item(place, one))
    return items, issues


def _item(place: str, one: Mapping[str, Any]) -> Item:
    why = one.get("overrideReason", {})
    reason = why.get("reason")
    return Item(
        place,
        one["card"].lower(),
        one["outcome"],
        tuple(dict.fromkeys(accepted["id"] for accepted in one.get("acceptedSuggestions", ()))),
        (reason["system"], reason["code"]) if reason else None,
        why.get("userComment", ""),
        _moment(one["outcomeTimestamp"]),
    )


def _faults(one: Any) -> Iterator[_Fault]:
    if not isinstance(one, dict):
        yield "", "An item of `feedback` must be an object."
        return
    if not _UUID.fullmatch(_text(one.get("card"))):
        yield ".card", "`card` must be the uuid of a card, as it was sent with the card."
    if one.get("outcome") not in OUTCOMES:
        yield ".outcome", "`outcome` must be `accepted` or `overridden`."
    yield from _suggestion_faults(one)
    if "overrideReason" in one:
        yield from _reason_faults(one)
    if not _is_moment(one.get("outcomeTimestamp")):
        yield (
            ".outcomeTimestamp",
            "`outcomeTimestamp` must be a moment in UTC as RFC 3339 has it: 2026-01-31T08:30:00Z.",
        )


def _suggestion_faults(one: Mapping[str, Any]) -> Iterator[_Fault]:
    there, accepted = "acceptedSuggestions" in one, one.get("outcome") == "accepted"
    if there != accepted:
        wanted = "must be there" if accepted else "must only be there"
        yield ".acceptedSuggestions", f"`acceptedSuggestions` {wanted} when `outcome` is `accepted`."
    if not there:
        return
    given = one["acceptedSuggestions"]
    if not isinstance(given, list) or not given:
        yield ".acceptedSuggestions", "`acceptedSuggestions` must be an array with at least one item."
        return
    for number, suggestion in enumerate(given):
        if not isinstance(suggestion, dict) or not _text(suggestion.get("id")):
            yield (
                f".acceptedSuggestions[{number}].id",
                "An accepted suggestion must have the `id` that it was sent with.",
            )


def _reason_faults(one: Mapping[str, Any]) -> Iterator[_Fault]:
    if one.get("outcome") == "accepted":
        yield ".overrideReason", "`overrideReason` must only be there when `outcome` is `overridden`."
    why = one["overrideReason"]
    if not isinstance(why, dict) or not ({"reason", "userComment"} & why.keys()):
        yield ".overrideReason", "`overrideReason` must be an object with `reason`, `userComment` or both."
        return
    if "userComment" in why and not _text(why["userComment"]):
        yield ".overrideReason.userComment", "`userComment` must be text; leave it out when there is none."
    if "reason" in why:
        reason = why["reason"]
        if not isinstance(reason, dict) or not (_text(reason.get("code")) and _text(reason.get("system"))):
            yield ".overrideReason.reason", "`reason` must be a Coding with `code` and `system`."


def _text(value: Any) -> str:
    """Text that is not blank; else an empty one."""
    return value if isinstance(value, str) and value.strip() else ""


def _is_moment(value: Any) -> bool:
    if not _MOMENT.fullmatch(_text(value)):
        return False
    try:
        _moment(value)
    except ValueError:
        return False
    return True


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.upper())
