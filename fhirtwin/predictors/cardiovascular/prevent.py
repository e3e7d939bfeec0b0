"""AHA PREVENT, base model of 2023: total cardiovascular disease, ASCVD and heart failure in 10 and 30 years.

Source:
    Khan SS, Matsushita K, Sang Y, et al. Development and Validation of the American Heart Association's PREVENT
    Equations. Circulation 2024;149:430-449. doi:10.1161/CIRCULATIONAHA.123.067626. Coefficients: supplement, tables
    S12A to S12J (base model), in `prevent-base-2023.csv` beside this file; an empty cell is no term.

The equation is logistic. Splines, centring and interactions are computed here, in the clear; what is left is one sum
of weight times feature for each outcome, horizon and sex. Its constant is added after opening, which keeps the sealed
sum small. Heart failure weighs the body mass index and no cholesterol, the other outcomes the reverse.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from importlib import resources
from typing import Final

from fhirtwin.predictors.model import Category, Feature, Input, Output, Predictor, Row, Rule, Value, Values
from fhirtwin.settings import Settings
from fhirtwin.terms.coding import Coding
from fhirtwin.terms.systems import LOINC, OUTCOME, SNOMED

GUIDELINE: Final = "2026 ACC/AHA multisociety guideline on the management of dyslipidemia"

MMOL_PER_MG: Final = 0.02586
"""Cholesterol: mmol/L in one mg/dL, with the digits the authors use."""


def _loinc(code: str, display: str) -> Coding:
    return Coding(LOINC, code, display)


INPUTS: Final = (
    Input("age", "age", "a", Decimal(30), Decimal(79)),
    Input("sex", "sex"),
    Input(
        "total-cholesterol",
        "total cholesterol",
        "mg/dL",
        Decimal(130),
        Decimal(320),
        "lipids",
        code=_loinc("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma"),
    ),
    Input(
        "hdl-cholesterol",
        "HDL cholesterol",
        "mg/dL",
        Decimal(20),
        Decimal(100),
        "lipids",
        code=_loinc("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma"),
    ),
    Input(
        "systolic-bp",
        "systolic blood pressure",
        "mm[Hg]",
        Decimal(90),
        Decimal(180),
        "vitals",
        code=_loinc("8480-6", "Systolic blood pressure"),
    ),
    Input(
        "bmi",
        "body mass index",
        "kg/m2",
        Decimal("18.5"),
        Decimal(40),
        "vitals",
        code=_loinc("39156-5", "Body mass index (BMI) [Ratio]"),
        high_excluded=True,
    ),
    Input(
        "egfr",
        "eGFR",
        "mL/min/{1.73_m2}",
        Decimal(15),
        Decimal(140),
        "creatinine",
        code=_loinc("2160-0", "Creatinine [Mass/volume] in Serum or Plasma"),
    ),
    Input("current-smoker", "current smoking", keep="smoking", code=_loinc("72166-2", "Tobacco smoking status")),
    Input("diabetes", "diabetes", none_recorded_is_no=True),
    Input("antihypertensive", "antihypertensive medicine", none_recorded_is_no=True),
    Input("statin", "statin", none_recorded_is_no=True),
)
"""Ranges: Khan 2024 as implemented by the AHA calculator and by R preventr (`estimate_risk`, argument list)."""

RULES: Final = (
    Rule("deceased", False, "deceased"),
    Rule("cardiovascular-disease", False, "known cardiovascular disease"),
    Rule("heart-failure", False, "heart failure"),
    Rule("pregnancy", False, "pregnancy"),
    Rule("dialysis", False, "dialysis"),
)


def _non_hdl(total_mg_dl: float, hdl_mg_dl: float) -> float:
    return (total_mg_dl - hdl_mg_dl) * MMOL_PER_MG - 3.5


def _hdl(mg_dl: float) -> float:
    return (mg_dl * MMOL_PER_MG - 1.3) / 0.3


def prepare(values: Values) -> Mapping[str, float]:
    """Turn values in range into the published terms: splines with their knots, centred, and the interactions.

    Args:
        values: by fact, in the units of `INPUTS`. Body mass index may be absent, and so may the two cholesterols with
            the statin: their features are then 0, and only outcomes that do not weigh them are used.

    Source: Khan 2024, supplement, tables S12A to S12J, column of terms.
    """
    age = (_number(values["age"]) - 55) / 10
    sbp, egfr = _number(values["systolic-bp"]), _number(values["egfr"])
    bmi = _number(values["bmi"]) if "bmi" in values else None
    lipids = "total-cholesterol" in values and "hdl-cholesterol" in values
    total, hdl = (_number(values[f]) if lipids else 0.0 for f in ("total-cholesterol", "hdl-cholesterol"))
    treated = _number(values["antihypertensive"])
    terms = {
        "age": age,
        "age-squared": age * age,
        "non-hdl": _non_hdl(total, hdl) if lipids else 0.0,
        "hdl": _hdl(hdl) if lipids else 0.0,
        "sbp-below-110": (min(sbp, 110) - 110) / 20,
        "sbp-from-110": (max(sbp, 110) - 130) / 20,
        "diabetes": _number(values["diabetes"]),
        "smoking": _number(values["current-smoker"]),
        "bmi-below-30": (min(bmi, 30) - 25) / 5 if bmi is not None else 0.0,
        "bmi-from-30": (max(bmi, 30) - 30) / 5 if bmi is not None else 0.0,
        "egfr-below-60": (min(egfr, 60) - 60) / -15,
        "egfr-from-60": (max(egfr, 60) - 90) / -15,
        "antihypertensive": treated,
        "statin": _number(values.get("statin", False)),
    }
    terms["treated-sbp"] = treated * terms["sbp-from-110"]
    terms["treated-non-hdl"] = terms["statin"] * terms["non-hdl"]
    return terms | {name: age * terms[term] for name, term in AGE_TIMES.items()}


def _number(value: Value) -> float:
    return float(value)


AGE_TIMES: Final = {
    "age-x-non-hdl": "non-hdl",
    "age-x-hdl": "hdl",
    "age-x-sbp": "sbp-from-110",
    "age-x-diabetes": "diabetes",
    "age-x-smoking": "smoking",
    "age-x-bmi-from-30": "bmi-from-30",
    "age-x-egfr-below-60": "egfr-below-60",
}
"""Interactions with age, and the term that age is multiplied by."""

_SIMPLE: Final[dict[str, tuple[float, float]]] = {
    "age": (-2.5, 2.4),
    "age-squared": (0.0, 6.25),
    "non-hdl": (_non_hdl(130, 100), _non_hdl(320, 20)),
    "hdl": (_hdl(20), _hdl(100)),
    "sbp-below-110": (-1.0, 0.0),
    "sbp-from-110": (-1.0, 2.5),
    "diabetes": (0.0, 1.0),
    "smoking": (0.0, 1.0),
    "bmi-below-30": (-1.3, 1.0),
    "bmi-from-30": (0.0, 2.0),
    "egfr-below-60": (0.0, 3.0),
    "egfr-from-60": ((140 - 90) / -15, 2.0),
    "antihypertensive": (0.0, 1.0),
    "statin": (0.0, 1.0),
    "treated-sbp": (-1.0, 2.5),
    "treated-non-hdl": (_non_hdl(130, 100), _non_hdl(320, 20)),
}
"""What each term can be while the inputs are in range."""


def _features() -> tuple[Feature, ...]:
    ages = _SIMPLE["age"]
    ranges = dict(_SIMPLE)
    for name, term in AGE_TIMES.items():
        corners = [age * end for age in ages for end in ranges[term]]
        ranges[name] = (min(corners), max(corners))
    return tuple(Feature(name, low, high) for name, (low, high) in ranges.items())


def _coefficients() -> dict[str, dict[str, float]]:
    """Read the table: row name to term to coefficient, `constant` among the terms."""
    text = resources.files(__package__).joinpath("prevent-base-2023.csv").read_text(encoding="utf-8")
    columns: dict[str, dict[str, float]] = {}
    for line in csv.DictReader(text.splitlines()):
        term = line.pop("term")
        for row, cell in line.items():
            if cell:
                columns.setdefault(row, {})[term] = float(cell)
    return columns


_COLUMNS: Final = _coefficients()
CONSTANTS: Final = {row: terms["constant"] for row, terms in _COLUMNS.items()}
ROWS: Final = tuple(
    Row(row, {term: weight for term, weight in terms.items() if term != "constant"}) for row, terms in _COLUMNS.items()
)


def logistic(linear: float, _settings: Settings) -> float:
    """Turn log odds into a probability."""
    return 1 / (1 + math.exp(-linear))


def _no_category(_percent: Decimal, _settings: Settings) -> None:
    """No guideline has words for this outcome and horizon."""


def ascvd_category(percent: Decimal, _settings: Settings) -> Category:
    """Name the 10-year risk of ASCVD as the guideline does; only `high` asks for attention (`warning`)."""
    if percent < 3:
        return Category("low", "low (below 3 %)", "info", GUIDELINE)
    if percent < 5:
        return Category("borderline", "borderline (3 to below 5 %)", "info", GUIDELINE)
    if percent < 10:
        return Category("intermediate", "intermediate (5 to below 10 %)", "info", GUIDELINE)
    return Category("high", "high (10 % and above)", "warning", GUIDELINE)


_OUTCOMES: Final[tuple[tuple[Coding, Coding | None, frozenset[str]], ...]] = (
    (Coding(OUTCOME, "total-cvd", "Total cardiovascular disease"), None, frozenset({"bmi"})),
    (Coding(OUTCOME, "ascvd", "Atherosclerotic cardiovascular disease"), None, frozenset({"bmi"})),
    (
        Coding(OUTCOME, "heart-failure", "Heart failure"),
        Coding(SNOMED, "84114007", "Heart failure"),
        frozenset({"total-cholesterol", "hdl-cholesterol", "statin"}),
    ),
)
"""Each outcome, the SNOMED CT code that says the same where one does, and the inputs it does without."""


def _row_of(output: str) -> Callable[[Values], str]:
    return lambda values: f"{output}-{values['sex']}"


def _constant_of(output: str) -> Callable[[Values], float]:
    return lambda values: CONSTANTS[f"{output}-{values['sex']}"]


def _output(outcome: Coding, snomed: Coding | None, without: frozenset[str], years: int) -> Output:
    name = f"{outcome.code}-{years}y"
    return Output(
        id=name,
        outcome=outcome,
        snomed=snomed,
        horizon_years=years,
        low_age_years=30,
        high_age_years=79 if years == 10 else 59,
        row=_row_of(name),
        constant=_constant_of(name),
        link=logistic,
        category=ascvd_category if name == "ascvd-10y" else _no_category,
        inputs=frozenset(i.fact for i in INPUTS) - without,
    )


PREDICTOR: Final = Predictor(
    id="prevent-base",
    version="2023.1",
    title="AHA PREVENT equations, base model (2023)",
    source="Khan SS et al., Circulation 2024;149:430-449, https://doi.org/10.1161/CIRCULATIONAHA.123.067626",
    inputs=INPUTS,
    rules=RULES,
    features=_features(),
    rows=ROWS,
    outputs=tuple(_output(*outcome, years) for years in (10, 30) for outcome in _OUTCOMES),
    prepare=prepare,
)
