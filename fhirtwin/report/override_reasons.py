"""Why a clinician may not follow a card: HL7's codes, those of its selection for the point of care.

Source: CDS Hooks 3.0.0-ballot, CodeSystem non-adherence-reason-codes and ValueSet non-adherence-reason-clinical,
https://github.com/HL7/cds-hooks (input/vocabulary), read 2026-11-21.
"""

from __future__ import annotations

from typing import Final

SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"

REASONS: Final = tuple(
    {"code": code, "system": SYSTEM, "display": display}
    for code, display in (
        ("cds-not-applicable", "PC CDS does not apply to patient"),
        ("action-completed", "Recommended action was already completed"),
        ("cds-suboptimal-context", "PC CDS delivered in suboptimal context"),
        ("recipient-disagrees-evidence", "Recipient disagrees with recommendation because of issues with the evidence"),
        ("recipient-concerns-outcomes", "Recipient has concerns regarding potential health outcomes"),
        ("patient-contraindication", "Patient has contraindication to recommended action"),
        ("does-not-align-preferences", "Recommendation does not align with patient preferences or values"),
        ("patient-refuses", "Patient refuses/declines (no context given)*"),
        ("not-convenient-feasible", "Recommendation is not convenient or feasible"),
        ("service-not-available", "Treatment or service is not practically available"),
        ("too-costly-uncovered", "Recommended action is too costly or not covered by insurance"),
        (
            "recipient-does-not-understand",
            "Recipient does not understand the recommended action or know how to perform the recommended action",
        ),
    )
)
