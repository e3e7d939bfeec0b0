"""What a CDS service is, and what it is given for one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhirtwin.access import Caller
from fhirtwin.intake.prefetch import Prefetched, Template
from fhirtwin.interactions.context import Services
from fhirtwin.twin.state import PatientKey

Card = Mapping[str, Any]


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
        hook: name of the hook it is for.
        title: for people, short.
        description: what it does, in a sentence or two.
        prefetch: templates by key.
        handler: a call to the cards it is answered with; an empty list means that there is nothing to say.
    """

    id: str
    hook: str
    title: str
    description: str
    prefetch: Mapping[str, Template]
    handler: Callable[[Call], Sequence[Card]]

    def discovery(self) -> dict[str, Any]:
        """Its entry in the answer of discovery."""
        return {
            "hook": self.hook,
            "title": self.title,
            "description": self.description,
            "id": self.id,
            "prefetch": {key: template.query for key, template in self.prefetch.items()},
        }
