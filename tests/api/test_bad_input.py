"""Everything wrong that can come in by the FHIR door gets a status and an OperationOutcome, and leaves nothing."""

from __future__ import annotations

import gzip
import logging

import pytest
from flask.testing import FlaskClient

from fhirtwin.errors import Busy
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.context import Services
from tests.parts import application, body, patient

JSON = {"Content-Type": "application/fhir+json"}
DEEP = b'{"resourceType":"Patient","extension":' + b'[{"extension":' * 70 + b"[]" + b"}]" * 70 + b"}"


def refused(answer, status: int) -> dict:
    assert answer.status_code == status, answer.data
    assert answer.content_type == "application/fhir+json; charset=utf-8"
    assert validate(codec.decode(answer.data), type="OperationOutcome") == []
    assert b"Traceback" not in answer.data
    issue: dict = answer.json["issue"][0]
    assert issue["severity"] in ("error", "fatal")
    assert issue["diagnostics"]
    return issue


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"   ",
        b"{",
        b'{"resourceType":"Patient"',
        b'{"resourceType":"Patient"} x',
        b"[]",
        b'"Patient"',
        b"null",
        b"<Patient/>",
        b'\xff{"resourceType":"Patient"}',
        b"\xef\xbb\xbf" + body(patient()),
        b'{"resourceType":"Patient","gender":"male","gender":"female"}',
        b'{"resourceType":"Patient","name":[{"family":"a","family":"b"}]}',
        b'{"resourceType":"Patient","name":[{"family":"a\\u0000b"}]}',
        b'{"resourceType":"Patient","name":[{"family":"\\ud800"}]}',
        b'{"resourceType":"Patient","multipleBirthInteger":NaN}',
        b'{"resourceType":"Patient","multipleBirthInteger":1e2000000}',
        b'{"resourceType":"Patient","multipleBirthInteger":1' + b"0" * 400 + b"}",
        b'{"resourceType":"Patient","multipleBirthInteger":0.1234567890123456789}',
        DEEP,
        b'{"resourceType":"Nonsense"}',
        b'{"resourceType":"Observation","status":"final","code":{"text":"x"}}',
        b'{"name":[]}',
        b'{"resourceType":"Patient","name":[]}',
        b'{"resourceType":"Patient","name":{"family":"x"}}',
        b'{"resourceType":"Patient","nonsense":1}',
        b'{"resourceType":"Patient","birthDate":"1960-13-01"}',
        b'{"resourceType":"Patient","active":"true"}',
        b'{"resourceType":"Patient","active":null}',
    ],
    ids=lambda sent: sent[:60].decode("latin-1"),
)
def test_a_body_that_is_no_patient_is_400(client: FlaskClient, sent: bytes) -> None:
    refused(client.post("/fhir/Patient", data=sent, headers=JSON), 400)
    assert client.get("/fhir/Patient").json["total"] == 0


def test_an_issue_names_its_place(client: FlaskClient) -> None:
    sent = b'{"resourceType":"Patient","contact":[{"name":{"family":["x"]}}]}'
    issue = refused(client.post("/fhir/Patient", data=sent, headers=JSON), 400)
    assert issue["expression"] == ["Patient.contact[0].name.family"]


def test_the_answer_repeats_nothing_of_the_patient(client: FlaskClient) -> None:
    sent = b'{"resourceType":"Patient","name":[{"family":"Rumpelstilz"}],"birthDate":"Rumpelstilz","Rumpelstilz x":1}'
    assert b"Rumpelstilz" not in client.post("/fhir/Patient", data=sent, headers=JSON).data


def test_a_body_over_the_limit_is_413(client: FlaskClient) -> None:
    large = body(patient(name=[{"text": "x" * 100_001}]))
    issue = refused(client.post("/fhir/Patient", data=large, headers=JSON), 413)
    assert issue["code"] == "too-long"
    assert "100000" in issue["diagnostics"]
    refused(client.put("/fhir/Patient/p", data=large, headers=JSON), 413)
    refused(client.post("/fhir", data=large, headers=JSON), 413)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(client.post("/fhir/Patient/_search", data=b"name=" + large, headers=form), 413)


def test_a_body_shorter_than_announced_is_400(client: FlaskClient) -> None:
    announced = {"CONTENT_LENGTH": "5000"}
    refused(client.post("/fhir/Patient", data=body(patient()), headers=JSON, environ_overrides=announced), 400)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/fhir+turtle",
        "application/json; charset=latin-1",
        "application/fhir+json; fhirVersion=3.0",
    ],
)
def test_another_content_type_is_415(client: FlaskClient, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    for call, path in ((client.post, "/fhir/Patient"), (client.put, "/fhir/Patient/p"), (client.post, "/fhir")):
        refused(call(path, data=body(patient(id="p")), headers=headers), 415)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json+fhir", "application/fhir+json;charset=UTF-8"]
)
def test_names_of_json_that_clients_use_are_read(client: FlaskClient, content_type: str) -> None:
    answer = client.post("/fhir/Patient", data=body(patient()), headers={"Content-Type": content_type})
    assert answer.status_code == 201


def test_a_compressed_body_is_415(client: FlaskClient) -> None:
    sent = gzip.compress(body(patient()))
    issue = refused(client.post("/fhir/Patient", data=sent, headers={**JSON, "Content-Encoding": "gzip"}), 415)
    assert "Content-Encoding" in issue["diagnostics"]
    plain = client.post("/fhir/Patient", data=body(patient()), headers={**JSON, "Content-Encoding": "identity"})
    assert plain.status_code == 201


@pytest.mark.parametrize("path", ["/fhir/metadata", "/fhir/Patient", "/fhir/Patient/p"])
@pytest.mark.parametrize(
    ("accept", "query"),
    [
        ("application/fhir+turtle", ""),
        ("text/html", ""),
        ("*/*", "?_format=html"),
        ("application/fhir+json; fhirVersion=5.0", ""),
        ("application/fhir+json;q=0, application/fhir+xml;q=0, */*", ""),
        ("nonsense", ""),
    ],
)
def test_another_format_wanted_is_406(client: FlaskClient, path: str, accept: str, query: str) -> None:
    refused(client.get(path + query, headers={"Accept": accept}), 406)


@pytest.mark.parametrize(
    ("accept", "query"),
    [
        ("application/fhir+json", ""),
        ("application/json", ""),
        ("application/json+fhir", ""),
        ("*/*", ""),
        ("text/html, application/*;q=0.5", ""),
        ("application/fhir+json; fhirVersion=4.0", ""),
        ("application/fhir+json;charset=utf-8", ""),
        ("text/html, Application/JSON;Charset=UTF-8;q=0.1", ""),
        ("application/fhir+xml", "?_format=json"),
        ("text/html", "?_format=application/fhir+json"),
    ],
)
def test_json_wanted_by_any_name_is_given(client: FlaskClient, accept: str, query: str) -> None:
    answer = client.get(f"/fhir/metadata{query}", headers={"Accept": accept})
    assert (answer.status_code, answer.content_type) == (200, "application/fhir+json; charset=utf-8")


def test_pretty_is_the_same_indented(client: FlaskClient) -> None:
    sent = (
        b'{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":0.010}}'
    )
    client.put("/fhir/Observation/o", data=sent, headers=JSON)
    pretty = client.get("/fhir/Observation/o?_pretty=true")
    assert b'\n  "status": "final"' in pretty.data
    assert b'"value": 0.010' in pretty.data
    assert pretty.json == client.get("/fhir/Observation/o").json


@pytest.mark.parametrize("path", ["/", "/nonsense", "/fhir/Patient/p/nonsense", "/fhir/patient", "/fhir/$twin"])
def test_an_address_where_nothing_is_is_404(client: FlaskClient, path: str) -> None:
    assert refused(client.get(path), 404)["code"] == "not-found"


def test_a_method_that_an_address_does_not_take_is_405(client: FlaskClient) -> None:
    client.put("/fhir/Patient/p", data=body(patient(id="p")), headers=JSON)
    refused(client.put("/fhir/Patient/p/$twin"), 405)
    allowed = {
        ("POST", "/fhir/Patient/p"): "DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
        ("PUT", "/fhir/Patient/p/_history/1"): "GET, HEAD, OPTIONS",
        ("DELETE", "/fhir/"): "GET, HEAD, OPTIONS, POST",
        ("GET", "/fhir/Patient/p/$meta-add"): "POST",
        ("POST", "/fhir/AuditEvent"): "GET, HEAD",
        ("PATCH", "/fhir/Binary/p"): "DELETE, GET, HEAD, PUT",
    }
    for (method, path), methods in allowed.items():
        answer = client.open(path, method=method, data=body({"resourceType": "Parameters"}), headers=JSON)
        assert refused(answer, 405)["code"] == "not-supported"
        assert answer.headers["Allow"] == methods


def test_an_unexpected_exception_is_500_and_neither_answer_nor_log_repeats_its_text(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    app = application(services)

    @app.get("/fails/<name>")
    def fails(name: str) -> None:
        raise KeyError(f"secret of {name}")

    with caplog.at_level(logging.DEBUG):
        answer = app.test_client().get("/fails/Rumpelstilz")
    issue = refused(answer, 500)
    number = issue["diagnostics"].rsplit(" ", 1)[1].rstrip(".")
    (told,) = [record.getMessage() for record in caplog.records if record.name == "fhirtwin.error"]
    assert told.startswith(f"error {number}: KeyError at GET /fails/<name>, ")
    assert "test_bad_input.py:" in told
    assert "Rumpelstilz" not in caplog.text + answer.text
    assert "secret" not in caplog.text + answer.text


def test_busy_says_when_to_come_back(services: Services) -> None:
    app = application(services)

    @app.get("/busy")
    def busy() -> None:
        raise Busy("Too much at once.")

    answer = app.test_client().get("/busy")
    assert refused(answer, 503)["code"] == "throttled"
    assert answer.headers["Retry-After"] == "1"
