"""Who is let in, as what, and what is written down of it."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import g
from flask.testing import FlaskClient

from fhirtwin import keyfile
from tests.api_cds.trust.conftest import EHR, make, write
from tests.api_cds.trust.tokens import (
    BASE,
    CALL,
    DISCOVERY,
    EHR_FHIR,
    JKU,
    claims,
    ec_jwk,
    ec_key,
    es384,
    header,
    jwks,
    loose_bits,
    rs384,
    rsa_jwk,
    signed,
)

BY_VALUE = {**EHR, "jwks": jwks()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "token",
    [
        signed,
        lambda: signed(header(alg="RS384", kid="rsa"), sign=rs384),
        lambda: signed(header(jku=...)),
        lambda: signed(header(x5t="abc")),
        lambda: signed(payload=claims(aud=[DISCOVERY])),
        lambda: signed(payload=claims(aud=["https://other.example", DISCOVERY])),
        lambda: signed(payload=claims(jti=secrets.token_hex(32))),
        lambda: signed(payload=claims(jti="any text, ünicode")),
        lambda: signed(payload=claims(sub="x", name={"a": [1, 2.5]}, nbf=int(time.time()))),
        lambda: signed(payload=claims(iat=int(time.time()) + 30, exp=int(time.time()) + 330)),
        lambda: signed(payload=claims(iat=int(time.time()) - 330, exp=int(time.time()) - 30)),
        lambda: signed(payload=claims(exp=int(time.time()) + 60)),
    ],
    ids=str,
)
def test_a_right_token_lets_in_once(discover: Callable[..., Any], token: Callable[[], str]) -> None:
    made = token()
    assert discover(made).status_code == 200
    assert discover(made).status_code == 401


def test_a_token_made_as_the_public_sandbox_makes_it_lets_in(
    discover: Callable[..., Any], gateway: FlaskClient, shared: Path
) -> None:
    folder = shared / "data" / "cds-hooks" / "requests" / "cds-hooks-sandbox"
    for name in ("patient-view_request", "feedback_accepted"):
        told = json.loads((folder / f"{name}.headers.json").read_text())
        payload = {**told["jwt_payload"], "iss": claims()["iss"], "aud": DISCOVERY}
        shift = int(time.time()) - payload["iat"]
        payload |= {"iat": payload["iat"] + shift, "exp": payload["exp"] + shift}
        assert discover(signed({**told["jwt_header"], "kid": "ec", "jku": JKU}, payload)).status_code == 200


def test_the_public_sandboxs_own_key_can_be_registered(tmp_path: Path, shared: Path) -> None:
    folder = shared / "data" / "cds-hooks" / "requests" / "cds-hooks-sandbox"
    key_set = json.loads((folder / "sandbox-public-jwks.json").read_text())
    make(tmp_path, {**EHR, "jwks": key_set})


def test_the_caller_is_the_registered_ehr_with_the_rights_of_a_hook(tmp_path: Path) -> None:
    client = make(tmp_path, BY_VALUE)
    with client:
        client.get("/cds-services", headers=bearer(signed()))
        assert (g.caller.id, g.ehr.name) == ("ehr:main", "main")
        assert not {"update", "delete", "patch", "transaction", "history-system"} & g.caller.may
        assert not g.caller.administrator
        assert [server.url for server in g.fhir_servers] == [EHR_FHIR]


def test_who_holds_the_token_of_the_data_folder_is_nobodys_ehr(tmp_path: Path) -> None:
    client = make(tmp_path, BY_VALUE)
    with client:
        local = bearer(keyfile.read(tmp_path / "token"))
        assert client.get("/cds-services", headers=local).status_code == 200
        assert (g.caller.id, g.ehr) == ("local-token", None)
        assert [server.url for server in g.fhir_servers] == [EHR_FHIR]


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (lambda: signed(payload=claims(iss="https://evil.example")), "`iss` 'https://evil.example' is not registered"),
        (lambda: signed(payload=claims(aud="https://a.example")), f"`aud` 'https://a.example', not {DISCOVERY}"),
        (lambda: signed(header(kid="no")), "no key 'no' for ES384"),
        (lambda: signed(header(alg="RS384")), "no key 'ec' for RS384"),
        (loose_bits, "signature is not base64url in its one spelling"),
        (lambda: signed(header(b64=False, mine=1)), "its header has what is not taken: b64"),
        (lambda: signed(sign=lambda data: es384(data, ec_key("other"))), "signature is wrong"),
        (lambda: signed(header(jku="https://a.example/\nforged line")), "`jku` 'https://a.example/\\nforged line'"),
    ],
)
def test_the_security_log_has_the_reason_and_the_number_of_the_answer(
    discover: Callable[..., Any], caplog: pytest.LogCaptureFixture, token: Callable[[], str], reason: str
) -> None:
    with caplog.at_level(logging.WARNING, "fhirtwin.security"):
        answer = discover(token())
    (record,) = [one for one in caplog.records if one.name == "fhirtwin.security"]
    said = record.getMessage()
    assert said.startswith(answer.headers["X-Request-Id"])
    assert reason.replace("`aud` 'https://a.example', not", "`aud` is 'https://a.example', not") in said
    assert reason not in answer.text


def test_a_tenant_counts_when_it_is_registered(tmp_path: Path) -> None:
    client = make(tmp_path, {**BY_VALUE, "tenants": ["north", "south"]})
    for tenant, status in (("north", 200), ("south", 200), ("east", 401), ("NORTH", 401), ("", 401), (..., 401)):
        token = signed(payload=claims(tenant=tenant))
        assert client.get("/cds-services", headers=bearer(token)).status_code == status, tenant


def test_one_ehr_cannot_sign_for_another(tmp_path: Path) -> None:
    other = {
        "name": "other",
        "iss": "https://other.example",
        "jku": ["https://other.example/jwks"],
        "jwks": {"keys": [ec_jwk("ec", ec_key("other"))]},
    }
    client = make(tmp_path, BY_VALUE, other)
    mine = signed(header(jku="https://other.example/jwks"), claims(iss="https://other.example"))
    assert client.get("/cds-services", headers=bearer(mine)).status_code == 401
    theirs = signed(header(jku=...), claims(), sign=lambda data: es384(data, ec_key("other")))
    assert client.get("/cds-services", headers=bearer(theirs)).status_code == 401
    right = signed(header(jku=...), claims(iss="https://other.example"), sign=lambda data: es384(data, ec_key("other")))
    assert client.get("/cds-services", headers=bearer(right)).status_code == 200


def test_two_issuers_may_use_the_same_jti(tmp_path: Path) -> None:
    other = {"name": "other", "iss": "https://other.example", "jwks": {"keys": [ec_jwk(), rsa_jwk()]}}
    client = make(tmp_path, BY_VALUE, other)
    for changes in ({}, {"iss": "https://other.example"}):
        token = signed(header(jku=...), claims(jti="the same", **changes))
        assert client.get("/cds-services", headers=bearer(token)).status_code == 200


def test_a_token_that_is_refused_does_not_use_up_its_jti(discover: Callable[..., Any]) -> None:
    told = claims()
    assert discover(signed(payload=told, sign=lambda data: es384(data, ec_key("other")))).status_code == 401
    assert discover(signed(payload=told)).status_code == 200


def test_without_any_ehr_only_the_local_token_counts(tmp_path: Path) -> None:
    client = make(tmp_path)
    assert client.get("/cds-services", headers=bearer(signed())).status_code == 401
    assert client.get("/cds-services", headers=bearer(keyfile.read(tmp_path / "token"))).status_code == 200


def test_open_lets_everybody_in_and_still_checks_the_tokens_of_ehrs_once_one_is_registered(tmp_path: Path) -> None:
    client = make(tmp_path, open=True, base_url="http://127.0.0.1:8000/fhir")
    local = {"Host": "127.0.0.1:8000"}
    wrong = {**local, **bearer(signed(payload=claims(iss="https://evil.example")))}
    right = claims(aud="http://127.0.0.1:8000/cds-services")
    assert client.get("/cds-services", headers=local).status_code == 200
    assert client.get("/cds-services", headers=wrong).status_code == 200
    write(tmp_path, BY_VALUE)
    assert client.get("/cds-services", headers=local).status_code == 200
    assert client.get("/cds-services", headers=wrong).status_code == 401
    assert client.get("/cds-services", headers={**local, **bearer("not a jwt")}).status_code == 200
    assert client.get("/fhir/metadata", headers=wrong).status_code == 200
    with client:
        assert client.get("/cds-services", headers={**local, **bearer(signed(payload=right))}).status_code == 200
        assert g.caller.id == "ehr:main"


def call(client: FlaskClient, **changes: Any) -> Any:
    body = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": EHR_FHIR,
        "context": {"userId": "Practitioner/p", "patientId": "1"},
        **changes,
    }
    sent = {name: value for name, value in body.items() if value is not ...}
    token = bearer(signed(payload=claims(aud=CALL)))
    return client.post("/cds-services/twin-patient-view", json=sent, headers=token)


def test_an_ehr_may_ask_about_patients_of_its_own_servers_alone(gateway: FlaskClient) -> None:
    assert call(gateway).status_code == 412  # let in: what is missing now is prefetch
    assert call(gateway, fhirServer="https://EHR.example.org:443/fhir/").status_code == 412
    for other in ("https://other.example/fhir", "https://ehr.example.org/fhirx", "https://ehr.example.org", BASE, ...):
        answer = call(gateway, fhirServer=other)
        assert answer.status_code == 403
        assert answer.json["issue"][0]["expression"] == ["fhirServer"]
        assert "other.example" not in answer.text


def test_patients_that_are_stored_here_are_for_who_is_registered_for_them(tmp_path: Path) -> None:
    client = make(tmp_path, {**BY_VALUE, "stored_patients": True})
    assert {call(client, fhirServer=where).status_code for where in (BASE, ..., EHR_FHIR)} == {412}
