"""A Binary as the content that it is: in, out, and harmless to browsers."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.parts import body

PDF = b"%PDF-1.7\n\x00\xff\r\n"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"
WANTS_JSON = {"Accept": "application/fhir+json"}


def binary(client: FlaskClient, content: bytes = PDF, type_: str = "application/pdf", **members: Any) -> str:
    resource = {"resourceType": "Binary", "contentType": type_, "data": base64.b64encode(content).decode(), **members}
    answer = client.post("/fhir/Binary", data=body(resource), headers={"Content-Type": "application/fhir+json"})
    assert answer.status_code == 201
    return f"/fhir/Binary/{answer.json['id']}"


def test_content_that_is_posted_becomes_a_binary(client: FlaskClient) -> None:
    headers = {"Content-Type": "application/pdf", "X-Security-Context": "Patient/p"}
    answer = client.post("/fhir/Binary", data=PDF, headers=headers)
    assert (answer.status_code, answer.content_type) == (201, "application/fhir+json; charset=utf-8")
    resource = answer.json
    assert resource["contentType"] == "application/pdf"
    assert resource["securityContext"] == {"reference": "Patient/p"}
    assert base64.b64decode(resource["data"]) == PDF
    assert client.get(f"/fhir/Binary/{resource['id']}", headers={"Accept": "application/pdf"}).data == PDF


def test_content_that_is_put_gets_the_id_of_the_url_and_a_version(client: FlaskClient) -> None:
    for content, status, version in ((PDF, 201, "1"), (PDF, 200, "1"), (b"other", 200, "2")):
        answer = client.put("/fhir/Binary/b", data=content, headers={"Content-Type": "image/png"})
        assert (answer.status_code, answer.headers["ETag"]) == (status, f'W/"{version}"')
    first = client.get("/fhir/Binary/b/_history/1", headers={"Accept": "image/*"})
    assert (first.data, first.content_type, first.headers["ETag"]) == (PDF, "image/png", 'W/"1"')


@pytest.mark.parametrize(
    "accept",
    ["application/pdf", "application/pdf;q=0.1", "application/*", BROWSER,
     "application/fhir+json;q=0.5, application/pdf", "text/html, */*;q=0.1", "application/json, application/pdf;q=0.5"],
)  # fmt: skip
def test_who_likes_the_content_better_gets_it(client: FlaskClient, accept: str) -> None:
    answer = client.get(binary(client), headers={"Accept": accept})
    assert (answer.status_code, answer.content_type, answer.data) == (200, "application/pdf", PDF)
    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        ({}, "", "application/fhir+json"),
        ({"Accept": "*/*"}, "", "application/fhir+json"),
        ({"Accept": "application/fhir+json"}, "", "application/fhir+json"),
        ({"Accept": "application/fhir+xml, */*"}, "", "application/fhir+xml"),
        ({"Accept": "application/fhir+json, application/pdf"}, "", "application/fhir+json"),
        ({"Accept": "application/json"}, "", "application/fhir+json"),
        ({"Accept": "application/pdf"}, "?_format=xml", "application/fhir+xml"),
        ({"Accept": "application/pdf;q=0, application/fhir+xml;q=0.1"}, "", "application/fhir+xml"),
    ],
)
def test_who_wants_a_resource_or_says_nothing_gets_the_resource(
    client: FlaskClient, accept: dict[str, str], query: str, expected: str
) -> None:
    answer = client.get(binary(client) + query, headers=accept)
    assert (answer.status_code, answer.content_type) == (200, f"{expected}; charset=utf-8")
    assert "Content-Disposition" not in answer.headers


def test_content_that_is_json_is_given_as_such(client: FlaskClient) -> None:
    path = binary(client, b"[1]", "application/json")
    assert client.get(path, headers={"Accept": "application/json"}).data == b"[1]"
    assert client.get(path, headers=WANTS_JSON).json["contentType"] == "application/json"


@pytest.mark.parametrize("accept", ["image/png", "text/html", "application/pdf;q=0"])
def test_who_wants_neither_gets_406(client: FlaskClient, accept: str) -> None:
    path = binary(client)
    for version in ("", "/_history/1"):
        answer = client.get(path + version, headers={"Accept": accept})
        assert (answer.status_code, answer.json["resourceType"]) == (406, "OperationOutcome")
    assert client.get("/fhir/Binary", headers={"Accept": accept}).status_code == 406


def test_errors_of_a_read_for_content_are_json(client: FlaskClient) -> None:
    answer = client.get("/fhir/Binary/none", headers={"Accept": "application/pdf"})
    assert (answer.status_code, answer.json["issue"][0]["code"]) == (404, "not-found")


def test_a_known_version_is_304(client: FlaskClient) -> None:
    answer = client.get(binary(client), headers={"Accept": "application/pdf", "If-None-Match": 'W/"1"'})
    assert (answer.status_code, answer.data) == (304, b"")


def test_head_tells_the_type_and_length(client: FlaskClient) -> None:
    answer = client.head(binary(client), headers={"Accept": "application/pdf"})
    assert (answer.content_type, answer.content_length, answer.data) == ("application/pdf", len(PDF), b"")


def test_a_binary_without_data_is_given_as_the_resource(client: FlaskClient) -> None:
    made = client.put(
        "/fhir/Binary/b",
        data=body({"resourceType": "Binary", "id": "b", "contentType": "image/png"}),
        headers={"Content-Type": "application/fhir+json"},
    )
    assert made.status_code == 201
    assert client.get("/fhir/Binary/b", headers={"Accept": "image/png, */*;q=0.1"}).json["id"] == "b"
    assert client.get("/fhir/Binary/b", headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize("type_", ["text/html", "image/svg+xml", "text/html; a=é", "text/plain; x=\x7f"])
def test_whatever_somebody_stored_no_browser_runs_it_here(client: FlaskClient, type_: str) -> None:
    answer = client.get(binary(client, b"<script>alert(1)</script>", type_), headers={"Accept": BROWSER})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].partition(";")[0] == type_.partition(";")[0]
    assert answer.headers["Content-Type"].isprintable() and answer.headers["Content-Type"].isascii()
    assert answer.headers["Content-Disposition"] == "attachment"


def test_a_type_with_a_line_break_is_refused(client: FlaskClient) -> None:
    resource = {"resourceType": "Binary", "contentType": 'text/html; charset="\r"', "data": ""}
    answer = client.post("/fhir/Binary", data=body(resource), headers={"Content-Type": "application/fhir+json"})
    assert answer.status_code == 400
    assert "Binary.contentType" in [one["expression"][0] for one in answer.json["issue"]]


def test_a_security_context_that_fits_no_header_is_not_made_one(client: FlaskClient) -> None:
    asked = {"Accept": "application/pdf"}
    plain = binary(client, securityContext={"reference": "Patient/p"})
    assert client.get(plain, headers=asked).headers["X-Security-Context"] == "Patient/p"
    odd = binary(client, securityContext={"reference": "urn:x\r\nSet-Cookie: a=b"})
    assert "X-Security-Context" not in client.get(odd, headers=asked).headers


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost.evil.example", "https://localhost"]
)
@pytest.mark.parametrize("type_", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_page_of_another_origin_sends_no_content(client: FlaskClient, origin: str, type_: str) -> None:
    headers = {"Content-Type": type_, "Origin": origin}
    assert client.post("/fhir/Binary", data=b"a=b", headers=headers).status_code == 403
    own = {**headers, "Origin": "http://localhost"}
    assert client.post("/fhir/Binary", data=b"a=b", headers=own).status_code == 201


def test_what_is_wrong_with_content(client: FlaskClient) -> None:
    def status(path: str, data: bytes, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post(path, data=data, headers=named).status_code

    assert status("/fhir/Binary", b"", Content_Type="text/plain") == 400
    assert status("/fhir/Binary", b"a", Content_Type="nonsense") == 400
    assert status("/fhir/Binary", b"a") == 415
    assert status("/fhir/Binary", b"a", Content_Type="text/plain", Content_Encoding="gzip") == 415
    assert status("/fhir/Binary", b"a" * 100_001, Content_Type="text/plain") == 413
    assert status("/fhir/Patient", b"a", Content_Type="text/plain") == 415
    assert status("/fhir/Binary", b"a", Content_Type="application/json") == 400
