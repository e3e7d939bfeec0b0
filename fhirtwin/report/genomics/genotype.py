"""What is known of one gene as a Genotype, in a form from which the same facts are read again."""

from __future__ import annotations

from typing import Any

from fhirtwin.pgx import naming
from fhirtwin.pgx.results import Known
from fhirtwin.report.genomics import codes
from fhirtwin.terms.systems import LOINC


def _beside(known: Known) -> list[str]:
    return [*([str(known.coverage)] if known.coverage else []), *known.notes]


def genotype(known: Known, subject: str, when: str) -> dict[str, Any]:
    """Write the Observation; a gene that was not called has the reason instead of a value."""
    said = naming.text(known.diplotypes) or naming.EQUAL_CALLS.join(known.reported)
    value = {"valueCodeableConcept": {"text": f"{known.gene} {said}"}}
    notes = {"note": [{"text": text} for text in beside]} if (beside := _beside(known)) else {}
    return _observation(known.gene, subject, when, (value if said else _absent("error", known.not_called)) | notes)


def not_performed(gene: str, subject: str) -> dict[str, Any]:
    """Write that a gene was not looked at."""
    return _observation(gene, subject, "", _absent("not-performed", "not looked at"))


def _absent(reason: str, why: str) -> dict[str, Any]:
    return {"dataAbsentReason": codes.concept(codes.ABSENT, reason, text=why or "not called")}


def _observation(gene: str, subject: str, when: str, told: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "meta": {"profile": [codes.GENOTYPE]},
        "status": "final",
        "category": list(codes.CATEGORIES),
        "code": codes.concept(LOINC, "84413-4", "Genotype display name"),
        "subject": {"reference": subject},
        **({"effectiveDateTime": when} if when else {}),
        **told,
        "component": [codes.loinc("48018-6", "Gene studied [ID]", codes.gene(gene))],
    }
