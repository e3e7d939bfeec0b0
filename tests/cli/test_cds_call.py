"""`fhirtwin cds call` against servers that answer well, badly, and maliciously."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fhirtwin.cli import main

REQUEST = {"hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": {}}
CARD = {
    "summary": "Creatinine is missing",
    "indicator": "warning",
    "detail": "Order it.",
    "source": {"label": "Guideline"},
    "suggestions": [{"label": "Order", "actions": [{"type": "create", "description": "A ServiceRequest"}]}],
    "links": [{"label": "More", "url": "https://guideline.example", "type": "absolute"}],
}


@dataclass
class Server:
    """Answers what the test sets, and remembers what it was asked."""

    url: str = ""
    status: int = 200
    body: Any = field(default_factory=lambda: {"cards": [CARD]})
    services: list[dict[str, str]] = field(default_factory=lambda: [{"id": "chart", "hook": "patient-view"}])
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.give(200, {"services": made.services})

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            made.asked.append((self.path, self.headers.get("Authorization", ""), sent))
            self.give(made.status, made.body)

        def give(self, status: int, body: Any) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        made.url = f"http://127.0.0.1:{running.server_address[1]}"
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield made
        running.shutdown()


def call(folder: Path, server: Server, *options: str, request: bytes | None = None) -> Result:
    file = folder / "request.json"
    file.write_bytes(json.dumps(REQUEST).encode() if request is None else request)
    return CliRunner().invoke(main, ["cds", "call", str(file), "--data", str(folder), "--server", server.url, *options])


def test_the_request_goes_out_as_it_lies_in_the_file_and_the_cards_are_legible(tmp_path: Path, server: Server) -> None:
    text = b'{ "hook" : "patient-view", "value": 0.010 }'
    run = call(tmp_path, server, request=text)
    assert run.exit_code == 0, run.output
    assert server.asked == [("/cds-services/chart", "", text)]
    for line in ("chart: 200 OK", "1 card", "[warning] Creatinine is missing", "Order it.", "create: A ServiceRequest"):
        assert line in run.output
    assert "More: https://guideline.example" in run.output and "Source: Guideline" in run.output


def test_marks_and_escapes_of_markdown_are_not_shown(tmp_path: Path, server: Server) -> None:
    server.body = {"cards": [{**CARD, "detail": "**In the record:**\n\n* CYP2C19: \\*17 \\(2 of 2\\)"}]}
    output = call(tmp_path, server).output
    assert "In the record:\n" in output and "* CYP2C19: *17 (2 of 2)" in output
    assert "\\" not in output and "**" not in output


def test_a_service_and_a_token_can_be_named(tmp_path: Path, server: Server) -> None:
    run = call(tmp_path, server, "--service", "other", "--token", "secret", request=b"not JSON")
    assert run.exit_code == 0
    assert server.asked == [("/cds-services/other", "Bearer secret", b"not JSON")]


def test_no_card_is_told_apart_from_a_refusal_by_the_exit_code(tmp_path: Path, server: Server) -> None:
    server.body = {"cards": []}
    nothing = call(tmp_path, server)
    assert nothing.exit_code == 0 and "0 cards" in nothing.output
    server.status = 412
    server.body = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "key `x` is absent"}]}
    refused = call(tmp_path, server)
    assert refused.exit_code == 1
    assert "412 Precondition Failed" in refused.output and "key `x` is absent" in refused.output
    assert "No advice was given" in refused.output


@pytest.mark.parametrize("services", [[], [{"id": "a", "hook": "patient-view"}, {"id": "b", "hook": "patient-view"}]])
def test_which_service_is_never_guessed(tmp_path: Path, server: Server, services: list[dict[str, str]]) -> None:
    server.services = services
    run = call(tmp_path, server)
    assert run.exit_code == 1
    assert "Name a service with --service" in run.output
    assert server.asked == []


@pytest.mark.parametrize("service", ["../fhir", "a/b", "..", "a?b", "a#b", "a b", "a%2e"])
def test_a_service_cannot_be_another_address(tmp_path: Path, server: Server, service: str) -> None:
    assert call(tmp_path, server, "--service", service).exit_code == 1
    assert server.asked == []


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", [], {"cards": 7}, {"cards": None}, {}],
)
def test_an_answer_that_is_none_is_a_failure(tmp_path: Path, server: Server, body: Any) -> None:
    server.body = body
    run = call(tmp_path, server)
    assert run.exit_code == 1 and "No advice was given" in run.output


def test_what_a_terminal_would_obey_is_not_printed(tmp_path: Path, server: Server) -> None:
    server.body = {
        "cards": [
            {"summary": "\x1b[2Jgone\x07", "suggestions": 7, "links": [None], "source": "x", "detail": "a\x1b]0;t\x07"},
            "no card",
        ]
    }
    run = call(tmp_path, server)
    assert run.exit_code == 0
    assert "\x1b" not in run.output and "\x07" not in run.output


def test_nobody_there_is_told_in_a_line(tmp_path: Path) -> None:
    run = call(tmp_path, Server(url="http://127.0.0.1:9"))
    assert run.exit_code == 1 and "does not answer" in run.output
