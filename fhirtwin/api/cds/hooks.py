"""Every hook that a service may be for, as one table: the members of its context, and which of them are tokens.

Source: https://cds-hooks.hl7.org/hooks/STU1/ and, for newer hooks, https://build.fhir.org/ig/HL7/cds-hooks-library/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from fhirtwin.api.cds import contexts
from fhirtwin.api.cds.contexts import Context


class Kind(StrEnum):
    """What a member of a context is."""

    USER = "`Type/id` of the user"
    ID = "the bare id of a resource"
    REFERENCE = "a reference, `Type/id`"
    REFERENCES = "an array of references, each `Type/id`"
    BUNDLE = "a Bundle"
    RESOURCE = "a resource"
    RESOURCES = "an array of resources"


_TOKENS: Final = frozenset({Kind.USER, Kind.ID, Kind.REFERENCE})
"""Kinds with a primitive value, which alone may be tokens of a prefetch template."""


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a context.

    Attributes:
        name: in JSON.
        into: attribute of the context's class; one member alone goes into a tuple where the attribute is one.
        required: whether it must be there.
        type: resource type it refers to or is; empty where there are several.
    """

    name: str
    kind: Kind
    into: str
    required: bool = True
    type: str = ""


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook.

    Attributes:
        version: of the hook's definition; empty for a hook of somebody's own.
        context: class that its context becomes.
        fields: members that its definition names, beside `patientId`.
        users: types that `userId` may be of.
        earlier: members of an earlier version, which are read when a call has only those.
    """

    name: str
    version: str
    context: type[Context]
    fields: tuple[Field, ...]
    users: tuple[str, ...]
    earlier: tuple[Field, ...] = ()

    @property
    def tokens(self) -> frozenset[str]:
        """Members that a prefetch template may name, as every call has them or may have them."""
        return frozenset({"patientId", *(field.name for field in self.fields if field.kind in _TOKENS)})

    @property
    def references(self) -> frozenset[str]:
        """Those tokens that are `Type/id`."""
        return frozenset(field.name for field in self.fields if field.kind in (Kind.USER, Kind.REFERENCE))

    def fields_of(self, sent: Mapping[str, Any]) -> tuple[Field, ...]:
        """The members to read: those of the earlier version when the call has those and none of the newer."""
        newer = {field.name for field in self.fields} - {field.name for field in self.earlier}
        older = {field.name for field in self.earlier} - {field.name for field in self.fields}
        return self.earlier if older & sent.keys() and not newer & sent.keys() else self.fields


_STAFF: Final = ("Practitioner", "PractitionerRole")
_ANYBODY: Final = (*_STAFF, "Patient", "RelatedPerson")
_USER: Final = Field("userId", Kind.USER, "user")
_MAYBE_USER: Final = Field("userId", Kind.USER, "user", required=False)
_ENCOUNTER: Final = Field("encounterId", Kind.ID, "encounter_id", type="Encounter")
_MAYBE_ENCOUNTER: Final = Field("encounterId", Kind.ID, "encounter_id", required=False, type="Encounter")
_USUAL: Final = (_USER, _MAYBE_ENCOUNTER)
_PERFORMER: Final = Field("performer", Kind.REFERENCE, "performer")


def _bundle(name: str, into: str) -> Field:
    return Field(name, Kind.BUNDLE, into)


HOOKS: Final[Mapping[str, Hook]] = {
    hook.name: hook
    for hook in (
        Hook("patient-view", "1.0", contexts.PatientView, _USUAL, _ANYBODY),
        Hook(
            "order-select",
            "1.0",
            contexts.OrderSelect,
            (*_USUAL, Field("selections", Kind.REFERENCES, "selections"), _bundle("draftOrders", "draft_orders")),
            _STAFF,
        ),
        Hook("order-sign", "1.0", contexts.OrderSign, (*_USUAL, _bundle("draftOrders", "draft_orders")), _STAFF),
        Hook(
            "order-dispatch",
            "1.1",
            contexts.OrderDispatch,
            (
                Field("dispatchedOrders", Kind.REFERENCES, "orders"),
                _PERFORMER,
                Field("fulfillmentTasks", Kind.RESOURCES, "tasks", required=False, type="Task"),
            ),
            _STAFF,
            earlier=(
                Field("order", Kind.REFERENCE, "orders"),
                _PERFORMER,
                Field("task", Kind.RESOURCE, "tasks", required=False, type="Task"),
            ),
        ),
        Hook("encounter-start", "1.0", contexts.EncounterStart, (_USER, _ENCOUNTER), _STAFF),
        Hook("encounter-discharge", "1.0", contexts.EncounterDischarge, (_USER, _ENCOUNTER), _STAFF),
        Hook(
            "appointment-book",
            "1.0",
            contexts.AppointmentBook,
            (*_USUAL, _bundle("appointments", "appointments")),
            _ANYBODY,
        ),
        Hook(
            "allergyintolerance-create",
            "0.1.0",
            contexts.AllergyIntoleranceCreate,
            (*_USUAL, Field("allergyIntolerance", Kind.RESOURCE, "allergy", type="AllergyIntolerance")),
            _STAFF,
        ),
        Hook(
            "medication-refill",
            "0.1.0",
            contexts.MedicationRefill,
            (_MAYBE_USER, _MAYBE_ENCOUNTER, _bundle("medications", "medications")),
            _STAFF,
        ),
        Hook(
            "medication-verify",
            "0.1.0",
            contexts.MedicationVerify,
            (*_USUAL, Field("medication", Kind.RESOURCE, "medication", type="MedicationRequest")),
            _STAFF,
        ),
        Hook(
            "problem-list-item-create",
            "0.1.0",
            contexts.ProblemListItemCreate,
            (*_USUAL, _bundle("conditions", "conditions")),
            _STAFF,
        ),
        Hook("order-review", "1.0", contexts.OrderReview, (*_USUAL, _bundle("orders", "orders")), _STAFF),
        Hook(
            "medication-prescribe",
            "1.0",
            contexts.MedicationPrescribe,
            (*_USUAL, _bundle("medications", "medications")),
            _STAFF,
        ),
    )
}
"""By name. The last two are deprecated by those who defined them, and still sent."""

_OWN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)


def hook(name: str) -> Hook | None:
    """The hook of this name; one of somebody's own has a reverse-domain name; None for what is neither."""
    if name in HOOKS:
        return HOOKS[name]
    return Hook(name, "", contexts.Custom, (_MAYBE_USER, _MAYBE_ENCOUNTER), _ANYBODY) if _OWN.fullmatch(name) else None
