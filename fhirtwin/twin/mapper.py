"""What a mapper is: one resource type in, facts and what was not used out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fhirtwin.twin.state import Mapped, Source

Resource = Mapping[str, Any]
"""A decoded FHIR resource; numbers are `int` or `Decimal`."""


@dataclass(frozen=True, slots=True)
class Mapper:
    """Reads resources of one type.

    Attributes:
        type: the FHIR resource type it reads.
        facts: names of the facts it may make, all of `fhirtwin.terms.facts`.
        read: resource and where it came from to facts; pure, and it never raises for a resource that is valid R4.
    """

    type: str
    facts: frozenset[str]
    read: Callable[[Resource, Source], Mapped]
