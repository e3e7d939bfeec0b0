"""Made-up people as prepared vectors, a line each, as `fhirtwin cohort --prepare` would write them."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from typing import Any

from fhirtwin.predictors import registry

LISTS = "none recorded"


def person(number: int, day: date) -> dict[str, Any]:
    """Person `number`: within the ranges of both predictors; one in ten has no kidney disease, one in twenty no bmi."""
    chance = random.Random(number)  # noqa: S311 - a repeatable person, not a secret
    age, sex = chance.randint(40, 75), chance.choice(["female", "male"])
    egfr = round(chance.uniform(16, 59), 2)
    common = [_input("age", age, "a", day), _input("sex", sex)]
    numbers = {
        "total-cholesterol": (chance.randint(160, 300), "mg/dL"),
        "hdl-cholesterol": (chance.randint(25, 95), "mg/dL"),
        "systolic-bp": (chance.randint(95, 178), "mm[Hg]"),
        "bmi": (round(chance.uniform(19, 39.5), 1), "kg/m2"),
        "egfr": (egfr, "mL/min/{1.73_m2}"),
    }
    flags = {name: chance.random() < 0.3 for name in ("current-smoker", "diabetes", "antihypertensive", "statin")}
    told = day - timedelta(days=chance.randint(1, 300))
    heart = [*common, *(_input(name, value, unit, told) for name, (value, unit) in numbers.items())]
    heart += [_input(name, value, "", told) for name, value in flags.items()]
    outputs = [o.id for o in registry.all_predictors()[1].outputs if o.applies_at(age)]
    vectors = [_vector("prevent-base", age, heart, outputs)]
    refused = []
    if number % 20 == 7:
        vectors[0]["inputs"] = [one for one in heart if one["fact"] != "bmi"]
        lost = [o for o in outputs if o.startswith("heart-failure")]
        vectors[0]["outputs"] = [o for o in outputs if o not in lost]
        reasons = ["body mass index is missing (LOINC 39156-5)"]
        vectors[0]["refusals"] = [{"output": o, "reasons": reasons} for o in lost]
    if number % 10 == 3:
        refused.append({"predictor": "kfre-4-variable", "reasons": ["chronic kidney disease G3 to G5 not shown"]})
    else:
        kidney = [*common, _input("egfr", egfr, "mL/min/{1.73_m2}", told)]
        kidney.append(_input("uacr", chance.randint(5, 3000), "mg/g", told))
        vectors.append(_vector("kfre-4-variable", age, kidney, ["kidney-failure-2y", "kidney-failure-5y"]))
    return {"patient": f"person-{number}", "date": day.isoformat(), "vectors": vectors, "refused": refused}


def line(number: int, day: date) -> bytes:
    """Person `number` as a line."""
    return json.dumps(person(number, day), separators=(",", ":")).encode() + b"\n"


def _vector(predictor: str, age: int, inputs: list[dict[str, Any]], outputs: list[str]) -> dict[str, Any]:
    known = next(one for one in registry.all_predictors() if one.id == predictor)
    checks = [{"fact": rule.fact, "value": rule.must_be, "note": LISTS} for rule in known.rules]
    said = {"predictor": predictor, "version": known.version, "age": age, "inputs": inputs, "outputs": outputs}
    return {**said, "checks": checks}


def _input(fact: str, value: Any, unit: str = "", when: date | None = None) -> dict[str, Any]:
    said: dict[str, Any] = {"fact": fact, "value": value}
    said |= {"unit": unit} if unit else {}
    said |= {"time": when.isoformat(), "sources": [f"Observation/{fact}/_history/1"]} if when else {}
    return said
