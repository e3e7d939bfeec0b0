from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import LOCAL_TOKEN, OPEN, Caller, permit
from fhirtwin.errors import Forbidden
from fhirtwin.fhir import codec
from fhirtwin.fhir.search.grammar import MAX_CONDITIONS
from fhirtwin.fhir.search.parameters import PARAMETERS
from fhirtwin.fhir.validator import RESOURCE_TYPES, validate
from fhirtwin.interactions.capabilities import capabilities
from fhirtwin.interactions.context import Services
from tests import parts
from tests.parts import BASE, body, patient


def test_metadata_is_valid_and_says_what_is_registered(client: FlaskClient) -> None:
    answer = client.get("/fhir/metadata")
    statement = codec.decode(answer.data)
    assert validate(statement, type="CapabilityStatement") == []
    assert (statement["fhirVersion"], statement["implementation"]["url"]) == ("4.0.1", BASE)
    types = {one["type"]: one for one in statement["rest"][0]["resource"]}
    assert types.keys() == RESOURCE_TYPES
    names = {one["name"]: one["type"] for one in types["RiskAssessment"]["searchParam"]}
    assert names == {
        "_id": "token",
        "_lastUpdated": "date",
        "_profile": "uri",
        "_security": "token",
        "_source": "uri",
        "_tag": "token",
        "encounter": "reference",
        "performer": "reference",
        "probability": "number",
        "risk": "token",
        "identifier": "token",
        "subject": "reference",
        "patient": "reference",
        "condition": "reference",
        "method": "token",
        "date": "date",
    }
    assert {one["name"] for one in types["Patient"]["operation"]} >= {"twin"}


def test_every_interaction_that_metadata_names_has_its_route_and_is_asked_for(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = client.get("/fhir/metadata").json["rest"][0]
    named = {one["code"] for one in (*rest["interaction"], *rest["resource"][0]["interaction"])}
    assert named == LOCAL_TOKEN.may - {"capabilities", "operation"}
    paths = {
        "create": ("POST", "/fhir/Patient"),
        "read": ("GET", "/fhir/Patient/p"),
        "vread": ("GET", "/fhir/Patient/p/_history/1"),
        "update": ("PUT", "/fhir/Patient/p"),
        "patch": ("PATCH", "/fhir/Patient/p"),
        "delete": ("DELETE", "/fhir/Patient/p"),
        "search-type": ("GET", "/fhir/Patient"),
        "search-system": ("GET", "/fhir"),
        "history-instance": ("GET", "/fhir/Patient/p/_history"),
        "history-type": ("GET", "/fhir/Patient/_history"),
        "history-system": ("GET", "/fhir/_history"),
        "batch": ("POST", "/fhir"),
        "transaction": ("POST", "/fhir"),
    }
    assert paths.keys() == named
    monkeypatch.setattr(parts, "OPEN", Caller("nobody"))
    for code, (method, path) in paths.items():
        sent = {"resourceType": "Bundle", "type": code} if path == "/fhir" else patient(id="p")
        has_body = method in ("POST", "PUT", "PATCH")
        request = {"data": body(sent), "content_type": "application/fhir+json"} if has_body else {}
        answer = client.open(path, method=method, **request)
        assert answer.status_code == 403
        assert answer.json["issue"][0]["diagnostics"].startswith(f"You may not use {code} ")


def test_every_parameter_that_metadata_names_can_be_searched_by(client: FlaskClient) -> None:
    values = {"token": "x", "string": "x", "date": "2020", "reference": "x", "uri": "x", "number": "1", "quantity": "1"}
    for one in client.get("/fhir/metadata").json["rest"][0]["resource"]:
        sent = []
        for parameter in one["searchParam"]:
            components = PARAMETERS[one["type"]][parameter["name"]].components
            parts_of = [values[component.parameter.kind] for component in components] or [values[parameter["type"]]]
            sent.append(f"{parameter['name']}={'$'.join(parts_of)}")
        for start in range(0, len(sent), MAX_CONDITIONS):
            answer = client.get(f"/fhir/{one['type']}?{'&'.join(sent[start : start + MAX_CONDITIONS])}")
            assert (answer.status_code, answer.json.get("total")) == (200, 0), answer.text


def test_whoever_nothing_was_allowed_may_do_nothing(services: Services) -> None:
    nobody = Caller("nobody")
    with pytest.raises(Forbidden):
        capabilities(services, nobody)
    for interaction in LOCAL_TOKEN.may:
        permit(OPEN, interaction, "Patient")
        with pytest.raises(Forbidden):
            permit(nobody, interaction, "Patient")
