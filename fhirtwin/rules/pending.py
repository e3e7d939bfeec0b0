"""Results of an encounter that are still to come when it ends.

Three things are pending: an Observation that is `registered` or `preliminary`, a DiagnosticReport that is that or
`partial`, and an active laboratory or imaging order that no final result names as its basis. Only what refers to the
encounter counts. Orders of other kinds (physiotherapy, a diet) have no result to wait for.

Source: http://hl7.org/fhir/R4/valueset-observation-status.html, valueset-diagnostic-report-status.html,
valueset-request-status.html, valueset-request-intent.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.fhir import references
from fhirtwin.rules.findings import Act, Citation, Finding, Remedy, Severity
from fhirtwin.terms.systems import LOINC, SNOMED
from fhirtwin.twin.reading import codings, items, text
from fhirtwin.twin.state import Fact, Source

Resource = Mapping[str, Any]

TOPIC: Final = "pending-results"
OPEN: Final[Mapping[str, tuple[str, ...]]] = {
    "Observation": ("registered", "preliminary"),
    "DiagnosticReport": ("registered", "partial", "preliminary"),
    "ServiceRequest": ("active",),
}
FINAL: Final = ("final", "amended", "corrected", "appended")
ORDERS: Final = ("order", "original-order", "reflex-order", "filler-order", "instance-order")
CATEGORIES: Final = {
    (SNOMED, "108252007"): "Laboratory procedure",
    (SNOMED, "363679005"): "Imaging",
}
"""Categories of orders that end in a result; an order that is coded in LOINC does without one."""

LISTED: Final = 20
"""How many a finding names; it says how many more there are."""

_LONGEST_TITLE: Final = 80
_SYSTEMS: Final = {LOINC: "LOINC", SNOMED: "SNOMED CT"}
"""How people call the systems of codes that have no words beside them."""
_R4: Final = Citation("FHIR R4, statuses of results and requests", "http://hl7.org/fhir/R4/observation.html")


@dataclass(frozen=True, slots=True)
class Pending:
    """A result that is still to come.

    Attributes:
        source: the resource that says so.
        status: its status.
        title: what was asked for, in the words of its coding or of its text.
        time: when it was asked for or taken; FHIR text, empty when not told.
    """

    source: Source
    status: str
    title: str
    time: str


def pending(resources: Iterable[tuple[Source, Resource]], encounter_id: str) -> tuple[Pending, ...]:
    """Give what is pending of an encounter, in the order of type, time and id.

    Args:
        resources: everything that was brought or is stored for the patient, whatever its type.
        encounter_id: logical id of the encounter on the server that the resources are from.
    """
    all_ = list(resources)
    answered = {based for _, r in all_ if _is_result(r) and text(r, "status") in FINAL for based in _based_on(r)}
    found = [
        Pending(source, text(r, "status"), _title(r), _time(r))
        for source, r in all_
        if _is_open(r) and _encounter(r) == encounter_id and source.id not in answered
    ]
    return tuple(sorted(found, key=lambda p: (p.source.type, p.time, p.source.id)))


def ordered_codes(resources: Iterable[tuple[Source, Resource]]) -> frozenset[str]:
    """Give the LOINC codes of everything that is on active order, for whatever encounter."""
    return frozenset(
        coding.code
        for _, r in resources
        if r.get("resourceType") == "ServiceRequest" and _is_open(r)
        for coding in codings(r.get("code"))
        if coding.system == LOINC
    )


def pending_results(found: tuple[Pending, ...]) -> Iterator[Finding]:
    """Say in one finding what is pending; nothing when nothing is."""
    if not found:
        return
    more = len(found) - LISTED
    count = f"{len(found)} result{'s are' if len(found) > 1 else ' is'} still to come"
    yield Finding(
        rule="pending.results",
        severity=Severity.WARNING,
        orders=tuple(f"{p.source.type}/{p.source.id}" for p in found),
        summary=count,
        detail=(
            "Say who will look at them after discharge.",
            *((f"The first {LISTED} are listed, and there are {more} more.",) if more > 0 else ()),
        ),
        facts=tuple(_fact(p) for p in found[:LISTED]),
        sources=(_R4,),
        remedies=tuple(
            Remedy(f"Task: look at {p.title} when it comes", Act.ASK, f"{p.source.type}/{p.source.id}")
            for p in found[:LISTED]
        ),
        topic=TOPIC,
    )


def _fact(one: Pending) -> Fact:
    return Fact("pending-result", one.title, (one.source,), time=one.time, note=one.status)


def _is_result(resource: Resource) -> bool:
    return resource.get("resourceType") in ("Observation", "DiagnosticReport")


def _is_open(resource: Resource) -> bool:
    kind = text(resource, "resourceType")
    if text(resource, "status") not in OPEN.get(kind, ()):
        return False
    return kind != "ServiceRequest" or _awaits_result(resource)


def _awaits_result(order: Resource) -> bool:
    if order.get("doNotPerform") is True or text(order, "intent") not in ORDERS:
        return False
    kinds = {(c.system, c.code) for category in items(order, "category") for c in codings(category)}
    return not kinds.isdisjoint(CATEGORIES) or any(c.system == LOINC for c in codings(order.get("code")))


def _encounter(resource: Resource) -> str:
    named = references.parse(text(resource.get("encounter"), "reference"))
    return named.id if named.type == "Encounter" else ""


def _based_on(result: Resource) -> Iterator[str]:
    for basis in items(result, "basedOn"):
        named = references.parse(text(basis, "reference"))
        if named.type == "ServiceRequest":
            yield named.id


def _time(resource: Resource) -> str:
    return (
        text(resource, "authoredOn")
        or text(resource, "effectiveDateTime")
        or text(resource.get("effectivePeriod"), "start")
        or text(resource, "issued")
    )


def _title(resource: Resource) -> str:
    code = resource.get("code")
    displays = [text(c, "display") for c in items(code, "coding")]
    codes = [f"{_SYSTEMS.get(text(c, 'system'), text(c, 'system'))} {text(c, 'code')}" for c in items(code, "coding")]
    words = next(filter(None, (*displays, text(code, "text"), *codes)), "not named")
    return words[:_LONGEST_TITLE]
