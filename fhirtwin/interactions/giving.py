"""Gives the cards of a service to a user: notes them, so that feedback finds them, and holds back what was overridden.

A card that its user overrode is not shown to them again for a time: the same user, patient, service and finding. The
uuid that a service gives a card is of its finding and of the data behind it, so when the data change it is another
card, which is shown. What is critical is always shown, and so are cards that tell of a failure.

The client gets another uuid than the service gave: of that one, of what the card offers, and of user, patient and
client. So feedback, which names nobody, tells whose it is; and the same finding keeps its uuid for the same user.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from fhirtwin.errors import Busy, InsufficientStorage, TooCostly, Unavailable
from fhirtwin.fhir.search.folding import microseconds
from fhirtwin.interactions.context import Services
from fhirtwin.store.advice import DAY, Advice, CallCount, GivenCard, day_of
from fhirtwin.twin.state import PatientKey

_NAMESPACE: Final = uuid.UUID("6b0c1e0a-55a5-5c7e-9f5b-0a7c5d1b7a52")
_HOUR: Final = 3_600_000_000  # microseconds
_NOT_NOTED: Final = (Busy, InsufficientStorage, TooCostly, Unavailable)

_log = logging.getLogger("fhirtwin.cds")

Card = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is given cards.

    Attributes:
        service: id of the CDS service.
        hook: name of the hook that fired.
        caller: id of the client.
        patient: whom the cards are about.
        user: `Type/id` of who sits before the screen; empty where the hook tells nobody, who then overrides for nobody.
    """

    service: str
    hook: str
    caller: str
    patient: PatientKey
    user: str


@dataclass(frozen=True, slots=True)
class Given:
    """What goes out.

    Attributes:
        cards: in their order; without uuids where they could not be noted, for then no feedback can be taken.
        quietened: uuids of those that were held back, with the moment at which each comes back.
        noted: whether the cards were noted.
    """

    cards: tuple[Card, ...]
    quietened: tuple[tuple[str, datetime], ...] = ()
    noted: bool = True


def give(services: Services, to: Audience, cards: Sequence[Card], lasting: Collection[str]) -> Given:
    """Note cards and count the call; hold back what its user overrode.

    A store that cannot take notes in half a second keeps nobody's advice back: the cards go out, all of them.

    Args:
        services: the parts.
        to: who gets them.
        cards: as the service made them; one without a uuid can be neither overridden nor accepted.
        lasting: uuids of cards that are shown whatever was overridden: those that tell of a failure.
    """
    now = microseconds(services.now())
    made = [_addressed(card, to) for card in cards]
    try:
        with services.store.note() as advice:
            return _noted(services, to, list(zip(cards, made, strict=True)), lasting, advice, now)
    except _NOT_NOTED as error:
        _log.warning("cards of %s could not be noted, so they take no feedback: %s", to.service, error)
        return Given(tuple({name: card[name] for name in card if name != "uuid"} for card in cards), noted=False)


def count_unanswered(services: Services, service: str, status: int) -> None:
    """Count a call that was answered with an error.

    Args:
        services: the parts.
        service: id of the CDS service.
        status: of HTTP.
    """
    day = day_of(microseconds(services.now()))
    count = CallCount(service, day, failed=1) if status >= 500 else CallCount(service, day, refused=1)
    try:
        with services.store.note() as advice:
            advice.count_call(count)
    except _NOT_NOTED as error:
        _log.warning("an error of %s could not be counted: %s", service, error)


def _addressed(card: Card, to: Audience) -> Card:
    """A card under the uuid that it has for this user; the same as long as all it says and offers is."""
    if "uuid" not in card:
        return card
    whom = (to.service, to.caller, to.patient.origin, to.patient.id, to.user)
    what = (card["uuid"], card["indicator"], _suggestions(card), _reasons(card))
    return {**card, "uuid": str(uuid.uuid5(_NAMESPACE, repr((whom, what))))}


def _noted(
    services: Services,
    to: Audience,
    cards: Sequence[tuple[Card, Card]],
    lasting: Collection[str],
    advice: Advice,
    now: int,
) -> Given:
    """Write what `give` says, of pairs of a card as it was made and as it is addressed."""
    given = {one["uuid"]: _given(card, one, to, now) for card, one in cards if "uuid" in one}
    known = advice.find(given)
    quiet = {
        id_: until
        for id_, card in known.items()
        if (until := _quiet_until(card, services)) > now and given[id_].finding not in lasting
    }
    shown = tuple(one for _, one in cards if one.get("uuid") not in quiet)
    _keep(services, advice, given, known, now)
    counted = CallCount(to.service, day_of(now), 1, int(not shown), len(shown), len(quiet))
    advice.count_call(counted)
    return Given(shown, tuple((id_, datetime.fromtimestamp(quiet[id_] // 1e6, UTC)) for id_ in sorted(quiet)))


def _quiet_until(card: GivenCard, services: Services) -> int:
    if card.overridden is None or card.indicator == "critical" or not card.user:
        return 0
    return card.overridden + round(services.settings.cds_quiet_hours * _HOUR)


def _keep(
    services: Services, advice: Advice, given: Mapping[str, GivenCard], known: Mapping[str, GivenCard], now: int
) -> None:
    new = [card for id_, card in given.items() if id_ not in known]
    advice.give(new)
    advice.give_again([id_ for id_, card in known.items() if card.last_given < now - DAY], now)
    if new:  # at least as many go as come, so that what is too old does not gather
        advice.forget(now - services.settings.cds_card_days * DAY, 2 * len(new))


def _given(made: Card, addressed: Card, to: Audience, now: int) -> GivenCard:
    return GivenCard(
        card=addressed["uuid"],
        service=to.service,
        hook=to.hook,
        finding=made["uuid"],
        indicator=made["indicator"],
        patient=to.patient,
        user=to.user,
        caller=to.caller,
        suggestions=_suggestions(made),
        reasons=_reasons(made),
        first_given=now,
        last_given=now,
    )


def _suggestions(card: Card) -> tuple[str, ...]:
    return tuple(one["uuid"] for one in card.get("suggestions", ()) if "uuid" in one)


def _reasons(card: Card) -> tuple[tuple[str, str], ...]:
    return tuple((one["system"], one["code"]) for one in card.get("overrideReasons", ()))
