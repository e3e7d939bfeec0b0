"""$treatment-response over HTTP."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import Caller
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions import invoke
from fhirtwin.interactions.context import Services
from fhirtwin.pgx.response import evidence
from tests.interactions.operations.stored import Json, assert_whole_record_only, known, post, put, statement
from tests.parts import patient


@pytest.fixture
def record(client: FlaskClient) -> FlaskClient:
    put(client, patient(id="p"), patient(id="empty"))
    post(client, known("CYP2C19", ("*2", "*2")), known("CYP2D6", ("*1", "*1")), statement("paroxetine"))
    return client


def ask(client: FlaskClient, query: str, id_: str = "p", status: int = 200) -> Json:
    answer = client.get(f"/fhir/Patient/{id_}/$treatment-response?{query}")
    assert answer.status_code == status, answer.text
    made = codec.decode(answer.data)
    assert validate(made) == []
    return made


def names(made: Json) -> list[str]:
    return [one["item"]["display"] for one in made["entry"][0]["resource"]["entry"]]


def notes(resource: Json) -> str:
    return " ".join(one["text"] for one in resource["note"])


def assessed(made: Json, drug: str) -> Json:
    found = [entry["resource"] for entry in made["entry"][1:]]
    (one,) = [resource for resource in found if resource["reasonCode"][0]["text"] == drug]
    return one


def test_without_a_drug_every_one_with_evidence_of_the_setting(record: FlaskClient) -> None:
    for setting in evidence.SETTINGS:
        assert sorted(names(ask(record, f"setting={setting}"))) == sorted(evidence.known(setting))


def test_drugs_by_name_by_code_and_those_without_evidence(record: FlaskClient) -> None:
    made = ask(record, "setting=depression&drug=lithium,sertraline&drug=2597")
    assert sorted(names(made)) == ["clomipramine", "lithium: no evidence", "sertraline"]
    assert "No evidence here of response in depression: lithium." in notes(made["entry"][0]["resource"])


def test_genes_and_medicines_of_the_record_count(record: FlaskClient) -> None:
    made = ask(record, "setting=schizophrenia&drug=aripiprazole")
    assert "CYP2D6 Poor Metabolizer" in notes(assessed(made, "aripiprazole"))
    types = {one["reference"].split("/")[-4] for one in assessed(made, "aripiprazole")["basis"]}
    assert types == {"Observation", "MedicationStatement"}
    made = ask(record, "setting=depression&drug=sertraline")
    assert "CYP2C19 Poor Metabolizer: exposure 2.68 times" in notes(assessed(made, "sertraline"))


def test_that_medicines_or_the_step_are_not_known_is_said(record: FlaskClient) -> None:
    empty = ask(record, "setting=depression&drug=sertraline", "empty")
    told = ask(record, "setting=depression&drug=sertraline&step=1")
    assert "the first was supposed" in notes(empty["entry"][0]["resource"])
    assert "supposed" not in notes(told["entry"][0]["resource"])
    assert "It is not known which medicines" not in notes(told["entry"][0]["resource"])


@pytest.mark.parametrize(
    "query",
    [
        "",
        "setting=mania",
        "setting=depression&step=5",
        "setting=depression&step=0",
        "setting=depression&drug=snake oil",
    ],
)
def test_what_is_not_known_is_refused(record: FlaskClient, query: str) -> None:
    made = ask(record, query, status=400)
    assert made["resourceType"] == "OperationOutcome"


def test_nothing_is_stored_and_a_post_says_the_same(record: FlaskClient) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "setting", "valueCode": "depression"}, {"name": "step", "valuePositiveInt": 2}],
    }
    posted = record.post(
        "/fhir/Patient/p/$treatment-response",
        data=codec.encode(body),
        headers={"Content-Type": "application/fhir+json"},
    )
    assert codec.decode(posted.data) == ask(record, "setting=depression&step=2")
    assert codec.decode(record.get("/fhir/RiskAssessment").data).get("entry", []) == []


def test_only_who_may_see_the_whole_record_is_told(record: FlaskClient, services: Services) -> None:
    def call(caller: Caller, id_: str) -> int:
        operation = invoke.find("Patient", id_, "treatment-response", "GET")
        given = [("setting", "depression")]
        return invoke.invoke(services, caller, operation, "Patient", id_, "GET", given).status

    assert_whole_record_only(call)
