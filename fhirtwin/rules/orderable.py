"""Tests and measurements that rules ask for, by LOINC, and what clinicians call them."""

from __future__ import annotations

from typing import Final

from fhirtwin.terms.coding import Coding
from fhirtwin.terms.systems import LOINC

POTASSIUM: Final = Coding(LOINC, "2823-3", "Potassium [Moles/volume] in Serum or Plasma")
CREATININE: Final = Coding(LOINC, "2160-0", "Creatinine [Mass/volume] in Serum or Plasma")
LITHIUM: Final = Coding(LOINC, "14334-7", "Lithium [Moles/volume] in Serum or Plasma")
QTC: Final = Coding(LOINC, "8636-3", "Q-T interval corrected")
INR: Final = Coding(LOINC, "6301-6", "INR in Platelet poor plasma by Coagulation assay")
HEIGHT: Final = Coding(LOINC, "8302-2", "Body height")
WEIGHT: Final = Coding(LOINC, "29463-7", "Body weight")

TITLES: Final = {
    POTASSIUM.code: "potassium",
    CREATININE.code: "creatinine",
    LITHIUM.code: "lithium level",
    QTC.code: "QTc interval (ECG)",
    INR.code: "INR",
}
"""LOINC code of a test that interactions ask for to what clinicians call it."""
