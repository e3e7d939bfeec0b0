"""What medicine a request or a statement names: its codes, or a contained Medication's, never its text."""

from __future__ import annotations

from collections.abc import Iterator

from fhirtwin.terms import concepts
from fhirtwin.twin.mapper import Resource
from fhirtwin.twin.reading import codings, items, text, unused
from fhirtwin.twin.state import Fact, Mapped, Source


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
            return unused(source, "the Medication it refers to is not contained in it")
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
