"""Answers that are garbage, damaged, recorded or swapped: each is thrown away."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from flask.testing import FlaskClient

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.errors import EngineAnswerRefused
from tests.ckks.builders import KEY, OTHER_KEY
from tests.courier.fake_engine import PANEL, VAULT, FakeEngine, http_answer, signed_refusal, through

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GARBAGE = {
    "not http": b"\x00\xff" * 50 + b"\r\n\r\n",
    "html": http_answer(200, b"<html>welcome</html>"),
    "empty": http_answer(200, b""),
    "unsigned error": http_answer(500, b"{}"),
    "error signed with another key": signed_refusal(409, "0.2.0", OTHER_KEY),
    "non-ASCII MAC": http_answer(500, b"{}", f"{wire.MAC_HEADER}: \u00e9\r\n"),
    "redirect": http_answer(302, b"", "Location: http://127.0.0.1:1/\r\n"),
    "too long": http_answer(200, bytes(200_000)),
    "no length": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes(65_805),
    "endless header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    "right length, zeros": http_answer(200, bytes(65_805)),
    "keys needed, unsigned": http_answer(412, b"{}"),
    "chunks": CHUNKED + b"1\r\nx\r\n" * 1000,
    "chunk without an end": CHUNKED + b"-1\r\n" + b"x" * 200_000,
    "chunk of a length that is none": CHUNKED + b"-5\r\n" + b"x" * 100,
    "length of a number that is none": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + b"x" * 200_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    "signed error without a length": signed_refusal(409, "0.2.0").replace(b"Content-Length", b"Content-Longth"),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_refused_and_not_asked_for_again(fake: FakeEngine, features: SealedFeatures, garbage: bytes) -> None:
    fake.answer = lambda _: garbage
    with pytest.raises(EngineAnswerRefused, match="thrown away"):
        fake.courier().evaluate(features)
    assert len(fake.requests) == 1


def damages(body: bytes) -> Iterator[bytes]:
    """A hundred single-bit flips over the whole message, and cuts."""
    for place in np.linspace(0, len(body) - 1, 100).astype(int):
        flipped = bytearray(body)
        flipped[place] ^= 1 << int(place) % 8
        yield bytes(flipped)
    for length in (0, 1, 124, 156, len(body) // 2, len(body) - 1):
        yield body[:length]
    yield body + b"\x00"


def test_a_damaged_answer_is_refused_wherever_the_damage_is(
    fake: FakeEngine, client: FlaskClient, features: SealedFeatures
) -> None:
    courier = fake.courier()
    # Every answer is to the request at hand and spoilt on the way, so only the MAC can tell.
    for number in range(107):
        fake.answer = lambda request, n=number: http_answer(  # type: ignore[misc]
            200, list(damages(through(client, request).partition(b"\r\n\r\n")[2]))[n]
        )
        with pytest.raises(EngineAnswerRefused):
            courier.evaluate(features)


def test_a_recorded_answer_is_refused_for_any_other_request(fake: FakeEngine, client: FlaskClient) -> None:
    recorded: list[bytes] = []

    def record(request: bytes) -> bytes:
        recorded.append(through(client, request))
        return recorded[-1]

    fake.answer = record
    courier = fake.courier()
    courier.evaluate(VAULT.seal(PANEL.high)[0])
    fake.answer = lambda _: recorded[0]
    for _ in range(30):
        features, _ = VAULT.seal(PANEL.high)
        with pytest.raises(EngineAnswerRefused):
            courier.evaluate(features)


def test_two_answers_that_are_swapped_are_both_refused(fake: FakeEngine, client: FlaskClient) -> None:
    both = [VAULT.seal(PANEL.high)[0], VAULT.seal(PANEL.low)[0]]
    requests = [wire.write_request(f, __version__, KEY, wire.NO_KEYS, with_keys=False) for f in both]
    for mine, other in ((0, 1), (1, 0)):
        fake.answer = lambda _, other=other: through(  # type: ignore[misc]
            client, b"POST /evaluate HTTP/1.1\r\n\r\n" + requests[other]
        )
        with pytest.raises(EngineAnswerRefused):
            fake.courier().evaluate(both[mine])
