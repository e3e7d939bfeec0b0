"""Kidney function: eGFR from creatinine, chronicity of a low eGFR, and whether creatinine is stable.

Sources:
    * CKD-EPI 2021 creatinine equation: Inker LA et al., N Engl J Med 2021;385:1737-1749.
    * Chronic kidney disease: "abnormalities of kidney structure or function, present for a minimum of 3 months";
      GFR categories G3a-G5 are below 60: KDIGO 2024 CKD guideline, Kidney Int 2024;105(4S):S117-S314, section 1.1.
    * Acute kidney injury: creatinine up by 0.3 mg/dL or more within 48 hours, or to 1.5 times baseline or more within
      7 days: KDIGO 2012 AKI guideline, Kidney Int Suppl 2012;2:1-138, section 2.1.
    * Acute kidney disease may last up to 90 days: the same, section 2.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from fhirtwin.twin.state import Fact
from fhirtwin.twin.times import begins

ADULT_YEARS: Final = 18
LOW_EGFR: Final = Decimal(60)
CHRONIC: Final = timedelta(days=90)
UNSETTLED: Final = timedelta(days=90)
RISE_MG_DL: Final = Decimal("0.3")
RISE_WITHIN: Final = timedelta(hours=48)
RATIO: Final = Decimal("1.5")
RATIO_WITHIN: Final = timedelta(days=7)
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


def chronic(egfrs: Sequence[Fact]) -> bool | None:
    """Tell whether CKD G3-G5 is shown.

    It is when the newest eGFR and one at least 90 days older are below 60, with none at 60 or above between them.

    Args:
        egfrs: eGFR facts, oldest first.

    Returns:
        None when there is no eGFR.
    """
    if not egfrs:
        return None
    newest, oldest_low = begins(egfrs[-1].time), None
    for fact in reversed(egfrs):
        if _number(fact) >= LOW_EGFR:
            break
        oldest_low = begins(fact.time)
    return oldest_low is not None and newest - oldest_low >= CHRONIC


def unstable(creatinines: Sequence[Fact]) -> bool | None:
    """Tell whether creatinine changed as in acute kidney injury within the 90 days up to the newest value.

    A fall of the same size counts too: it is the recovery from a rise that was not measured, and neither value then
    shows the usual kidney function.

    Args:
        creatinines: creatinine facts in mg/dL, oldest first.

    Returns:
        None when there is no creatinine.
    """
    if not creatinines:
        return None
    newest = begins(creatinines[-1].time)
    for later in range(len(creatinines) - 1, 0, -1):
        if newest - begins(creatinines[later].time) > UNSETTLED:
            break
        for earlier in range(later - 1, -1, -1):
            if begins(creatinines[later].time) - begins(creatinines[earlier].time) > RATIO_WITHIN:
                break
            if _acute(creatinines[earlier], creatinines[later]):
                return True
    return False


def _acute(earlier: Fact, later: Fact) -> bool:
    apart = begins(later.time) - begins(earlier.time)
    low, high = sorted((_number(earlier), _number(later)))
    return (apart <= RISE_WITHIN and high - low >= RISE_MG_DL) or (apart <= RATIO_WITHIN and high >= RATIO * low)


def _number(fact: Fact) -> Decimal:
    value = fact.value
    if not isinstance(value, Decimal):
        raise TypeError(f"{fact.name} must be a number")
    return value
