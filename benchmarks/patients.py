"""Made-up patients whose risks can be calculated: 77 resources in 51 KB of prefetch, each patient another one."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from typing import Any

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
UCUM, RXNORM = "http://unitsofmeasure.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"

# name: LOINC code, display, category, unit, low, high, digits. Ranges keep every patient within the published ranges.
SERIES = {
    "cholesterol": ("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "laboratory", "mg/dL", 150, 280, 0),
    "hdl": ("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma", "laboratory", "mg/dL", 35, 80, 0),
    "creatinine": ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "laboratory", "mg/dL", 1.62, 1.70, 2),
    "uacr": ("9318-7", "Albumin/Creatinine [Mass Ratio] in Urine", "laboratory", "mg/g", 30, 900, 0),
    "bmi": ("39156-5", "Body mass index (BMI) [Ratio]", "vital-signs", "kg/m2", 20, 38, 1),
    "sodium": ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "laboratory", "mmol/L", 134, 146, 0),
    "hba1c": ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "laboratory", "%", 5.2, 8.9, 1),
}
CONDITIONS = (
    ("44054006", "Diabetes mellitus type 2 (disorder)"),
    ("59621000", "Essential hypertension (disorder)"),
    ("55822004", "Hyperlipidemia (disorder)"),
)
MEDICINES = (("83367", "atorvastatin"), ("29046", "lisinopril"))


def patient(number: int, today: date) -> tuple[str, dict[str, list[dict[str, Any]]]]:
    """The id of patient `number`, and its resources by type."""
    chance = random.Random(number)  # noqa: S311 - a repeatable patient, not a secret
    pid = f"bench-{number}"
    subject = {"reference": f"Patient/{pid}"}
    born = today - timedelta(days=chance.randint(45 * 366, 58 * 365))
    person = {
        "resourceType": "Patient",
        "id": pid,
        "meta": {"versionId": "1", "lastUpdated": f"{today}T06:00:00Z"},
        "identifier": [{"system": "https://hospital.example/mrn", "value": f"MRN-{number:06d}"}],
        "name": [{"use": "official", "family": f"Muster{number}", "given": ["Alex", "Kim"]}],
        "gender": chance.choice(["female", "male"]),
        "birthDate": born.isoformat(),
        "address": [{"line": ["1 Example Street"], "city": "Exampleton", "postalCode": "00000", "country": "US"}],
    }
    observations = [
        _quantity(f"{name}-{visit}", subject, series, today - timedelta(days=20 + 110 * visit), chance)
        for visit in range(6)
        for name, series in SERIES.items()
    ]
    observations += [_pressure(f"bp-{v}", subject, today - timedelta(days=20 + 110 * v), chance) for v in range(7)]
    observations.append(_smoking(subject, today - timedelta(days=20)))
    conditions = [_condition(f"condition-{i}", subject, CONDITIONS[i % 3], today, i) for i in range(8)]
    requests = [_medicine(f"medicine-{i}", subject, MEDICINES[i % 2], today, i) for i in range(15)]
    procedures = [_procedure(f"procedure-{i}", subject, today - timedelta(days=400 + i)) for i in range(3)]
    return pid, {
        "Patient": [person],
        "Observation": observations,
        "Condition": conditions,
        "MedicationRequest": requests,
        "MedicationStatement": [],
        "Procedure": procedures,
    }


def request(number: int, today: date, prefetch: dict[str, str], fhir_server: str) -> bytes:
    """A `patient-view` call for patient `number`; `prefetch` is the service's, key to template.

    Each resource is sent once, for the first key that asks for its type: of these patients nobody looked at a gene, so
    the query for genes, which is of Observations too, finds none.
    """
    pid, resources = patient(number, today)
    filled: dict[str, Any] = {}
    for key, template in prefetch.items():
        kind = template.partition("?")[0].partition("/")[0]
        found = resources.pop(kind, [])
        if "?" not in template:
            filled[key] = found[0]
            continue
        entries = [{"fullUrl": f"{fhir_server}/{kind}/{one['id']}", "resource": one} for one in found]
        filled[key] = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        if entries:
            filled[key]["entry"] = entries
    body = {
        "hook": "patient-view",
        "hookInstance": f"00000000-0000-4000-8000-{number:012d}",
        "fhirServer": fhir_server,
        "context": {"userId": "Practitioner/bench", "patientId": pid},
        "prefetch": filled,
    }
    return json.dumps(body, separators=(",", ":")).encode()


def transaction(number: int, today: date, times: int = 1) -> bytes:
    """A transaction Bundle with the record of patient `number`: one Patient, and `times` times 76 other resources."""
    _, resources = patient(number, today)
    (person,) = resources.pop("Patient")
    others = [one for found in resources.values() for one in found]
    others += [one for more in range(1, times) for found in _others(1_000_000 * more + number, today) for one in found]
    urn = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
    entries = [{"fullUrl": urn, "resource": person, "request": {"method": "POST", "url": "Patient"}}]
    for one in others:
        kept = {name: value for name, value in one.items() if name not in ("id", "meta", "requester")}
        resource = {**kept, "subject": {"reference": urn}}
        entries.append({"resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}})
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()


def _others(number: int, today: date) -> list[list[dict[str, Any]]]:
    _, resources = patient(number, today)
    return [found for kind, found in resources.items() if kind != "Patient"]


def _base(kind: str, rid: str, subject: dict[str, str], when: date) -> dict[str, Any]:
    meta = {"versionId": "1", "lastUpdated": f"{when}T10:00:00Z"}
    return {"resourceType": kind, "id": f"{subject['reference'].partition('/')[2]}-{rid}", "meta": meta}


def _observation(
    rid: str, subject: dict[str, str], category: str, code: str, display: str, when: date
) -> dict[str, Any]:
    return {
        **_base("Observation", rid, subject, when),
        "status": "final",
        "category": [{"coding": [{"system": f"{TERMINOLOGY}/observation-category", "code": category}]}],
        "code": {"coding": [{"system": LOINC, "code": code, "display": display}]},
        "subject": subject,
        "effectiveDateTime": f"{when}T08:15:00+02:00",
    }


def _amount(value: float, digits: int, unit: str) -> dict[str, Any]:
    return {"value": round(value, digits) if digits else round(value), "unit": unit, "system": UCUM, "code": unit}


def _quantity(
    rid: str, subject: dict[str, str], series: tuple[Any, ...], when: date, chance: random.Random
) -> dict[str, Any]:
    code, display, category, unit, low, high, digits = series
    amount = _amount(chance.uniform(low, high), digits, unit)
    return {**_observation(rid, subject, category, code, display, when), "valueQuantity": amount}


def _pressure(rid: str, subject: dict[str, str], when: date, chance: random.Random) -> dict[str, Any]:
    parts = (("8480-6", "Systolic blood pressure", 112, 165), ("8462-4", "Diastolic blood pressure", 62, 95))
    return {
        **_observation(rid, subject, "vital-signs", "85354-9", "Blood pressure panel with all children optional", when),
        "component": [
            {
                "code": {"coding": [{"system": LOINC, "code": code, "display": display}]},
                "valueQuantity": _amount(chance.uniform(low, high), 0, "mm[Hg]"),
            }
            for code, display, low, high in parts
        ],
    }


def _smoking(subject: dict[str, str], when: date) -> dict[str, Any]:
    answer = {"system": SNOMED, "code": "266919005", "display": "Never smoked tobacco (finding)"}
    observation = _observation("smoking", subject, "social-history", "72166-2", "Tobacco smoking status", when)
    return {**observation, "valueCodeableConcept": {"coding": [answer]}}


def _condition(rid: str, subject: dict[str, str], what: tuple[str, str], today: date, number: int) -> dict[str, Any]:
    onset = today - timedelta(days=900 + 300 * number)
    clinical = "active" if number < 3 else "resolved"
    return {
        **_base("Condition", rid, subject, onset),
        "clinicalStatus": {"coding": [{"system": f"{TERMINOLOGY}/condition-clinical", "code": clinical}]},
        "verificationStatus": {"coding": [{"system": f"{TERMINOLOGY}/condition-ver-status", "code": "confirmed"}]},
        "category": [{"coding": [{"system": f"{TERMINOLOGY}/condition-category", "code": "problem-list-item"}]}],
        "code": {"coding": [{"system": SNOMED, "code": what[0], "display": what[1]}]},
        "subject": subject,
        "onsetDateTime": onset.isoformat(),
        **({} if clinical == "active" else {"abatementDateTime": (onset + timedelta(days=200)).isoformat()}),
    }


def _medicine(rid: str, subject: dict[str, str], what: tuple[str, str], today: date, number: int) -> dict[str, Any]:
    authored = today - timedelta(days=30 + 90 * number)
    return {
        **_base("MedicationRequest", rid, subject, authored),
        "status": "active" if number < 2 else "completed",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": what[0], "display": what[1]}]},
        "subject": subject,
        "authoredOn": authored.isoformat(),
        "requester": {"reference": "Practitioner/bench"},
        "dosageInstruction": [
            {"text": "one tablet daily", "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}
        ],
    }


def _procedure(rid: str, subject: dict[str, str], when: date) -> dict[str, Any]:
    return {
        **_base("Procedure", rid, subject, when),
        "status": "completed",
        "code": {"coding": [{"system": SNOMED, "code": "80146002", "display": "Excision of appendix (procedure)"}]},
        "subject": subject,
        "performedDateTime": when.isoformat(),
    }
