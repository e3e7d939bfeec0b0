"""Kidney function: eGFR and creatinine clearance, chronicity of a low eGFR, and whether creatinine is stable.

Sources:
    * CKD-EPI 2021 creatinine equation: Inker LA et al., N Engl J Med 2021;385:1737-1749.
    * Creatinine clearance: Cockcroft DW, Gault MH, Nephron 1976;16:31-41, as printed in section 2 of the label of
      Savaysa (edoxaban): (140 - age) x weight in kg x (0.85 if female) / (72 x creatinine in mg/dL).
    * Chronic kidney disease: "abnormalities of kidney structure or function, present for a minimum of 3 months";
      GFR categories G3a-G5 are below 60: KDIGO 2024 CKD guideline, Kidney Int 2024;105(4S):S117-S314, section 1.1.
    * Acute kidney injury: creatinine up by 0.3 mg/dL or more within 48 hours, or to 1.5 times baseline or more within
      7 days: KDIGO 2012 AKI guideline, Kidney Int Suppl 2012;2:1-138, section 2.1.
    * Acute kidney disease may last up to 90 days: the same, section 2.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from fhirtwin.twin.state import Fact
from fhirtwin.twin.times import begins, span

ADULT_YEARS: Final = 18
LOW_EGFR: Final = Decimal(60)
CHRONIC: Final = timedelta(days=90)
UNSETTLED: Final = timedelta(days=90)
RISE_MG_DL: Final = Decimal("0.3")
RISE_WITHIN: Final = timedelta(hours=48)
RATIO: Final = Decimal("1.5")
RATIO_WITHIN: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
LONGEST_DATE: Final = timedelta(days=366)
"""How much later than its beginning something of a FHIR date may be: the date may be a year."""
_STEP: Final = Decimal("0.01")


def ckd_epi_2021(creatinine_mg_dl: Decimal, age_years: int, sex: str) -> Decimal:
    """Estimate GFR from serum creatinine by the CKD-EPI 2021 equation, which has no race term.

    Args:
        creatinine_mg_dl: serum or plasma creatinine, above zero, in mg/dL, IDMS-traceable.
        age_years: completed years at the draw, 18 or more.
        sex: `female` or `male`.

    Returns:
        mL/min/1.73 m2, rounded to 0.01.

    *Source*: Inker 2021 (above), the equation of creatinine without race.
    """
    female = sex == "female"
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = float(creatinine_mg_dl) / kappa
    egfr = 142 * min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.200 * 0.9938**age_years * (1.012 if female else 1.0)
    return Decimal(egfr).quantize(_STEP)


def cockcroft_gault(creatinine_mg_dl: Decimal, age_years: int, weight_kg: Decimal, sex: str) -> Decimal:
    """Estimate creatinine clearance by the equation of Cockcroft and Gault, with the weight it is given.

    Args:
        creatinine_mg_dl: serum or plasma creatinine, above zero, in mg/dL.
        age_years: completed years, 18 to 139; the equation was made from adults and has no meaning at 140.
        weight_kg: body weight, above zero.
        sex: `female` or `male`.

    Returns:
        mL/min, not indexed to a body surface, rounded to 0.01.

    *Source*: Cockcroft 1976 (above).
    """
    whole = (140 - age_years) * weight_kg / (72 * creatinine_mg_dl)
    return (whole * Decimal("0.85") if sex == "female" else whole).quantize(_STEP)


def shown_by(egfrs: Sequence[Fact]) -> Fact | None:
    """Give the eGFR that shows, together with the newest one, CKD G3-G5; None when it is not shown.

    Both are below 60 and surely at least 90 days apart, and none that may lie between them is 60 or above. Of several
    it is the latest. A date that is only a month or a year may be any of its days.

    Args:
        egfrs: eGFR facts, oldest first.
    """
    if not egfrs or _number(egfrs[-1]) >= LOW_EGFR:
        return None
    newest = begins(egfrs[-1].time)
    low = (f for f in reversed(egfrs) if _number(f) < LOW_EGFR)
    older = next((f for f in low if newest - _latest(f) >= CHRONIC), None)
    if older is None or any(_number(f) >= LOW_EGFR and _latest(f) >= begins(older.time) for f in egfrs):
        return None
    return older


def unstable(creatinines: Sequence[Fact], since: str = "") -> bool | None:
    """Tell whether creatinine changed as in acute kidney injury within the 90 days up to the newest value, or since.

    A fall of the same size counts too: it is the recovery from a rise that was not measured, and neither value then
    shows the usual kidney function.

    Args:
        creatinines: creatinine facts in mg/dL, oldest first.
        since: FHIR date from which on changes count though it is earlier than those 90 days: that of the eGFR which
            shows chronic disease (`shown_by`), since one that was measured in an acute injury shows none.

    Returns:
        None when there is no creatinine.
    """
    if not creatinines:
        return None
    newest = begins(creatinines[-1].time)
    for number, later in enumerate(creatinines):
        if newest - _latest(later) > UNSETTLED and not (since and _latest(later) >= begins(since)):
            continue
        for earlier in reversed(creatinines[:number]):
            if begins(later.time) - begins(earlier.time) > RATIO_WITHIN + LONGEST_DATE:
                break
            if _acute(earlier, later):
                return True
    return False


def _acute(earlier: Fact, later: Fact) -> bool:
    apart = begins(later.time) - _latest(earlier)
    low, high = sorted((_number(earlier), _number(later)))
    return (apart <= RISE_WITHIN and high - low >= RISE_MG_DL) or (apart <= RATIO_WITHIN and high >= RATIO * low)


def _latest(fact: Fact) -> datetime:
    """The moment of a fact; of a date the beginning of its day, and of a month or a year that of its last day."""
    start, end = span(fact.time)
    return end - DAY if end - start > DAY else start


def _number(fact: Fact) -> Decimal:
    value = fact.value
    if not isinstance(value, Decimal):
        raise TypeError(f"{fact.name} must be a number")
    return value
