"""Circuits through the engine's door: messages of several ciphertexts, of exact length."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from flask.testing import FlaskClient

from fhirtwin import __version__
from fhirtwin.ckks import mac, wire
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.web import create_app
from fhirtwin.errors import Incorrect
from fhirtwin.vault import BatchVault
from tests.ckks.builders import KEY, random_panel

PANEL = random_panel(3, rows=5, features=9)
CIRCUIT = Batch(PANEL)
VALUES = np.stack([PANEL.high, PANEL.low])


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Evaluator(PANEL, circuits=[CIRCUIT]), KEY).test_client()


def asking(features: SealedFeatures) -> bytes:
    return wire.write_request(features, __version__, KEY, wire.NO_KEYS, with_keys=False)


def test_a_batch_goes_through_the_door_and_back(client: FlaskClient) -> None:
    vault = BatchVault(CIRCUIT)
    features, opening = vault.seal(VALUES)
    request = asking(features)
    assert len(request) == wire.OVERHEAD_BYTES + 9 * 65_649
    response = client.post(wire.EVALUATE, data=request)
    assert response.status_code == 200
    assert len(response.data) == wire.OVERHEAD_BYTES + 5 * 65_649
    scores = vault.open(wire.read_response(response.data, KEY, features, request).scores, opening)
    assert np.abs(scores.counts * 0.001 - VALUES @ PANEL.weights.T).max() <= 0.0006


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"\x00", lambda b: b[: 5 * 65_649]])
def test_a_body_of_a_wrong_length_is_refused_before_it_is_parsed(
    client: FlaskClient, change: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asking(BatchVault(CIRCUIT).seal(VALUES)[0])
    monkeypatch.setattr(wire, "read_request", lambda *_: pytest.fail("was parsed"))
    response = client.post(wire.EVALUATE, data=change(request))  # type: ignore[operator]
    assert response.status_code == 422
    assert "No message of that length" in json.loads(response.data)["error"]


@pytest.mark.parametrize("count", [1, 2, 8, 10, 65_535])
def test_a_count_that_is_not_that_of_the_circuit_is_refused(client: FlaskClient, count: int) -> None:
    request = asking(replace(BatchVault(CIRCUIT).seal(VALUES)[0], count=count))
    response = client.post(wire.EVALUATE, data=request)
    assert response.status_code == 400
    assert wire.MAC_HEADER in response.headers


def test_a_batch_that_the_engine_does_not_have_is_refused(client: FlaskClient) -> None:
    features, _ = BatchVault(CIRCUIT).seal(VALUES)
    response = client.post(wire.EVALUATE, data=asking(replace(features, panel_digest=PANEL.digest)))
    assert response.status_code == 422


def test_ready_names_the_circuits(client: FlaskClient) -> None:
    told = json.loads(client.get(wire.READY).data)
    assert told["circuits"] == [CIRCUIT.digest]
    assert told["profiles"] == ["P1-batch", "P1-mask", "P1-rot"]


def test_a_request_of_several_ciphertexts_is_read_as_it_was_written_and_one_never_says_so() -> None:
    features, _ = BatchVault(CIRCUIT).seal(VALUES)
    assert wire.read_request(asking(features), KEY).features == features
    one = asking(replace(features, sealed_vector=features.sealed_vector[:65_649], count=1))
    said = one[: wire._HEADER.size - 8] + (1).to_bytes(8) + one[wire._HEADER.size : -wire.MAC_BYTES]
    with pytest.raises(Incorrect, match="shorter than"):
        wire.read_request(said + mac.of_long(KEY, wire._REQUEST_LABEL, said), KEY)
    with pytest.raises(Incorrect, match="shorter than"):
        wire.read_request(asking(replace(features, count=2**63)), KEY)


def test_an_answer_of_another_number_of_ciphertexts_is_refused() -> None:
    features, _ = BatchVault(CIRCUIT).seal(VALUES)
    request = asking(features)
    asked = wire.read_request(request, KEY)
    scores = Evaluator(PANEL, circuits=[CIRCUIT]).evaluate(features, wire.NO_KEYS)
    for sums in (scores.sealed_sums[:65_649], scores.sealed_sums + bytes(65_649), scores.sealed_sums[:-1]):
        answer = wire.write_response(replace(scores, sealed_sums=sums), __version__, KEY, asked, 0.0)
        with pytest.raises(Incorrect, match="another request"):
            wire.read_response(answer, KEY, features, request)
