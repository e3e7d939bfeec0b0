"""What the context of a hook holds, one frozen class a hook: a service reads attributes, never JSON of the envelope.

Resources in a context are valid FHIR R4 and shown to be of the call's patient before a service sees them.

Source: https://cds-hooks.hl7.org/hooks/STU1/ (the hook library)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhirtwin.errors import Issue

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """Who sits before the screen, as the client names them.

    Attributes:
        type: resource type, such as `Practitioner`.
        id: logical id on the client's FHIR server.
    """

    type: str
    id: str

    @property
    def reference(self) -> str:
        """As FHIR refers to them: `Practitioner/17`."""
        return f"{self.type}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every hook may tell.

    Attributes:
        members: the context as it was sent; members that the hook does not define are there too, unread.
        user: None where the hook needs none, or a leniency let the call pass without.
        encounter_id: empty when the call is about no encounter.
        unread: what is wrong with resources that a leniency let be set aside; the answer names them on a card.
    """

    members: Mapping[str, Any]
    user: User | None = None
    encounter_id: str = ""
    unread: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread(Context):
    """The one resource that a hook is about was set aside: there is nothing that a service could be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientView(Context):
    """A chart was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterStart(Context):
    """An encounter begins; `encounter_id` is never empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterDischarge(Context):
    """An inpatient encounter ends; `encounter_id` is never empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSelect(Context):
    """Orders are being chosen.

    Attributes:
        selections: the newly selected among the drafts, `Type/id`.
        draft_orders: resources of the Bundle of drafts, in its order; what belongs to no patient comes along.
    """

    selections: tuple[str, ...]
    draft_orders: tuple[Resource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSign(Context):
    """Orders are about to be signed.

    Attributes:
        draft_orders: resources of the Bundle of drafts, in its order; what belongs to no patient comes along.
    """

    draft_orders: tuple[Resource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReview(Context):
    """Orders are reviewed: the deprecated ancestor of `order-sign`."""

    orders: tuple[Resource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDispatch(Context):
    """A performer is chosen for orders.

    Attributes:
        orders: `Type/id` of each (version 1.0 of the hook has one).
        performer: reference of who is to perform them.
        tasks: Tasks that describe the fulfilment, if any.
    """

    orders: tuple[str, ...]
    performer: str
    tasks: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentBook(Context):
    """Appointments are about to be booked."""

    appointments: tuple[Resource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllergyIntoleranceCreate(Context):
    """An allergy is about to be added."""

    allergy: Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationRefill(Context):
    """A refill of medicines is asked for."""

    medications: tuple[Resource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationVerify(Context):
    """A pharmacist is about to verify a signed order."""

    medication: Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationPrescribe(Context):
    """Medicines are being prescribed: the deprecated ancestor of `order-select`."""

    medications: tuple[Resource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemListItemCreate(Context):
    """Problems are about to be added to the list."""

    conditions: tuple[Resource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom(Context):
    """A hook of somebody's own: only `members` has what it says, unread."""
