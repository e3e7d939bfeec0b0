"""What every report on one assessment shares: whom it is about, the day, and what it was calculated under."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fhirtwin.settings import Settings
from fhirtwin.twin.state import PatientKey


@dataclass(frozen=True, slots=True)
class Occasion:
    """One patient on one day.

    Attributes:
        patient: whose risks these are.
        subject: reference to the Patient: relative when stored here, else absolute.
        as_of: the day the risks are calculated for.
        panel_digest: SHA-256 of the weights that the engine was asked to use, in hex.
        settings: those in force.
    """

    patient: PatientKey
    subject: str
    as_of: date
    panel_digest: str
    settings: Settings
