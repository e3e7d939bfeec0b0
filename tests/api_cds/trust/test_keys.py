"""Which keys of a set verify, and when a set is fetched."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from fhirtwin.api.cds.trust import keys
from fhirtwin.api.cds.trust.clients import Client
from fhirtwin.api.cds.trust.key_cache import KeyCache
from fhirtwin.errors import OutboundFailed, OutboundRefused
from fhirtwin.outbound import Fetched
from tests.api_cds.trust.tokens import JKU, ec_jwk, ec_key, jwks, number, rsa_jwk

CLIENT = Client("main", "https://ehr.example.org", (JKU,))


def test_both_kinds_of_key_are_usable_and_each_verifies_with_its_own_algorithm() -> None:
    found = keys.usable(jwks())
    assert {kid: key.algorithm for kid, key in found.items()} == {"ec": "ES384", "rsa": "RS384"}


@pytest.mark.parametrize(
    "jwk",
    [
        ec_jwk(use="enc"),
        ec_jwk(use=None),
        ec_jwk(key_ops=["sign"]),
        ec_jwk(key_ops="verify"),
        ec_jwk(alg="ES256"),
        ec_jwk(alg="HS256"),
        ec_jwk(kid=...),
        ec_jwk(kid=""),
        ec_jwk(kid=7),
        ec_jwk(kid="k" * 256),
        ec_jwk(crv="P-256"),
        ec_jwk(crv="P-521"),
        ec_jwk(crv=...),
        ec_jwk(x="AAAA"),
        ec_jwk(x=...),
        ec_jwk(y=7),
        ec_jwk(x=number(1, 48), y=number(1, 48)),
        ec_jwk(x="!"),
        ec_jwk("p256", ec_key("p256")),
        ec_jwk(d=number(5, 48)),
        ec_jwk(kty="oct", k="c2VjcmV0"),
        ec_jwk(kty="OKP"),
        ec_jwk(kty=...),
        ec_jwk(kty=["EC"]),
        rsa_jwk(bits=1024),
        rsa_jwk(e=number(3)),
        rsa_jwk(e=number(1)),
        rsa_jwk(e="AA"),
        rsa_jwk(n=number(2**2047)),
        rsa_jwk(n=number(2**9000 + 1)),
        rsa_jwk(n=...),
        rsa_jwk(n=7),
        rsa_jwk(d=number(5)),
        rsa_jwk(p=number(5)),
        rsa_jwk(alg="RS256"),
        rsa_jwk(use="enc"),
        "text",
        None,
        [],
    ],
    ids=lambda jwk: ascii(jwk)[:60],
)
def test_a_key_that_is_weak_or_for_something_else_is_passed_over(jwk: Any) -> None:
    assert keys.usable({"keys": [jwk, rsa_jwk("good")]}).keys() == {"good"}


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": [ec_jwk()] * 101}, {"keys": "x"}])
def test_what_is_no_set_has_no_keys(document: dict[str, Any]) -> None:
    assert keys.usable(document) == {}


def test_a_name_that_stands_twice_names_no_key_even_when_one_of_the_two_could_not_be_used() -> None:
    assert keys.usable({"keys": [ec_jwk(), rsa_jwk("ec"), rsa_jwk()]}).keys() == {"rsa"}
    assert keys.usable({"keys": [ec_jwk(), ec_jwk(use="enc")]}) == {}


class Server:
    """Answers with a set, or fails; counts."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked: list[str] = []
        self.set: Any = jwks()
        self.headers: dict[str, str] = {}
        self.status = 200
        self.fails: Exception | None = None

    def fetch(self, _client: Client, url: str, _deadline: float) -> Fetched:
        self.asked.append(url)
        if self.fails:
            raise self.fails
        body = self.set if isinstance(self.set, bytes) else json.dumps(self.set).encode()
        return Fetched(self.status, self.headers, body)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def key(server: Server) -> Callable[[str], object]:
    cache = KeyCache(server.fetch, clock=lambda: server.now)
    return lambda kid: cache.key(CLIENT, JKU, kid)


def test_a_set_is_fetched_once_for_as_long_as_it_is_fresh(server: Server, key: Callable[[str], object]) -> None:
    for server.now in (0, 1, 599):
        assert key("ec") and key("rsa")
    assert server.asked == [JKU]
    server.now = 601
    assert key("ec")
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("max-age=120", 120),
        ("public, MAX-AGE=3600", 3600),
        ("max-age=1", 60),
        ("max-age=999999999", 86_400),
        ("no-store", 60),
        ("no-cache, max-age=3600", 60),
        ("s-maxage=7200", 600),
        ("nonsense", 600),
    ],
)
def test_a_server_says_how_long_within_bounds(
    server: Server, key: Callable[[str], object], header: str, seconds: int
) -> None:
    server.headers = {"cache-control": header}
    assert key("ec")
    server.now = seconds - 1
    assert key("ec") and len(server.asked) == 1
    server.now = seconds + 1
    assert key("ec") and len(server.asked) == 2


def test_a_new_key_is_found_by_asking_again_and_unknown_ones_do_not_make_us_ask_often(
    server: Server, key: Callable[[str], object]
) -> None:
    assert key("ec")
    server.set = jwks(ec_jwk("new", ec_key("other")))
    for number_ in range(1000):
        server.now = number_ * 0.05
        assert not key(f"made up {number_}")
    assert len(server.asked) == 1
    server.now = 61
    assert key("new") and len(server.asked) == 2
    for number_ in range(1000):
        assert not key(f"made up {number_}")
    assert len(server.asked) == 2


def test_a_key_that_was_withdrawn_no_longer_counts_once_the_set_is_fetched_again(
    server: Server, key: Callable[[str], object]
) -> None:
    assert key("rsa")
    server.set = {"keys": [ec_jwk()]}
    server.now = 601
    assert not key("rsa") and key("ec")


@pytest.mark.parametrize("how", ["refused", "failed", "status", "redirect", "no-json", "list", "duplicate"])
def test_a_server_that_fails_is_left_alone_and_the_old_set_is_used_for_a_day_and_not_longer(
    server: Server, key: Callable[[str], object], how: str
) -> None:
    assert key("ec")
    match how:
        case "refused":
            server.fails = OutboundRefused("no")
        case "failed":
            server.fails = OutboundFailed("no")
        case "status" | "redirect":
            server.status = 500 if how == "status" else 302
        case "no-json":
            server.set = b"<html>"
        case "list":
            server.set = b"[]"
        case "duplicate":
            server.set = b'{"keys": [], "keys": []}'
    server.now = 601
    assert key("ec") and key("ec") and len(server.asked) == 2
    server.now = 662
    assert key("ec") and len(server.asked) == 3
    server.now = 86_401
    assert not key("ec")


def test_a_server_that_never_answered_is_asked_once_a_minute(server: Server, key: Callable[[str], object]) -> None:
    server.fails = OutboundFailed("no")
    for server.now in (0, 1, 59):
        assert not key("ec")
    assert len(server.asked) == 1
    server.fails, server.now = None, 61
    assert key("ec")


def test_callers_that_come_while_a_set_is_fetched_wait_for_it_and_it_is_fetched_once(server: Server) -> None:
    def slow(client: Client, url: str, deadline: float) -> Fetched:
        time.sleep(0.3)
        return server.fetch(client, url, deadline)

    cache = KeyCache(slow)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(cache.key(CLIENT, JKU, "ec"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and all(found)
    assert len(server.asked) == 1


def test_one_clients_set_is_not_anothers(server: Server) -> None:
    cache = KeyCache(server.fetch, clock=lambda: server.now)
    assert cache.key(CLIENT, JKU, "ec")
    server.set = {"keys": []}
    assert not cache.key(Client("other", "https://other.example", (JKU,)), JKU, "ec")
