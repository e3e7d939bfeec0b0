"""Tokens that must let nobody in: all are answered alike, and a right one beside each is let in."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api_cds.trust.tokens import (
    CALL,
    DISCOVERY,
    ISSUER,
    JKU,
    b64,
    claims,
    ec_jwk,
    ec_key,
    es384,
    header,
    hs,
    jwks,
    loose_bits,
    pem,
    rs384,
    rsa_jwk,
    rsa_key,
    signed,
    text,
    unsigned,
)
from tests.cost import growth

Made = Callable[[], str]


def with_header(**changes: Any) -> Made:
    return lambda: signed(header(**changes))


def at(seconds: int, *, shown: Callable[[int], Any] = int) -> Made:
    """A time that is so many seconds from the moment at which the attack is made."""
    return lambda: shown(int(time.time()) + seconds)


def made(value: Any) -> Any:
    return value() if callable(value) else value


def with_claims(**changes: Any) -> Made:
    return lambda: signed(payload=claims(**{name: made(value) for name, value in changes.items()}))


def raw_claims(find: str, put: str | Made) -> Made:
    """The claims' JSON with one piece of it replaced, and a right signature over that."""

    def make() -> str:
        whole = json.dumps(claims())
        assert find in whole
        return signed(payload=whole.replace(find, made(put), 1).encode())

    return make


def in_time(name: str, written: str | Made) -> Made:
    def make() -> str:
        told = claims()
        return signed(
            payload=json.dumps(told).replace(f'"{name}": {told[name]}', f'"{name}": {made(written)}').encode()
        )

    return make


def signature(change: Callable[[bytes], bytes]) -> Made:
    def make() -> str:
        head, payload, end = signed().split(".")
        return f"{head}.{payload}.{b64(change(base64.urlsafe_b64decode(end + '==')))}"

    return make


def spelt(change: Callable[[str], str]) -> Made:
    return lambda: change(signed())


def none(name: str) -> Made:
    return lambda: unsigned(header(alg=name), claims()) + "."


def symmetric(name: str, secret: Callable[[], bytes], hash_: str) -> Made:
    return lambda: signed(header(alg=name), sign=lambda data: hs(data, secret(), hash_))


def der(_: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec_key().sign(unsigned(header(), claims()).encode(), ec.ECDSA(hashes.SHA384()))


def deep() -> bytes:
    return b'{"iss":' + b"[" * 2000 + b"]" * 2000 + b"}"


ATTACKS: dict[str, Made] = {
    # no signature, or one that anybody can make
    "alg-none": none("none"),
    "alg-None": none("None"),
    "alg-NONE": none("NONE"),
    "alg-nOnE-with-signature": with_header(alg="nOnE"),
    "alg-empty": with_header(alg=""),
    "alg-missing": with_header(alg=...),
    "alg-list": with_header(alg=["ES384"]),
    "alg-null": with_header(alg=None),
    "hs256-with-public-pem": symmetric("HS256", pem, "sha256"),
    "hs384-with-public-pem": symmetric("HS384", pem, "sha384"),
    "hs512-with-public-pem": symmetric("HS512", pem, "sha512"),
    "hs384-with-jwk": symmetric("HS384", lambda: json.dumps(ec_jwk()).encode(), "sha384"),
    "hs256-with-nothing": symmetric("HS256", lambda: b"", "sha256"),
    "es256-named": with_header(alg="ES256"),
    "es512-named": with_header(alg="ES512"),
    "rs256-named": lambda: signed(header(alg="RS256", kid="rsa"), sign=rs384),
    "ps384-named": lambda: signed(header(alg="PS384", kid="rsa"), sign=rs384),
    "eddsa-named": with_header(alg="EdDSA"),
    "es384-lower-case": with_header(alg="es384"),
    "rs384-with-ec-key": with_header(alg="RS384"),
    "es384-with-rsa-key": lambda: signed(header(kid="rsa")),
    "r-and-s-zero": signature(lambda s: bytes(96)),
    "r-zero": signature(lambda s: bytes(48) + s[48:]),
    "s-zero": signature(lambda s: s[:48] + bytes(48)),
    "r-and-s-all-ones": signature(lambda s: b"\xff" * 96),
    "r-and-s-swapped": signature(lambda s: s[48:] + s[:48]),
    "truncated": signature(lambda s: s[:-1]),
    "half": signature(lambda s: s[:48]),
    "one-byte-more": signature(lambda s: s + b"\0"),
    "bit-flipped": signature(lambda s: bytes([s[0] ^ 1]) + s[1:]),
    "der": signature(der),
    "empty-signature": spelt(lambda t: t.rsplit(".", 1)[0] + "."),
    "signature-of-another-token": spelt(lambda t: t.rsplit(".", 1)[0] + "." + signed().rsplit(".", 1)[1]),
    "signed-with-another-key": lambda: signed(sign=lambda data: es384(data, ec_key("other"))),
    "payload-exchanged": spelt(lambda t: ".".join([t.split(".")[0], b64(text(claims())), t.split(".")[2]])),
    "rsa-of-1024-bits": lambda: signed(header(alg="RS384", kid="small"), sign=lambda data: rs384(data, 1024)),
    "p256-key": lambda: signed(header(kid="p256"), sign=lambda data: es384(data, ec_key("p256"))),
    # keys that the token itself brings
    "embedded-jwk": lambda: signed(
        header(jwk=ec_jwk("other", ec_key("other"))), sign=lambda data: es384(data, ec_key("other"))
    ),
    "embedded-jwk-that-is-right": with_header(jwk=ec_jwk()),
    "x5c": with_header(x5c=["MIIB"]),
    "x5u": with_header(x5u="https://evil.example/cert"),
    "crit": with_header(crit=["exp"], exp=1),
    "crit-empty": with_header(crit=[]),
    "b64-false": with_header(b64=False, crit=["b64"]),
    "b64-false-alone": with_header(b64=False),
    "zip": with_header(zip="DEF"),
    "cty-jwt": with_header(cty="JWT"),
    "enc": with_header(enc="A256GCM"),
    "unknown-member": with_header(mine="x"),
    # typ and kid
    "typ-missing": with_header(typ=...),
    "typ-jwt-lower": with_header(typ="jwt"),
    "typ-at-jwt": with_header(typ="at+jwt"),
    "typ-list": with_header(typ=["JWT"]),
    "kid-missing": with_header(kid=...),
    "kid-unknown": with_header(kid="nobody"),
    "kid-empty": with_header(kid=""),
    "kid-number": with_header(kid=1),
    "kid-path": with_header(kid="../../../../dev/null"),
    "kid-sql": with_header(kid="x' OR '1'='1"),
    "kid-long": with_header(kid="k" * 300),
    "kid-twice-in-set": with_header(kid="twice"),
    "kid-for-encryption": with_header(kid="enc"),
    # jku
    "jku-unknown": with_header(jku="https://evil.example/jwks.json"),
    "jku-prefix": with_header(jku=f"{JKU}.evil.example/jwks.json"),
    "jku-longer": with_header(jku=f"{JKU}/x"),
    "jku-query": with_header(jku=f"{JKU}?x=1"),
    "jku-fragment": with_header(jku=f"{JKU}#x"),
    "jku-userinfo": with_header(jku="https://ehr.example.org@evil.example/.well-known/jwks.json"),
    "jku-http": with_header(jku=JKU.replace("https", "http")),
    "jku-port": with_header(jku=JKU.replace("example.org", "example.org:443")),
    "jku-upper-case": with_header(jku=JKU.replace("ehr", "EHR")),
    "jku-dots": with_header(jku=JKU.replace("/.well", "/x/../.well")),
    "jku-slash": with_header(jku=JKU + "/"),
    "jku-metadata": with_header(jku="http://169.254.169.254/latest/meta-data/"),
    "jku-file": with_header(jku="file:///etc/passwd"),
    "jku-empty": with_header(jku=""),
    "jku-null": with_header(jku=None),
    "jku-list": with_header(jku=[JKU]),
    # who
    "iss-missing": with_claims(iss=...),
    "iss-unknown": with_claims(iss="https://evil.example"),
    "iss-slash": with_claims(iss=ISSUER + "/"),
    "iss-list": with_claims(iss=[ISSUER]),
    "iss-empty": with_claims(iss=""),
    "iss-null": with_claims(iss=None),
    "iss-newline": with_claims(iss=ISSUER + "\n"),
    "iss-twice": raw_claims('"iss"', f'"iss": "{ISSUER}", "iss"'),
    "iss-twice-by-escape": raw_claims('"iss"', f'"\\u0069ss": "{ISSUER}", "iss"'),
    "alg-twice": lambda: signed(json.dumps(header()).replace('"alg"', '"alg": "none", "alg"').encode()),
    # what for
    "aud-missing": with_claims(aud=...),
    "aud-base": with_claims(aud="https://twin.example.org"),
    "aud-prefix": with_claims(aud=DISCOVERY[:-1]),
    "aud-longer": with_claims(aud=DISCOVERY + "x"),
    "aud-slash": with_claims(aud=DISCOVERY + "/"),
    "aud-http": with_claims(aud=DISCOVERY.replace("https", "http")),
    "aud-upper-case": with_claims(aud=DISCOVERY.replace("twin.", "TWIN.")),
    "aud-port": with_claims(aud=DISCOVERY.replace(".org", ".org:443")),
    "aud-query": with_claims(aud=DISCOVERY + "?x"),
    "aud-of-a-service": with_claims(aud=CALL),
    "aud-other-host": with_claims(aud="https://evil.example/cds-services"),
    "aud-fhir": with_claims(aud="https://twin.example.org/fhir"),
    "aud-list-without": with_claims(aud=[CALL, "https://evil.example"]),
    "aud-list-empty": with_claims(aud=[]),
    "aud-list-mixed": with_claims(aud=[DISCOVERY, 1]),
    "aud-list-long": with_claims(aud=[DISCOVERY] * 1000),
    "aud-object": with_claims(aud={"x": DISCOVERY}),
    "aud-null": with_claims(aud=None),
    # when
    "exp-missing": with_claims(exp=...),
    "exp-past": with_claims(exp=at(-120), iat=at(-400)),
    "exp-ten-years": with_claims(exp=at(315_360_000)),
    "exp-six-minutes": with_claims(exp=at(421)),
    "exp-text": with_claims(exp=at(300, shown=str)),
    "exp-null": with_claims(exp=None),
    "exp-true": with_claims(exp=True),
    "exp-1e300": in_time("exp", "1e300"),
    "exp-1e9": in_time("exp", "1.9e9"),
    "exp-huge": in_time("exp", "9" * 400),
    "exp-huge-whole": in_time("exp", "9" * 30),
    "exp-nan": in_time("exp", "NaN"),
    "exp-infinity": in_time("exp", "Infinity"),
    "exp-negative": in_time("exp", "-1"),
    "exp-fraction": in_time("exp", at(300, shown="{}.5".format)),
    "exp-zero": in_time("exp", "0"),
    "exp-list": with_claims(exp=at(300, shown=lambda time_: [time_])),
    "exp-twice": raw_claims('"exp"', at(300, shown='"exp": {}, "exp"'.format)),
    "iat-missing": with_claims(iat=...),
    "iat-future": with_claims(iat=at(3600), exp=at(3700)),
    "iat-after-exp": with_claims(iat=at(50), exp=at(20)),
    "iat-negative": in_time("iat", "-5"),
    "iat-text": with_claims(iat=at(0, shown=str)),
    "iat-long-ago": with_claims(iat=at(-100_000)),
    "nbf-future": with_claims(nbf=at(3600)),
    "nbf-text": with_claims(nbf="soon"),
    # once
    "jti-missing": with_claims(jti=...),
    "jti-empty": with_claims(jti=""),
    "jti-number": with_claims(jti=1),
    "jti-null": with_claims(jti=None),
    "jti-long": with_claims(jti="j" * 5000),
    "jti-nul": raw_claims('"jti": "', '"jti": "\\u0000'),
    # tenant
    "tenant-where-none-is-registered": with_claims(tenant="clinic"),
    "tenant-null": with_claims(tenant=None),
    "tenant-list": with_claims(tenant=["clinic"]),
    # form
    "no-payload": spelt(lambda t: t.split(".")[0] + ".." + t.split(".")[2]),
    "two-parts": spelt(lambda t: t.rsplit(".", 1)[0]),
    "two-dots-alone": lambda: "..",
    "one-dot": lambda: ".",
    "four-parts": spelt(lambda t: t + ".x"),
    "jwe": spelt(lambda t: t + ".a.b"),
    "space-before": spelt(lambda t: " " + t),
    "space-after": spelt(lambda t: t + " "),
    "space-inside": spelt(lambda t: t.replace(".", ". ", 1)),
    "padding": spelt(lambda t: t + "=="),
    "plus-and-slash": spelt(lambda t: t.replace("-", "+").replace("_", "/") + "/"),
    "comma-and-a-second": spelt(lambda t: f"{t}, {t}"),
    "quoted": spelt(lambda t: f'"{t}"'),
    "bits-beyond-the-end": loose_bits,
    "header-no-json": lambda: signed(b"hello"),
    "header-list": lambda: signed(b"[]"),
    "header-text": lambda: signed(b'"x"'),
    "header-empty": lambda: signed(b"{}"),
    "header-bom": lambda: signed(b"\xef\xbb\xbf" + text(header())),
    "header-utf16": lambda: signed(json.dumps(header()).encode("utf-16")),
    "header-bad-utf8": lambda: signed(b'{"alg":"ES384\xff"}'),
    "header-1-mb": lambda: signed(header(x="x" * 1_000_000)),
    "header-5-kb": lambda: signed(header(x="x" * 5000)),
    "header-deep": lambda: signed(deep()),
    "payload-no-json": lambda: signed(payload=b"hello"),
    "payload-list": lambda: signed(payload=b"[]"),
    "payload-null": lambda: signed(payload=b"null"),
    "payload-empty-object": lambda: signed(payload=b"{}"),
    "payload-deep": lambda: signed(payload=deep()),
    "payload-20-kb": with_claims(x="x" * 20_000),
    "payload-trailing": lambda: signed(payload=text(claims()) + b"{}"),
    "payload-nul": lambda: signed(payload=text(claims()) + b"\0"),
    "payload-surrogate": raw_claims('"jti": "', '"jti": "\\ud800'),
    "json-serialisation": lambda: json.dumps({"payload": b64(text(claims())), "signatures": []}) + "..",
}


@pytest.fixture(scope="module")
def weak(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A gateway whose EHR's key set has what a key set may have and must not be used."""
    from tests.api_cds.trust.conftest import EHR, make

    more = [
        rsa_jwk("small", 1024),
        ec_jwk("p256", ec_key("p256")),
        ec_jwk("twice"),
        ec_jwk("twice", ec_key("other")),
        ec_jwk("enc", use="enc"),
    ]
    return make(tmp_path_factory.mktemp("weak"), {**EHR, "jwks": jwks(*more)})


def test_there_are_enough_attacks() -> None:
    assert len(ATTACKS) >= 150


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_a_bare_401(weak: FlaskClient, caplog: pytest.LogCaptureFixture, attack: Made) -> None:
    token = attack()
    with caplog.at_level(logging.INFO):
        answer = weak.get("/cds-services", headers={"Authorization": f"Bearer {token}"})
    nobody = weak.get("/cds-services")
    assert (answer.status_code, answer.data) == (401, nobody.data)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    told = [line for line in caplog.messages if "token refused" in line]
    assert len(told) == token.count(".") // max(token.count("."), 1) or token.count(".") < 2
    for line in caplog.messages:
        assert len(line) < 600 and "\n" not in line and line.isascii()
        assert not any(part in line for part in token.split(".") if len(part) > 20)
    assert weak.get("/cds-services", headers={"Authorization": f"Bearer {signed()}"}).status_code == 200


def test_a_token_for_discovery_does_not_open_a_service_nor_feedback_and_one_for_a_service_no_other(
    weak: FlaskClient,
) -> None:
    for aud in (DISCOVERY, CALL + "/feedback", CALL + "/", DISCOVERY + "/other", f"{DISCOVERY}//twin-patient-view"):
        bearer = {"Authorization": f"Bearer {signed(payload=claims(aud=aud))}"}
        assert weak.post("/cds-services/twin-patient-view", json={}, headers=bearer).status_code == 401
    bearer = {"Authorization": f"Bearer {signed(payload=claims(aud=CALL))}"}
    assert weak.post("/cds-services/twin-patient-view", json={}, headers=bearer).status_code == 400


@pytest.mark.parametrize("scheme", ["Basic", "JWT", "DPoP", "Bearer\t", "Bearer,", ""])
def test_another_scheme_lets_nobody_in(weak: FlaskClient, scheme: str) -> None:
    assert weak.get("/cds-services", headers={"Authorization": f"{scheme} {signed()}"}).status_code == 401


def test_a_second_authorization_header_does_not_help(weak: FlaskClient) -> None:
    for pair in ((signed(), "x.y.z"), ("x.y.z", signed()), (signed(), signed())):
        headers = [("Authorization", f"Bearer {one}") for one in pair]
        assert weak.get("/cds-services", headers=headers).status_code == 401


@pytest.mark.parametrize("path", ["/cds-services?access_token=", "/cds-services?token="])
def test_a_token_in_the_address_counts_for_nothing(weak: FlaskClient, path: str) -> None:
    assert weak.get(path + signed()).status_code == 401


@pytest.mark.parametrize(
    "path", ["/fhir/metadata", "/fhir/Patient", "/nowhere", "/", "/cds-servicesx", "//cds-services"]
)
def test_an_ehrs_token_opens_cds_hooks_alone(weak: FlaskClient, path: str) -> None:
    for aud in (DISCOVERY, f"https://twin.example.org{path}"):
        bearer = {"Authorization": f"Bearer {signed(payload=claims(aud=aud))}"}
        assert weak.get(path, headers=bearer).status_code == 401


def test_a_large_token_costs_little(weak: FlaskClient) -> None:
    def refused(length: int) -> None:
        token = signed(header(x="x" * length))
        assert weak.get("/cds-services", headers={"Authorization": f"Bearer {token}"}).status_code == 401

    assert growth(refused, 125_000) < 24


def test_the_keys_of_this_module_are_what_they_are_said_to_be() -> None:
    assert rsa_key(1024).key_size == 1024
