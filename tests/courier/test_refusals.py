"""Engines of another version, panel or secret, and those that refuse, each told in words of ours."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerRefused, EngineUnavailable
from tests.ckks.builders import KEY, OTHER_KEY
from tests.courier.fake_engine import PANEL, FakeEngine, http_answer, signed_refusal


@pytest.mark.parametrize("version", ["0.2.0", "0.0.9"])
def test_an_engine_of_another_version_is_refused_in_words(
    fake: FakeEngine, features: SealedFeatures, version: str
) -> None:
    says = f"engine {version} and gateway {__version__} do not work together"
    fake.answer = lambda _: signed_refusal(400, version)
    with pytest.raises(EngineUnavailable, match=says):
        fake.courier().evaluate(features)

    def about(request: bytes) -> bytes:
        body = json.dumps({"version": version}).encode()
        challenge = bytes.fromhex(request.partition(b"challenge=")[2][:32].decode())
        return http_answer(200, body, f"{wire.MAC_HEADER}: {wire.sign_ready(KEY, challenge, body).hex()}\r\n")

    fake.answer = about
    with pytest.raises(EngineUnavailable, match=says):
        fake.courier().ready()


def test_an_answer_that_was_signed_by_another_version_is_refused_in_words(
    fake: FakeEngine, features: SealedFeatures
) -> None:
    def older(request: bytes) -> bytes:
        asked = wire.read_request(request.partition(b"\r\n\r\n")[2], KEY)
        scores = Evaluator(PANEL).evaluate(asked.features, asked.keys_digest)
        return http_answer(200, wire.write_response(scores, "0.0.9", KEY, asked, 0.001))

    fake.answer = older
    with pytest.raises(EngineUnavailable, match=r"engine 0\.0\.9 and gateway"):
        fake.courier().evaluate(features)


def test_a_signed_refusal_that_cannot_be_read_is_one_of_an_unknown_version(
    fake: FakeEngine, features: SealedFeatures
) -> None:
    body = b"[" * 50_000
    fake.answer = lambda _: http_answer(500, body, f"{wire.MAC_HEADER}: {wire.sign_error(KEY, 500, body).hex()}\r\n")
    with pytest.raises(EngineUnavailable, match="engine of an unknown version and gateway"):
        fake.courier().evaluate(features)


@pytest.mark.parametrize("version", [None, 7, "<script>", "x" * 100, "0.2\n0"])
def test_a_version_that_is_none_is_not_repeated(fake: FakeEngine, features: SealedFeatures, version: object) -> None:
    fake.answer = lambda _: signed_refusal(400, version)
    with pytest.raises(EngineUnavailable, match="engine of an unknown version and gateway"):
        fake.courier().evaluate(features)


def test_an_engine_with_another_panel_is_refused_in_words(fake: FakeEngine, features: SealedFeatures) -> None:
    with pytest.raises(EngineUnavailable, match="another panel of predictors"):
        fake.courier().evaluate(replace(features, panel_digest="00" * 32))
    with pytest.raises(EngineUnavailable, match="another panel of predictors"):
        fake.courier().ready("00" * 32)


def test_an_engine_with_another_secret_is_refused(fake: FakeEngine, features: SealedFeatures) -> None:
    courier = fake.courier(key=OTHER_KEY)
    with pytest.raises(EngineUnavailable, match="do not have the same secret"):
        courier.ready()
    with pytest.raises(EngineAnswerRefused, match=r"not signed.*secrets of the two sides may differ"):
        courier.evaluate(features)


def test_an_engine_that_dies_in_the_middle_of_its_answer_is_told_as_such(
    fake: FakeEngine, features: SealedFeatures
) -> None:
    fake.answer = lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 65805\r\nConnection: close\r\n\r\n" + bytes(1000)
    with pytest.raises(EngineUnavailable, match="broke off in the middle"):
        fake.courier().evaluate(features)
    assert len(fake.requests) == 1, "it is not asked again"


@pytest.mark.parametrize(
    ("status", "more", "says"),
    [
        (503, {"retry_after": 1}, "has too much to do; ask again in 1 s"),
        (503, {}, "has too much to do; ask again later"),
        (429, {"retry_after": 3600}, "quota at the engine up; ask again in 3600 s"),
        (429, {"retry_after": 10**9}, "ask again later"),
        (429, {"retry_after": "<script>"}, "ask again later"),
        (403, {}, "does not let this gateway ask for this model"),
    ],
)
def test_an_engine_that_serves_many_says_why_not_in_our_words(
    fake: FakeEngine, features: SealedFeatures, status: int, more: dict[str, Any], says: str
) -> None:
    fake.answer = lambda _: signed_refusal(status, **more)
    with pytest.raises(EngineUnavailable, match=says):
        fake.courier().evaluate(features)
    assert len(fake.requests) == 1, "it is not asked again"


def test_an_engine_that_does_not_know_the_secret_is_told_as_such(fake: FakeEngine, features: SealedFeatures) -> None:
    fake.answer = lambda _: http_answer(401, b"{}")
    with pytest.raises(EngineUnavailable, match="knows no gateway with this secret"):
        fake.courier().evaluate(features)


def test_every_request_names_its_secret_and_does_not_show_it(fake: FakeEngine, features: SealedFeatures) -> None:
    courier = fake.courier()
    courier.ready()
    courier.evaluate(features)
    for request in fake.requests:
        assert f"{wire.KEY_HEADER}: {wire.key_name(KEY)}\r\n".encode() in request
        assert KEY not in request and KEY.hex().encode() not in request


@pytest.mark.parametrize("status", [400, 500])
def test_a_signed_refusal_is_reported_by_its_status(fake: FakeEngine, features: SealedFeatures, status: int) -> None:
    fake.answer = lambda _: signed_refusal(status)
    with pytest.raises(EngineUnavailable, match=f"refused the request with status {status}"):
        fake.courier().evaluate(features)
    assert len(fake.requests) == 1, "it is not asked again"
