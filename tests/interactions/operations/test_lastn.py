from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.operations import lastn
from tests import parts
from tests.parts import BASE, body, observation

JSON = {"Content-Type": "application/fhir+json"}
ASK = "/fhir/Observation/$lastn?patient=p&category="


def coded(*codes: str, **more: Any) -> dict[str, Any]:
    return {"coding": [{"system": "http://x.test", "code": code} for code in codes], **more}


def store(client: FlaskClient, *observations: dict[str, Any]) -> None:
    for number, one in enumerate(observations):
        wanted = observation("Patient/p", id=f"o{number}") | one
        made = {name: value for name, value in wanted.items() if value is not None}
        assert client.put(f"/fhir/Observation/{made['id']}", data=body(made), headers=JSON).status_code == 201


def got(client: FlaskClient, url: str = ASK) -> list[str]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    bundle = codec.decode(answer.data)
    assert validate(bundle, type="Bundle") == []
    assert bundle["total"] == len(bundle.get("entry", ()))
    return [one["fullUrl"].removeprefix(f"{BASE}/Observation/") for one in bundle.get("entry", ())]


@pytest.mark.parametrize(
    ("codes", "groups"),
    [
        ((coded("a"), coded("b"), coded("c")), 3),
        ((coded("a"), coded("b"), coded("a", "c")), 2),
        ((coded("a"), coded("b"), coded("a", "b")), 1),
        (({"text": "textM"}, {"text": "Text"}, {"text": "t e x t"}), 3),
        (({"text": "a"}, {"text": "a"}, coded("a", text="a")), 2),
        ((coded("a"), {"coding": [{"code": "a"}]}, {"coding": [{"display": "a"}]}), 3),
        (({"coding": [{"display": "a"}]}, {"coding": [{"display": "a"}]}, coded("a")), 3),
    ],
)
def test_observations_are_grouped_by_code_as_r4s_table_says(
    client: FlaskClient, codes: tuple[dict[str, Any], ...], groups: int
) -> None:
    store(client, *({"code": code, "effectiveDateTime": f"2024-01-0{n + 1}"} for n, code in enumerate(codes)))
    assert len(got(client)) == groups


def test_the_newest_come_first_and_one_of_each_kind_unless_more_are_asked_for(client: FlaskClient) -> None:
    store(
        client,
        {"effectiveDateTime": "2024-01-01"},
        {"effectiveDateTime": "2024-01-03T00:00:00+01:00"},
        {"effectiveDateTime": None, "effectivePeriod": {"start": "2023", "end": "2024-01-02"}},
        {"code": coded("b"), "effectiveDateTime": "2024-02-01"},
        {"code": coded("b"), "effectiveDateTime": None},
    )
    assert got(client) == ["o3", "o1"]
    assert got(client, f"{ASK}&max=2") == ["o3", "o1", "o2", "o4"]


def test_a_tie_with_the_last_one_gives_both(client: FlaskClient) -> None:
    days = ("03", "02", "01", "01", "01")
    store(client, *({"effectiveDateTime": f"2024-01-{day}"} for day in days))
    assert sorted(got(client, f"{ASK}&max=3")) == ["o0", "o1", "o2", "o3", "o4"]
    assert got(client, f"{ASK}&max=2") == ["o0", "o1"]


def test_search_parameters_narrow_what_is_looked_at(client: FlaskClient) -> None:
    store(
        client,
        {"effectiveDateTime": "2024-01-01"},
        {"effectiveDateTime": "2024-02-01", "status": "entered-in-error"},
        {"code": coded("b"), "effectiveDateTime": "2024-03-01"},
    )
    store(client, {"id": "theirs", "subject": {"reference": "Patient/q"}})
    assert got(client, "/fhir/Observation/$lastn?patient=p&code=b") == ["o2"]
    assert got(client, "/fhir/Observation/$lastn?subject=Patient/p&code=2093-3") == ["o1"]
    assert got(client, f"{ASK}&status=final") == ["o2", "o0"]
    assert got(client, "/fhir/Observation/$lastn?patient=nobody&code=b") == []


def test_a_category_is_asked_for_like_any_parameter(client: FlaskClient) -> None:
    store(client, {}, {"category": [coded("laboratory")]})
    assert got(client, "/fhir/Observation/$lastn?patient=p&category=laboratory") == ["o1"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("patient=p", "category"),
        ("code=b", "patient"),
        ("patient=p&code=b&max=0", "max"),
        ("patient=p&code=b&_count=3", "_count"),
        ("patient=p&code=b&nonsense=3", "nonsense"),
    ],
)
def test_a_wrong_call_is_400_in_words(client: FlaskClient, query: str, says: str) -> None:
    answer = client.get(f"/fhir/Observation/$lastn?{query}")
    assert answer.status_code == 400 and says in answer.text


def test_all_pages_of_the_search_are_looked_at_up_to_a_limit(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    services: Services = parts.services(tmp_path, max_count=2, default_count=1)
    client = parts.application(services).test_client()
    store(client, *({"effectiveDateTime": f"2024-01-0{day}"} for day in range(1, 8)))
    assert got(client, f"{ASK}&max=7") == [f"o{n}" for n in range(6, -1, -1)]
    monkeypatch.setattr(lastn, "MOST_OBSERVATIONS", 6)
    assert client.get(ASK).status_code == 413
    services.store.close()


def test_it_takes_a_parameters_body(client: FlaskClient) -> None:
    store(client, {})
    given = [{"name": "patient", "valueString": "p"}, {"name": "code", "valueString": "2093-3"}]
    answer = client.post(
        "/fhir/Observation/$lastn", data=body({"resourceType": "Parameters", "parameter": given}), headers=JSON
    )
    assert answer.json["total"] == 1
