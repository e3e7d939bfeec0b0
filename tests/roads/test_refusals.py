"""Bad input at the doors of a running gateway: a clear OperationOutcome, the right status, nothing half-written."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from tests.roads.gateway import FHIR, Running, maria


def outcome(answer: Any) -> dict[str, Any]:
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome", answer.text
    assert "Traceback" not in answer.text
    return dict(body)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"resourceType":"Patient"', 400),
        (b'{"resourceType":"Patient","gender":"male","gender":"female"}', 400),
        (b'{"resourceType":"Observation","valueQuantity":{"value":1e2000000}}', 400),
        (b'{"resourceType":"Patient","extension":' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
        (b'{"resourceType":"Patient","id":"a\\u0000b"}', 400),
        (b"[]", 400),
        (b"", 400),
    ],
    ids=["broken", "duplicate", "decimal-bomb", "deep", "nul", "array", "empty"],
)
def test_bad_json_is_refused(gateway: Running, body: bytes, status: int) -> None:
    answer = gateway.http.post(f"{gateway.base}/Patient", data=body, headers={"Content-Type": FHIR})
    assert answer.status_code == status
    assert outcome(answer)["issue"][0]["severity"] in ("error", "fatal")


def test_wrong_content_type_is_415(gateway: Running) -> None:
    answer = gateway.http.post(f"{gateway.base}/Patient", data=b"a,b", headers={"Content-Type": "text/csv"})
    assert answer.status_code == 415
    outcome(answer)


@pytest.mark.parametrize("path", ["/fhir/Patent/1", "/fhir/Patient/nobody", "/nowhere", "/fhir/Patient/1/$nothing"])
def test_unknown_places_are_404_in_fhir(gateway: Running, path: str) -> None:
    answer = gateway.http.get(gateway.host + path)
    assert answer.status_code == 404
    outcome(answer)


def test_unknown_search_parameter_is_refused_by_name(gateway: Running) -> None:
    answer = gateway.http.get(f"{gateway.base}/Patient", params={"nmae": "x"})
    assert answer.status_code == 400
    assert "nmae" in answer.text


def test_chunked_body_over_the_limit_is_413_and_not_truncated(gateway: Running) -> None:
    def chunks() -> Any:
        yield b'{"resourceType":"Patient","name":[{"family":"'
        for _ in range(11):
            yield b"x" * 1_000_000
        yield b'"}]}'

    answer = gateway.http.post(f"{gateway.base}/Patient", data=chunks(), headers={"Content-Type": FHIR})
    assert answer.status_code == 413
    outcome(answer)


def test_body_cut_short_stores_nothing(gateway: Running) -> None:
    host, port = gateway.host.removeprefix("http://").split(":")
    body = b'{"resourceType":"Patient","identifier":[{"system":"urn:cut","value":"short"}]}'
    with socket.create_connection((host, int(port)), timeout=5) as wire:
        wire.sendall(b"POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\n")
        wire.sendall(b"Content-Length: 500\r\n\r\n" + body)
        wire.shutdown(socket.SHUT_WR)
        wire.settimeout(5)
        answer = wire.recv(65536)
    assert not answer.startswith(b"HTTP/1.1 2")
    found = gateway.http.get(f"{gateway.base}/Patient", params={"identifier": "urn:cut|short"}).json()
    assert found["total"] == 0


def test_failed_transaction_leaves_nothing(gateway: Running) -> None:
    record = json.loads(maria().replace("MRN-004711", "MRN-ATOMIC"))
    record["entry"].append(
        {
            "resource": {"resourceType": "Observation", "status": "final"},
            "request": {"method": "POST", "url": "Observation"},
        }
    )
    answer = gateway.http.post(gateway.base, json=record, headers={"Content-Type": FHIR})
    assert answer.status_code in (400, 422)
    assert f"entry[{len(record['entry']) - 1}]" in json.dumps(outcome(answer))
    found = gateway.http.get(f"{gateway.base}/Patient", params={"identifier": "MRN-ATOMIC"}).json()
    assert found["total"] == 0


def test_prefetch_with_another_patient_refuses_the_call_without_naming_them(gateway: Running, patient: str) -> None:
    prefetch = gateway.prefetch(patient)
    key = next(key for key, value in prefetch.items() if value.get("entry") and key != "patient")
    prefetch[key]["entry"][0]["resource"]["subject"]["reference"] = "Patient/somebody-else"
    answer = gateway.call(patient, prefetch)
    assert answer.status_code == 422
    told = json.dumps(outcome(answer))
    assert key in told and "somebody-else" not in told


def test_missing_prefetch_is_412_naming_the_keys(gateway: Running, patient: str) -> None:
    prefetch = gateway.prefetch(patient)
    missing = sorted(prefetch)[0]
    del prefetch[missing]
    answer = gateway.call(patient, prefetch)
    assert answer.status_code == 412
    assert missing in json.dumps(outcome(answer))


def test_unit_that_cannot_be_converted_is_named_not_guessed(gateway: Running) -> None:
    record = maria().replace("MRN-004711", "MRN-UNIT").replace('"code": "mmol/L"', '"code": "g"').replace("mmol/L", "g")
    patient = gateway.post_record(record)
    bundle = gateway.http.get(f"{gateway.base}/Patient/{patient}/$assess?predictor=prevent-base").json()
    report, told = (entry["resource"] for entry in bundle["entry"])
    assert {p["outcome"]["coding"][0]["code"] for p in report["prediction"]} == {"heart-failure"}, "weighs no lipids"
    assert "total cholesterol is missing (LOINC 2093-3), though recorded (1 result not used: the unit" in json.dumps(
        told
    )
    cards = gateway.call(patient, gateway.prefetch(patient)).json()["cards"]
    assert any("the unit cannot be converted" in card["detail"] for card in cards)
    assert "unit" in gateway.http.get(f"{gateway.base}/Patient/{patient}/$twin").text.lower()


def test_nothing_of_a_patient_reaches_the_log(gateway: Running, patient: str) -> None:
    log = gateway.log.read_text()
    assert "/fhir/<" in log, "the log names routes"
    for secret in (patient, "Keller", "MRN-004711", "somebody-else"):
        assert secret not in log
