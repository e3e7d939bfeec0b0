"""MedicationRequest: the medicines that were ordered, and whether they are statins or antihypertensives.

An order counts as treatment while it is `active`, from `authoredOn` until its dosage or its dispensing period ends; and
when `completed`, until its dosage ended. One that was `stopped` or put `on-hold` is kept as past: the end that was
planned is not the day it stopped, which the record does not tell, so it counts on none. Nor does the end of dispensing
say until when a completed one was taken.
"""

from __future__ import annotations

from typing import Final

from fhirtwin.twin.mapper import Mapper, Resource
from fhirtwin.twin.medicines import STATUS_UNKNOWN, medicine_facts
from fhirtwin.twin.reading import forbidden, items, text, unused
from fhirtwin.twin.state import Mapped, Source

ORDERS: Final = ("order", "original-order", "reflex-order", "filler-order", "instance-order")
PAST: Final = ("completed", "stopped", "on-hold")
AS_PLANNED: Final = ("active", "completed")
"""Statuses of orders that end when they were meant to."""


def read(resource: Resource, source: Source) -> Mapped:
    """Read one MedicationRequest."""
    reason = forbidden(resource) or _unfit(resource)
    if reason:
        return unused(source, reason)
    status = text(resource, "status")
    end = _end(resource, status) if status in AS_PLANNED else ""
    return medicine_facts(resource, source, time=text(resource, "authoredOn"), end=end, active=status == "active")


def _unfit(resource: Resource) -> str | None:
    if resource.get("doNotPerform") is True:
        return "it asks that the medicine is not given (doNotPerform)"
    if text(resource, "intent") not in ORDERS:
        return "its intent is not an order"
    if text(resource, "status") == "unknown":
        return STATUS_UNKNOWN
    if text(resource, "status") not in ("active", *PAST):
        return "its status is not active, completed, stopped or on-hold"
    return None


def _end(resource: Resource, status: str) -> str:
    """When all dosages end, if every one says so; else, while the order is active, when dispensing ends."""
    bounds = [_bound(dosage) for dosage in items(resource, "dosageInstruction")]
    if bounds and all(bounds):
        return max(bounds)
    if status != "active":
        return ""
    dispense = resource.get("dispenseRequest")
    return text(dispense.get("validityPeriod"), "end") if isinstance(dispense, dict) else ""


def _bound(dosage: Resource) -> str:
    timing = dosage.get("timing")
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    return text(repeat.get("boundsPeriod"), "end") if isinstance(repeat, dict) else ""


MAPPER = Mapper("MedicationRequest", frozenset({"statin", "antihypertensive", "medicine"}), read)
