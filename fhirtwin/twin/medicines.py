"""What medicine a request or a statement names: its codes, or those of its Medication, never its text.

A display is looked at in one case only, which `fhirtwin.terms.drugs.naming` describes and defends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fhirtwin.fhir import references
from fhirtwin.terms import concepts, drugs
from fhirtwin.terms.systems import RXNORM
from fhirtwin.twin.mapper import Resource
from fhirtwin.twin.reading import FORBIDDEN, codings, items, text, unused
from fhirtwin.twin.state import Fact, Mapped, Source

UNKNOWN_MEDICINE: Final = "it is taken now, and the Medication it refers to is not in the record"
"""Why a medicine of today is not used: no class of medicines can be said to be absent beside it."""

ABSENT: Final = "the Medication it refers to is not in the record"
"""Why a medicine cannot be read that refers to a Medication nobody has."""

CLASS_ONLY: Final = "its class is known, its ingredients are not"
"""Why a medicine cannot be weighed against others that is still counted as a statin or an antihypertensive."""

NOT_KNOWN: Final = "code not known"
NO_CODE: Final = "its medicine has no code"
CONFLICT: Final = "its codes mean different medicines"

STATUS_UNKNOWN: Final = "whether it is taken is not known (status unknown)"

GAPS: Final = frozenset({UNKNOWN_MEDICINE, CLASS_ONLY, NOT_KNOWN, NO_CODE, CONFLICT, STATUS_UNKNOWN, *FORBIDDEN})
"""Reasons that leave something that may be taken today, and that nothing can be weighed against."""

OF_THE_PAST: Final = ", of a medicine that is past"
"""What the reason ends with when the medicine is no longer taken."""

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
    target = references.parse(reference)
    medication = find(target.base, target.id) if target.type == "Medication" and target.id else None
    if medication is None:
        return resource
    contained = [*items(resource, "contained"), {**medication, "id": _INSIDE}]
    return {**resource, "contained": contained, "medicationReference": {"reference": f"#{_INSIDE}"}}


@dataclass(frozen=True, slots=True)
class Named:
    """What `medication[x]` names.

    Attributes:
        codes: every coding, also those that nothing here knows.
        read: for the medicine itself, or for each active ingredient of its Medication, what its codings come to.
        reason: why it cannot be read; empty when it can be looked at.
    """

    codes: tuple[concepts.Code, ...] = ()
    read: tuple[drugs.Read, ...] = ()
    reason: str = ""

    @property
    def ingredients(self) -> dict[str, drugs.Read]:
        """Each ingredient, by RxNorm code, with how it was read."""
        return {code: one for one in self.read for code in one.ingredients}

    @property
    def unread(self) -> str:
        """Why not everything in the medicine is known; empty when all of it is."""
        if self.reason:
            return self.reason
        if any(one.conflict for one in self.read):
            return CONFLICT
        if not self.read or any(not one.ingredients for one in self.read):
            return NOT_KNOWN if self.codes else NO_CODE
        return ""


def named(resource: Resource) -> Named:
    """Read which medicine a request or statement is for, from codes alone, in `medication[x]` or in its Medication."""
    concept = resource.get("medicationCodeableConcept")
    if concept is not None:
        return Named(tuple(codings(concept)), (drugs.read(_displayed(concept)),))
    medication = _contained(resource)
    if medication is None:
        return Named(reason=ABSENT)
    if text(medication, "status") == "entered-in-error":
        return Named(reason="its Medication was entered in error")
    codes = tuple(_codes_of(medication))
    whole = drugs.read(_displayed(medication.get("code")))
    if whole.ingredients or whole.conflict:
        return Named(codes, (whole,))
    parts = [i for i in items(medication, "ingredient") if i.get("isActive") is not False]
    return Named(codes, tuple(drugs.read(_displayed(part.get("itemCodeableConcept"))) for part in parts))


def medicine_facts(resource: Resource, source: Source, *, time: str, end: str, active: bool) -> Mapped:
    """Give a fact for each ingredient, and a flag for each class of medicine, that `medication[x]` stands for.

    Args:
        resource: a MedicationRequest or MedicationStatement.
        source: where it came from.
        time: when taking it began, as FHIR text; empty when not told.
        end: when it ended, likewise.
        active: whether it is still taken.
    """
    found = named(resource)
    if found.reason == ABSENT:
        return unused(source, UNKNOWN_MEDICINE if active else ABSENT)
    if found.reason:
        return unused(source, found.reason)
    fact = partial(Fact, sources=(source,), time=time, end=end, active=active)
    meanings = {m.fact: m for c in _classes(found) for m in concepts.medicine(c)}
    flags = tuple(
        fact(name, True, system=m.code.system, code=m.code.code, display=m.display)
        for name, m in sorted(meanings.items())
    )
    taken = tuple(_taken(fact, code, one) for code, one in sorted(found.ingredients.items()))
    reason = CLASS_ONLY if flags and not taken else found.unread
    return Mapped((*flags, *taken), unused(source, reason + _past(active)).unused if found.unread else ())


def _past(active: bool) -> str:
    return "" if active else OF_THE_PAST


def _classes(found: Named) -> Iterator[concepts.Code]:
    """Codes by which classes are told: those given, and those of the ingredients they lead to."""
    yield from found.codes
    yield from (concepts.Code(RXNORM, code) for code in found.ingredients)


def _taken(fact: Callable[..., Fact], ingredient: str, read: drugs.Read) -> Fact:
    code = read.code or concepts.Code(RXNORM, ingredient)
    return fact(
        "medicine", ingredient, system=code.system, code=code.code, display=drugs.name_of(ingredient), note=read.note
    )


def _displayed(concept: Any) -> Iterator[tuple[concepts.Code, str]]:
    for coding in items(concept, "coding"):
        system, code = text(coding, "system"), text(coding, "code")
        if system and code:
            yield concepts.Code(system, code), text(coding, "display")


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
