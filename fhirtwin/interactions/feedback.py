"""feedback: `POST {base}/cds-services/[id]/feedback`: keep what users made of cards, all of a body or nothing.

*Source*: https://cds-hooks.hl7.org/2.0/#feedback.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fhirtwin.access import Caller, permit
from fhirtwin.errors import Incorrect, Issue, Unprocessable
from fhirtwin.fhir.search.folding import microseconds
from fhirtwin.intake import feedback as intake
from fhirtwin.intake.feedback import Item
from fhirtwin.interactions.context import Services
from fhirtwin.store.advice import Advice, Feedback, GivenCard, OutcomeCount, day_of

CLOCKS: Final = timedelta(minutes=5)
"""How far the client's clock and ours may be apart."""


def feedback(services: Services, caller: Caller, service: str, body: Mapping[str, Any]) -> None:
    """Keep the feedback of a body; an item that was sent before is kept once.

    Args:
        services: the parts.
        caller: the client; cards that were given to another are unknown to it.
        service: id of the CDS service.
        body: what was sent.

    Raises:
        Forbidden: the caller may not.
        Incorrect: an item is not as CDS Hooks defines it; every one is named, with what else is wrong.
        Unprocessable: a card is not known, was not given before the user acted, or offered no such suggestion or
            reason; every one is named.
    """
    permit(caller, "operation")
    items, issues = intake.read(body, services.settings.max_feedback_items)
    now = services.now()
    if issues:
        with services.store.snapshot() as reader:
            issues += _unfit(reader.advice, items, service, caller, now)
        raise Incorrect("The feedback is not as CDS Hooks defines it; nothing was kept.", issues=issues)
    with services.store.write() as write:
        if unfit := _unfit(write.advice, items, service, caller, now):
            raise Unprocessable("The feedback does not fit the cards; nothing was kept.", issues=unfit)
        _keep(write.advice, items, service, caller, now)


def _unfit(advice: Advice, items: Iterable[Item], service: str, caller: Caller, now: datetime) -> list[Issue]:
    """What does not fit the cards that were given."""
    items = list(items)
    cards = advice.find({item.card for item in items})
    return [issue for item in items for issue in _judged(item, cards.get(item.card), service, caller, now)]


def _judged(item: Item, card: GivenCard | None, service: str, caller: Caller, now: datetime) -> Iterator[Issue]:
    if card is None or (card.service, card.caller) != (service, caller.id):
        text = "This service has given you no such card, or it was so long ago that the card is not kept any more."
        yield Issue("not-found", text, (f"{item.place}.card",))
        return
    if set(item.suggestions) - set(card.suggestions):
        text = "The card had no suggestion with one of these ids."
        yield Issue("not-found", text, (f"{item.place}.acceptedSuggestions",))
    if item.reason is not None and item.reason not in card.reasons:
        text = "The card offered no such override reason; what it did not offer goes into `userComment`."
        yield Issue("code-invalid", text, (f"{item.place}.overrideReason.reason",))
    given = datetime.fromtimestamp(card.first_given / 1e6, UTC)
    if not given - CLOCKS <= item.moment <= now + CLOCKS:
        text = "The user cannot have acted before the card was given, nor in the future: is the clock right?"
        yield Issue("value", text, (f"{item.place}.outcomeTimestamp",))


def _keep(advice: Advice, items: Iterable[Item], service: str, caller: Caller, now: datetime) -> None:
    said = {one.digest: one for one in (_feedback(item, service, caller, now) for item in items)}
    before = advice.kept(said)
    new = sorted((one for one in said.values() if one.digest not in before), key=lambda one: one.outcome_time)
    advice.keep(new)
    advice.count_outcomes(_counts(new, service))
    cards = advice.find({one.card for one in new})
    overridden = {card.card: card.overridden for card in cards.values()}
    for one in new:
        overridden[one.card] = _overridden(one, overridden[one.card])
    for card in sorted(overridden):
        advice.mark(card, overridden[card])


def _overridden(one: Feedback, before: int | None) -> int | None:
    """When a card counts as overridden last, after one more item: what the user did last counts."""
    if before is not None and one.outcome_time < before:
        return before
    return one.outcome_time if one.outcome == "overridden" else None


def _feedback(item: Item, service: str, caller: Caller, now: datetime) -> Feedback:
    moment = microseconds(item.moment)
    suggestions = sorted(item.suggestions)
    said = [service, item.card, item.outcome, suggestions, item.reason, item.comment, moment]
    return Feedback(
        digest=hashlib.sha256(json.dumps(said).encode()).hexdigest(),
        card=item.card,
        outcome=item.outcome,
        suggestions=tuple(suggestions),
        reason=item.reason or ("", ""),
        comment=item.comment,
        outcome_time=moment,
        received=microseconds(now),
        caller=caller.id,
    )


def _counts(feedback: Iterable[Feedback], service: str) -> list[OutcomeCount]:
    counted = Counter((day_of(one.outcome_time), one.outcome, one.reason) for one in feedback)
    return [OutcomeCount(service, *key, number) for key, number in counted.items()]
