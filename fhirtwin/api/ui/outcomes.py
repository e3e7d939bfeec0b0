"""What a user did with a card, as feedback to its service.

Source: https://cds-hooks.hl7.org/2.0/#feedback
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from fhirtwin.errors import Incorrect

ACCEPT: Final = "accepted"
OVERRIDE: Final = "overridden"


def feedback(form: Mapping[str, str], answer: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Read which button was pressed: id of the card, the outcome, and the body to send.

    Args:
        form: `act` is `accepted CARD SUGGESTION` or `overridden CARD`, as a button says it.
        answer: the answer that the card was in, for the reason that was chosen.

    Raises:
        Incorrect: no button of ours says that.
    """
    match form.get("act", "").split(" "):
        case ["accepted", card, suggestion] if card and suggestion:
            item: dict[str, Any] = {"acceptedSuggestions": [{"id": suggestion}]}
            outcome = ACCEPT
        case ["overridden", card] if card:
            item, outcome = _overridden(form, answer, card), OVERRIDE
        case _:
            raise Incorrect("Press one of the buttons of a card.")
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return card, outcome, {"feedback": [{"card": card, "outcome": outcome, **item, "outcomeTimestamp": at}]}


def _overridden(form: Mapping[str, str], answer: Mapping[str, Any], card: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    chosen, comment = form.get(f"reason-{card}", ""), form.get(f"comment-{card}", "").strip()
    if chosen:
        said["reason"] = _reason(answer, card, chosen)
    if comment:
        said["userComment"] = comment
    return {"overrideReason": said} if said else {}


def _reason(answer: Mapping[str, Any], card: str, chosen: str) -> Any:
    cards = answer.get("cards")
    for each in cards if isinstance(cards, list) else ():
        reasons = each.get("overrideReasons", []) if isinstance(each, dict) and each.get("uuid") == card else []
        if chosen.isascii() and chosen.isdecimal() and len(chosen) < 4 and int(chosen) < len(reasons):
            return reasons[int(chosen)]
    raise Incorrect("The card offers no such reason.")
