"""The invariants of R4 whose breach is an error, each a row of its type: key, wording, and a predicate of the object.

A predicate is asked only of an object whose members are right by themselves, so it may trust their JSON types. Four
kinds of invariant are judged elsewhere: `ele-1` in the validator, `txt-*` in `fhirtwin.fhir.narrative`, `dom-*` and
`ref-1` in `fhirtwin.fhir.contained`. Left out are `sqty-1`, which the table says by cardinality, and `eld-11`, whose
published expression is always true.

*Source*: the constraints of the StructureDefinitions at http://hl7.org/fhir/R4/downloads.html.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhirtwin.fhir.invariants import clinical, conformance, datatypes, records, structures, testing
from fhirtwin.fhir.invariants.rules import Holds, Rule
from fhirtwin.fhir.primitives import Finding
from fhirtwin.fhir.tables import lineage

__all__ = ["RULES", "of"]

RULES: dict[str, tuple[Rule, ...]] = {
    **datatypes.RULES,
    **clinical.RULES,
    **records.RULES,
    **conformance.RULES,
    **structures.RULES,
    **testing.RULES,
}
"""All of them by type or path of a nested element."""


def of(kind: str) -> tuple[tuple[Holds, Finding], ...]:
    """Give the invariants of a type, its bases' included: a predicate, and what to tell where it does not hold.

    Args:
        kind: a type or the path of a nested element, as in the table of R4.
    """
    return tuple(_compiled(kind))


def _compiled(kind: str) -> Iterator[tuple[Holds, Finding]]:
    for name in lineage(kind):
        for rule in RULES.get(name, ()):
            yield rule.make(kind), ("", "invariant", f"{rule.text} ({rule.key})")
