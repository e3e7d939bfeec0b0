from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import OPEN, Caller
from fhirtwin.fhir import care_dates, codec, dates
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.operations import everything
from tests import parts
from tests.parts import BASE, body, condition, observation, patient

JSON = {"Content-Type": "application/fhir+json"}


def put(client: FlaskClient, resource: dict[str, Any]) -> None:
    url = f"/fhir/{resource['resourceType']}/{resource['id']}"
    answer = client.put(url, data=body(resource), headers=JSON)
    assert answer.status_code in (200, 201), answer.text


def practitioner(id_: str) -> dict[str, Any]:
    return {"resourceType": "Practitioner", "id": id_, "name": [{"family": "Gärtner"}]}


@pytest.fixture
def record(client: FlaskClient) -> FlaskClient:
    doctor = [{"reference": "Practitioner/d"}]
    for resource in (
        patient(id="p", generalPractitioner=[{"reference": f"{BASE}/Practitioner/gp"}]),
        patient(id="q"),
        practitioner("gp"),
        practitioner("d"),
        practitioner("nobody-asks-for"),
        observation("Patient/p", id="o1", performer=doctor),
        observation("Patient/p", "2085-9", id="o2", performer=doctor, effectiveDateTime="2020-01-01"),
        observation("Patient/q", id="theirs"),
        observation("http://ehr.test/fhir/Patient/p", id="elsewhere"),
        condition("Patient/p", id="c", onsetDateTime="2019"),
    ):
        put(client, resource)
    return client


def got(client: FlaskClient, url: str = "/fhir/Patient/p/$everything") -> dict[str, Any]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    bundle = codec.decode(answer.data)
    assert validate(bundle, type="Bundle") == []
    return bundle


def names(bundle: dict[str, Any], mode: str = "") -> list[str]:
    return [
        one["fullUrl"].removeprefix(f"{BASE}/")
        for one in bundle.get("entry", ())
        if mode in ("", one["search"]["mode"])
    ]


def test_it_gives_the_record_and_what_it_refers_to_and_nothing_of_others(record: FlaskClient) -> None:
    bundle = got(record)
    assert names(bundle, "match") == ["Patient/p", "Observation/o1", "Observation/o2", "Condition/c"]
    assert sorted(names(bundle, "include")) == ["Practitioner/d", "Practitioner/gp"]
    assert (bundle["type"], bundle["total"]) == ("searchset", 4)
    assert [link["relation"] for link in bundle["link"]] == ["self"]


def test_each_resource_comes_as_it_is_stored(record: FlaskClient) -> None:
    answer = record.get("/fhir/Patient/p/$everything").data
    assert record.get("/fhir/Observation/o1").data in answer


def test_another_patients_resources_do_not_come_even_where_this_ones_refer_to_them(record: FlaskClient) -> None:
    both = [{"entity": {"reference": "Patient/p"}}, {"entity": {"reference": "Patient/q"}}]
    put(record, {"resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": both})
    put(record, observation("Patient/p", id="o3", derivedFrom=[{"reference": "Observation/theirs"}]))
    put(record, observation("Patient/p", id="o4", focus=[{"reference": "Patient/q"}]))
    assert not {"Patient/q", "Observation/theirs"} & set(names(got(record)))


@pytest.mark.parametrize(
    ("type_", "parameter", "resource"),
    [
        ("Group", "member", {"type": "person", "actual": True, "member": [{"entity": {"reference": "Patient/p"}}]}),
        (
            "Appointment",
            "actor",
            {"status": "proposed", "participant": [{"actor": {"reference": "Patient/p"}, "status": "accepted"}]},
        ),
        ("Patient", "link", {"link": [{"other": {"reference": "Patient/p"}, "type": "seealso"}]}),
    ],
)
def test_what_another_parameter_of_the_compartment_ties_to_the_patient_comes_too(
    record: FlaskClient, type_: str, parameter: str, resource: dict[str, Any]
) -> None:
    put(record, {"resourceType": type_, "id": "x", **resource})
    assert f"{type_}/x" in names(got(record), "match")


def test_binaries_come_by_the_url_of_an_attachment(record: FlaskClient) -> None:
    put(record, {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": "YQ=="})
    attachment = {"content": [{"attachment": {"url": f"{BASE}/Binary/b"}}]}
    subject = {"reference": "Patient/p"}
    put(record, {"resourceType": "DocumentReference", "id": "x", "status": "current", "subject": subject, **attachment})
    assert "Binary/b" in names(got(record), "include")


def test_a_reference_written_with_escapes_is_followed(record: FlaskClient) -> None:
    text = json.dumps(observation("Patient/p", id="e", performer=[{"reference": "Practitioner/e"}]))
    text = text.replace('"reference": "Practitioner/e"', '"\\u0072eference": "Practitioner\\/\\u0065"')
    put(record, practitioner("e"))
    assert record.put("/fhir/Observation/e", data=text, headers=JSON).status_code == 201
    assert "Practitioner/e" in names(got(record))


def test_pages_hold_every_record_once_whatever_others_store_meanwhile(record: FlaskClient) -> None:
    seen: list[str] = []
    url: str | None = "/fhir/Patient/p/$everything?_count=1"
    page = 0
    while url:
        bundle = got(record, url)
        seen += names(bundle, "match")
        assert "total" not in bundle
        put(record, observation("Patient/p", id=f"late{page}"))
        put(record, observation("Patient/p", id="o1", note=[{"text": f"changed {page}"}]))
        page += 1
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    assert seen == ["Patient/p", "Observation/o1", "Observation/o2", "Condition/c"]


def test_pages_of_what_is_far_apart_have_no_more_than_was_asked_for(record: FlaskClient) -> None:
    for number in range(9):
        put(record, observation("Patient/p", id=f"n{number}"))
    for number in range(3):
        put(record, condition("Patient/p", id=f"c{number}"))
    seen = []
    url: str | None = "/fhir/Patient/p/$everything?_type=Condition&_count=1"
    while url:
        bundle = got(record, url)
        assert len(names(bundle)) <= 1
        seen += names(bundle)
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    assert seen == ["Condition/c", "Condition/c0", "Condition/c1", "Condition/c2"]


def test_since_gives_what_was_stored_after_a_moment_of_records_and_of_what_they_refer_to(record: FlaskClient) -> None:
    moment = codec.decode(record.get("/fhir/Condition/c").data)["meta"]["lastUpdated"]
    before = names(got(record, f"/fhir/Patient/p/$everything?_since={moment}"))
    assert "Condition/c" in before
    put(record, practitioner("gp") | {"gender": "female"})
    put(record, observation("Patient/p", id="o2", status="amended"))
    changed = names(got(record, f"/fhir/Patient/p/$everything?_since={moment}&_count=1"))
    assert changed[0] not in ("Patient/p",)
    later = codec.decode(record.get("/fhir/Observation/o2").data)["meta"]["lastUpdated"]
    assert names(got(record, f"/fhir/Patient/p/$everything?_since={later}")) == ["Observation/o2"]
    bundle = got(record, "/fhir/Patient/p/$everything?_since=2999-01-01T00:00:00Z")
    assert names(bundle) == [] and bundle["total"] == 0


@pytest.mark.parametrize("query", ["_type=Practitioner,Condition", "_type=Practitioner&_type=Condition"])
def test_type_limits_records_and_what_they_refer_to(record: FlaskClient, query: str) -> None:
    found = names(got(record, f"/fhir/Patient/p/$everything?{query}"))
    assert sorted(found) == ["Condition/c", "Practitioner/d", "Practitioner/gp"]


@pytest.mark.parametrize(
    ("query", "observations"),
    [
        ("start=2024-01-01", ["Observation/o1"]),
        ("end=2020-01-01", ["Observation/o2"]),
        ("start=2020-01-02&end=2023", []),
        ("start=2019&end=2024-03-01", ["Observation/o1", "Observation/o2"]),
    ],
)
def test_start_and_end_are_of_the_care_and_what_has_no_date_stays(
    record: FlaskClient, query: str, observations: list[str]
) -> None:
    found = names(got(record, f"/fhir/Patient/p/$everything?{query}"), "match")
    assert [name for name in found if name.startswith("Observation")] == observations
    assert {"Patient/p", "Condition/c"} <= set(found)  # the problem goes on


@pytest.mark.parametrize(
    "query",
    ["_count=0", "_count=x", "_type=Pateint", "_since=lately", "start=2024-13", "_page=2", "nonsense=1", "start="],
)
def test_a_wrong_parameter_is_400(record: FlaskClient, query: str) -> None:
    assert record.get(f"/fhir/Patient/p/$everything?{query}").status_code == 400


@pytest.mark.parametrize("query", ["_since=0001-01-01T00:00:00Z", "start=0001", "end=9999", "_count=2147483647"])
def test_the_ends_of_time_and_of_numbers_are_no_error(record: FlaskClient, query: str) -> None:
    assert "Patient/p" in names(got(record, f"/fhir/Patient/p/$everything?{query}"))


def test_a_page_that_refers_to_too_much_is_refused(record: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(everything, "MOST_REFERRED", 1)
    answer = record.get("/fhir/Patient/p/$everything")
    assert answer.status_code == 413 and "_count" in answer.text
    assert record.get("/fhir/Patient/p/$everything?_count=1").status_code == 200


def test_a_caller_who_may_not_see_a_resource_gets_it_from_nowhere(
    record: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    put(record, practitioner("hidden") | {"meta": {"security": [label]}})
    secret = [{"reference": "Practitioner/behind"}]
    put(record, practitioner("behind"))
    put(record, observation("Patient/p", id="secret", meta={"security": [label]}, performer=secret))
    put(record, observation("Patient/p", id="open", performer=[{"reference": "Practitioner/hidden"}]))
    assert {"Observation/secret", "Practitioner/hidden", "Practitioner/behind"} <= set(names(got(record)))
    withheld = frozenset({(label["system"], label["code"].casefold())})
    monkeypatch.setattr(parts, "OPEN", Caller("some", OPEN.may, frozenset({"p"}), withheld))
    seen = set(names(got(record)))
    assert "Observation/open" in seen
    assert not {"Observation/secret", "Practitioner/hidden", "Practitioner/behind"} & seen
    assert record.get("/fhir/Patient/q/$everything").status_code == 404


def test_a_patient_who_is_not_there_is_404_and_one_who_was_deleted_410(record: FlaskClient) -> None:
    assert record.get("/fhir/Patient/x/$everything").status_code == 404
    record.delete("/fhir/Patient/q")
    assert record.get("/fhir/Patient/q/$everything").status_code == 410
    assert record.get("/fhir/Patient/$everything").status_code == 404


@pytest.mark.parametrize(
    ("resource", "held"),
    [
        ({"resourceType": "Encounter", "period": {"start": "2023-12-31", "end": "2024-01-01"}}, True),
        ({"resourceType": "Encounter", "period": {"end": "2023-12-31"}}, False),
        ({"resourceType": "Condition", "onsetDateTime": "2001", "abatementDateTime": "2002"}, False),
        ({"resourceType": "Condition", "onsetAge": {"value": 3}}, True),
        ({"resourceType": "Procedure", "performedDateTime": "2024-06"}, True),
        ({"resourceType": "MedicationRequest", "authoredOn": "2025-01-01"}, False),
        ({"resourceType": "Practitioner"}, True),
    ],
)
def test_the_care_date_of_a_resource(resource: dict[str, Any], held: bool) -> None:
    year = dates.parse("2024")
    assert care_dates.within(resource, year.start, year.end) is held


def test_each_care_date_is_an_element_that_r4_maps_to_when(shared: Path) -> None:
    file = shared / "data" / "fhir" / "defs" / "r4" / "profiles-resources.json.gz"
    wanted: dict[str, set[str]] = {}
    for one in json.loads(gzip.decompress(file.read_bytes()))["entry"]:
        for element in one["resource"].get("snapshot", {}).get("element", ()):
            type_, _, name = element["path"].partition(".")
            for mapping in element.get("mapping", ()):
                last = mapping["map"].rpartition(".")[2].removesuffix("[x]")
                if mapping["identity"] == "w5" and last in ("done", "init", "planned", "recorded"):
                    wanted.setdefault(type_, set()).add(name.removesuffix("[x]"))
    for type_, names_ in care_dates._ELEMENTS.items():
        assert set(names_.split()) <= wanted[type_], type_
