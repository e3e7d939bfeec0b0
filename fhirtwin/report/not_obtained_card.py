"""What a call did not bring and nobody could fetch, as one card: silence about it would look like an empty record."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Final

from fhirtwin.report.card import Card, this_server
from fhirtwin.report.wording import escape, summary
from fhirtwin.twin.state import PatientKey

_NAMESPACE: Final = uuid.UUID("c7a0a4de-54f0-5c5b-8d0c-1f3d5d0f0a77")
NAMES: Final[Mapping[str, str]] = {
    "statements": "medicines stated as taken",
    "procedures": "procedures",
    "observations": "results",
    "genomics": "results of genes",
}
"""Prefetch key to what a clinician calls it."""


def not_obtained_card(left: Mapping[str, str], patient: PatientKey, base_url: str) -> Card:
    """Name what was asked for and not obtained, each with why.

    Args:
        left: at least one prefetch key, with why as the end of a sentence.
        patient: whom the call is about.
        base_url: FHIR base of this server.
    """
    lines = [f"* {escape(NAMES.get(key, key))} (prefetch key `{escape(key)}`): {escape(left[key])}" for key in left]
    return {
        "uuid": str(uuid.uuid5(_NAMESPACE, json.dumps([patient.origin, patient.id, sorted(left.items())]))),
        "summary": summary([f"Not checked against {', '.join(NAMES.get(key, key) for key in left)}: not obtained"]),
        "indicator": "info",
        "source": this_server(base_url),
        "detail": "\n\n".join(
            [
                "**Asked for and not obtained**, so nothing was held against it:",
                "\n".join(lines),
                "It does not mean that the record holds none. Look at it yourself; if it stays so, tell those who run "
                "the connection.",
            ]
        ),
    }
