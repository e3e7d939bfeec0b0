"""What a CDS service is, and what it is given for one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fhirtwin.access import Caller
from fhirtwin.api.cds.contexts import Context, User
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
        hook_instance: UUID of the firing; the same for every service that the client calls for it. The same call
            with the same instance gets the same answer.
        patient: whom it is about.
        context: the hook's context, of the hook's class in `contexts`.
        prefetched: what the client brought or was fetched, valid; its `resources` are shown to be this patient's.
        caller: who calls, for every interaction to judge.
        parts: store, assessor and settings.
        fhir_server: the client's FHIR base in one spelling (`origin.normalised`); empty when the call names none.
        bases: spellings of the FHIR base URL that references to the patient may start with.
        deadline: when the answer must be there, on the clock of `time.monotonic`.
    """

    hook: str
    hook_instance: str
    patient: PatientKey
    context: Context
    prefetched: Prefetched
    caller: Caller
    parts: Services
    fhir_server: str
    bases: frozenset[str]
    deadline: float

    @property
    def user(self) -> User | None:
        """Who sits before the screen; None where the hook tells nobody."""
        return self.context.user


@dataclass(frozen=True, slots=True)
class Service:
    """One CDS service, as discovery lists it.

    Attributes:
        id: last part of its address; lower-case letters, digits and hyphens.
        hooks: names of the hooks it is for; a client may call it by the same address for each of them.
        title: for people, short; also how an answer names advice that is missing.
        description: what it does, in a sentence or two.
        prefetch: templates by key; one that names hooks is for those only.
        handler: from a call to what it is answered with. It runs in a thread of its own and is cut off at `budget`.
        usage_requirements: what a client must see to before it uses the service, for people.
        extension: of its entry in discovery.
        budget: seconds that it may take; None means the setting `cds_budget_seconds`.
    """

    id: str
    hooks: tuple[str, ...]
    title: str
    description: str
    prefetch: Mapping[str, Template]
    handler: Callable[[Call], Response]
    usage_requirements: str = ""
    extension: Mapping[str, Any] = field(default_factory=dict)
    budget: float | None = None

    def templates(self, hook: str) -> dict[str, Template]:
        """The templates for one of its hooks, by key."""
        return {key: template for key, template in self.prefetch.items() if template.serves(hook)}
