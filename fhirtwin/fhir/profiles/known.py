"""Which profiles are known: R4's own from the table beside this file, others from whoever calls.

*Source*: http://hl7.org/fhir/R4/profilelist.html, http://hl7.org/fhir/R4/extensibility-registry.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from fhirtwin.fhir.profiles.elements import Profile, tree

R4: Final = "http://hl7.org/fhir/StructureDefinition/"
_VERSIONS: Final = frozenset({"", "4.0", "4.0.0", "4.0.1"})


VITAL_SIGNS: Final = {
    "85353-1": "vitalspanel",
    "9279-1": "resprate",
    "8867-4": "heartrate",
    "2708-6": "oxygensat",
    "8310-5": "bodytemp",
    "8302-2": "bodyheight",
    "9843-4": "headcircum",
    "29463-7": "bodyweight",
    "39156-5": "bmi",
    "85354-9": "bp",
}
"""LOINC codes of Observations that must conform to a profile of R4, whether they claim it or not.
*Source*: http://hl7.org/fhir/R4/observation-vitalsigns.html."""


class Known(Protocol):
    """What a judgement may look up; canonical URLs may end in `|version`."""

    def profile(self, canonical: str) -> Profile | None:
        """Give a compiled profile or extension; None where it is not known.

        Raises:
            Unsupported: it is known and cannot be used; the text says why.
        """
        ...

    def resource(self, type_: str, canonical: str) -> Mapping[str, Any] | None:
        """Give a loaded ValueSet, CodeSystem or Questionnaire; None where none is loaded."""
        ...


class KnownToR4:
    """What R4 itself defines, and nothing else."""

    def profile(self, canonical: str) -> Profile | None:
        """Give a profile or extension of R4."""
        return core(canonical)

    def resource(self, type_: str, canonical: str) -> Mapping[str, Any] | None:
        """Give nothing: R4's value sets are known without."""
        return None


class _Definition(msgspec.Struct):
    type: str
    base: str
    elements: list[dict[str, Any]]
    context: list[str] = []


class _Table(msgspec.Struct, rename="camel"):
    base_constraints: dict[str, str]
    definitions: dict[str, _Definition]


@cache
def _table() -> _Table:
    return msgspec.json.decode(Path(__file__).with_name("r4.json").read_bytes(), type=_Table)


@cache
def base_constraints() -> frozenset[str]:
    """The keys of the constraints of R4's types, which are judged without profiles."""
    return frozenset(_table().base_constraints["all"].split(" "))


def core(canonical: str) -> Profile | None:
    """Give a profile or extension of R4; None for one of another release."""
    url, _, version = canonical.partition("|")
    return _compiled(url) if url in _table().definitions and version in _VERSIONS else None


@cache
def _compiled(url: str) -> Profile:
    row = _table().definitions[url]
    contexts = tuple((kind, expression) for kind, _, expression in (text.partition(" ") for text in row.context))
    return Profile(url, "4.0.1", row.type, row.base, tree(row.elements, row.type), contexts)
