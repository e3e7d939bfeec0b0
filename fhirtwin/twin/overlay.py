"""Laying what a call brings over the twin, for that call only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fhirtwin.twin.state import Mapped, PatientKey, Source, TwinState, in_order


def overlay(
    base: TwinState | None,
    patient: PatientKey,
    mapped: Iterable[tuple[Source, Mapped]],
    lists: frozenset[str],
    reference: str,
) -> TwinState:
    """Give the twin as it is with the resources of a call laid over it; nothing is stored.

    A resource of the call replaces everything the twin knows from the same resource (origin, type, id), whatever its
    version, even when nothing of it is used: what was corrected away is gone.

    Args:
        base: the stored twin of the patient, or None.
        patient: who the call is about.
        mapped: each resource of the call with what its mapper made of it; the last one of a resource counts.
        lists: resource types whose lists the call really obtained; they add to those of the twin.
        reference: how the call refers to the Patient.

    Returns:
        The twin for this call, with the version of `base`, or 0.
    """
    brought = {_key(source): made for source, made in mapped}
    start = base or TwinState(patient, 0, ())
    facts = [
        kept
        for fact in start.facts
        if (sources := tuple(s for s in fact.sources if _key(s) not in brought))
        for kept in (replace(fact, sources=sources),)
    ]
    unused = [u for u in start.unused if _key(u.source) not in brought]
    for made in brought.values():
        facts += made.facts
        unused += made.unused
    return TwinState(
        patient=patient,
        version=start.version,
        facts=in_order(facts),
        lists=start.lists | lists,
        unused=tuple(sorted(set(unused), key=lambda u: (u.source, u.reason))),
        reference=reference,
    )


def _key(source: Source) -> tuple[str, str, str]:
    return source.origin, source.type, source.id
