"""Patient: sex, birth date and death.

`sex` is `Patient.gender`, and only where that is `female` or `male`: the equations have one set of coefficients for
each and none for anything else, so `other` and `unknown` give no sex, and no guess.

A Patient who was replaced by another gives nothing: http://hl7.org/fhir/R4/valueset-link-type.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fhirtwin.fhir import references
from fhirtwin.twin.mapper import Mapper, Resource
from fhirtwin.twin.reading import forbidden, text, unused
from fhirtwin.twin.state import Fact, Mapped, Source, Unused

SEXES: Final = ("female", "male")
OTHER_GENDER: Final = "gender is other or unknown, so there is no sex to use"


def read(resource: Resource, source: Source) -> Mapped:
    """Read sex, birth date and death of one Patient."""
    reason = forbidden(resource)
    if reason:
        return unused(source, reason)
    if references.replaced_by(resource):
        return unused(source, "the patient was replaced by another, as Patient.link says")
    return Mapped(tuple(_facts(resource, source)), tuple(_unused(resource, source)))


def _facts(resource: Resource, source: Source) -> Iterator[Fact]:
    gender, born = text(resource, "gender"), text(resource, "birthDate")
    if gender in SEXES:
        yield Fact("sex", gender, (source,))
    if born:
        yield Fact("birth-date", born, (source,), time=born)
    died = text(resource, "deceasedDateTime")
    if died or resource.get("deceasedBoolean") is True:
        yield Fact("deceased", True, (source,), time=died)


def _unused(resource: Resource, source: Source) -> Iterator[Unused]:
    gender = text(resource, "gender")
    if gender not in SEXES:
        yield Unused(source, OTHER_GENDER if gender else "gender is not given, so there is no sex to use")
    if not text(resource, "birthDate"):
        yield Unused(source, "birth date is not given, so there is no age")


MAPPER = Mapper("Patient", frozenset({"sex", "birth-date", "deceased"}), read)
