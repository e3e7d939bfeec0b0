"""UCUM units of the facts we keep, and conversion between them: exact, or refused.

A unit is known by its UCUM code, or by one of the few spellings of it that records carry (`mmHg`, `µmol/L`). UCUM has
no general way from moles to grams, so the table is by fact: the same `mmol/L` is another factor for cholesterol than
for creatinine.

Sources of the factors:
    * cholesterol, 1 mg/dL = 0.02586 mmol/L: Khan SS et al., Circulation 2024;149:430-449 (PREVENT), supplement.
    * creatinine, 1 mg/dL = 88.4 µmol/L: KDIGO 2012 CKD guideline, Kidney Int Suppl 2013;3:1-150, conversion table.
    * albumin-to-creatinine, 1 mg/mmol = 8.84 mg/g: the same molar mass of creatinine (113.1 g/mol) as above.
    * pressure, 1 mm[Hg] = 0.133322 kPa; mass, 1 [lb_av] = 0.45359237 kg; length, 1 [in_i] = 2.54 cm: UCUM 2.1 tables.
    * magnesium 24.305 g/mol, calcium 40.078, glucose 180.156 (C6H12O6), bilirubin 584.673 (C33H36N4O6), nitrogen of
      urea 28.014 (N2): from the standard atomic weights of IUPAC (CIAAW 2021, abridged). An ion of one charge has as
      many milliequivalents as millimoles, one of two charges twice as many.
    * HbA1c, % = 0.09148 × mmol/mol + 2.152: Hoelzel W et al., Clin Chem 2004;50:166-174 (IFCC-NGSP master equation).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Final

from fhirtwin.errors import Unprocessable
from fhirtwin.terms.facts import UNITS

DIGITS: Final = 15
"""Significant digits of a converted value: all that a double can carry, and few enough to read."""

_WORK = Context(prec=50)
_KEEP = Context(prec=DIGITS)


@dataclass(frozen=True, slots=True)
class Scale:
    """How a unit relates to the canonical one of a fact: canonical = (value × times / over) + plus."""

    times: Decimal = Decimal(1)
    over: Decimal = Decimal(1)
    plus: Decimal = Decimal(0)

    def into_canonical(self, value: Decimal) -> Decimal:
        """Give the value in the canonical unit."""
        return _WORK.add(_WORK.divide(_WORK.multiply(value, self.times), self.over), self.plus)

    def from_canonical(self, value: Decimal) -> Decimal:
        """Give a canonical value in this unit."""
        return _WORK.divide(_WORK.multiply(_WORK.subtract(value, self.plus), self.over), self.times)


_SAME = Scale()


def _times(factor: str) -> Scale:
    return Scale(times=Decimal(factor))


def _over(factor: str) -> Scale:
    return Scale(over=Decimal(factor))


_CHOLESTEROL = {"mg/dL": _SAME, "mmol/L": _over("0.02586"), "g/L": _times("100")}
_PRESSURE = {"mm[Hg]": _SAME, "kPa": _over("0.133322")}

_ONE_CHARGE = {"mmol/L": _SAME, "meq/L": _SAME}
_ENZYME = {"U/L": _SAME}
_COUNT = {"10*3/uL": _SAME, "10*9/L": _SAME, "/uL": _over("1000"), "10*6/L": _over("1000")}
_MICROGRAMS = {"ug/mL": _SAME, "mg/L": _SAME}
_GRAMS = {"g/dL": _SAME, "g/L": _over("10")}

SCALES: Final[Mapping[str, Mapping[str, Scale]]] = {
    "total-cholesterol": _CHOLESTEROL,
    "hdl-cholesterol": _CHOLESTEROL,
    "systolic-bp": _PRESSURE,
    "diastolic-bp": _PRESSURE,
    "bmi": {"kg/m2": _SAME},
    "body-weight": {"kg": _SAME, "g": _over("1000"), "[lb_av]": _times("0.45359237")},
    "body-height": {"cm": _SAME, "m": _times("100"), "[in_i]": _times("2.54")},
    "creatinine": {"mg/dL": _SAME, "umol/L": _over("88.4"), "mmol/L": Scale(Decimal(1000), Decimal("88.4"))},
    "egfr": {"mL/min/{1.73_m2}": _SAME},
    "uacr": {"mg/g": _SAME, "mg/mmol": _times("8.84")},
    "hba1c": {"%": _SAME, "mmol/mol": Scale(times=Decimal("0.09148"), plus=Decimal("2.152"))},
    "ldl-cholesterol": _CHOLESTEROL,
    "triglycerides": {"mg/dL": _SAME},
    "potassium": _ONE_CHARGE,
    "sodium": _ONE_CHARGE,
    "chloride": _ONE_CHARGE,
    "bicarbonate": _ONE_CHARGE,
    "magnesium": {"mg/dL": _SAME, "mmol/L": _times("2.4305"), "meq/L": _times("1.21525")},
    "calcium": {"mg/dL": _SAME, "mmol/L": _times("4.0078")},
    "glucose": {"mg/dL": _SAME, "mmol/L": _times("18.0156")},
    "urea-nitrogen": {"mg/dL": _SAME, "mmol/L": _times("2.8014")},
    "albumin": _GRAMS,
    "bilirubin-total": {"mg/dL": _SAME, "umol/L": _times("0.0584673")},
    "alt": _ENZYME,
    "ast": _ENZYME,
    "alkaline-phosphatase": _ENZYME,
    "creatine-kinase": _ENZYME,
    "tsh": {"m[IU]/L": _SAME, "u[IU]/mL": _SAME},
    "inr": {"{INR}": _SAME, "1": _SAME},
    "hemoglobin": _GRAMS,
    "leukocytes": _COUNT,
    "neutrophils": _COUNT,
    "platelets": _COUNT,
    "lithium-level": _ONE_CHARGE,
    "digoxin-level": {"ng/mL": _SAME, "ug/L": _SAME},
    "valproate-level": _MICROGRAMS,
    "carbamazepine-level": _MICROGRAMS,
    "qtc-interval": {"ms": _SAME, "s": _times("1000")},
    "heart-rate": {"/min": _SAME},
    "age": {"a": _SAME},
}
"""For each fact with a quantity, the units it is taken in; the first is `fhirtwin.terms.facts.UNITS`."""

_SPELLINGS: Final[Mapping[str, str]] = {
    "mg/dl": "mg/dL",
    "mmol/l": "mmol/L",
    "umol/l": "umol/L",
    "g/l": "g/L",
    "\u00b5mol/L": "umol/L",
    "\u00b5mol/l": "umol/L",
    "\u03bcmol/L": "umol/L",
    "\u03bcmol/l": "umol/L",
    "mEq/L": "meq/L",
    "g/dl": "g/dL",
    "mIU/L": "m[IU]/L",
    "uIU/mL": "u[IU]/mL",
    "10^3/uL": "10*3/uL",
    "10^9/L": "10*9/L",
    "{beats}/min": "/min",
    "{Beats}/min": "/min",
    "beats/min": "/min",
    "msec": "ms",
    "mmHg": "mm[Hg]",
    "mm Hg": "mm[Hg]",
    "kg/m^2": "kg/m2",
    "kg/m\u00b2": "kg/m2",
    "ug/mg": "mg/g",
    "g/mol": "mg/mmol",
    "mL/min/1.73m2": "mL/min/{1.73_m2}",
    "mL/min/1.73 m2": "mL/min/{1.73_m2}",
    "mL/min/1.73_m2": "mL/min/{1.73_m2}",
    "mL/min/1.73m\u00b2": "mL/min/{1.73_m2}",
    "mL/min/1.73 m\u00b2": "mL/min/{1.73_m2}",
    "mL/min/{1.73m2}": "mL/min/{1.73_m2}",
    "mL/min/{1.73 m2}": "mL/min/{1.73_m2}",
    "ml/min/{1.73_m2}": "mL/min/{1.73_m2}",
    "ml/min/{1.73m2}": "mL/min/{1.73_m2}",
    "ml/min/1.73m2": "mL/min/{1.73_m2}",
    "mL/min/173.10*-2.m2": "mL/min/{1.73_m2}",
    "mL/min/(173.10*-2.m2)": "mL/min/{1.73_m2}",
}

_ANNOTATION: Final = re.compile(r"(?<=[\w%\]])\{[^{}]*\}")


def canonical_spelling(unit: str) -> str:
    """Give the UCUM code this table uses for a unit, or the text itself when it has no other spelling here.

    An annotation behind a unit (`mg/g{creat}`) says nothing in UCUM (section 6) and is left out; one that stands for a
    unit (`mL/min/{1.73_m2}`) stays.
    """
    plain = _ANNOTATION.sub("", unit) if "{" in unit else unit
    return _SPELLINGS.get(plain, plain)


def convert(value: Decimal, unit: str, to: str, *, analyte: str) -> Decimal:
    """Convert a quantity of one fact between UCUM units.

    Args:
        value: the number in `unit`.
        unit: UCUM code, or a spelling of it that this table knows.
        to: the unit wanted, likewise.
        analyte: name of the fact (`fhirtwin.terms.facts.UNITS`), because moles to grams needs to know of what.

    Returns:
        The value in `to`: the same Decimal when the units are the same, else rounded to 15 significant digits.

    Raises:
        Unprocessable: the fact has no quantity, or one of the units is not one it is taken in.
    """
    scales = SCALES.get(analyte)
    if scales is None:
        raise Unprocessable(f"{analyte} is not a quantity, so it has no unit.")
    start, goal = scales.get(canonical_spelling(unit)), scales.get(canonical_spelling(to))
    if start is None or goal is None:
        raise Unprocessable(f"the unit cannot be converted: {analyte} is taken in {', '.join(scales)}")
    if start is goal:
        return value
    return _KEEP.plus(goal.from_canonical(start.into_canonical(value)))


def to_canonical(value: Decimal, unit: str, *, analyte: str) -> Decimal:
    """Convert to the unit that `fhirtwin.terms.facts.UNITS` keeps the fact in; raises as `convert` does."""
    return convert(value, unit, UNITS.get(analyte, ""), analyte=analyte)
