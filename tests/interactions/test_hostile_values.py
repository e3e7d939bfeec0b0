"""Values that a database chokes on are the caller's error, wherever they come in."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.parts import body, entry, observation, patient, transaction

pytestmark = pytest.mark.databases

JSON = {"Content-Type": "application/fhir+json"}
HUGE = "9" * 30


@pytest.mark.parametrize(
    "path",
    [
        "Patient/a%00b",
        "Patient/a%00b/_history",
        "Patient/a%00b/_history/1",
        "Patient/a%00b/$twin",
        "Patient?name=%00",
        "Patient?name:exact=%00",
        "Patient?name:contains=%00",
        "Patient?identifier=%00|%00",
        "Patient?_id=%00",
        "Observation?patient=a%00b",
        f"Patient?_page={HUGE}-{HUGE}",
        f"Patient?_count={HUGE}",
        f"Patient/p/_history/{HUGE}",
    ],
)
def test_reads_answer_400_or_404(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/fhir/{path}")
    assert answer.status_code in (400, 404), answer.text
    assert answer.json["resourceType"] == "OperationOutcome"


def _posted(client: FlaskClient, *entries: dict[str, Any]) -> Any:
    return client.post("/fhir", data=body(transaction(*entries)), headers=JSON)


def test_writes_answer_400_and_store_nothing(client: FlaskClient) -> None:
    sent = body(patient())
    condition = {"If-None-Exist": "identifier=%00"}
    answers = [
        client.post("/fhir/Patient", data=sent, headers={**JSON, **condition}),
        client.delete("/fhir/Patient/a%00b"),
        client.post("/fhir/Patient/_search", data={"name": "\0"}),
        _posted(client, entry("POST", "Patient", patient(), ifNoneExist="identifier=%00")),
        _posted(client, entry("GET", "Patient?name=%00")),
        _posted(client, entry("POST", "Observation", observation("Patient?identifier=%00"))),
    ]
    assert [answer.status_code for answer in answers] == [400] * len(answers)
    assert client.get("/fhir/_history?_count=0").json["total"] == 0
