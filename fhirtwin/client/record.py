"""A record that lies here becomes a twin that lies here: the same mapping as at a gateway, on the holder's machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fhirtwin.errors import Incorrect, Unprocessable
from fhirtwin.fhir import validator
from fhirtwin.intake import belonging, contradictions, wholeness
from fhirtwin.intake.sourcing import sourced
from fhirtwin.terms.facts import FLAGS
from fhirtwin.twin.mappers import registry
from fhirtwin.twin.overlay import overlay
from fhirtwin.twin.state import LOCAL, PatientKey, TwinState

LISTS: Final = frozenset(kind for groups in FLAGS.values() for group in groups for kind in group) - {"Patient"}
"""Resource types of which no record may count as no, once all of them were obtained."""

_TYPES: Final = ("collection", "searchset")


def twin_of(record: Mapping[str, Any], *, whole: bool) -> TwinState:
    """Make the twin of the one patient of a record.

    Args:
        record: a Bundle of type collection or searchset with the Patient and what is about them, as `$everything`
            gives it; decimals as `Decimal` (`fhirtwin.fhir.codec.decode`).
        whole: whether it holds all that there is, so that what stands on none of its lists counts as not there.

    Raises:
        Incorrect: it is no such Bundle, or not valid FHIR.
        Unprocessable: it has no Patient or several, something of another patient, the same resource twice with
            different content, or an OperationOutcome with an error: then it may lack anything.
    """
    if record.get("resourceType") != "Bundle" or record.get("type") not in _TYPES:
        raise Incorrect(f"A record is a Bundle of type {' or '.join(_TYPES)}.")
    issues = validator.validate(dict(record), type="Bundle")
    if any(issue.severity in ("fatal", "error") for issue in issues):
        raise Incorrect("The record is not valid FHIR R4; each issue names its place.", issues=issues)
    if whole and wholeness.is_a_page(record):
        raise Unprocessable("The record has a `next` link, so it is not whole: put all pages in one Bundle.")
    if wholeness.has_failed(record):
        raise Unprocessable("The record holds an OperationOutcome with an error: a search did not run to its end.")
    placed = list(belonging.entries(record, "record"))
    patients = {item.resource.get("id") for item in placed if item.resource["resourceType"] == "Patient"}
    if len(patients) != 1 or None in patients:
        raise Unprocessable(f"A record has one Patient with an id; this one has {len(patients)}.")
    patient = PatientKey(LOCAL, str(patients.pop()))
    belonging.refuse_strangers(placed, patient, ())
    contradictions.refuse(placed)
    mapped = registry.map_all(sourced(placed, LOCAL))
    return overlay(None, patient, mapped, LISTS if whole else frozenset(), patient.reference)
