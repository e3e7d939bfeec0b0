"""A copy of a RiskAssessment for the record that the patient came from, as a suggestion of its card.

This server keeps its own. The copy stands alone on the other server: it has no id and no version of ours, and what it
refers to there is referred to relative to that server. Its identifiers are those of ours, so that the same finding that
is filed twice can be told.

Source: https://cds-hooks.hl7.org/2.0/#action (a resource to create)
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from fhirtwin.report.occasion import Occasion
from fhirtwin.twin.state import LOCAL

LABEL: Final = "File this risk in the record"
_WHAT: Final = "Stores the RiskAssessment, which names the model and every source, in the patient's record"


def suggestion(resource: Mapping[str, Any], card: str, occasion: Occasion) -> dict[str, Any]:
    """Offer the RiskAssessment to be stored where the call came from.

    Args:
        resource: as it is stored here, or as it would be.
        card: uuid of the card that offers it; that of the suggestion is told from it.
        occasion: whom it is about.
    """
    action = {"type": "create", "description": _WHAT, "resource": for_their_server(resource, occasion)}
    return {"label": LABEL, "uuid": str(uuid.uuid5(uuid.UUID(card), "file")), "actions": [action]}


def is_in_the_record(occasion: Occasion, *, stored: bool) -> bool:
    """Whether the RiskAssessment is where the patient is already, so that a copy would stand beside it."""
    return stored and occasion.patient.origin == LOCAL


def for_their_server(resource: Mapping[str, Any], occasion: Occasion) -> dict[str, Any]:
    """The RiskAssessment as a new resource of the server that the patient is on."""
    copy = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    copy["status"] = "final"  # a corrected one is so here, where the version before it is
    copy["subject"] = {"reference": f"Patient/{occasion.patient.id}"}
    if "basis" in copy:
        copy["basis"] = [_seen_from_there(reference, occasion) for reference in copy["basis"]]
    return copy


def _seen_from_there(reference: Mapping[str, Any], occasion: Occasion) -> dict[str, Any]:
    text, origin = reference.get("reference", ""), occasion.patient.origin
    if not text or origin == LOCAL:  # the call names no server: what it brought is relative to its own
        return dict(reference)
    if text.startswith(f"{origin}/"):
        return {**reference, "reference": text.removeprefix(f"{origin}/")}
    return {**reference, "reference": text if "://" in text else f"{occasion.settings.base_url}/{text}"}
