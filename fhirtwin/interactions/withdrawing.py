"""Withdraws stored RiskAssessments that rest on something the record no longer says.

A corrected input keeps its id, so its assessment gets a new version (`fhirtwin.interactions.reporting`). An input that
was entered in error, refuted or deleted vanishes from the twin instead: the next assessment has other sources, hence
another id, and nothing would mark the old one. The same happens when a corrected value is out of range, or when its
corrected date makes another value the newest. So whenever something new is stored, or a predictor refuses, the stored
assessments of that patient are held against the twin.

What changes in the course of time is no correction: a medicine that was stopped, a disease that is over, a death. What
was calculated before was right then and stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from fhirtwin.access.visibility import see_everything
from fhirtwin.fhir import codec, references
from fhirtwin.fhir.search.parameters import PARAMETERS
from fhirtwin.fhir.search.query import Condition, Query, Wanted
from fhirtwin.fhir.search.values import ReferenceValue
from fhirtwin.report.identity import without_version
from fhirtwin.report.risk_assessment import content_of
from fhirtwin.store import Reader
from fhirtwin.twin.mappers import registry
from fhirtwin.twin.state import LOCAL, Fact, Source, TwinState

STANDING: Final = ("final", "corrected")
"""Statuses of an assessment that still claims to be right."""

Said = tuple[str, Decimal | bool | str, str]
"""Name, value and time of a fact: what a source says, without how it says it."""

NOTE: Final = (
    "Withdrawn: something it was calculated from is no longer counted; it was corrected, entered in error, refuted or "
    "deleted."
)
DOUBTED: Final = (
    "Withdrawn: the engine that computed it was put in quarantine afterwards, for a wrong answer or by an "
    "administrator, and this was stored since the moment from which its answers are doubted."
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
    patient = PARAMETERS["RiskAssessment"]["patient"]
    whose = Wanted("RiskAssessment", (Condition(patient, "", (ReferenceValue("", "Patient", state.patient.id),)),))
    twin = reader.twin(state.patient)
    held = twin.facts if twin else ()
    known = {without_version(source.reference) for fact in (*state.facts, *held) for source in fact.sources}
    said = _said(held)
    stored = reader.search(Query((whose,), count, total="none"), see_everything).versions
    found = [codec.reread(version.data) for version in stored if version.id not in current]
    return [
        withdrawn(r, NOTE) for r in found if stands(r) and any(_is_wrong(text, known, said, reader) for text in _own(r))
    ]


def is_withdrawn(resource: dict[str, Any], *why: str) -> bool:
    """Whether we withdrew it, for any reason or one of these; what somebody else marked is theirs to mend."""
    return any({"text": text} in resource.get("note", ()) for text in why or (NOTE, DOUBTED))


def stands(resource: dict[str, Any]) -> bool:
    """Whether it is an assessment of this project that still claims to be right."""
    return bool(content_of(resource)) and resource["status"] in STANDING


def _own(resource: dict[str, Any]) -> Iterator[str]:
    """The references of an assessment to versions that are stored here."""
    for basis in resource.get("basis", ()):
        if "reference" in basis and references.parse(basis["reference"]).kind == "relative":
            yield basis["reference"]


def _is_wrong(text: str, known: Collection[str], said: Mapping[str, set[Said]], reader: Reader) -> bool:
    """Whether a source is known no more, or says something else now than the version that was used."""
    if without_version(text) not in known:
        return True
    version = references.parse(text).version
    if text in said or without_version(text) not in said or not version:
        return False
    return not _said(_facts_of(text, reader)).get(text, set()) <= said[without_version(text)]


def _facts_of(text: str, reader: Reader) -> tuple[Fact, ...]:
    """What the version of a resource says that is stored here under a reference."""
    found = references.parse(text)
    stored = reader.vread(found.type, found.id, int(found.version))
    if stored is None or stored.deleted:
        return ()
    source = Source(LOCAL, stored.type, stored.id, str(stored.version))
    return registry.map_resource(codec.reread(stored.data), source).facts


def _said(facts: Iterable[Fact]) -> dict[str, set[Said]]:
    """What each source says, by its reference with and without version. Of a result its time is part of that."""
    said: dict[str, set[Said]] = {}
    for fact in facts:
        for source in fact.sources:
            time = fact.time if source.type == "Observation" else ""
            for reference in (source.reference, without_version(source.reference)):
                said.setdefault(reference, set()).add((fact.name, fact.value, time))
    return said


def withdrawn(resource: dict[str, Any], why: str) -> dict[str, Any]:
    """The assessment as one that does not stand any more."""
    return {**resource, "status": "entered-in-error", "note": [*resource.get("note", ()), {"text": why}]}
