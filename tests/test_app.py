"""What every request meets before anything else, and what every answer carries."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from fhirtwin import keyfile
from fhirtwin.app import create_app
from fhirtwin.settings import Settings
from fhirtwin.store import Store

BASE = "https://twin.example.org/fhir"
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "MADEUP")
PATHS = (
    "/",
    "/fhir",
    "/fhir/metadata",
    "/fhir/Patient/1",
    "/fhir//Patient",
    "/cds-services",
    "/metrics",
    "/nowhere",
    "/static/x",
)


def client(folder: Path, **changes: object) -> FlaskClient:
    keyfile.read_or_make(folder / "engine.key")
    keyfile.read_or_make(folder / "token")
    settings = {"data": folder, "base_url": BASE, "engine_url": f"unix:{folder}/none.sock", **changes}
    return create_app(Settings(**settings)).test_client()  # type: ignore[arg-type]


@pytest.fixture
def closed(tmp_path: Path) -> FlaskClient:
    return client(tmp_path)


def token(folder: Path) -> dict[str, str]:
    return {"Authorization": f"Bearer {keyfile.read(folder / 'token')}"}


@pytest.mark.parametrize("method", METHODS)
def test_without_the_token_no_method_tells_anything_of_any_address(closed: FlaskClient, method: str) -> None:
    answers = {path: closed.open(path, method=method) for path in (*PATHS, "/health/nowhere")}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert len({answer.data for answer in answers.values()}) == 1
    assert {answer.headers["WWW-Authenticate"] for answer in answers.values()} == {"Bearer"}
    assert not any("Allow" in answer.headers or "Server-Timing" in answer.headers for answer in answers.values())


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic {}", "{}", "Bearer {}x", "Bearer \xe9", "Bearer {} {}"]
)
def test_only_the_whole_token_lets_in(closed: FlaskClient, tmp_path: Path, header: str) -> None:
    secret = keyfile.read(tmp_path / "token")
    given = {"Authorization": header.replace("{}", secret)}
    assert closed.get("/fhir/metadata", headers=given).status_code == 401
    assert closed.get("/fhir/metadata", headers=token(tmp_path)).status_code == 200


@pytest.mark.parametrize(
    "path", ["/fhir/metadata", "/fhir/Patient", "/fhir//Patient", "//evil.example/fhir", "/nowhere"]
)
@pytest.mark.parametrize("behind_proxy", [False, True])
def test_no_answer_repeats_the_host_that_a_caller_or_a_proxy_names(
    tmp_path: Path, path: str, behind_proxy: bool
) -> None:
    forwarded = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "Forwarded": "host=evil.example"}
    gateway = client(tmp_path, behind_proxy=behind_proxy)
    answer = gateway.get(path, headers={**token(tmp_path), "Host": "evil.example", **forwarded})
    assert answer.status_code in (200, 404)
    assert b"evil" not in answer.data
    assert "evil" not in str(answer.headers)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "192.0.2.7", "[::1", "", "a b"]
)
def test_open_answers_to_no_foreign_host_so_that_no_page_of_another_site_reads_patients(
    tmp_path: Path, host: str
) -> None:
    gateway = client(tmp_path, open=True, base_url="http://127.0.0.1:8000/fhir")
    for path in ("/fhir/metadata", "/fhir/Patient", "/health/ready", "/nowhere"):
        answer = gateway.get(path, headers={"Host": host})
        assert answer.status_code == 403
        assert answer.json["resourceType"] == "OperationOutcome"  # type: ignore[index]


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:8000", "127.8.8.8", "[::1]:8000", "twin.test:8000"]
)
def test_open_answers_to_loopback_and_to_its_own_name(tmp_path: Path, host: str) -> None:
    gateway = client(tmp_path, open=True, base_url="http://twin.test:8000/fhir")
    assert gateway.get("/fhir/metadata", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/fhir/metadata", "/nowhere", "/health/live"])
def test_every_answer_carries_what_keeps_browsers_from_showing_or_keeping_it(
    closed: FlaskClient, tmp_path: Path, path: str
) -> None:
    headers = closed.get(path, headers=token(tmp_path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers


def test_a_quarantine_holds_after_a_restart_and_what_another_process_left_is_withdrawn(tmp_path: Path) -> None:
    store = Store.open(Settings(data=tmp_path, base_url=BASE))
    with store.write() as write:
        write.standings.quarantine(2_000_000, 1_000_000)
    http = client(tmp_path)
    ready = http.get("/health/ready")
    assert ready.status_code == 503
    assert "in quarantine" in ready.json["checks"]["engine"]  # type: ignore[index]
    for _ in range(200):
        with store.snapshot() as reader:
            withdrawn = reader.standings.read().withdrawn
        if withdrawn:
            break
        time.sleep(0.05)
    store.close()
    assert withdrawn
