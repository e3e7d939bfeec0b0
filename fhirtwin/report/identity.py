"""Which assessment is the same as which: the same patient, model, age, settings and sources are one RiskAssessment.

A chart is opened many times a day; each opening must find the assessment that is there, not add another. So the logical
id of a RiskAssessment is a hash of what makes it *this* assessment, and a second hash, of the values that went in,
tells whether an input was corrected since: then the assessment gets a new version. The score is in neither hash: it
follows from the values, and the last digit of a number that was opened from a ciphertext may differ between two calls.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.predictors.model import FeatureVector
from fhirtwin.report.occasion import Occasion

SETTINGS_THAT_MATTER: Final = (
    "kfre_region",
    "kfre_referral_percent",
    "max_age_lipids_days",
    "max_age_creatinine_days",
    "max_age_uacr_days",
    "max_age_vitals_days",
    "max_age_smoking_days",
)
"""Settings that change a score, a category or which value is used; another value makes another assessment."""


_RESULTS: Final = "results"
"""Of published models alone, so its setting matters to those that have such an input, and ids of all others stay."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an assessment is.

    Attributes:
        key: SHA-256, in hex, of what makes it this assessment and no other.
        content: SHA-256, in hex, of the values that went in.
    """

    key: str
    content: str

    @property
    def id(self) -> str:
        """Logical id of the RiskAssessment: 43 characters of the 64 that FHIR allows."""
        return f"ra-{self.key[:40]}"

    def provenance_id(self, version: int) -> str:
        """Logical id of the Provenance of one version of the RiskAssessment."""
        return f"pv-{self.key[:40]}-{version}"


def identity(vector: FeatureVector, occasion: Occasion) -> Identity:
    """Identity of what one predictor says of one patient at one age.

    The day itself is not part of it, the age on that day is. Nor are versions of sources: a corrected source has the
    same id, so its assessment keeps its id and gets a new version.
    """
    settings = {name: getattr(occasion.settings, name) for name in SETTINGS_THAT_MATTER}
    if any(one.keep == _RESULTS for one in vector.predictor.inputs):
        settings["max_age_results_days"] = occasion.settings.max_age_results_days
    key = {
        "patient": [occasion.patient.origin, occasion.patient.id],
        "predictor": [vector.predictor.id, vector.predictor.version],
        "outputs": [output.id for output in vector.outputs],
        "age": vector.age_years,
        "settings": settings,
        "panel": vector.predictor.model_hash or occasion.panel_digest,
        "basis": sorted({without_version(reference) for reference in basis(vector)}),
    }
    content = [
        [given.fact, str(given.value), given.unit, given.time]
        for given in (*vector.inputs, *vector.checks)
        if given.fact != "age"  # it is in the key, in whole years; the birth date's resource is in the basis
    ]
    return Identity(key=_digest(key), content=_digest(sorted(content)))


def basis(vector: FeatureVector) -> tuple[str, ...]:
    """References to everything that inputs and rules were read from, each once, in a fixed order."""
    return tuple(sorted({source for given in (*vector.inputs, *vector.checks) for source in given.sources}))


def refer(text: str, unheld: Collection[str]) -> dict[str, str]:
    """A Reference; one that would point at nothing here says what it was instead.

    Args:
        text: reference to a source.
        unheld: relative references to what a call brought and this server does not hold.
    """
    if text not in unheld:
        return {"reference": text}
    return {"type": text.partition("/")[0], "display": "sent with the call, not stored on this server"}


def without_version(reference: str) -> str:
    """The reference to the resource, whichever version is current."""
    return reference.partition("/_history/")[0]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
