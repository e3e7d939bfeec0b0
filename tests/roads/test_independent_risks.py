"""Random patients, from FHIR to card, against PREVENT and KFRE written down a second time, from the raw numbers.

What is written here shares no code and no table with the program: no mapper, no unit, no feature, no weight.
"""

from __future__ import annotations

import csv
import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.gateway_in_process import FHIR, Gateway, gateway

PATIENTS = 24
LEFT = {"prevent-base": 0.015, "kfre-4-variable": 0.022}
"""Percentage points that rounding in the vault may cost, as the model cards say."""
WORDS = {"low": 0.0, "borderline": 3.0, "intermediate": 5.0, "high": 10.0}
OUTCOMES = ("total-cvd", "ascvd", "heart-failure")

Json = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """Raw numbers as a laboratory might report them; creatinine of three months ago, then of now."""

    sex: str
    age: int
    cholesterol: float
    hdl: float
    moles: bool
    systolic: int
    kilopascals: bool
    weight: float
    height: float
    creatinine: float
    micromoles: bool
    uacr: float
    per_millimole: bool
    smokes: bool
    diabetes: bool
    statin: bool
    treated: bool


def people(count: int) -> Iterator[Person]:
    chance = random.Random(20260601)  # noqa: S311 (the same people each time, nothing secret)
    for number in range(count):
        sex, kidney = ("female", "male")[number % 2], number % 3 == 0
        yield Person(
            sex=sex,
            age=chance.choice((30, 59, 60, 79, chance.randint(30, 79))),
            cholesterol=round(chance.uniform(132, 318)),
            hdl=round(chance.uniform(22, 98)),
            moles=chance.random() < 0.5,
            systolic=chance.randint(92, 178),
            kilopascals=chance.random() < 0.3,
            weight=round(chance.uniform(56, 110), 1),
            height=chance.randint(168, 173),
            creatinine=round(chance.uniform(1.6, 2.6) if kidney else chance.uniform(0.6, 1.2), 2),
            micromoles=chance.random() < 0.5,
            uacr=round(math.exp(chance.uniform(0, 8.5)), 1),
            per_millimole=chance.random() < 0.5,
            smokes=chance.random() < 0.4,
            diabetes=chance.random() < 0.4,
            statin=chance.random() < 0.4,
            treated=chance.random() < 0.4,
        )


def record(person: Person) -> str:
    """The transaction that brings one person."""
    moles, micro = person.moles, person.micromoles
    made = [
        {"resourceType": "Patient", "gender": person.sex, "birthDate": f"{2026 - person.age}-06-01"},
        lab("14647-2", round(person.cholesterol * 0.02586, 4), "mmol/L")
        if moles
        else lab("2093-3", person.cholesterol, "mg/dL"),
        lab("14646-4", round(person.hdl * 0.02586, 4), "mmol/L") if moles else lab("2085-9", person.hdl, "mg/dL"),
        pressure(round(person.systolic * 0.133322, 5), "kPa") if person.kilopascals else pressure(person.systolic),
        lab("29463-7", person.weight, "kg"),
        lab("8302-2", person.height, "cm"),
        *(
            lab("14682-9", round(person.creatinine * 88.4, 4), "umol/L", day)
            if micro
            else lab("2160-0", person.creatinine, "mg/dL", day)
            for day in ("2026-02-01", "2026-05-20")
        ),
        lab("14959-1", round(person.uacr / 8.84, 5), "mg/mmol")
        if person.per_millimole
        else lab("9318-7", person.uacr, "mg/g"),
        {
            **lab("72166-2", 1, "1"),
            "valueCodeableConcept": snomed("449868002" if person.smokes else "266919005"),
        },
        condition("44054006" if person.diabetes else "195967001"),
        {"resourceType": "Procedure", "status": "completed", "code": snomed("73761001"), "performedDateTime": "2020"},
        medicine("83367" if person.statin else "161"),
        medicine("29046" if person.treated else "161"),
    ]
    made[9].pop("valueQuantity")
    for resource in made[1:]:
        resource["subject"] = {"reference": "urn:uuid:00000000-0000-4000-8000-000000000000"}
    entries = [
        {
            "fullUrl": f"urn:uuid:00000000-0000-4000-8000-{number:012}",
            "resource": resource,
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for number, resource in enumerate(made)
    ]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def snomed(code: str) -> Json:
    return {"coding": [{"system": "http://snomed.info/sct", "code": code}]}


def lab(code: str, value: float, unit: str, day: str = "2026-05-20") -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": day,
        "valueQuantity": measured(value, unit),
    }


def measured(value: float, unit: str) -> Json:
    return {"value": value, "system": "http://unitsofmeasure.org", "code": unit}


def pressure(value: float, unit: str = "mm[Hg]") -> Json:
    part = {"code": lab("8480-6", 0, "")["code"], "valueQuantity": measured(value, unit)}
    panel = {**lab("85354-9", 0, ""), "component": [part]}
    panel.pop("valueQuantity")
    return panel


def condition(code: str) -> Json:
    active = {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
    return {"resourceType": "Condition", "clinicalStatus": {"coding": [active]}, "code": snomed(code)}


def medicine(code: str) -> Json:
    coding = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [coding]},
        "authoredOn": "2025-01-01",
    }


def ckd_epi(person: Person) -> float:
    """CKD-EPI 2021, without race (Inker 2021), at the age of the draw: twelve days before the birthday."""
    kappa, alpha = (0.7, -0.241) if person.sex == "female" else (0.9, -0.302)
    ratio, age = person.creatinine / kappa, person.age - 1
    egfr = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age
    return egfr * 1.012 if person.sex == "female" else egfr


def prevent(person: Person, published: dict[str, dict[str, float]], outcome: str, years: int) -> float:
    """Percent by the published terms of PREVENT (Khan 2024), each by the name that the table prints."""
    b = published[f"{person.sex}_{outcome.replace('-', '_')}_{years}"]
    age = (person.age - 55) / 10
    non_hdl = (person.cholesterol - person.hdl) * 0.02586 - 3.5
    hdl = (person.hdl * 0.02586 - 1.3) / 0.3
    low_sbp, high_sbp = (min(person.systolic, 110) - 110) / 20, (max(person.systolic, 110) - 130) / 20
    bmi, egfr = person.weight / (person.height / 100) ** 2, ckd_epi(person)
    low_bmi, high_bmi = (min(bmi, 30) - 25) / 5, (max(bmi, 30) - 30) / 5
    low_egfr, high_egfr = (min(egfr, 60) - 60) / -15, (max(egfr, 60) - 90) / -15
    terms = {
        "Age, per 10 years" if years == 10 else "Age, 10 years": age,
        "non-HDL-C per 1 mmol/L": non_hdl,
        "HDL-C per 0.3 mmol/L": hdl,
        "SBP <110 per 20 mmHg": low_sbp,
        "SBP ≥110 per 20 mmHg": high_sbp,
        "Diabetes": person.diabetes,
        "Current smoking": person.smokes,
        "BMI <30, per 5 kg/m2": low_bmi,
        "BMI 30+, per 5 kg/m2": high_bmi,
        "eGFR <60, per -15 ml": low_egfr,
        "eGFR 60+, per -15 ml": high_egfr,
        "Anti-hypertensive use": person.treated,
        "Statin use": person.statin,
        "Treated SBP ≥110 mm Hg per 20 mm Hg": person.treated * high_sbp,
        "Treated non-HDL-C": person.statin * non_hdl,
        "Age per 10yr * non-HDL-C per 1 mmol/L": age * non_hdl,
        "Age per 10yr * HDL-C per 0.3 mmol/L": age * hdl,
        "Age per 10yr * SBP ≥110 mm Hg per 20 mmHg": age * high_sbp,
        "Age per 10yr * diabetes": age * person.diabetes,
        "Age per 10yr * current smoking": age * person.smokes,
        "Age per 10yr * BMI 30+ per 5 kg/m2": age * high_bmi,
        "Age per 10yr * eGFR <60, per -15 ml": age * low_egfr,
        "Constant": 1.0,
    } | ({"Age squared": age**2} if years == 30 else {})
    assert terms.keys() == b.keys()
    return 100 / (1 + math.exp(-sum(b[name] * value for name, value in terms.items())))


def kfre(person: Person, years: int) -> float:
    """Percent by the equation of four variables, North America (Tangri 2016)."""
    x = -0.2201 * (person.age / 10 - 7.036) + 0.2467 * ((person.sex == "male") - 0.5642)
    x += -0.5567 * (ckd_epi(person) / 5 - 7.222) + 0.4510 * (math.log(person.uacr) - 5.137)
    return 100 * (1 - (0.9750 if years == 2 else 0.9240) ** math.exp(x))


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, dict[str, float]]:
    """Coefficients by sex, outcome and years, from the published tables."""
    columns: dict[str, dict[str, float]] = {}
    with (shared / "data/clinical/coefficients/prevent_2023_coefficients.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            years = {"base_10yr": "10", "base_30yr": "30"}.get(row["table"])
            if years:
                for name in row.keys() - {"term", "table"}:
                    columns.setdefault(f"{name}_{years}", {})[row["term"]] = float(row[name])
    return columns


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = gateway(tmp_path_factory.mktemp("independent"))
    yield made
    made.parts.store.close()


@pytest.mark.parametrize("person", tuple(people(PATIENTS)), ids=lambda p: f"{p.sex}-{p.age}")
def test_every_risk_agrees_with_the_equations_written_down_again(
    house: Gateway, published: dict[str, dict[str, float]], person: Person
) -> None:
    expected = {("prevent-base", o, 10): prevent(person, published, o, 10) for o in OUTCOMES}
    if person.age <= 59:
        expected |= {("prevent-base", o, 30): prevent(person, published, o, 30) for o in OUTCOMES}
    if ckd_epi(person) < 60:
        expected |= {("kfre-4-variable", "kidney-failure", years): kfre(person, years) for years in (2, 5)}

    patient = house.load(record(person))
    assert house.http.post(f"/fhir/Patient/{patient}/$assess?store=true", content_type=FHIR).status_code == 200
    found = {
        (model, said["outcome"]["coding"][0]["code"], said["whenRange"]["high"]["value"] - person.age): said
        for model, report in house.reports(patient).items()
        for said in report["prediction"]
    }

    assert found.keys() == expected.keys()
    for (model, outcome, years), exact in expected.items():
        said = found[model, outcome, years]
        assert said["whenRange"]["low"]["value"] == person.age
        assert abs(said["probabilityDecimal"] - min(exact, 99.9)) <= 0.05 + LEFT[model], (model, outcome, years)
        if (outcome, years) == ("ascvd", 10) and all(abs(exact - edge) > LEFT[model] for edge in WORDS.values()):
            word = max((edge, word) for word, edge in WORDS.items() if edge <= exact)[1]
            assert said["qualitativeRisk"]["coding"][0]["code"] == word


def test_card_lists_the_inputs_that_were_used(house: Gateway) -> None:
    person = Person("male", 52, 201, 47, False, 131, False, 81.5, 171, 0.97, False, 33, False, True, True, False, True)
    patient = house.load(record(person))
    (card,) = [c for c in house.call(patient, house.prefetch(patient)).json["cards"] if "heart failure" in c["detail"]]
    table = card["detail"].partition("| Input |")[2].partition("\n\n")[0].splitlines()[2:]
    shown = {cells[1].strip(): cells[2].strip() for cells in (row.split("|") for row in table)}
    assert shown == {
        "age": "52 years",
        "sex": "male",
        "total cholesterol": "201 mg/dL",
        "HDL cholesterol": "47 mg/dL",
        "systolic blood pressure": "131 mmHg",
        "body mass index": "27.87 kg/m² (calculated from weight and height)",
        "eGFR": f"{ckd_epi(person):.2f} mL/min/1.73 m² (calculated from creatinine (CKD-EPI 2021))",
        "current smoking": "yes (calculated from smoking status)",
        "diabetes": "yes",
        "antihypertensive medicine": "yes",
        "statin": "no (none recorded)",
    }
