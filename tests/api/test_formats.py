"""JSON and XML in and out: which is read, which is written, and what comes back of what was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fhirtwin.fhir import codec, xml
from fhirtwin.interactions.context import Services
from tests.parts import BASE, body, entry, observation, patient, transaction

XML = {"Content-Type": "application/fhir+xml"}
JSON = {"Content-Type": "application/fhir+json"}
WANTS_XML = {"Accept": "application/fhir+xml"}
WANTS_JSON = {"Accept": "application/fhir+json"}
IS_XML = "application/fhir+xml; charset=utf-8"
IS_JSON = "application/fhir+json; charset=utf-8"

SENT = (
    b'<?xml version="1.0" encoding="utf-8"?>\n<!-- from the ward -->\n<Observation xmlns="http://hl7.org/fhir">\n'
    b"  <id value='o'/>\n  <status   value=\"final\"/><code><text value='x'/></code>\n"
    b'  <valueQuantity><value value="0.010"/></valueQuantity>\n</Observation>\n'
)


def as_xml(resource: dict[str, Any]) -> bytes:
    return xml.encode(codec.decode(body(resource)))


@pytest.mark.parametrize(
    "content_type",
    ["application/fhir+xml", "application/xml", "text/xml; charset=UTF-8", "application/xml+fhir",
     "application/fhir+xml; fhirVersion=4.0"],
)  # fmt: skip
def test_xml_is_read_by_any_of_its_names(client: FlaskClient, content_type: str) -> None:
    answer = client.put("/fhir/Observation/o", data=SENT, headers={"Content-Type": content_type, **WANTS_JSON})
    assert (answer.status_code, answer.content_type) == (201, IS_JSON)
    assert b'"valueQuantity":{"value":0.010}' in answer.data
    assert answer.json["code"] == {"text": "x"}


def test_what_was_sent_as_xml_comes_back_byte_for_byte_but_for_its_stamps(client: FlaskClient) -> None:
    put = client.put("/fhir/Observation/o", data=SENT, headers={**XML, **WANTS_XML})
    updated = client.get("/fhir/Observation/o").json["meta"]["lastUpdated"]
    stamp = f'<meta><versionId value="1"/><lastUpdated value="{updated}"/></meta>'.encode()
    expected = SENT.replace(b"<id value='o'/>", b'<id value="o"/>' + stamp)
    assert (put.status_code, put.content_type, put.data) == (201, IS_XML, expected)
    for path in ("/fhir/Observation/o", "/fhir/Observation/o/_history/1"):
        answer = client.get(path, headers=WANTS_XML)
        assert (answer.status_code, answer.content_type, answer.data) == (200, IS_XML, expected)


def test_the_xml_of_a_version_is_not_given_for_another(client: FlaskClient) -> None:
    client.put("/fhir/Observation/o", data=SENT, headers=XML)
    client.put("/fhir/Observation/o", data=body(observation("Patient/p", id="o")), headers=JSON)
    assert b"from the ward" in client.get("/fhir/Observation/o/_history/1", headers=WANTS_XML).data
    current = client.get("/fhir/Observation/o", headers=WANTS_XML)
    assert xml.decode(current.data) == codec.decode(client.get("/fhir/Observation/o").data)
    assert b"from the ward" not in current.data


def test_the_same_in_xml_again_makes_no_new_version(client: FlaskClient) -> None:
    client.put("/fhir/Observation/o", data=SENT, headers=XML)
    again = client.put("/fhir/Observation/o", data=SENT.replace(b"ward", b"shelf"), headers=XML)
    assert (again.status_code, again.headers["ETag"]) == (200, 'W/"1"')


def test_bytes_of_json_stay_untouched_beside_xml(client: FlaskClient) -> None:
    sent = b'{ "resourceType" : "Patient","id":"p",  "active":true }'
    client.put("/fhir/Patient/p", data=sent, headers={**JSON, **WANTS_XML})
    stored = client.get("/fhir/Patient/p", headers=WANTS_JSON).data
    assert stored.replace(b',"meta":' + json.dumps(json.loads(stored)["meta"]).replace(" ", "").encode(), b"") == sent


def test_a_transaction_in_xml_resolves_references_in_both_forms(client: FlaskClient) -> None:
    who = "urn:uuid:6c0e3ee4-9a52-4d58-8c3f-000000000001"
    bundle = transaction(
        entry("POST", "Patient", patient(), fullUrl=who), entry("POST", "Observation", observation(who))
    )
    sent = as_xml(bundle).replace(b"<Observation>", b"<Observation><!-- kept -->")
    answer = client.post("/fhir", data=sent, headers={**XML, **WANTS_XML})
    assert (answer.status_code, answer.content_type) == (200, IS_XML)
    made = [
        one["response"]["location"].split("/fhir/")[1].split("/_history")[0] for one in xml.decode(answer.data)["entry"]
    ]
    for form in (WANTS_XML, WANTS_JSON):
        got = client.get(f"/fhir/{made[1]}", headers=form).data
        resource = xml.decode(got) if form is WANTS_XML else codec.decode(got)
        assert resource["subject"]["reference"] == made[0]
        assert (b"<!-- kept -->" in got) is (form is WANTS_XML)


def test_xml_that_would_not_say_what_the_json_says_is_not_kept(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml, "splice", lambda source, **_: source)
    client.put("/fhir/Observation/o", data=SENT, headers=XML)
    answer = client.get("/fhir/Observation/o", headers=WANTS_XML)
    assert b"from the ward" not in answer.data
    assert xml.decode(answer.data) == codec.decode(client.get("/fhir/Observation/o").data)


def test_a_batch_in_xml_is_carried_out_entry_by_entry(client: FlaskClient) -> None:
    bundle = {**transaction(entry("POST", "Patient", patient()), entry("GET", "Patient/none")), "type": "batch"}
    answer = client.post("/fhir", data=as_xml(bundle), headers=XML)
    statuses = [one["response"]["status"] for one in xml.decode(answer.data)["entry"]]
    assert statuses == ["201 Created", "404 Not Found"]


def test_parameters_of_an_operation_may_come_as_xml(client: FlaskClient) -> None:
    client.put("/fhir/Patient/p", data=body(patient(id="p")), headers=JSON)
    sent = {"resourceType": "Parameters", "parameter": [{"name": "nonsense", "valueString": "a"}]}
    answer = client.post("/fhir/Patient/p/$assess", data=as_xml(sent), headers=XML)
    assert answer.status_code == 400
    assert "nonsense" in xml.decode(answer.data)["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    "path", ["/fhir/metadata", "/fhir/Patient", "/fhir/Patient/p", "/fhir/Patient/p/_history", "/fhir/Patient/p/$twin"]
)
def test_answers_in_xml_say_what_those_in_json_say(client: FlaskClient, path: str) -> None:
    client.put("/fhir/Patient/p", data=body(patient(id="p", name=[{"family": "A&B"}])), headers=JSON)
    in_json, in_xml = client.get(path, headers=WANTS_JSON), client.get(path, headers=WANTS_XML)
    assert (in_xml.status_code, in_xml.content_type) == (200, IS_XML)
    assert xml.decode(in_xml.data) == codec.decode(in_json.data)
    assert in_xml.headers.get("ETag") == in_json.headers.get("ETag")
    assert client.head(path, headers=WANTS_XML).headers["Content-Type"] == IS_XML


def test_metadata_names_the_formats(client: FlaskClient) -> None:
    formats = client.get("/fhir/metadata").json["format"]
    assert formats == ["application/fhir+json", "application/fhir+xml", "json", "xml"]


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        ("application/fhir+xml", "", IS_XML),
        ("application/xml", "", IS_XML),
        ("text/xml", "", IS_XML),
        ("application/xml+fhir", "", IS_XML),
        ("application/fhir+xml; fhirVersion=4.0; charset=utf-8", "", IS_XML),
        ("application/fhir+json;q=0.5, application/fhir+xml", "", IS_XML),
        ("application/fhir+xml;q=0.5, application/fhir+json;q=0.6", "", IS_JSON),
        ("application/fhir+xml, application/fhir+json", "", IS_XML),
        ("application/fhir+json, application/fhir+xml", "", IS_JSON),
        ("*/*", "", IS_JSON),
        ("application/*", "", IS_JSON),
        ("application/fhir+json;q=0, */*;q=0.1", "", IS_XML),
        ("application/fhir+json;q=0.1, */*", "", IS_XML),
        ("text/html, application/xml;q=0.9, */*;q=0.8", "", IS_XML),
        ("application/fhir+xml; fhirVersion=5.0, */*;q=0.1", "", IS_JSON),
        ("application/fhir+json", "?_format=xml", IS_XML),
        ("application/fhir+json", "?_format=text/xml", IS_XML),
        ("application/fhir+json", "?_format=application/fhir%2Bxml", IS_XML),
        ("application/fhir+json", "?_format=application/fhir+xml", IS_XML),
        ("application/fhir+json", "?_format=application/fhir+xml;%20fhirVersion=4.0", IS_XML),
        ("application/fhir+xml", "?_format=application/json", IS_JSON),
        ("application/fhir+xml;q=0", "?_format=XML&_format=XML", IS_XML),
        ("text/html", "?_format=json", IS_JSON),
    ],
)
def test_the_format_is_what_the_caller_likes_best(client: FlaskClient, accept: str, query: str, expected: str) -> None:
    answer = client.get(f"/fhir/metadata{query}", headers={"Accept": accept})
    assert (answer.status_code, answer.content_type) == (200, expected)


@pytest.mark.parametrize(
    ("accept", "query"),
    [
        ("text/html", ""),
        ("application/fhir+turtle", ""),
        ("application/fhir+xml;q=0", ""),
        ("application/fhir+xml;q=0, application/fhir+json;q=0, */*", ""),
        ("application/fhir+xml; fhirVersion=3.0", ""),
        ("*/*;q=0", ""),
        ("*/*", "?_format=html"),
        ("*/*", "?_format=ttl"),
        ("*/*", "?_format="),
        ("*/*", "?_format=application/fhir%2Bxml;fhirVersion=5.0"),
    ],
)
def test_what_is_not_written_here_is_406_in_json(client: FlaskClient, accept: str, query: str) -> None:
    answer = client.get(f"/fhir/metadata{query}", headers={"Accept": accept})
    assert (answer.status_code, answer.content_type) == (406, IS_JSON)
    assert answer.json["issue"][0]["code"] == "not-supported"


@pytest.mark.parametrize("query", ["_format=json&_format=xml", "_pretty=yes", "_pretty=true&_pretty=false"])
def test_a_form_that_cannot_be_understood_is_400(client: FlaskClient, query: str) -> None:
    assert client.get(f"/fhir/metadata?{query}").status_code == 400


@pytest.mark.parametrize("accept", [{}, {"Accept": "*/*"}])
def test_without_a_wish_the_answer_has_the_format_of_the_body(client: FlaskClient, accept: dict[str, str]) -> None:
    sent = as_xml(patient())
    assert client.post("/fhir/Patient", data=sent, headers={**XML, **accept}).content_type == IS_XML
    assert client.post("/fhir/Patient", data=body(patient()), headers={**JSON, **accept}).content_type == IS_JSON


def test_errors_come_in_the_format_wanted(client: FlaskClient) -> None:
    missing = client.get("/fhir/Patient/none", headers=WANTS_XML)
    assert (missing.status_code, missing.content_type) == (404, IS_XML)
    assert xml.decode(missing.data)["issue"][0]["code"] == "not-found"
    pretty = client.get("/fhir/Patient/none?_format=xml&_pretty=true")
    assert b'\n    <code value="not-found"/>' in pretty.data
    unknown = client.get("/nonsense", headers=WANTS_XML)
    assert (unknown.status_code, unknown.content_type) == (404, IS_JSON)


def test_pretty_xml_is_the_same_indented(client: FlaskClient) -> None:
    client.put("/fhir/Observation/o", data=SENT, headers=XML)
    pretty = client.get("/fhir/Observation/o?_pretty=true&_format=xml").data
    assert b'\n  <valueQuantity>\n    <value value="0.010"/>\n  </valueQuantity>\n' in pretty
    assert xml.decode(pretty) == codec.decode(client.get("/fhir/Observation/o").data)


def test_a_search_form_may_say_how_it_is_answered(client: FlaskClient) -> None:
    form = {"_format": "xml", "identifier": "a"}
    answer = client.post("/fhir/Patient/_search", data=form)
    assert (answer.status_code, answer.content_type) == (200, IS_XML)
    assert client.post("/fhir/Patient/_search?_format=json", data=form).status_code == 400
    assert client.post("/fhir/Patient/_search", data={"_format": "html"}).status_code == 406


@pytest.mark.parametrize(
    ("sent", "expression", "says"),
    [
        (b'<Patient xmlns="http://hl7.org/fhir">\n<gender value="f"/></Patient>', "Patient.gender", "female"),
        (b'<Patient xmlns="http://hl7.org/fhir">\n<nonsense/></Patient>', "Patient.nonsense", "line 2"),
        (b'<Group xmlns="http://hl7.org/fhir"/>', "Group", "Patient"),
        (b'<!DOCTYPE Patient><Patient xmlns="http://hl7.org/fhir"/>', None, "document types"),
        (b'{"resourceType":"Patient"}', None, "not XML"),
        (b"", None, "empty"),
    ],
)
def test_bad_xml_is_400_with_its_place(client: FlaskClient, sent: bytes, expression: str | None, says: str) -> None:
    answer = client.post("/fhir/Patient", data=sent, headers=XML)
    assert (answer.status_code, answer.content_type) == (400, IS_XML)
    issues = xml.decode(answer.data)["issue"]
    assert any(says in issue["diagnostics"] for issue in issues)
    if expression:
        assert any(place.startswith(expression) for issue in issues for place in issue["expression"])


def test_xml_where_json_is_declared_is_400_and_json_where_xml_is(client: FlaskClient) -> None:
    assert client.post("/fhir/Patient", data=as_xml(patient()), headers=JSON).status_code == 400
    assert client.post("/fhir/Patient", data=body(patient()), headers=XML).status_code == 400


def test_limits_hold_for_xml(client: FlaskClient) -> None:
    long = as_xml(patient(name=[{"text": "a" * 100_000}]))
    assert client.post("/fhir/Patient", data=long, headers=XML).status_code == 413
    many = transaction(*(entry("POST", "Patient", patient()) for _ in range(21)))
    assert client.post("/fhir", data=as_xml(many), headers=XML).status_code == 413
    deep = b'<Patient xmlns="http://hl7.org/fhir">' + b"<extension>" * 64
    assert client.post("/fhir/Patient", data=deep, headers=XML).status_code == 400


def test_what_xml_cannot_hold_is_406_to_read_and_json_to_whom_wrote_it(client: FlaskClient) -> None:
    resource = patient(id="p", name=[{"text": "a\x01"}])
    put = client.put("/fhir/Patient/p", data=body(resource), headers={**JSON, **WANTS_XML})
    assert (put.status_code, put.content_type) == (201, IS_JSON)
    answer = client.get("/fhir/Patient/p", headers=WANTS_XML)
    assert (answer.status_code, answer.content_type) == (406, IS_XML)
    (issue,) = xml.decode(answer.data)["issue"]
    assert issue["expression"] == ["Patient.name[0].text"]
    assert client.get("/fhir/Patient/p", headers=WANTS_JSON).status_code == 200


def test_a_reading_caller_pays_nothing_for_xml_kept(client: FlaskClient, services: Services) -> None:
    client.put("/fhir/Observation/o", data=SENT, headers=XML)
    with services.store.snapshot() as reader:
        stored = reader.read("Observation", "o")
        assert stored is not None
        assert b"from the ward" in reader.source(stored)
    client.delete("/fhir/Observation/o")
    with services.store.snapshot() as reader:
        gone = reader.read("Observation", "o")
        assert gone is not None
        assert (gone.version, reader.source(gone)) == (2, b"")


def pages(client: FlaskClient, first: TestResponse) -> list[TestResponse]:
    """All pages of an answer in XML, by the links as they are."""
    found = [first]
    while following := [link["url"] for link in xml.decode(found[-1].data)["link"] if link["relation"] == "next"]:
        found.append(client.get(following[0].removeprefix(BASE.removesuffix("/fhir"))))
    return found


@pytest.mark.parametrize(
    "path",
    [
        "/fhir/Observation?",
        "/fhir/Observation?patient=p&_sort=date&",
        "/fhir?_type=Observation,Patient&",
        "/fhir/_history?",
        "/fhir/Observation/_history?",
        "/fhir/Patient/p/_history?",
        "/fhir/Patient/p/$everything?",
    ],
)
def test_every_page_has_the_form_of_the_first(client: FlaskClient, path: str) -> None:
    for gender in ("female", "male"):
        client.put("/fhir/Patient/p", data=body(patient(id="p", gender=gender)), headers=JSON)
    for id_ in ("o", "u"):
        client.put(f"/fhir/Observation/{id_}", data=body(observation("Patient/p", id=id_)), headers=JSON)
    found = pages(
        client, client.get(f"{path}_count=1&_format=application/fhir%2Bxml&_pretty=true&_format=application/fhir%2Bxml")
    )
    assert len(found) > 1
    assert {answer.content_type for answer in found} == {IS_XML}
    assert all(b"\n  <link>\n" in answer.data for answer in found)
    for answer in found:
        own = xml.decode(answer.data)["link"][0]["url"]
        assert (own.count("_format="), own.count("_pretty=true")) == (1, 1)
        assert client.get(own.removeprefix(BASE.removesuffix("/fhir"))).data == answer.data


@pytest.mark.parametrize("path", ["/fhir/Patient/_search", "/fhir/_search"])
def test_the_form_that_a_posted_search_names_is_in_its_links(client: FlaskClient, path: str) -> None:
    for id_ in ("p", "q"):
        client.put(f"/fhir/Patient/{id_}", data=body(patient(id=id_)), headers=JSON)
    first = client.post(path, data={"_count": "1", "_format": "xml"})
    assert [answer.content_type for answer in pages(client, first)] == [IS_XML, IS_XML]


def test_newest_observations_tell_the_form_in_their_link(client: FlaskClient) -> None:
    answer = client.get("/fhir/Observation/$lastn?patient=p&category=&_format=json")
    assert answer.json["link"][0]["url"] == f"{BASE}/Observation/$lastn?_format=json&patient=p&category="


def test_an_entry_of_a_batch_has_no_form_of_its_own(client: FlaskClient) -> None:
    bundle = {**transaction(entry("GET", "Patient?_format=xml")), "type": "batch"}
    answer = client.post("/fhir", data=body(bundle), headers=JSON)
    assert answer.json["entry"][0]["response"]["status"] == "400 Bad Request"
