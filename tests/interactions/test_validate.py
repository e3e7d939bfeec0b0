from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from tests.fhir.profiles.builders import profile
from tests.parts import body, patient

JSON = {"Content-Type": "application/fhir+json"}
TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
NAMED = profile({"path": "Patient.name", "min": 1}, name="named", type_="Patient")


def parameters(resource: dict[str, Any] | None = None, **texts: str) -> dict[str, Any]:
    given: list[dict[str, Any]] = [{"name": name, "valueCode": value} for name, value in texts.items()]
    return {
        "resourceType": "Parameters",
        "parameter": given + ([{"name": "resource", "resource": resource}] if resource else []),
    }


def ask(client: FlaskClient, path: str, sent: Any = None) -> list[tuple[str, str, str]]:
    data = sent if isinstance(sent, bytes) else body(sent) if sent is not None else None
    answer = client.post(f"/fhir/{path}", data=data, headers=JSON if data else {})
    assert answer.status_code == 200
    outcome = codec.decode(answer.data)
    assert validate(outcome, type="OperationOutcome") == []
    return [(one["severity"], one["code"], one.get("expression", [""])[0]) for one in outcome["issue"]]


OK = [("information", "informational", "")]


def test_what_is_right_is_told_to_be(client: FlaskClient) -> None:
    assert ask(client, "Patient/$validate", patient(text=TEXT)) == OK
    assert ask(client, "Patient/$validate", parameters(patient(text=TEXT))) == OK
    assert client.get("/fhir/Patient").json["total"] == 0  # type: ignore[index]


@pytest.mark.parametrize("wrapped", [False, True])
def test_what_is_wrong_is_told_with_its_place_and_200(client: FlaskClient, wrapped: bool) -> None:
    wrong = patient(gender="woman", text=TEXT)
    found = ask(client, "Patient/$validate", parameters(wrong) if wrapped else wrong)
    assert found == [("error", "code-invalid", "Patient.gender")]


def test_a_resource_that_cannot_be_read_as_one_is_told_too(client: FlaskClient) -> None:
    found = ask(client, "Patient/$validate", {"resourceType": "Patient", "name": "x"})
    assert [severity for severity, _, _ in found] == ["error", "information"]


def test_another_type_than_the_urls_is_an_error(client: FlaskClient) -> None:
    assert ("error", "invalid", "Patient.resourceType") in ask(client, "Group/$validate", patient(text=TEXT))


def test_a_parameters_resource_can_be_judged_itself(client: FlaskClient) -> None:
    assert ask(client, "Parameters/$validate", parameters(parameters(mode="create"))) == OK


def test_a_stored_profile_is_used_when_asked_for_and_when_claimed(client: FlaskClient) -> None:
    url = str(NAMED["url"])
    unknown = ask(client, f"Patient/$validate?profile={url}", patient(text=TEXT))
    assert unknown == [("error", "not-found", "")]
    assert client.post("/fhir/StructureDefinition", data=body(NAMED), headers=JSON).status_code == 201
    missing = [("error", "required", "Patient.name")]
    assert ask(client, f"Patient/$validate?profile={url}", patient(text=TEXT)) == missing
    given = parameters(patient(text=TEXT))
    given["parameter"].append({"name": "profile", "valueUri": url})
    assert ask(client, "Patient/$validate", given) == missing
    claiming = patient(text=TEXT, meta={"profile": [url]})
    assert ask(client, "Patient/$validate", claiming) == missing
    assert ask(client, f"Patient/$validate?profile={url}", patient(text=TEXT, name=[{"text": "x"}])) == OK


def test_a_newer_version_of_a_profile_counts_from_then_on(client: FlaskClient) -> None:
    url = str(NAMED["url"])
    client.put("/fhir/StructureDefinition/n", data=body({**NAMED, "id": "n"}), headers=JSON)
    assert len(ask(client, f"Patient/$validate?profile={url}", patient(text=TEXT))) == 1
    relaxed = profile(name="named", type_="Patient") | {"id": "n"}
    client.put("/fhir/StructureDefinition/n", data=body(relaxed), headers=JSON)
    assert ask(client, f"Patient/$validate?profile={url}", patient(text=TEXT)) == OK
    client.delete("/fhir/StructureDefinition/n")
    assert ask(client, f"Patient/$validate?profile={url}", patient(text=TEXT)) == [("error", "not-found", "")]


def test_what_is_stored_is_judged_where_nothing_is_sent(client: FlaskClient) -> None:
    client.put("/fhir/Patient/p", data=body(patient(id="p")), headers=JSON)
    assert ask(client, "Patient/p/$validate") == [("warning", "invariant", "Patient")]
    assert client.get("/fhir/Patient/p/$validate?mode=profile").status_code == 200
    assert client.post("/fhir/Patient/q/$validate").status_code == 404
    client.delete("/fhir/Patient/p")
    assert client.post("/fhir/Patient/p/$validate").status_code == 410


@pytest.mark.parametrize(
    ("path", "members", "expected"),
    [
        ("Patient/$validate?mode=create", {"id": "p"}, OK),
        ("Patient/p/$validate?mode=create", {"id": "p"}, [("error", "business-rule", "")]),
        ("Patient/p/$validate?mode=update", {"id": "p"}, OK),
        ("Patient/p/$validate?mode=update", {"id": "q"}, [("error", "value", "Patient.id")]),
        ("Patient/p/$validate?mode=update", {}, [("error", "required", "Patient.id")]),
        ("Patient/$validate?mode=update", {"id": "q"}, [("information", "informational", "")]),
        ("Patient/p/$validate?mode=delete", None, OK),
        ("Patient/q/$validate?mode=delete", None, [("information", "not-found", "")]),
    ],
)
def test_mode_tells_what_would_happen(
    client: FlaskClient, path: str, members: dict[str, Any] | None, expected: list[Any]
) -> None:
    client.put("/fhir/Patient/p", data=body(patient(id="p")), headers=JSON)
    sent = None if members is None else patient(text=TEXT, **members)
    assert ask(client, path, sent) == expected


def test_what_would_be_refused_is_told(client: FlaskClient) -> None:
    subscription = {
        "resourceType": "Subscription",
        "text": TEXT,
        "status": "active",
        "reason": "x",
        "criteria": "Patient?",
        "channel": {"type": "rest-hook", "endpoint": "https://x.example", "payload": "application/json"},
    }
    assert ask(client, "Subscription/$validate", subscription) == OK
    assert ask(client, "Subscription/$validate?mode=create", subscription) == [("error", "not-supported", "")]
    assert ask(client, "Subscription/$validate?mode=profile", subscription) == OK
    found = ask(client, "Subscription/x/$validate?mode=update", {**subscription, "id": "x"})
    assert ("error", "processing", "Subscription.status") in found


@pytest.mark.parametrize(
    "sent",
    [{}, {"resourceType": "Subscription"}, {"resourceType": "Consent", "status": "active", "provision": []}],
)
def test_what_would_happen_is_told_of_what_is_broken_too(client: FlaskClient, sent: dict[str, Any]) -> None:
    for mode in ("create", "update"):
        answer = client.post(f"/fhir/Subscription/$validate?mode={mode}", data=body(sent), headers=JSON)
        assert answer.status_code in (200, 400)
        assert "error" in {issue["severity"] for issue in answer.json["issue"]}


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("Patient/$validate", None),
        ("Patient/$validate?mode=guess", patient()),
        ("Patient/$validate", b'{"resourceType": "Patient", "gender": "female"'),
        ("Patient/$validate?mode=create&mode=update", patient()),
        ("Patient/$validate?nonsense=1", patient()),
        ("Patient/$validate", parameters(mode="create")),
        ("Patient/$validate?mode=delete", None),
        ("Patient/p/$validate?mode=update", None),
        ("Patient/$validate?mode=create", parameters(patient(), mode="create")),
        ("Patient/$validate", parameters(patient(), nonsense="1")),
        ("Patient/$validate", {"resourceType": "Parameters", "parameter": [{"name": "mode"}]}),
        ("Patient/$validate", {"resourceType": "Parameters", "parameter": ["x", {"name": ["mode"]}]}),
    ],
)
def test_a_wrong_question_is_400(client: FlaskClient, path: str, sent: Any) -> None:
    data = sent if isinstance(sent, bytes) else body(sent) if sent else None
    answer = client.post(f"/fhir/{path}", data=data, headers=JSON if sent else {})
    assert answer.status_code == 400
    assert codec.decode(answer.data)["resourceType"] == "OperationOutcome"


def test_it_is_named_in_the_capability_statement(client: FlaskClient) -> None:
    statement = codec.decode(client.get("/fhir/metadata").data)
    (named,) = [one for one in statement["rest"][0]["resource"] if one["type"] == "Group"]
    expected = {"name": "validate", "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate"}
    assert expected in named["operation"]
