"""What a person in a browser reads where a program reads an OperationOutcome."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.api_ui.pages import Sandbox, sandbox

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
LINK = "/fhir/RiskAssessment/4e0a3a1e-3283-4575-ab82-028d55fe2719/_history/1"


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Sandbox]:
    """A server that wants its token."""
    made = sandbox(tmp_path, open=False)
    yield made
    made.parts.store.close()


@pytest.mark.parametrize("accept", [FIREFOX, CHROMIUM])
@pytest.mark.parametrize("sent", [{}, {"Sec-Fetch-Mode": "navigate"}])
def test_a_link_of_a_card_tells_a_person_why_and_whom_to_ask(
    closed: Sandbox, accept: str, sent: dict[str, str]
) -> None:
    answer = closed.http.get(LINK, headers={"Accept": accept, **sent})
    assert (answer.status_code, answer.content_type) == (401, "text/html; charset=utf-8")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "<h1>You are not signed in</h1>" in answer.text
    assert "Ask those who run your electronic health record" in answer.text
    assert "{" not in answer.text and "RiskAssessment" not in answer.text
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept": "*/*"},
        {"Accept": "application/fhir+json"},
        {"Accept": "text/html"},
        {"Accept": "text/html, application/xml;q=0.9, */*;q=0.8"},
        {"Accept": "text/html, application/xhtml+xml;q=0, */*"},
        {"Accept": FIREFOX, "Sec-Fetch-Mode": "cors"},
    ],
)
def test_programs_get_an_outcome(closed: Sandbox, headers: dict[str, str]) -> None:
    answer = closed.http.get(LINK, headers=headers)
    assert answer.status_code == 401 and answer.json
    assert answer.json["resourceType"] == "OperationOutcome"


def test_posts_and_who_names_a_format_get_an_outcome(closed: Sandbox) -> None:
    for answer in (
        closed.http.post("/cds-services/view", json={}, headers={"Accept": FIREFOX}),
        closed.http.get(f"{LINK}?_format=json", headers={"Accept": FIREFOX}),
    ):
        assert answer.status_code == 401 and answer.json
        assert answer.json["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("path", "status"), [(LINK, 404), ("/nowhere", 404), ("/fhir/Nothing", 404), ("/fhir/Patient?_sort=<script>", 400)]
)
def test_other_errors_are_pages_too_and_repeat_nothing_as_markup(client: FlaskClient, path: str, status: int) -> None:
    answer = client.get(path, headers={"Accept": CHROMIUM})
    assert (answer.status_code, answer.content_type) == (status, "text/html; charset=utf-8")
    assert f"<h1>This cannot be shown ({status})</h1>" in answer.text
    assert "<script>" not in answer.text
    assert client.head(path, headers={"Accept": CHROMIUM}).status_code == status
