"""Invariants of the clinical resources.

*Source*: http://hl7.org/fhir/R4/resourcelist.html, the Clinical section and Observation, Patient and RiskAssessment.
"""

from __future__ import annotations

from typing import Any, Final

from fhirtwin.fhir import references
from fhirtwin.fhir.invariants.rules import (
    UCUM,
    Object,
    Rule,
    all_or_none,
    any_of,
    at_most_one_of,
    excludes,
    has_coding,
    in_order,
    needs,
    one_of,
    there,
    where,
)

_ALLERGY_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_CONDITION_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def _allergy_in_error(allergy: Object) -> bool:
    return has_coding(allergy.get("verificationStatus"), _ALLERGY_VERIFICATION, "entered-in-error")


def _allergy_has_status(allergy: Object) -> bool:
    return "clinicalStatus" in allergy or _allergy_in_error(allergy)


def _allergy_in_error_has_none(allergy: Object) -> bool:
    return "clinicalStatus" not in allergy or not _allergy_in_error(allergy)


def _abated_is_not_active(condition: Object) -> bool:
    return not any(name.startswith(("abatement", "_abatement")) for name in condition) or has_coding(
        condition.get("clinicalStatus"), _CONDITION_CLINICAL, "resolved", "remission", "inactive"
    )


def _condition_in_error_has_none(condition: Object) -> bool:
    return "clinicalStatus" not in condition or not has_coding(
        condition.get("verificationStatus"), _CONDITION_VERIFICATION, "entered-in-error"
    )


def _on_behalf_of_by_practitioner(participant: Object) -> bool:
    if "onBehalfOf" not in participant:
        return True
    member = participant.get("member", {})
    # Nothing is fetched: only what the reference itself says can break the rule.
    kind = member.get("type") or references.parse(member.get("reference", "")).type
    return kind in ("", "Practitioner")


def _handed_over_after_preparing(dispense: Object) -> bool:
    return in_order(dispense.get("whenPrepared"), dispense.get("whenHandedOver"))


def _counts_from_0_or_1(sequence: Object) -> bool:
    return sequence.get("coordinateSystem", 0) in (0, 1)


def _value_not_in_component(observation: Object) -> bool:
    if "component" not in observation or not any(name.startswith(("value", "_value")) for name in observation):
        return True
    codings = observation["code"].get("coding", ())
    return not any(coding in codings for each in observation["component"] for coding in each["code"].get("coding", ()))


def _range_in_percent(prediction: Object) -> bool:
    ends = prediction.get("probabilityRange", {})
    return all(_in_percent(ends[name]) for name in ("low", "high") if name in ends)


def _in_percent(quantity: dict[str, Any]) -> bool:
    return quantity.get("code") == "%" and quantity.get("system") == UCUM


def _at_most_all(prediction: Object) -> bool:
    return bool(prediction.get("probabilityDecimal", 0) <= 100)


def _reason_or_value(observation: Object) -> bool:
    return not there(observation, "dataAbsentReason") or not any(
        name.startswith(("value", "_value")) for name in observation
    )


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "AllergyIntolerance": (
        Rule("ait-1", "clinicalStatus is required unless it was entered in error.", where(_allergy_has_status)),
        Rule("ait-2", "What was entered in error has no clinicalStatus.", where(_allergy_in_error_has_none)),
    ),
    "CarePlan.activity": (Rule("cpl-3", "Detail and reference exclude each other.", excludes("detail", "reference")),),
    "CareTeam.participant": (
        Rule("ctm-1", "Only a Practitioner is a member on behalf of another.", where(_on_behalf_of_by_practitioner)),
    ),
    "Condition": (
        Rule("con-4", "What abated must be inactive, resolved or in remission.", where(_abated_is_not_active)),
        Rule("con-5", "What was entered in error has no clinicalStatus.", where(_condition_in_error_has_none)),
    ),
    "Condition.stage": (
        Rule("con-1", "A stage must have a summary or an assessment.", any_of("summary", "assessment")),
    ),
    "Condition.evidence": (Rule("con-2", "Evidence must have a code or a detail.", any_of("code", "detail")),),
    "FamilyMemberHistory": (
        Rule("fhs-1", "Age and born exclude each other.", excludes("age", "born")),
        Rule("fhs-2", "estimatedAge needs an age.", needs("estimatedAge", "age")),
    ),
    "Goal.target": (Rule("gol-1", "A target's detail needs its measure.", needs("detail", "measure")),),
    "Immunization.education": (
        Rule("imm-1", "A documentType or a reference is needed.", any_of("documentType", "reference")),
    ),
    "ImmunizationRecommendation.recommendation": (
        Rule("imr-1", "A vaccineCode or a targetDisease is needed.", any_of("vaccineCode", "targetDisease")),
    ),
    "MedicationAdministration.dosage": (Rule("mad-1", "A dose or a rate is needed.", any_of("dose", "rate")),),
    "MedicationDispense": (
        Rule("mdd-1", "It cannot be handed over before it is prepared.", where(_handed_over_after_preparing)),
    ),
    "MolecularSequence": (Rule("msq-3", "coordinateSystem must be 0 or 1.", where(_counts_from_0_or_1)),),
    "MolecularSequence.referenceSeq": (
        Rule("msq-5", "Chromosome and genomeBuild come together.", all_or_none("chromosome", "genomeBuild")),
        Rule(
            "msq-6",
            "Exactly one of genomeBuild, referenceSeqId, referenceSeqPointer and referenceSeqString is needed.",
            one_of("genomeBuild", "referenceSeqId", "referenceSeqPointer", "referenceSeqString"),
        ),
    ),
    "Observation": (
        Rule("obs-6", "dataAbsentReason and a value exclude each other.", where(_reason_or_value)),
        Rule("obs-7", "A component with the Observation's own code excludes a value.", where(_value_not_in_component)),
    ),
    "Observation.referenceRange": (
        Rule("obs-3", "A reference range must have a low, a high or a text.", any_of("low", "high", "text")),
    ),
    "Patient.contact": (
        Rule(
            "pat-1",
            "A contact must have a name, telecom, address or organization.",
            any_of("name", "telecom", "address", "organization"),
        ),
    ),
    "QuestionnaireResponse.item": (Rule("qrs-1", "Answer and item exclude each other.", excludes("answer", "item")),),
    "RequestGroup.action": (
        Rule("rqg-1", "A resource or actions are needed, not both.", one_of("resource", "action")),
    ),
    "RiskAssessment.prediction": (
        Rule("ras-1", "Low and high of a probability must be in UCUM's %.", where(_range_in_percent)),
        Rule("ras-2", "A probability must not be above 100.", where(_at_most_all)),
    ),
    "ServiceRequest": (Rule("prr-1", "orderDetail needs a code.", needs("orderDetail", "code")),),
    "AuditEvent.entity": (Rule("sev-1", "Name and query exclude each other.", at_most_one_of("name", "query")),),
}
