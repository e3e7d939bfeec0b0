"""Pages of other origins: listed ones may call and read, nobody else is told anything, nothing goes by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin import keyfile
from fhirtwin.errors import Incorrect
from tests.test_app import client

PAGE = "https://page.example"
LISTED = f"{PAGE}, http://localhost:3000"


def asks(gateway: FlaskClient, origin: str, path: str = "/cds-services/x", method: str = "POST", **more: str) -> Any:
    headers = {"Origin": origin, "Access-Control-Request-Method": method, **more}
    return gateway.options(path, headers=headers)


@pytest.fixture
def listed(tmp_path: Path) -> FlaskClient:
    return client(tmp_path, cors_origins=LISTED)


def cors_of(answer: Any) -> list[str]:
    return [name for name in answer.headers.keys() if name.lower().startswith("access-control-")]  # noqa: SIM118


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:3000"])
@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/x/feedback", "/fhir", "/fhir/Patient/1"])
def test_a_listed_page_is_told_that_it_may_call_and_with_what(listed: FlaskClient, origin: str, path: str) -> None:
    answer = asks(listed, origin, path, **{"Access-Control-Request-Headers": "authorization, content-type"})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://page.example.evil.example",
        "https://evilpage.example",
        "https://sub.page.example",
        "https://page.example:8443",
        "https://page.example:443",
        "https://page.example/",
        "http://page.example",
        "HTTPS://PAGE.EXAMPLE",
        "https://page.example, https://evil.example",
        "null",
        "*",
        "",
        "file://",
        " https://page.example",
        "https://user@page.example",
    ],
)
def test_another_page_is_told_nothing(listed: FlaskClient, tmp_path: Path, origin: str) -> None:
    token = {"Authorization": f"Bearer {keyfile.read(tmp_path / 'token')}"}
    for answer in (
        asks(listed, origin),
        listed.get("/fhir/metadata", headers={"Origin": origin, **token}),
        listed.get("/cds-services", headers={"Origin": origin}),
    ):
        assert answer.status_code != 204
        assert cors_of(answer) == []
        assert "Origin" in answer.headers["Vary"]


def test_a_listed_page_reads_answers_and_errors_and_still_needs_a_token(listed: FlaskClient, tmp_path: Path) -> None:
    token = {"Authorization": f"Bearer {keyfile.read(tmp_path / 'token')}"}
    for headers, status in ((token, 200), ({}, 401)):
        answer = listed.get("/fhir/metadata", headers={"Origin": PAGE, **headers})
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("path", ["/", "/nowhere", "/health/live", "/fhirx", "/cds-servicesx", "//fhir"])
def test_other_addresses_have_no_part_in_it(listed: FlaskClient, path: str) -> None:
    assert cors_of(asks(listed, PAGE, path)) == []


def test_options_without_a_question_is_no_preflight(listed: FlaskClient) -> None:
    assert listed.options("/fhir/metadata", headers={"Origin": PAGE}).status_code == 401


def test_without_a_list_no_page_may_call(tmp_path: Path) -> None:
    answer = asks(client(tmp_path), PAGE)
    assert answer.status_code == 401 and cors_of(answer) == [] and "Vary" not in answer.headers


def test_under_open_the_host_is_looked_at_before_the_page(tmp_path: Path) -> None:
    gateway = client(tmp_path, open=True, base_url="http://127.0.0.1:8000/fhir", cors_origins=PAGE)
    assert asks(gateway, PAGE, Host="evil.example").status_code == 403
    assert asks(gateway, PAGE, Host="127.0.0.1:8000").status_code == 204


@pytest.mark.parametrize("text", ["*", "null", "https://a.example/x", "http://a.example", "a.example", "https://*.a"])
def test_what_is_no_origin_stops_the_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(Incorrect, match="FHIRTWIN_CORS_ORIGINS"):
        client(tmp_path, cors_origins=text)


def test_an_ehrs_own_origins_count_too(tmp_path: Path) -> None:
    from tests.api_cds.trust.conftest import EHR, make, write

    gateway = make(tmp_path, EHR)
    assert asks(gateway, EHR["origins"][0]).status_code == 204
    write(tmp_path)
    assert asks(gateway, EHR["origins"][0]).status_code == 401
