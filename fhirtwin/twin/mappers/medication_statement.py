"""MedicationStatement: medicines that the patient is said to take, and whether they are statins or antihypertensives.

While one is `on-hold`, the end of its period is a plan, so it counts on no day.
"""

from __future__ import annotations

from typing import Final

from fhirtwin.twin.mapper import Mapper, Resource
from fhirtwin.twin.medicines import STATUS_UNKNOWN, medicine_facts
from fhirtwin.twin.reading import end_of, forbidden, start_of, text, unused
from fhirtwin.twin.state import Mapped, Source

PAST: Final = ("completed", "stopped", "on-hold")


def read(resource: Resource, source: Source) -> Mapped:
    """Read one MedicationStatement."""
    reason = forbidden(resource)
    status = text(resource, "status")
    if reason is None and status not in ("active", *PAST):
        reason = STATUS_UNKNOWN if status == "unknown" else "its status is not active, completed, stopped or on-hold"
    if reason:
        return unused(source, reason)
    time, end = start_of(resource, "effective"), "" if status == "on-hold" else end_of(resource, "effective")
    return medicine_facts(resource, source, time=time, end=end, active=status == "active")


MAPPER = Mapper("MedicationStatement", frozenset({"statin", "antihypertensive", "medicine"}), read)
