"""Runs predictors on a twin and reports what came of it; stores the reports when asked, each once.

`$assess` and the hooks both call `assess`: one unit of work, in which a RiskAssessment and its Provenance are written
together, or nothing is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from fhirtwin import ingest, timing
from fhirtwin.access import Caller, permit
from fhirtwin.assess import Assessor
from fhirtwin.errors import Fault, Incorrect, Unavailable
from fhirtwin.fhir import codec, references
from fhirtwin.interactions import withdrawing
from fhirtwin.interactions.context import Services
from fhirtwin.predictors.model import Refusal, Result
from fhirtwin.report.identity import Identity, basis, identity
from fhirtwin.report.occasion import Occasion
from fhirtwin.report.provenance import provenance
from fhirtwin.report.risk_assessment import as_stored, content_of, risk_assessment
from fhirtwin.store import Reader, Writer
from fhirtwin.twin.state import StoredVersion, TwinState

_TYPE: Final = "RiskAssessment"


@dataclass(frozen=True, slots=True)
class Report:
    """What one predictor said.

    Attributes:
        resource: the RiskAssessment, as it is stored or as it would be.
        stored: whether it is.
    """

    result: Result
    identity: Identity
    resource: dict[str, Any]
    stored: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """What all predictors that were asked said, or why they said nothing."""

    occasion: Occasion
    reports: tuple[Report, ...]
    refusals: tuple[Refusal, ...]


def today(services: Services) -> date:
    """The day that risks are calculated for: the calendar's, in UTC, so that it is the same on every machine."""
    return services.today() if services.today else datetime.now(UTC).date()


def occasion(services: Services, state: TwinState, day: date) -> Occasion:
    """Whom a report is about, which day, and under which weights and settings."""
    return Occasion(state.patient, state.reference, day, assessor(services).panel.digest, services.settings)


def assessor(services: Services) -> Assessor:
    """The part that calculates risks.

    Raises:
        Unavailable: this process was started without it.
    """
    if not isinstance(services.assessor, Assessor):
        raise Unavailable("This server calculates no risks; it was started without an engine.")
    return services.assessor


def assess(
    services: Services, caller: Caller, state: TwinState, day: date, *, keep: bool, only: Collection[str] | None = None
) -> Findings:
    """Run predictors on a twin, and report.

    Args:
        services: the parts.
        caller: who asks.
        state: the twin, with everything known now.
        day: the day the risks are stated for.
        keep: whether reports are stored.
        only: ids of the predictors to run; None means all.

    Raises:
        EngineUnavailable, EngineAnswerRefused: the engine failed; nothing is stored.
        Forbidden: the caller may not do this.
    """
    permit(caller, "operation", "Patient")
    if keep:
        permit(caller, "create", _TYPE)
        permit(caller, "create", "Provenance")
    found = assessor(services).assess(state, day, only=only)
    about = occasion(services, state, day)
    with timing.stage("report"):
        reports = tuple(_report(result, about) for result in found.results)
    kept = _keep(services, state, reports, about, doubtful=bool(found.refusals)) if keep else reports
    return Findings(about, kept, found.refusals)


def _report(result: Result, about: Occasion) -> Report:
    who = identity(result.vector, about)
    return Report(result, who, risk_assessment(result, who, about), stored=False)


def _keep(
    services: Services, state: TwinState, reports: tuple[Report, ...], about: Occasion, *, doubtful: bool
) -> tuple[Report, ...]:
    """Store what is not stored yet, and withdraw what no longer stands.

    Reading first spares the usual opening of a chart, which finds everything stored, the wait for the write lock.

    Args:
        services: the parts.
        state: the twin.
        reports: what was calculated.
        about: whom and which day it is about.
        doubtful: whether a predictor refused, so that what it said before may have to be withdrawn.
    """
    ids = {report.identity.id for report in reports}
    most = services.settings.max_count
    with timing.stage("store"), services.store.snapshot() as reader:
        settled = tuple(found for report in reports if (found := _settled(report, reader, about)))
        new = len(settled) < len(reports)
        if not new and not (doubtful and withdrawing.unfounded(reader, state, ids, most)):
            return settled
    with services.store.write() as write:  # somebody else may have stored the same meanwhile, so look again
        for withdrawn in withdrawing.unfounded(write, state, ids, most):
            put(services, write, withdrawn)
        return tuple(_settled(report, write, about) or _store(services, write, report, about) for report in reports)


def _settled(report: Report, reader: Reader, about: Occasion) -> Report | None:
    """The report as it is stored already with the same content, or None."""
    current = reader.read(_TYPE, report.identity.id)
    if current is None or current.deleted:
        return None
    resource = codec.reread(current.data)
    if content_of(resource) != report.identity.content or withdrawing.is_withdrawn(resource):
        return None
    return Report(as_stored(report.result, resource, about), report.identity, resource, stored=True)


def _store(services: Services, write: Writer, report: Report, about: Occasion) -> Report:
    corrected = write.read(_TYPE, report.identity.id) is not None
    unheld = frozenset(text for text in basis(report.result.vector) if not _is_held(write, text))
    resource = report.resource
    if corrected or unheld:
        resource = risk_assessment(report.result, report.identity, about, corrected=corrected, unheld=unheld)
    kept = put(services, write, resource)
    made_by = provenance(
        report.result, report.identity, version=kept.version, recorded=kept.last_updated, unheld=unheld
    )
    put(services, write, made_by)
    return Report(report.result, report.identity, codec.reread(kept.data), stored=True)


def _is_held(reader: Reader, text: str) -> bool:
    """Whether a reference points somewhere: at another server, or at a version that is stored here."""
    reference = references.parse(text)
    if reference.kind != "relative":
        return True
    if not reference.version:
        current = reader.read(reference.type, reference.id)
        return current is not None and not current.deleted
    version = int(reference.version) if reference.version.isdecimal() and len(reference.version) < 10 else 0
    return reader.vread(reference.type, reference.id, version) is not None


def put(services: Services, write: Writer, resource: dict[str, Any]) -> StoredVersion:
    """Send a resource of ours down the road that all resources take: validated, indexed, versioned.

    Raises:
        Fault: it is not valid, which is nobody's fault but ours.
    """
    try:
        received = ingest.of_our_own(resource, services.settings)
    except Incorrect as error:
        raise Fault(f"A {resource['resourceType']} made here is not valid FHIR R4, so it was not stored.") from error
    return ingest.keep(write, received, resource["id"], services.base_url).stored
