from __future__ import annotations

import json
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from fhirtwin import __version__
from fhirtwin.ckks import mac, wire
from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.web import create_app
from fhirtwin.vault import Vault
from tests.ckks.builders import KEY, OTHER_KEY, random_panel

PANEL = random_panel()


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Evaluator(PANEL), KEY).test_client()


@pytest.fixture(scope="module")
def features() -> SealedFeatures:
    return Vault(PANEL).seal(PANEL.high)[0]


def asking(features: SealedFeatures, version: str = __version__, key: bytes = KEY, *, keys: bool = True) -> bytes:
    return wire.write_request(features, version, key, wire.keys_digest(features.evaluation_keys), with_keys=keys)


def assert_refused(client: FlaskClient, body: bytes, status: int, says: str) -> None:
    response = client.post(wire.EVALUATE, data=body)
    assert response.status_code == status
    told = json.loads(response.data)
    assert told["version"] == __version__
    assert says in told["error"]
    assert response.headers[wire.MAC_HEADER] == wire.sign_error(KEY, status, response.data).hex()


def test_a_request_is_answered_and_the_answer_is_bound_to_it(client: FlaskClient) -> None:
    vault = Vault(PANEL)
    features, opening = vault.seal(PANEL.high)
    request = asking(features)
    response = client.post(wire.EVALUATE, data=request)
    assert response.status_code == 200
    read = wire.read_response(response.data, KEY, features, request)
    assert 0 < read.evaluate_seconds < 1
    assert vault.open(read.scores, opening).values.keys() == set(PANEL.rows)


@pytest.mark.parametrize("change", [lambda b: b"", lambda b: b[:-1], lambda b: b + b"\x00", lambda b: b * 100])
def test_a_body_of_a_wrong_length_is_refused_before_it_is_parsed(
    client: FlaskClient, features: SealedFeatures, change: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "read_request", lambda *_: pytest.fail("was parsed"))
    assert_refused(client, change(asking(features)), 422, "No message of that length")  # type: ignore[operator]


def test_a_body_without_a_length_is_refused(client: FlaskClient) -> None:
    response = client.post(wire.EVALUATE, headers={"Transfer-Encoding": "chunked"})
    assert response.status_code == 422


def test_a_length_that_is_right_for_another_profile_only_is_refused(client: FlaskClient) -> None:
    keys = bytes(len(Vault(PANEL, mode="rotating").seal(PANEL.high)[0].evaluation_keys))
    features = replace(Vault(PANEL).seal(PANEL.high)[0], evaluation_keys=keys)
    assert_refused(client, asking(features), 400, "not the length that its profile says")


def test_another_secret_is_refused(client: FlaskClient, features: SealedFeatures) -> None:
    assert_refused(client, asking(features, key=OTHER_KEY), 400, "another key")


def test_another_version_is_refused_in_words(client: FlaskClient, features: SealedFeatures) -> None:
    assert_refused(client, asking(features, version="0.0.9"), 409, "The gateway's version is 0.0.9")


def test_another_panel_is_refused(client: FlaskClient, features: SealedFeatures) -> None:
    assert_refused(client, asking(replace(features, panel_digest="00" * 32)), 422, "another panel")


def test_an_unknown_profile_is_refused(client: FlaskClient, features: SealedFeatures) -> None:
    good = asking(features)
    body = good.replace(b"P1-mask", b"P9-mask")[: -wire.MAC_BYTES]
    signed = body + mac.of_long(KEY, wire._REQUEST_LABEL, body)
    assert_refused(client, signed, 400, "no such parameter profile")


def test_missing_evaluation_keys_are_asked_for(client: FlaskClient) -> None:
    features, _ = Vault(PANEL, mode="rotating").seal(PANEL.high)
    assert_refused(client, asking(features, keys=False), 412, "Send the evaluation keys")


def test_an_unexpected_failure_says_nothing_of_the_inside(
    features: SealedFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluator = Evaluator(PANEL)

    def fail(*_: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(evaluator, "evaluate", fail)
    assert_refused(create_app(evaluator, KEY).test_client(), asking(features), 500, "The engine failed.")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/evaluate", 405), ("POST", "/ready", 405), ("GET", "/", 404)]
)
def test_there_is_nothing_else(client: FlaskClient, method: str, path: str, status: int) -> None:
    response = client.open(path, method=method)
    assert response.status_code == status
    assert json.loads(response.data)["version"] == __version__


def test_ready_tells_version_panel_and_profiles_and_signs_a_challenge(client: FlaskClient) -> None:
    plain = client.get(wire.READY)
    told = {"version": __version__, "panel": PANEL.digest, "tables": [], "profiles": ["P1-mask", "P1-rot"]}
    assert json.loads(plain.data) == told | {"circuits": []}
    assert wire.MAC_HEADER not in plain.headers
    signed = client.get(f"{wire.READY}?challenge={'ab' * 16}")
    assert signed.headers[wire.MAC_HEADER] == wire.sign_ready(KEY, b"\xab" * 16, signed.data).hex()


@pytest.mark.parametrize("challenge", ["", "ab", "zz" * 16, "ab" * 17, "AB" * 16])
def test_ready_signs_nothing_but_a_challenge_of_the_right_form(client: FlaskClient, challenge: str) -> None:
    assert wire.MAC_HEADER not in client.get(f"{wire.READY}?challenge={challenge}").headers
