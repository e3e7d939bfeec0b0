"""Several gateways at the engine's door: none gets what is another's."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from fhirtwin import __version__, keyfile
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.engine import web
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.tenants import book, folder
from fhirtwin.engine.tenants.book import Several
from fhirtwin.engine.tenants.tenant import Limits
from fhirtwin.engine.web import create_app
from fhirtwin.errors import Incorrect
from fhirtwin.vault import Vault
from tests.ckks.builders import KEY, random_panel, random_table

PANEL, TABLE = random_panel(), random_table()


def key_of(tenants: Path, name: str) -> bytes:
    return bytes.fromhex(keyfile.read(tenants / f"{name}.key"))


@pytest.fixture
def tenants(tmp_path: Path) -> Path:
    path = tmp_path / "tenants"
    folder.add(path, "one", Limits(), ["everything"])
    folder.add(path, "two", Limits(answers_per_day=2), ["panel"])
    return path


@pytest.fixture
def client(tenants: Path) -> FlaskClient:
    return create_app(Evaluator(PANEL, [TABLE]), Several(tenants)).test_client()


def asking(features: SealedFeatures, key: bytes, *, keys: bool = True) -> bytes:
    return wire.write_request(features, __version__, key, wire.keys_digest(features.evaluation_keys), with_keys=keys)


def post(client: FlaskClient, body: bytes, key: bytes) -> tuple[int, dict[str, object], bool]:
    """Status, what is told, and whether it is signed for this secret."""
    response = client.post(wire.EVALUATE, data=body, headers={wire.KEY_HEADER: wire.key_name(key)})
    right = wire.sign_error(key, response.status_code, response.data).hex()
    told = json.loads(response.data) if response.is_json else {}
    return response.status_code, told, response.headers.get(wire.MAC_HEADER) == right


def test_each_gateway_is_answered_under_its_own_secret(client: FlaskClient, tenants: Path) -> None:
    vault = Vault(PANEL)
    for name, other in (("one", "two"), ("two", "one")):
        features, opening = vault.seal(PANEL.high)
        key = key_of(tenants, name)
        request = asking(features, key)
        response = client.post(wire.EVALUATE, data=request, headers={wire.KEY_HEADER: wire.key_name(key)})
        with pytest.raises(Incorrect, match="another key"):
            wire.read_response(response.data, key_of(tenants, other), features, request)
        assert vault.open(wire.read_response(response.data, key, features, request).scores, opening)


@pytest.mark.parametrize("named", ["", "two", "nobody"])
def test_a_message_of_one_passes_for_nobody_else(client: FlaskClient, tenants: Path, named: str) -> None:
    body = asking(Vault(PANEL).seal(PANEL.high)[0], key_of(tenants, "one"))
    header = {"": "", "two": wire.key_name(key_of(tenants, "two")), "nobody": wire.key_name(KEY)}[named]
    response = client.post(wire.EVALUATE, data=body, headers={wire.KEY_HEADER: header})
    assert response.status_code == (400 if named == "two" else 401)
    assert (wire.MAC_HEADER in response.headers) == (named == "two")


def test_evaluation_keys_of_one_are_not_there_for_another(client: FlaskClient, tenants: Path) -> None:
    features, _ = Vault(PANEL, mode="rotating").seal(PANEL.high)
    one, two = key_of(tenants, "one"), key_of(tenants, "two")
    assert post(client, asking(features, one), one)[0] == 200
    assert post(client, asking(features, one, keys=False), one)[0] == 200
    status, told, signed = post(client, asking(features, two, keys=False), two)
    assert (status, signed) == (412, True)
    assert "Send the evaluation keys" in str(told["error"])


def test_a_gateway_gets_only_models_that_are_open_to_it(client: FlaskClient, tenants: Path) -> None:
    body = Vault(TABLE, mode="sparse").seal(TABLE.low)[0]
    one, two = key_of(tenants, "one"), key_of(tenants, "two")
    assert post(client, asking(body, one), one)[0] == 200
    status, told, signed = post(client, asking(body, two), two)
    assert (status, signed) == (403, True)
    assert "may not ask for this model" in str(told["error"])
    ready = {
        name: json.loads(client.get(wire.READY, headers={wire.KEY_HEADER: wire.key_name(key)}).data)
        for name, key in (("one", one), ("two", two))
    }
    assert ready["one"]["tables"] == [TABLE.digest]
    assert ready["two"]["tables"] == []
    assert ready["two"]["panel"] == PANEL.digest


def test_a_stranger_is_told_that_this_is_an_engine_and_no_more(client: FlaskClient) -> None:
    told = client.get(f"{wire.READY}?challenge={'ab' * 16}")
    assert json.loads(told.data) == {"version": __version__}
    assert wire.MAC_HEADER not in told.headers


def test_a_model_that_is_not_here_is_told_as_before(client: FlaskClient, tenants: Path) -> None:
    features = replace(Vault(PANEL).seal(PANEL.high)[0], panel_digest="00" * 32)
    key = key_of(tenants, "two")
    assert post(client, asking(features, key), key)[0] == 422


def test_answers_beyond_the_quota_are_refused_with_the_time_to_wait(client: FlaskClient, tenants: Path) -> None:
    vault, key = Vault(PANEL), key_of(tenants, "two")
    assert [post(client, asking(vault.seal(PANEL.high)[0], key), key)[0] for _ in range(2)] == [200, 200]
    status, told, signed = post(client, asking(vault.seal(PANEL.high)[0], key), key)
    assert (status, signed) == (429, True)
    assert 0 < int(str(told["retry_after"])) <= 86_400
    one = key_of(tenants, "one")
    assert post(client, asking(vault.seal(PANEL.high)[0], one), one)[0] == 200


def test_what_is_not_signed_rightly_costs_its_supposed_sender_nothing(client: FlaskClient, tenants: Path) -> None:
    vault, key = Vault(PANEL), key_of(tenants, "two")
    forged = bytearray(asking(vault.seal(PANEL.high)[0], key))
    forged[200] ^= 1
    assert {post(client, bytes(forged), key)[0] for _ in range(5)} == {400}
    assert post(client, asking(vault.seal(PANEL.high)[0], key), key)[0] == 200


def test_a_change_of_the_folder_counts_without_a_restart(
    client: FlaskClient, tenants: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "_LOOK_EVERY_SECONDS", 0.0)
    vault, one, two = Vault(PANEL), key_of(tenants, "one"), key_of(tenants, "two")
    folder.remove(tenants, "one")
    assert post(client, asking(vault.seal(PANEL.high)[0], one), one)[0] == 401
    assert post(client, asking(vault.seal(PANEL.high)[0], two), two)[0] == 200
    (tenants / "two.json").write_text("{")
    assert post(client, asking(vault.seal(PANEL.high)[0], two), two)[0] == 401


def test_a_folder_is_not_looked_at_for_each_call(client: FlaskClient, tenants: Path) -> None:
    vault, one = Vault(PANEL), key_of(tenants, "one")
    start = time.monotonic()
    folder.remove(tenants, "one")
    status = post(client, asking(vault.seal(PANEL.high)[0], one), one)[0]
    assert status == 200 or time.monotonic() - start > 0.5


def test_large_messages_wait_before_they_are_read(
    client: FlaskClient, tenants: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evaluation keys of 700 KB are made to count as large; what is not read holds no memory."""
    monkeypatch.setattr(web, "_LARGE_BYTES", 100_000)
    features, _ = Vault(PANEL, mode="rotating").seal(PANEL.high)
    one, two = key_of(tenants, "one"), key_of(tenants, "two")
    body, held, release, read = asking(features, one), threading.Event(), threading.Event(), list[str]()
    real = wire.read_request

    def reading(data: bytes, key: bytes) -> wire.Request:
        read.append("one" if key == one else "two")
        held.set()
        assert release.wait(10)
        return real(data, key)

    monkeypatch.setattr(wire, "read_request", reading)
    statuses: list[int] = []
    application = client.application

    def send(data: bytes, key: bytes) -> None:
        statuses.append(post(application.test_client(), data, key)[0])

    threads = [threading.Thread(target=send, args=(body, one)) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert held.wait(10)
    threads.append(threading.Thread(target=send, args=(asking(features, two), two)))
    threads[-1].start()
    deadline = time.monotonic() + 10
    while read != ["one", "two"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.1)
    assert read == ["one", "two"], "one at a time of each"
    release.set()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 4
