"""The search parameters of R4, by resource type, as far as writing and asking need to know them.

Read from `search_parameters.json`, which `fhirtwin.fhir.compile_search` makes of the official definitions.

*Source*: http://hl7.org/fhir/R4/searchparameter-registry.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Type of a search parameter (http://hl7.org/fhir/R4/valueset-search-param-type.html)."""

    NUMBER = "number"
    DATE = "date"
    STRING = "string"
    TOKEN = "token"  # noqa: S105 - a word of FHIR
    REFERENCE = "reference"
    COMPOSITE = "composite"
    QUANTITY = "quantity"
    URI = "uri"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a composite: rows of another parameter of the type.

    Attributes:
        parameter: whose rows must match.
        apart: whether its value is not within the element that the other components share, so that its item differs.
    """

    parameter: SearchParameter
    apart: bool = False


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One search parameter of one resource type.

    Attributes:
        number: what index rows are marked with; belongs to (type, name) for good.
        targets: of a reference, the resource types it may point at.
        exact_case: of a token, whether case counts (identifiers), or is folded away (codes).
        implied_system: of a token, whether it reads `code` elements, whose system a binding implies.
        canonical: whether it reads canonicals, so that `|version` of a value that is asked for is looked at.
        components: of a composite.
    """

    type: str
    name: str
    kind: Kind
    number: int
    targets: frozenset[str] = frozenset()
    exact_case: bool = False
    implied_system: bool = False
    canonical: bool = False
    components: tuple[Component, ...] = ()
