"""What a CDS service is, and what it is given for one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fhirtwin.access import Caller
from fhirtwin.intake.prefetch import Prefetched, Template
from fhirtwin.interactions.context import Services
from fhirtwin.twin.state import PatientKey

Card = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Response:
    """What a service answers with.

    Attributes:
        cards: in the order they are to be shown; none means that there is nothing to say. A card's `uuid` is made of
            its finding and the data behind it: the same for the same, another when the data changed, so that a card
            which was overridden comes back then. Uuids of suggestions are as stable.
        system_actions: what the client shall do unasked, by agreement with it.
        extension: of the response as a whole.
        lasting: uuids of cards that are shown even where their user overrode them: those that tell of a failure.
    """

    cards: Sequence[Card] = ()
    system_actions: Sequence[Mapping[str, Any]] = ()
    extension: Mapping[str, Any] = field(default_factory=dict)
    lasting: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a service, read and checked.

    Attributes:
        hook: name of the hook that fired.
        hook_instance: UUID of the firing; the same for every service that the client calls for it.
        patient: whom it is about.
        context: the hook's context; members that the hook does not define are there too, unread.
        prefetched: what the client brought, valid and shown to be this patient's.
        caller: who calls, for every interaction to judge.
        parts: store, assessor and settings.
    """

    hook: str
    hook_instance: str
    patient: PatientKey
    context: Mapping[str, Any]
    prefetched: Prefetched
    caller: Caller
    parts: Services


@dataclass(frozen=True, slots=True)
class Service:
    """One CDS service, as discovery lists it.

    Attributes:
        id: last part of its address; lower-case letters, digits and hyphens.
        hooks: names of the hooks it is for; a client may call it by the same address for each of them.
        title: for people, short.
        description: what it does, in a sentence or two.
        prefetch: templates by key.
        handler: from a call to what it is answered with.
    """

    id: str
    hooks: tuple[str, ...]
    title: str
    description: str
    prefetch: Mapping[str, Template]
    handler: Callable[[Call], Response]

    def discovery(self) -> list[dict[str, Any]]:
        """Its entries in the answer of discovery, one for each hook."""
        return [
            {
                "hook": hook,
                "title": self.title,
                "description": self.description,
                "id": self.id,
                "prefetch": {key: template.query for key, template in self.prefetch.items()},
            }
            for hook in self.hooks
        ]
