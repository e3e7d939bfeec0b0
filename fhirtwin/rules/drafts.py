"""Reads draft orders of medicines: what can be judged, and what cannot, with the reason.

A draft is read like an order that is stored, by codes (`fhirtwin.twin.medicines`). One that has no code at all is read
by its text where that is exactly the name of one ingredient, and findings say so: whoever writes the order sees it.
Orders of other things than medicines are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.rules.situation import Medicine, Order
from fhirtwin.terms import drugs
from fhirtwin.twin.medicines import NO_CODE, Named, named, with_medication
from fhirtwin.twin.reading import forbidden, items, text

Resource = Mapping[str, Any]

OVER: Final = frozenset({"entered-in-error", "cancelled", "stopped", "completed"})
"""Statuses of requests that nobody is about to sign."""


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A draft, or a part of one, that no rule looked at.

    Attributes:
        reference: `Type/id` of the draft; `draft 2` when it has no id.
        display: what the draft calls the medicine; may be empty. It is the client's text, for people only.
        reason: why, without patient data.
    """

    reference: str
    display: str
    reason: str


@dataclass(frozen=True, slots=True)
class Drafts:
    """What came of the drafts of a call.

    Attributes:
        orders: those of which at least one ingredient is known, in the order they were sent.
        unjudged: those, or parts of those, that are not; an order may be in both.
    """

    orders: tuple[Order, ...]
    unjudged: tuple[Unjudged, ...]


def read(resources: Iterable[Resource]) -> Drafts:
    """Read the resources of a Bundle of drafts; Medications among them are what its orders may refer to.

    Args:
        resources: valid R4, in the Bundle's order.
    """
    given = tuple(resources)
    medications = {str(m["id"]): m for m in given if m.get("resourceType") == "Medication" and "id" in m}

    def find(_: str, id_: str) -> Resource | None:
        return medications.get(id_)

    orders: list[Order] = []
    unjudged: list[Unjudged] = []
    for number, resource in enumerate(given, start=1):
        if resource.get("resourceType") != "MedicationRequest":
            continue
        draft = with_medication(resource, find)
        reference = f"MedicationRequest/{draft['id']}" if text(draft, "id") else f"draft {number}"
        found = Named(reason=refused) if (refused := _unfit(draft)) else _named(draft)
        if found.ingredients:
            orders.append(Order(reference, _medicine(found), _route(draft)))
        if found.unread:
            unjudged.append(Unjudged(reference, called(draft), found.unread))
    return Drafts(tuple(orders), tuple(unjudged))


def _named(draft: Resource) -> Named:
    found = named(draft)
    concept = draft.get("medicationCodeableConcept")
    if found.unread != NO_CODE or not isinstance(concept, dict) or any(items(concept, "coding")):
        return found
    by_name = drugs.by_name(text(concept, "text"))
    return Named((), (by_name,)) if by_name.ingredients else found


def _unfit(draft: Resource) -> str:
    if reason := forbidden(draft):
        return reason
    if draft.get("doNotPerform") is True:
        return "it asks that the medicine is not given (doNotPerform)"
    return "its status says that it is over" if text(draft, "status") in OVER else ""


def _medicine(found: Named) -> Medicine:
    ingredients = tuple(sorted(found.ingredients, key=drugs.name_of))
    notes = {read.note for read in found.ingredients.values() if read.note}
    return Medicine(ingredients, " / ".join(map(drugs.name_of, ingredients)), "; ".join(sorted(notes)))


def called(resource: Resource) -> str:
    """What an order calls its medicine, or another resource what it is about, in the client's words; may be empty."""
    concepts = [resource.get("medicationCodeableConcept"), resource.get("code")]
    concepts += [contained.get("code") for contained in items(resource, "contained")]
    return next((words for concept in concepts for words in _words(concept) if words), "") or text(
        resource.get("medicationReference"), "display"
    )


def _words(concept: Any) -> Iterator[str]:
    yield text(concept, "text")
    yield from (text(coding, "display") for coding in items(concept, "coding"))


def _route(draft: Resource) -> str:
    dosage = next(items(draft, "dosageInstruction"), {})
    return next((text(coding, "code") for coding in items(dosage.get("route"), "coding")), "")
