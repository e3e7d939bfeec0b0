"""Draft orders of what is missing, and of another medicine; and suggestions of the former, for one click.

What can be ordered is a measured quantity with a code: a laboratory test, or a measurement of vital signs. A birth date
or a smoking status is asked and written down, so there is no order for it.

Source: https://cds-hooks.hl7.org/2.0/#suggestion and http://hl7.org/fhir/R4/servicerequest.html
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from fhirtwin.predictors.model import Input, Refusal
from fhirtwin.report.occasion import Occasion
from fhirtwin.report.wording import plain
from fhirtwin.rules.monitoring_table import PRESSURE
from fhirtwin.rules.orderable import HEIGHT, WEIGHT
from fhirtwin.terms.coding import Coding
from fhirtwin.terms.facts import UNITS

_MEASURED: Final[Mapping[str, tuple[str, tuple[Coding, ...]]]] = {
    "systolic-bp": ("Measure blood pressure", (PRESSURE.order,)),
    "bmi": ("Measure body weight and height", (WEIGHT, HEIGHT)),
    "body-weight": ("Measure body weight", (WEIGHT,)),
    "body-height": ("Measure body height", (HEIGHT,)),
}
"""Facts that are measured at the patient: what that is called, and what is asked for."""

_LABELS: Final = {"egfr": "Order serum creatinine"}
"""Facts that are calculated from a test of another name."""

_WRITTEN: Final = {"age": "birth date", "current-smoker": "smoking status"}
"""Facts that are read from something that is written down under another name."""


def service_request(code: Coding, subject: str, on: date) -> dict[str, Any]:
    """A draft order of what is missing."""
    return _draft("ServiceRequest", "code", code, subject, on)


def medication_request(code: Coding, subject: str, on: date) -> dict[str, Any]:
    """A draft order of another medicine: the ingredient alone, because no source here gives a dose for it."""
    return _draft("MedicationRequest", "medicationCodeableConcept", code, subject, on)


def _draft(type_: str, element: str, code: Coding, subject: str, on: date) -> dict[str, Any]:
    """A proposal, valid R4, for the EHR to store: references are relative to its own server."""
    coding = {"system": code.system, "code": code.code, "display": code.display}
    return {
        "resourceType": type_,
        "status": "draft",
        "intent": "proposal",
        element: {"coding": [coding], "text": code.display},
        "subject": {"reference": subject},
        "authoredOn": on.isoformat(),
    }


def task(description: str, focus: str, subject: str, on: date) -> dict[str, Any]:
    """A draft task for somebody of the EHR to do, valid R4.

    Args:
        description: what, in the words of the card.
        focus: the order or result that it is about, `Type/id`; left out where the EHR has none of that name.
        subject: the patient.
        on: the day.
    """
    about = {"focus": {"reference": focus}} if "/" in focus else {}
    return {
        "resourceType": "Task",
        "status": "draft",
        "intent": "proposal",
        "description": description,
        **about,
        "for": {"reference": subject},
        "authoredOn": on.isoformat(),
    }


def suggestions(refusals: Iterable[Refusal], card: str, occasion: Occasion) -> list[dict[str, Any]]:
    """What can be ordered so that more can be calculated, each code once.

    Args:
        refusals: of predictors, or of outputs of one.
        card: uuid of the card that offers them; theirs are told from it.
        occasion: the patient, as the server of the call knows them, and the day.
    """
    asked: set[str] = set()
    made = []
    for needed in _missing(refusals):
        label, codes = _request(needed)
        new = [code for code in codes if code.code not in asked]
        asked.update(code.code for code in new)
        if new:
            made.append(_suggestion(plain(label), new, card, occasion))
    return made


def only_written(refusals: Iterable[Refusal]) -> list[str]:
    """What is missing and cannot be ordered, each once, as a chart calls it."""
    return list(
        dict.fromkeys(
            _WRITTEN.get(needed.fact, needed.label) for needed in _missing(refusals) if not _request(needed)[1]
        )
    )


def _missing(refusals: Iterable[Refusal]) -> Iterator[Input]:
    for refusal in refusals:
        yield from (needed for needed in refusal.predictor.inputs if needed.fact in refusal.missing)


def _request(needed: Input) -> tuple[str, tuple[Coding, ...]]:
    """What ordering it is called, and the codes; none when it cannot be ordered."""
    if needed.fact in _MEASURED:
        return _MEASURED[needed.fact]
    codes = (needed.code,) if needed.code and needed.code.display and needed.fact in UNITS else ()
    return _LABELS.get(needed.fact, f"Order {needed.label}"), codes


def _suggestion(label: str, codes: Iterable[Coding], card: str, occasion: Occasion) -> dict[str, Any]:
    subject = f"Patient/{occasion.patient.id}"
    requests = [service_request(code, subject, occasion.as_of) for code in codes]
    told = " ".join(request["code"]["coding"][0]["code"] for request in requests)
    return {
        "label": label,
        "uuid": str(uuid.uuid5(uuid.UUID(card), f"request {told}")),
        "actions": [
            {"type": "create", "description": f"Draft order: {plain(request['code']['text'])}", "resource": request}
            for request in requests
        ],
    }
