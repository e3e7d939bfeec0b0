"""What can be searched for, as a table: a row is a parameter of R4, the element it reads and how that is compared.

A parameter more is a row more. Accessors are plain functions made once, so that writing a resource costs dictionary
look-ups and no interpreted FHIRPath.

*Source*: http://hl7.org/fhir/R4/searchparameter-registry.html; the kinds of elements each search type reads:
http://hl7.org/fhir/R4/search.html#table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from fhirtwin.fhir import dates, references
from fhirtwin.fhir.search_grammar import Kind, fold, microseconds
from fhirtwin.fhir.tables import RESOURCE_TYPES

Read = Callable[[Mapping[str, Any]], Iterator[Any]]

BEGINNING: Final = microseconds(datetime.min.replace(tzinfo=UTC))
END: Final = microseconds(datetime.max.replace(tzinfo=UTC))
"""Where a period without start or end begins or ends."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter of one resource type.

    Attributes:
        read: the elements it looks at.
        system: of a `code` element, the code system that its binding implies.
        exact_case: whether codes differ when only their case does. R4 asks servers to ignore case when in doubt, and
            says of `Identifier.value` that case counts.
        target: the only resource type a reference may point at; empty means any.
    """

    type: str
    name: str
    kind: Kind
    read: Read
    system: str = ""
    exact_case: bool = False
    target: str = ""


@dataclass(slots=True)
class Rows:
    """The index rows of one resource, by table; each begins with `Type.parameter`."""

    tokens: set[tuple[str, str, str]] = field(default_factory=set)
    strings: set[tuple[str, str, str]] = field(default_factory=set)
    dates: set[tuple[str, int, int]] = field(default_factory=set)
    references: set[tuple[str, str, str, str]] = field(default_factory=set)


def element(*names: str) -> Read:
    """Make an accessor of the elements at a path, lists flattened: `element("timing", "event")`."""

    def read(resource: Mapping[str, Any]) -> Iterator[Any]:
        found: Iterable[Any] = (resource,)
        for name in names:
            found = [value for owner in found for value in _each(owner.get(name))]
        yield from found

    return read


def either(*names: str) -> Read:
    """Make an accessor of a choice element: whichever of its members is there."""

    def read(resource: Mapping[str, Any]) -> Iterator[Any]:
        return (resource[name] for name in names if name in resource)

    return read


_T, _S, _D, _R = Kind.TOKEN, Kind.STRING, Kind.DATE, Kind.REFERENCE

_IDENTIFIED: Final = """
    Account ActivityDefinition AllergyIntolerance Appointment AppointmentResponse Basic BodyStructure Bundle
    CarePlan CareTeam ChargeItem ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem
    Communication CommunicationRequest Composition ConceptMap Condition Consent Contract Coverage
    CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device DeviceDefinition DeviceMetric
    DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference
    EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest EnrollmentResponse EpisodeOfCare
    EventDefinition Evidence EvidenceVariable ExampleScenario ExplanationOfBenefit FamilyMemberHistory Flag
    Goal Group GuidanceResponse HealthcareService ImagingStudy Immunization ImmunizationEvaluation
    ImmunizationRecommendation InsurancePlan Invoice Library List Location Measure MeasureReport Media
    Medication MedicationAdministration MedicationDispense MedicationRequest MedicationStatement
    MedicinalProduct MedicinalProductAuthorization MedicinalProductPackaged MedicinalProductPharmaceutical
    MessageDefinition MolecularSequence NutritionOrder Observation Organization OrganizationAffiliation
    Patient PaymentNotice PaymentReconciliation Person PlanDefinition Practitioner PractitionerRole Procedure
    Questionnaire QuestionnaireResponse RelatedPerson RequestGroup ResearchDefinition
    ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment RiskEvidenceSynthesis Schedule
    ServiceRequest Slot Specimen SpecimenDefinition StructureDefinition StructureMap Substance SupplyDelivery
    SupplyRequest Task TestReport TestScript ValueSet VisionPrescription
""".split()  # noqa: SIM905 - a hundred names read better without quotes
"""Types with an `identifier` parameter that reads `Type.identifier`."""


def _subject(type_: str) -> tuple[Parameter, Parameter]:
    """`subject`, and `patient`, which R4 defines as the subject where that is a Patient."""
    return (
        Parameter(type_, "subject", _R, element("subject")),
        Parameter(type_, "patient", _R, element("subject"), target="Patient"),
    )


_TABLE: Final[tuple[Parameter, ...]] = (
    *(Parameter(type_, "identifier", _T, element("identifier"), exact_case=True) for type_ in _IDENTIFIED),
    *(
        Parameter(type_, "identifier", _T, element("masterIdentifier"), exact_case=True)
        for type_ in ("DocumentManifest", "DocumentReference")
    ),
    Parameter("Patient", "name", _S, element("name")),
    Parameter("Patient", "birthdate", _D, element("birthDate")),
    *_subject("Observation"),
    Parameter("Observation", "code", _T, element("code")),
    Parameter(
        "Observation", "date", _D, either("effectiveDateTime", "effectivePeriod", "effectiveTiming", "effectiveInstant")
    ),
    Parameter("Observation", "status", _T, element("status"), system="http://hl7.org/fhir/observation-status"),
    *_subject("Condition"),
    Parameter("Condition", "code", _T, element("code")),
    Parameter("Condition", "onset-date", _D, either("onsetDateTime", "onsetPeriod")),
    Parameter("Condition", "recorded-date", _D, element("recordedDate")),
    Parameter("Condition", "clinical-status", _T, element("clinicalStatus")),
    Parameter("Condition", "verification-status", _T, element("verificationStatus")),
    *_subject("MedicationRequest"),
    Parameter("MedicationRequest", "code", _T, element("medicationCodeableConcept")),
    Parameter("MedicationRequest", "authoredon", _D, element("authoredOn")),
    Parameter("MedicationRequest", "date", _D, element("dosageInstruction", "timing", "event")),
    Parameter(
        "MedicationRequest",
        "status",
        _T,
        element("status"),
        system="http://hl7.org/fhir/CodeSystem/medicationrequest-status",
    ),
    *_subject("MedicationStatement"),
    Parameter("MedicationStatement", "code", _T, element("medicationCodeableConcept")),
    Parameter("MedicationStatement", "effective", _D, either("effectiveDateTime", "effectivePeriod")),
    Parameter(
        "MedicationStatement",
        "status",
        _T,
        element("status"),
        system="http://hl7.org/fhir/CodeSystem/medication-statement-status",
    ),
    *_subject("Procedure"),
    Parameter("Procedure", "code", _T, element("code")),
    Parameter("Procedure", "date", _D, either("performedDateTime", "performedPeriod")),
    Parameter("Procedure", "status", _T, element("status"), system="http://hl7.org/fhir/event-status"),
    *_subject("RiskAssessment"),
    Parameter("RiskAssessment", "condition", _R, element("condition")),
    Parameter("RiskAssessment", "method", _T, element("method")),
    Parameter("RiskAssessment", "date", _D, either("occurrenceDateTime")),
)


def _by_type() -> Mapping[str, tuple[Parameter, ...]]:
    found: dict[str, tuple[Parameter, ...]] = {}
    for type_ in RESOURCE_TYPES:
        found[type_] = (
            Parameter(type_, "_id", _T, element("id"), exact_case=True),
            *(parameter for parameter in _TABLE if parameter.type == type_),
        )
    return MappingProxyType(found)


PARAMETERS: Final = _by_type()
"""Every parameter offered, by resource type."""


def kinds(type_: str) -> dict[str, Kind]:
    """The parameters of a type and how each is compared, as the search grammar wants them."""
    return {parameter.name: parameter.kind for parameter in PARAMETERS[type_]}


def parameter(type_: str, name: str) -> Parameter:
    """The row of one parameter that the grammar has let pass."""
    return next(row for row in PARAMETERS[type_] if row.name == name)


def rows(resource: Mapping[str, Any], base_url: str) -> Rows:
    """Make the index rows of a structurally valid resource.

    Args:
        resource: parsed; its references resolved.
        base_url: this server's base; absolute references below it are its own.
    """
    made = Rows()
    for row in PARAMETERS[resource["resourceType"]]:
        if row.name == "_id":
            continue  # answered from the table of resources
        key = f"{row.type}.{row.name}"
        for value in row.read(resource):
            match row.kind:
                case Kind.TOKEN:
                    made.tokens.update((key, code, system) for system, code in _tokens(value, row))
                case Kind.STRING:
                    made.strings.update((key, fold(text), text) for text in _strings(value))
                case Kind.DATE:
                    made.dates.update((key, starts, ends) for starts, ends in _intervals(value))
                case Kind.REFERENCE:
                    made.references.update((key, *target) for target in _targets(value, row, base_url))
    return made


def _each(value: Any) -> Iterable[Any]:
    if isinstance(value, list):
        return (item for item in value if item is not None)
    return () if value is None else (value,)


def _tokens(value: Any, row: Parameter) -> Iterator[tuple[str, str]]:
    """Pairs of system and code of a code, a Coding, a CodeableConcept or an Identifier."""
    if isinstance(value, str):
        # A code element has no system of its own, and its binding implies one: both ways of asking find it.
        yield "", token_code(value, row)
        if row.system:
            yield row.system, token_code(value, row)
        return
    for coding in value.get("coding", ()) if "coding" in value else (value,):
        code = coding.get("code", coding.get("value"))
        if isinstance(code, str):
            yield coding.get("system", ""), token_code(code, row)


def token_code(code: str, row: Parameter) -> str:
    """A code in the form it is kept and looked for."""
    return code if row.exact_case else code.casefold()


def _strings(value: Mapping[str, Any]) -> Iterator[str]:
    """The texts of a HumanName: R4 leaves the choice to the server; all of them."""
    for name in ("family", "given", "prefix", "suffix", "text"):
        yield from (text for text in _each(value.get(name)) if isinstance(text, str))


def _intervals(value: Any) -> Iterator[tuple[int, int]]:
    """Intervals [start, end) of a date, a Period, or a Timing (its events, and the period it repeats in)."""
    if isinstance(value, str):
        interval = dates.parse(value)
        yield microseconds(interval.start), microseconds(interval.end)
        return
    if "start" in value or "end" in value:
        starts = microseconds(dates.parse(value["start"]).start) if "start" in value else BEGINNING
        ends = microseconds(dates.parse(value["end"]).end) if "end" in value else END
        yield starts, ends
    for event in _each(value.get("event")):
        yield from _intervals(event)
    bounds = value.get("repeat", {}).get("boundsPeriod")
    if bounds is not None:
        yield from _intervals(bounds)


def _targets(value: Mapping[str, Any], row: Parameter, base_url: str) -> Iterator[tuple[str, str, str]]:
    """Id, type and base of what a Reference points at."""
    text = value.get("reference")
    if not isinstance(text, str):
        return
    found = references.parse(text)
    if found.id and found.type and (not row.target or found.type == row.target):
        yield found.id, found.type, "" if found.base == base_url else found.base
