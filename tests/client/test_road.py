from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.client.road import SealedRoad
from fhirtwin.errors import (
    EngineAnswerRefused,
    EngineAnswerWrong,
    Fault,
    FhirtwinError,
    Incorrect,
    KeyWanted,
    Unavailable,
)
from fhirtwin.predictors import registry
from fhirtwin.vault import Vault
from tests.client.lying import lying
from tests.gateway_in_process import evaluator

PANEL = registry.panel(registry.all_predictors())
Json = dict[str, Any]


def answered(sent: Json) -> dict[str, Json]:
    """What an honest gateway and engine answer, by name."""
    given = {one["name"]: next(v for n, v in one.items() if n != "name") for one in sent["parameter"]}
    features = SealedFeatures(
        given["profile"], given["panel"], bytes.fromhex(given["request"]), base64.b64decode(given["vector"])
    )
    scores = evaluator().evaluate(features, wire.NO_KEYS)
    return {
        "request": {"valueString": given["request"]},
        "sums": {"valueBase64Binary": base64.b64encode(scores.sealed_sums).decode()},
        "engine": {"valueString": "0"},
    }


def body(values: dict[str, Json]) -> bytes:
    listed = [{"name": name, **value} for name, value in values.items()]
    return json.dumps({"resourceType": "Parameters", "parameter": listed}).encode()


def through(spoil: Callable[[dict[str, Json]], dict[str, Json]]) -> bytes:
    """Send one vector through a gateway that spoils answers, and open what comes; gives what was sent."""
    vault = Vault(PANEL)
    features, opening = vault.seal(np.zeros(len(PANEL.features)))
    with lying(lambda sent: (200, body(spoil(answered(sent))))) as gateway:
        scores = SealedRoad(gateway.base, "p").evaluate(features)
        vault.open(scores, opening)
    return gateway.got[0]


def test_all_that_is_sent_is_a_digest_a_random_number_and_a_ciphertext() -> None:
    sent = json.loads(through(lambda honest: honest))
    assert [one["name"] for one in sent["parameter"]] == ["profile", "panel", "request", "vector", "keep"]
    assert len(base64.b64decode(sent["parameter"][3]["valueBase64Binary"])) == 65649


def test_no_feature_is_in_what_is_sent() -> None:
    values = np.where(np.arange(len(PANEL.features)) % 2, PANEL.low, PANEL.high) / 3
    features, _ = Vault(PANEL).seal(values)
    with lying(lambda sent: (200, body(answered(sent)))) as gateway:
        SealedRoad(gateway.base, "p").evaluate(features)
    sent = json.loads(gateway.got[0])
    vector = base64.b64decode(sent["parameter"][3]["valueBase64Binary"])
    looked_for = [written for value in values[values != 0] for written in forms(value)]
    assert len(looked_for) >= 2 * len(PANEL.features)
    assert not [written for written in looked_for if written in vector or written in gateway.got[0]]


def forms(value: float) -> list[bytes]:
    """How a number would be written, but for texts so short that a ciphertext has them by chance."""
    written = [struct.pack("<d", value), struct.pack(">d", value), repr(float(value)).encode()]
    return [one for one in written if len(one) >= 8]


@pytest.mark.parametrize("name", ["key", "secret-key", "evaluation-keys", "send-your-key", "next"])
def test_a_gateway_that_asks_for_a_key_is_refused(name: str) -> None:
    with pytest.raises(KeyWanted, match="least of all a key"):
        through(lambda honest: {**honest, name: {"valueString": "send it"}})


def test_an_answer_to_another_request_is_refused() -> None:
    with pytest.raises(EngineAnswerRefused):
        through(lambda honest: {**honest, "request": {"valueString": "00" * 16}})


def test_a_replayed_answer_with_our_own_number_on_it_does_not_open() -> None:
    first: dict[str, Json] = {}

    def replay(honest: dict[str, Json]) -> dict[str, Json]:
        first.setdefault("sums", honest["sums"])
        return {**honest, **first}

    through(replay)
    with pytest.raises(EngineAnswerWrong):
        through(replay)


@pytest.mark.parametrize("place", [200, 30_000, 65_000])
def test_a_damaged_answer_does_not_open(place: int) -> None:
    def damage(honest: dict[str, Json]) -> dict[str, Json]:
        data = bytearray(base64.b64decode(honest["sums"]["valueBase64Binary"]))
        data[place] ^= 1
        return {**honest, "sums": {"valueBase64Binary": base64.b64encode(data).decode()}}

    with pytest.raises(EngineAnswerWrong):
        through(damage)


@pytest.mark.parametrize(
    ("status", "data", "error"),
    [
        (200, b"", EngineAnswerRefused),
        (200, b"[]", EngineAnswerRefused),
        (200, b"{}", EngineAnswerRefused),
        (200, b'{"resourceType":"Parameters","parameter":[7]}', EngineAnswerRefused),
        (200, b'{"resourceType":"Parameters","parameter":[{"name":"sums"},{"name":"sums"}]}', EngineAnswerRefused),
        (200, b'{"resourceType":"Parameters","parameter":[{"name":"sums","valueString":"?"}]}', EngineAnswerRefused),
        (200, b" " * 500_000, EngineAnswerRefused),
        (302, b"", Unavailable),
        (412, b'{"issue":[{"diagnostics":"send evaluation keys\\u001b[2J"}]}', Unavailable),
    ],
)
def test_anything_else_is_an_error(status: int, data: bytes, error: type[FhirtwinError]) -> None:
    features, _ = Vault(PANEL).seal(np.zeros(len(PANEL.features)))
    with lying(lambda _: (status, data)) as gateway, pytest.raises(error) as caught:
        SealedRoad(gateway.base, "p").evaluate(features)
    assert str(caught.value).isprintable()
    assert len(gateway.got) == 1  # nothing is sent again


def test_a_vault_that_needs_a_key_to_be_sent_is_not_served() -> None:
    features, _ = Vault(PANEL, mode="rotating").seal(np.zeros(len(PANEL.features)))
    with pytest.raises(Fault, match="without any key"):
        SealedRoad("http://127.0.0.1:1/fhir", "p").evaluate(features)


def test_a_gateway_that_is_not_there_is_named_as_such() -> None:
    features, _ = Vault(PANEL).seal(np.zeros(len(PANEL.features)))
    with pytest.raises(Unavailable, match="does not answer"):
        SealedRoad("http://127.0.0.1:1/fhir", "p").evaluate(features)


def test_a_token_does_not_travel_unprotected() -> None:
    with pytest.raises(Incorrect, match="not https"):
        SealedRoad("http://gateway.example/fhir", "p", token="t")
