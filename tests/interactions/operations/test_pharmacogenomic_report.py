"""$pharmacogenomic-report with texts of the hospital's folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flask.testing import FlaskClient

from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.context import Services
from fhirtwin.pgx.knowledge import folder, showing
from tests import parts
from tests.interactions.operations.test_find_subject_genotypes import known, post, put, statement
from tests.pgx.knowledge import files
from tests.pgx.knowledge.files import annotation


def conclusion(client: FlaskClient, query: str = "") -> list[str]:
    answer = client.get(f"/fhir/Patient/p/$pharmacogenomic-report{query}")
    assert answer.status_code == 200, answer.text
    made = codec.decode(answer.data)
    assert validate(made, type="Bundle") == []
    return str(made["entry"][0]["resource"]["conclusion"]).split("\n")


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
