"""The twin of a call: what is stored of the patient, with what the call brought laid over it, for that call only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhirtwin import timing
from fhirtwin.api.cds.service import Call
from fhirtwin.fhir import codec
from fhirtwin.interactions import replaced
from fhirtwin.twin.mappers import registry
from fhirtwin.twin.overlay import overlay
from fhirtwin.twin.state import LOCAL, StoredVersion, TwinState


def twin_of(call: Call) -> tuple[TwinState, bool]:
    """Give the twin with the prefetch laid over it, and whether there is a Patient that a report can refer to.

    Raises:
        Unprocessable: the Patient was replaced by another.
    """
    with timing.stage("store"), call.parts.store.snapshot() as reader:
        base = reader.twin(call.patient)
        stored = reader.read("Patient", call.patient.id) if call.patient.origin == LOCAL else None
        for patient in _patients(call, stored):
            replaced.refuse(patient, reader)
    with timing.stage("map"):
        mapped = registry.map_all(call.prefetched.resources)
        state = overlay(base, call.patient, mapped, call.prefetched.lists, call.patient.reference)
    return state, call.patient.origin != LOCAL or (stored is not None and not stored.deleted)


def left_of(call: Call, *, here: bool) -> Mapping[str, str]:
    """Give what is not known because it was asked for and not obtained, by prefetch key, with why.

    Of a patient who is stored here, this server is the record: what the twin holds answers the query that the call
    left open, so nothing is left.

    Args:
        call: with its prefetch.
        here: what `twin_of` says.
    """
    return {} if call.patient.origin == LOCAL and here else call.prefetched.left


def _patients(call: Call, stored: StoredVersion | None) -> Iterator[Mapping[str, Any]]:
    """The Patient as the call brought it, and as it is stored here."""
    yield from (resource for source, resource in call.prefetched.resources if source.type == "Patient")
    if stored and not stored.deleted:
        yield codec.reread(stored.data)
