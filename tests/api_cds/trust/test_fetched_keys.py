"""Tokens whose keys lie at an address: it is called only when it is registered, and only where it may lead."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.outbound import outbound as way_out
from tests.api_cds.trust.conftest import EHR, make
from tests.api_cds.trust.tokens import JKU, claims, ec_key, es384, header, jwks, signed
from tests.outbound.servers import Network, ok, raw, tls_server


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """What every way out of the gateway uses."""
    network = Network({"ehr.example.org": ["93.184.216.34"]})
    original = way_out.Outbound.__init__

    def init(self: Any, *args: Any, **changes: Any) -> None:
        original(self, *args, **changes, resolve=network.resolve, connect=network.connect)

    monkeypatch.setattr(way_out.Outbound, "__init__", init)
    return network


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_set_is_fetched_over_tls_from_the_registered_address_once(tmp_path: Path, network: Network) -> None:
    context, ca_file = tls_server(tmp_path, "ehr.example.org")
    with raw(ok(json.dumps(jwks()).encode()), context) as server:
        network.wire = ("127.0.0.1", server.port)
        client = make(tmp_path, EHR, outbound_ca_file=ca_file)
        for head in (header(), header(jku=...), header()):
            assert client.get("/cds-services", headers=bearer(signed(head))).status_code == 200
        assert len(server.requests) == 1
        assert server.requests[0].startswith(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: ehr.example.org\r\n")
        assert b"Authorization" not in server.requests[0]
    assert network.connected == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "https://twin.example.org"},
        {"exp": int(time.time()) - 600, "iat": int(time.time()) - 700},
        {"tenant": "x"},
        {"jti": ...},
    ],
    ids=str,
)
def test_nothing_is_fetched_for_a_token_that_is_refused_anyway(
    tmp_path: Path, network: Network, changes: dict[str, Any]
) -> None:
    client = make(tmp_path, EHR)
    assert client.get("/cds-services", headers=bearer(signed(payload=claims(**changes)))).status_code == 401
    assert network.looked_up == []


@pytest.mark.parametrize(
    "jku",
    [
        "https://evil.example/jwks.json",
        JKU + "/",
        JKU + "?x",
        JKU + "#x",
        JKU + "/../../x",
        JKU.replace("https", "http"),
        JKU.replace("ehr.example.org", "ehr.example.org:443"),
        JKU.replace("ehr.example.org", "ehr.example.org@evil.example"),
        JKU.replace("ehr.example.org", "ehr.example.org.evil.example"),
        JKU.replace("ehr.example.org", "127.0.0.1"),
        "http://169.254.169.254/",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_a_token_makes_up_is_not_called(tmp_path: Path, network: Network, jku: str) -> None:
    client = make(tmp_path, EHR)
    assert client.get("/cds-services", headers=bearer(signed(header(jku=jku)))).status_code == 401
    assert network.looked_up == [] and network.connected == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd12::1"])
def test_a_registered_address_that_leads_inside_is_not_called(tmp_path: Path, network: Network, address: str) -> None:
    network.names["ehr.example.org"] = [address]
    client = make(tmp_path, EHR)
    assert client.get("/cds-services", headers=bearer(signed())).status_code == 401
    assert network.connected == []


def test_a_hospitals_own_address_is_called_when_it_is_registered_so(tmp_path: Path, network: Network) -> None:
    network.names["ehr.example.org"] = ["10.20.30.40"]
    context, ca_file = tls_server(tmp_path, "ehr.example.org")
    with raw(ok(json.dumps(jwks()).encode()), context) as server:
        network.wire = ("127.0.0.1", server.port)
        client = make(tmp_path, {**EHR, "private_network": True}, outbound_ca_file=ca_file)
        assert client.get("/cds-services", headers=bearer(signed())).status_code == 200
    assert network.connected == [("10.20.30.40", 443)]


def test_a_flood_of_made_up_keys_calls_the_ehr_once(tmp_path: Path, network: Network) -> None:
    client = make(tmp_path, EHR)
    for number in range(50):
        token = signed(header(kid=f"k{number}"), sign=lambda data: es384(data, ec_key("other")))
        assert client.get("/cds-services", headers=bearer(token)).status_code == 401
    assert len(network.connected) == 1


def test_of_several_registered_addresses_a_token_must_name_one(tmp_path: Path, network: Network) -> None:
    client = make(tmp_path, {**EHR, "jku": [JKU, "https://ehr.example.org/second"]})
    assert client.get("/cds-services", headers=bearer(signed(header(jku=...)))).status_code == 401
    assert network.connected == []
