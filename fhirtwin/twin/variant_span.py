"""Where a stored Variant lies on its reference sequence, and whether it is there: what a search by range asks.

*Source*: https://hl7.org/fhir/uv/genomics-reporting/STU3/StructureDefinition-variant.html.
"""

from __future__ import annotations

from typing import Any, Final

from fhirtwin.pgx.span import Span
from fhirtwin.terms.systems import LOINC
from fhirtwin.twin.reading import FINAL, code_in, forbidden, items, text

VARIANT: Final = "69548-6"
"""LOINC code of a genetic variant."""
PRESENT, ABSENT = "LA9633-4", "LA9634-2"
_SEQUENCE, _EXACT, _SYSTEM, _REFERENCE, _SOURCE = "48013-7", "81254-5", "92822-6", "69547-8", "48002-0"
_FIRST: Final = {"LA30100-4": 0, "LA30102-0": 1}
"""What the first position is called: interval counting begins with 0, character counting with 1."""
CLASSES: Final = {"germline": "LA6683-2", "somatic": "LA6684-0"}


def usable(resource: dict[str, Any]) -> bool:
    """Whether a Variant says something that holds."""
    return text(resource, "status") in FINAL and forbidden(resource) is None


def there(resource: dict[str, Any]) -> bool | None:
    """Whether the variant was found; None where that is not told, or was not called."""
    return {PRESENT: True, ABSENT: False}.get(code_in(resource.get("valueCodeableConcept"), LOINC))


def source_class(resource: dict[str, Any]) -> str:
    """LOINC's answer for germline or somatic; empty where it is not told."""
    return code_in(_component(resource, _SOURCE).get("valueCodeableConcept"), LOINC)


def span(resource: dict[str, Any]) -> Span | None:
    """Give where it lies; None where sequence, counting or start is not told, or makes no sense."""
    sequence = _component(resource, _SEQUENCE).get("valueCodeableConcept")
    accession = next((text(one, "code") for one in items(sequence, "coding")), "") or text(sequence, "text")
    first = _FIRST.get(code_in(_component(resource, _SYSTEM).get("valueCodeableConcept"), LOINC))
    exact = _component(resource, _EXACT).get("valueRange")
    low = _whole(exact, "low")
    if not accession or first is None or low is None or low < first:
        return None
    high = _whole(exact, "high")
    bases = text(_component(resource, _REFERENCE), "valueString")
    if bases:
        return Span(accession, low - first, low - first + len(bases))
    # Both ways of counting name the same end: the last position of one is the limit of the other.
    return Span(accession, low - first, high) if high is not None and high >= low - first else None


def _component(resource: dict[str, Any], code: str) -> dict[str, Any]:
    found = [one for one in items(resource, "component") if code_in(one.get("code"), LOINC) == code]
    return found[0] if len(found) == 1 else {}


def _whole(exact: Any, name: str) -> int | None:
    value = exact.get(name, {}).get("value") if isinstance(exact, dict) else None
    return int(value) if value is not None and 0 <= value < 10**10 and value == int(value) else None
