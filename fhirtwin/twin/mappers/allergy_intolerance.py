"""AllergyIntolerance: what the patient is allergic to, or does not tolerate, of medicines.

`code` alone is read: R4 says that it must be safe to ignore `reaction.substance`, which is looked at only where there
is no code. What is refuted or entered in error is no allergy; what is unconfirmed or presumed counts, because a warning
that was not needed does less harm than one that did not come. Codes for "no known allergy" are neither an allergy nor a
gap in the record.

Source: http://hl7.org/fhir/R4/allergyintolerance-definitions.html#AllergyIntolerance.code
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fhirtwin.terms import concepts, drugs
from fhirtwin.terms.concepts import Code
from fhirtwin.terms.systems import ALLERGY_CLINICAL, ALLERGY_VERIFICATION
from fhirtwin.twin.mapper import Mapper, Resource
from fhirtwin.twin.medicines import NOT_KNOWN
from fhirtwin.twin.reading import FORBIDDEN, code_in, codings, forbidden, items, start_of, text, unused
from fhirtwin.twin.state import Fact, Mapped, Source

COUNTS: Final = ("confirmed", "unconfirmed", "presumed")
DENIED: Final = ("refuted", "entered-in-error")
PAST: Final = ("inactive", "resolved")
MEDICAL: Final = frozenset({"medication", "biologic"})
UNKNOWN_STATUS: Final = "its verification or clinical status is not one that is known here"
NO_CODE: Final = "it has no code"
GAPS: Final = frozenset({NOT_KNOWN, NO_CODE, UNKNOWN_STATUS, *FORBIDDEN})
"""Reasons that leave an allergy, perhaps to a medicine, that no order can be checked against."""

CRITICAL: Final = "criticality high"
MILD: Final = "criticality low"
"""What the note of a fact says of `criticality`; nothing when it was not assessed."""

SEVERE: Final = "a severe reaction is recorded"
"""What it says when the severity of a reaction is `severe`."""


def read(resource: Resource, source: Source) -> Mapped:
    """Read one AllergyIntolerance."""
    reason = forbidden(resource) or _unfit(resource)
    if reason:
        return unused(source, reason)
    substances = _substances(resource)
    known = [code for substance in substances for code, _ in substance]
    if any(map(concepts.no_allergy, known)):
        return Mapped()
    values = {value: code for substance in substances for value, code in _values(substance)}
    if not values:
        return unused(source, _unread(resource, known))
    name = "intolerance" if text(resource, "type") == "intolerance" else "allergy"
    return Mapped(
        tuple(
            Fact(
                name,
                value,
                (source,),
                time=start_of(resource, "onset") or text(resource, "recordedDate"),
                active=_clinical(resource) not in PAST,
                system=code.system,
                code=code.code,
                display=_title(value),
                note=_note(resource),
            )
            for value, code in sorted(values.items())
        )
    )


def _note(resource: Resource) -> str:
    """How serious the record says that it is: its criticality, and whether a reaction was severe."""
    criticality = {"high": CRITICAL, "low": MILD}.get(text(resource, "criticality"), "")
    severe = any(text(reaction, "severity") == "severe" for reaction in items(resource, "reaction"))
    return "; ".join(filter(None, (criticality, SEVERE if severe else "")))


def _unfit(resource: Resource) -> str | None:
    verification, clinical = resource.get("verificationStatus"), resource.get("clinicalStatus")
    if verification and (told := code_in(verification, ALLERGY_VERIFICATION)) not in COUNTS:
        return "it is refuted, or was entered in error" if told in DENIED else UNKNOWN_STATUS
    if clinical and _clinical(resource) not in ("active", *PAST):
        return UNKNOWN_STATUS
    return None


def _clinical(resource: Resource) -> str:
    return code_in(resource.get("clinicalStatus"), ALLERGY_CLINICAL)


def _substances(resource: Resource) -> tuple[tuple[tuple[Code, str], ...], ...]:
    """Codings with their displays: of the code, or, where there is none, of each reaction's substance."""
    whole = tuple(_displayed(resource.get("code")))
    if whole:
        return (whole,)
    return tuple(tuple(_displayed(reaction.get("substance"))) for reaction in items(resource, "reaction"))


def _displayed(concept: Any) -> Iterator[tuple[Code, str]]:
    displays = {(text(c, "system"), text(c, "code")): text(c, "display") for c in items(concept, "coding")}
    yield from ((code, displays[code.system, code.code]) for code in codings(concept))


def _values(substance: tuple[tuple[Code, str], ...]) -> Iterator[tuple[str, Code]]:
    """Ingredients or groups; all that the codings say, because each coding of a concept is true of it."""
    for code, _ in substance:
        yield from ((value, code) for value in concepts.allergens(code))
    found = drugs.read(substance)
    if found.code:
        yield from ((ingredient, found.code) for ingredient in found.ingredients)


def _unread(resource: Resource, known: list[Code]) -> str:
    """Why nothing is made of it, and whether it may be about a medicine at all."""
    why = NOT_KNOWN if known else NO_CODE
    categories = resource.get("category")
    told = set(categories) if isinstance(categories, list) and all(isinstance(c, str) for c in categories) else set()
    if (told and MEDICAL.isdisjoint(told)) or (known and all(map(concepts.no_medicine, known))):
        return f"{why}, of something that is no medicine"
    return why + (", of an allergy that is past" if _clinical(resource) in PAST else "")


def _title(value: str) -> str:
    return drugs.GROUPS[value].title if value in drugs.GROUPS else drugs.name_of(value)


MAPPER = Mapper("AllergyIntolerance", frozenset({"allergy", "intolerance"}), read)
