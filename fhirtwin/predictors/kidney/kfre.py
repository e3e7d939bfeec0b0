"""The kidney failure risk equation with four variables: dialysis or transplant within 2 and 5 years.

Source:
    Tangri N, Stevens LA, Griffith J, et al. A predictive model for progression of chronic kidney disease to kidney
    failure. JAMA 2011;305:1553-1559. doi:10.1001/jama.2011.451 (population, outcome).
    Tangri N, Grams ME, Levey AS, et al. Multinational assessment of accuracy of equations for predicting risk of
    kidney failure. JAMA 2016;315:164-174. doi:10.1001/jama.2015.18202 (pooled coefficients and baselines).

The probability is 1 - S0 ** exp(sum of weight times centred input). One row serves both horizons and both regions:
only the baseline S0 differs, and it belongs to the link.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from fhirtwin.predictors.model import Category, Feature, Input, Output, Predictor, Row, Rule, Values
from fhirtwin.settings import Settings
from fhirtwin.terms.coding import Coding
from fhirtwin.terms.systems import LOINC, OUTCOME, SNOMED

GUIDELINE: Final = "KDIGO 2024 guideline for the evaluation and management of chronic kidney disease"

BASELINE: Final = {
    ("north-american", 2): 0.9750,
    ("north-american", 5): 0.9240,
    ("non-north-american", 2): 0.9832,
    ("non-north-american", 5): 0.9365,
}
"""Probability of no kidney failure by region and years, for a patient at the centre of every input."""

WEIGHTS: Final = {"age": -0.2201, "male": 0.2467, "egfr": -0.5567, "ln-uacr": 0.4510}

INPUTS: Final = (
    Input("age", "age", "a", Decimal(18), Decimal(110)),
    Input("sex", "sex"),
    Input(
        "egfr",
        "eGFR",
        "mL/min/{1.73_m2}",
        Decimal(10),
        Decimal(60),
        "creatinine",
        code=Coding(LOINC, "2160-0", "Creatinine [Mass/volume] in Serum or Plasma"),
        high_excluded=True,
    ),
    Input(
        "uacr",
        "urine albumin-creatinine ratio",
        "mg/g",
        Decimal("0.1"),
        Decimal(25000),
        "uacr",
        code=Coding(LOINC, "9318-7", "Albumin/Creatinine [Mass Ratio] in Urine"),
    ),
)
"""Ranges: eGFR 10 to 59 and adults (Tangri 2011). The papers give none for the albumin-creatinine ratio, nor an upper
age: 0.1 to 25,000 mg/g is what PREVENT's calculators take for the same test, and 110 years is a bound of this project,
so that the sealed sum is bounded."""

RULES: Final = (
    Rule("deceased", False, "deceased"),
    Rule("dialysis", False, "dialysis"),
    Rule("kidney-transplant", False, "kidney transplant"),
    Rule("acute-kidney-injury", False, "acute kidney injury"),
    Rule("kidney-function-unstable", False, "acute kidney injury or rapidly changing kidney function"),
    Rule(
        "ckd-g3-g5-shown",
        True,
        "chronic kidney disease G3 to G5 not shown by two eGFR below 60 at least 90 days apart",
        "chronic kidney disease G3 to G5",
    ),
)


def prepare(values: Values) -> Mapping[str, float]:
    """Centre the inputs at the means of the development cohort, as published.

    Args:
        values: age in years, sex, eGFR in mL/min/1.73 m², urine albumin-creatinine ratio in mg/g.

    Source: Tangri 2016, supplement, four-variable equation.
    """
    return {
        "age": _age(float(values["age"])),
        "male": _male(float(values["sex"] == "male")),
        "egfr": _egfr(float(values["egfr"])),
        "ln-uacr": _ln_uacr(float(values["uacr"])),
    }


def _age(years: float) -> float:
    return years / 10 - 7.036


def _male(male: float) -> float:
    return male - 0.5642


def _egfr(ml_min: float) -> float:
    return ml_min / 5 - 7.222


def _ln_uacr(mg_g: float) -> float:
    return math.log(mg_g) - 5.137


def link_over(years: int) -> Callable[[float, Settings], float]:
    """Give the link of one horizon: the linear predictor to the probability of kidney failure within `years`."""

    def link(linear: float, settings: Settings) -> float:
        # expm1 and log1p keep the digits of probabilities far below 1 %.
        survival = BASELINE[settings.kfre_region, years]
        return -math.expm1(math.exp(linear) * math.log(survival))

    return link


def five_year_category(percent: Decimal, settings: Settings) -> Category | None:
    """Name the 5-year risk from which referral to a nephrologist is considered (practice point 2.2.1)."""
    threshold = Decimal(str(settings.kfre_referral_percent))
    if percent < threshold:
        return None
    text = f"nephrology referral to be considered ({threshold.normalize():f} % and above)"
    return Category("nephrology-referral", text, "warning", GUIDELINE)


def two_year_category(percent: Decimal, _settings: Settings) -> Category | None:
    """Name the 2-year risks above which care is organised differently (practice points 2.2.2 and 2.2.3)."""
    if percent > 40:
        text = "preparation for kidney replacement to be considered (above 40 %)"
        return Category("kidney-replacement-preparation", text, "warning", GUIDELINE)
    if percent > 10:
        return Category("multidisciplinary-care", "multidisciplinary care (above 10 %)", "warning", GUIDELINE)
    return None


def _output(years: int, category: Callable[[Decimal, Settings], Category | None]) -> Output:
    return Output(
        id=f"kidney-failure-{years}y",
        outcome=Coding(OUTCOME, "kidney-failure", "Kidney failure treated by dialysis or transplant"),
        snomed=Coding(SNOMED, "46177005", "End-stage renal disease"),
        horizon_years=years,
        low_age_years=18,
        high_age_years=110,
        row=lambda _values: "kidney-failure",
        constant=lambda _values: 0.0,  # the published inputs are centred already
        link=link_over(years),
        category=category,
    )


PREDICTOR: Final = Predictor(
    id="kfre-4-variable",
    version="2016.1",
    title="Kidney failure risk equation, four variables (2016 calibration)",
    source="Tangri N et al., JAMA 2016;315:164-174, https://doi.org/10.1001/jama.2015.18202",
    inputs=INPUTS,
    rules=RULES,
    features=(
        Feature("age", _age(18), _age(110)),
        Feature("male", _male(0), _male(1)),
        Feature("egfr", _egfr(10), _egfr(60)),
        Feature("ln-uacr", _ln_uacr(0.1), _ln_uacr(25000)),
    ),
    rows=(Row("kidney-failure", WEIGHTS),),
    outputs=(_output(2, two_year_category), _output(5, five_year_category)),
    prepare=prepare,
)
