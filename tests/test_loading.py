"""The command line as a caller: which request each file becomes, and where a token may go."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import responses

from fhirtwin import keyfile
from fhirtwin.errors import Incorrect, Unavailable
from fhirtwin.loading import Gateway

BASE = "http://127.0.0.1:8000/fhir"


@responses.activate
@pytest.mark.parametrize(
    ("resource", "method", "path"),
    [
        ({"resourceType": "Bundle", "type": "transaction"}, "POST", "/"),
        ({"resourceType": "Patient", "id": "a"}, "PUT", "/Patient/a"),
        ({"resourceType": "Patient"}, "POST", "/Patient"),
    ],
)
def test_each_kind_of_file_becomes_its_request(
    tmp_path: Path, resource: dict[str, str], method: str, path: str
) -> None:
    responses.add(method, BASE + path, status=201)
    file = tmp_path / "resource.json.gz"
    file.write_bytes(gzip.compress(json.dumps(resource).encode()))
    assert list(Gateway(BASE).load(file)) == []


@responses.activate
def test_ndjson_is_posted_line_by_line_and_problems_name_the_line(tmp_path: Path) -> None:
    responses.add("POST", f"{BASE}/Patient", status=201)
    refusal = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "no such type", "expression": ["X"]}]}
    responses.add("POST", f"{BASE}/Patent", status=404, json=refusal)
    file = tmp_path / "all.ndjson"
    file.write_text('{"resourceType":"Patient"}\n\n{"resourceType":"Patent"}\n{]\n')
    assert list(Gateway(BASE).load(file)) == ["line 3: X no such type", "line 4: is not JSON"]


def test_broken_gzip_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.json.gz"
    file.write_bytes(gzip.compress(b"{}" * 100)[:-9])
    assert [text.startswith("cannot be read") for text in Gateway(BASE).load(file)] == [True]


def test_without_a_running_gateway_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(Incorrect, match="fhirtwin serve"):
        Gateway.of(tmp_path)


def test_token_travels_only_protected(tmp_path: Path) -> None:
    token = keyfile.make(tmp_path / "token")
    with pytest.raises(Incorrect, match="not https"):
        Gateway.of(tmp_path, "http://twin.example.org/fhir")
    for server in (BASE, "https://twin.example.org/fhir"):
        assert Gateway.of(tmp_path, server).http.headers["Authorization"] == f"Bearer {token}"


def test_silence_of_the_server_is_told() -> None:
    with pytest.raises(Unavailable, match="is the gateway running"):
        Gateway("http://127.0.0.1:9/fhir").call("GET", "/metadata")
