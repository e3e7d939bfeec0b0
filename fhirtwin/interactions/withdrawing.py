"""Withdraws stored RiskAssessments that rest on something the record no longer says.

A corrected input keeps its id, so its assessment gets a new version (`fhirtwin.interactions.reporting`). An input that
was entered in error, refuted or deleted vanishes from the twin instead: the next assessment has other sources, hence
another id, and nothing would mark the old one. So whenever something new is stored, or a predictor refuses, the stored
assessments of that patient are held against the twin.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from fhirtwin.fhir import codec, references
from fhirtwin.fhir.search_grammar import Condition, Kind, Query, ReferenceValue
from fhirtwin.report.identity import without_version
from fhirtwin.report.risk_assessment import content_of
from fhirtwin.store import Reader
from fhirtwin.twin.state import LOCAL, TwinState

STANDING: Final = ("final", "corrected")
"""Statuses of an assessment that still claims to be right."""

NOTE: Final = (
    "Withdrawn: something it was calculated from is no longer counted; it was entered in error, refuted or deleted."
)


def unfounded(reader: Reader, state: TwinState, current: Collection[str], count: int) -> list[dict[str, Any]]:
    """Assessments of this project that stand and rest on a source the twin does not know any more, as withdrawn.

    Only patients stored here are looked at: of others a call brings what its queries ask for, and what it does not
    bring may still be true.

    Args:
        reader: the open transaction.
        state: the twin that was assessed, with what the call brought. What is stored counts beside it: a call cannot
            withdraw by sending a stored resource as an error.
        current: ids of assessments that were made just now; they are founded.
        count: most assessments that are looked at, oldest first.
    """
    if state.patient.origin != LOCAL:
        return []
    whose = Condition("patient", Kind.REFERENCE, "", (ReferenceValue("", "Patient", state.patient.id),))
    twin = reader.twin(state.patient)
    facts = (*state.facts, *(twin.facts if twin else ()))
    known = {without_version(source.reference) for fact in facts for source in fact.sources}
    stored = reader.search(Query("RiskAssessment", (whose,), count)).versions
    found = [codec.decode(version.data) for version in stored if version.id not in current]
    return [_withdrawn(resource) for resource in found if _is_unfounded(resource, known)]


def is_withdrawn(resource: dict[str, Any]) -> bool:
    """Whether this module withdrew it; what somebody else marked as an error is theirs to mend."""
    return {"text": NOTE} in resource.get("note", ())


def _is_unfounded(resource: dict[str, Any], known: Collection[str]) -> bool:
    if not content_of(resource) or resource["status"] not in STANDING:
        return False
    sources = [basis["reference"] for basis in resource.get("basis", ()) if "reference" in basis]
    return any(references.parse(text).kind == "relative" and without_version(text) not in known for text in sources)


def _withdrawn(resource: dict[str, Any]) -> dict[str, Any]:
    return {**resource, "status": "entered-in-error", "note": [*resource.get("note", ()), {"text": NOTE}]}
