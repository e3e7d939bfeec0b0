"""$pharmacogenomic-report with texts of the hospital's folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flask.testing import FlaskClient

from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.context import Services
from fhirtwin.pgx.knowledge import folder, showing
from fhirtwin.terms.systems import ALLERGY_CLINICAL
from tests import parts
from tests.interactions.operations.stored import known, post, put, statement
from tests.pgx.knowledge import files
from tests.pgx.knowledge.files import annotation


def conclusion(client: FlaskClient, query: str = "") -> list[str]:
    answer = client.get(f"/fhir/Patient/p/$pharmacogenomic-report{query}")
    assert answer.status_code == 200, answer.text
    made = codec.decode(answer.data)
    assert validate(made, type="Bundle") == []
    return str(made["entry"][0]["resource"]["conclusion"]).split("\n")


def test_only_a_medicine_that_could_not_be_read_is_told_as_one(client: FlaskClient) -> None:
    unknown = {"coding": [{"system": "http://loinc.org", "code": "99999-9"}]}
    subject = {"reference": "Patient/p"}
    put(client, parts.patient(id="p"))
    post(client, known("CYP2C9", ("*1", "*1")))
    plain = conclusion(client, "?drug=warfarin")
    result = {"resourceType": "Observation", "status": "final", "code": unknown, "effectiveDateTime": "2026-01-01"}
    post(client, {**result, "subject": subject, "valueString": "x"})
    active = {"coding": [{"system": ALLERGY_CLINICAL, "code": "active"}]}
    post(client, {"resourceType": "AllergyIntolerance", "clinicalStatus": active, "code": unknown, "patient": subject})
    assert conclusion(client, "?drug=warfarin") == plain
    post(client, {**statement("warfarin"), "medicationCodeableConcept": unknown})
    more = [line for line in conclusion(client, "?drug=warfarin") if line not in plain]
    assert "A medicine of the record was not looked at: code not known." in more


def test_texts_that_hold_are_in_the_conclusion_with_their_licence(services: Services, tmp_path: Path) -> None:
    files.put(tmp_path, "texts/a.jsonl", annotation())
    with_texts = replace(services, pgx_knowledge=folder.load(tmp_path / "texts"))
    client, plain = (parts.application(one).test_client() for one in (with_texts, services))
    put(client, parts.patient(id="p"))
    post(client, known("CYP2D6", ("*1", "*1")))
    query = "?drug=aripiprazole"
    assert conclusion(client, query) == conclusion(plain, query)
    post(client, statement("paroxetine"))
    more = [line for line in conclusion(client, query) if line not in conclusion(plain, query)]
    assert more == [
        f"aripiprazole: {showing.HEADER}",
        "aripiprazole: DPWG (version 42; 2024-03-25, CC BY-SA 4.0 (ClinPGx)). For CYP2D6 0.0; strength: N/A: "
        "Give no more than 10 mg/day.",
    ]
