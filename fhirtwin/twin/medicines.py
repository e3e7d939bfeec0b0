"""What medicine a request or a statement names: its codes, or those of its Medication, never its text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from fhirtwin.fhir import references
from fhirtwin.terms import concepts
from fhirtwin.twin.mapper import Resource
from fhirtwin.twin.reading import codings, items, text, unused
from fhirtwin.twin.state import Fact, Mapped, Source

UNKNOWN_MEDICINE: Final = "it is taken now, and the Medication it refers to is not in the record"
"""Why a medicine of today is not used: no class of medicines can be said to be absent beside it."""

_INSIDE: Final = "the-medication"


def with_medication(resource: Resource, find: Callable[[str, str], Resource | None]) -> Resource:
    """Give a resource with the Medication that it refers to inside, as mappers read it.

    Args:
        resource: any; only a MedicationRequest and a MedicationStatement may change.
        find: gives the Medication of a base URL (empty when the reference is relative) and an id, or None.

    Returns:
        A copy with the Medication contained; the resource itself where there is nothing to find.
    """
    reference = text(resource.get("medicationReference"), "reference")
    if resource.get("resourceType") not in ("MedicationRequest", "MedicationStatement") or not reference:
        return resource
    named = references.parse(reference)
    medication = find(named.base, named.id) if named.type == "Medication" and named.id else None
    if medication is None:
        return resource
    contained = [*items(resource, "contained"), {**medication, "id": _INSIDE}]
    return {**resource, "contained": contained, "medicationReference": {"reference": f"#{_INSIDE}"}}


def medicine_facts(resource: Resource, source: Source, *, time: str, end: str, active: bool) -> Mapped:
    """Give a flag for each class of medicine that a resource's `medication[x]` belongs to.

    Args:
        resource: a MedicationRequest or MedicationStatement.
        source: where it came from.
        time: when taking it began, as FHIR text; empty when not told.
        end: when it ended, likewise.
        active: whether it is still taken.
    """
    concept = resource.get("medicationCodeableConcept")
    if concept is None:
        medication = _contained(resource)
        if medication is None:
            return unused(source, UNKNOWN_MEDICINE if active else "the Medication it refers to is not in the record")
        if text(medication, "status") == "entered-in-error":
            return unused(source, "its Medication was entered in error")
        known = list(_codes_of(medication))
    else:
        known = list(codings(concept))
    meanings = {m.fact: m for c in known for m in concepts.medicine(c)}
    if not meanings:
        return unused(source, "code not known" if known else "its medicine has no code")
    return Mapped(
        tuple(
            Fact(
                name,
                True,
                (source,),
                time=time,
                end=end,
                active=active,
                system=m.code.system,
                code=m.code.code,
                display=m.display,
            )
            for name, m in sorted(meanings.items())
        )
    )


def _contained(resource: Resource) -> Resource | None:
    reference = text(resource.get("medicationReference"), "reference")
    if not reference.startswith("#"):
        return None
    return next((c for c in items(resource, "contained") if c.get("id") == reference[1:]), None)


def _codes_of(medication: Resource) -> Iterator[concepts.Code]:
    yield from codings(medication.get("code"))
    for ingredient in items(medication, "ingredient"):
        if ingredient.get("isActive") is not False:
            yield from codings(ingredient.get("itemCodeableConcept"))
