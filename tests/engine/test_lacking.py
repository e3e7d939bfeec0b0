"""A real engine that lacks a model, or knows no such gateway, says so to who sends a network's megabytes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fhirtwin.assess import CLOSED, WITHDRAWN
from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.engine.tenants import folder as tenants_folder
from fhirtwin.engine.tenants.tenant import EVERYTHING, PANEL, Limits
from fhirtwin.errors import EngineLacksModel, EngineUnavailable
from fhirtwin.machine import free_port
from fhirtwin.packages import published
from fhirtwin.vault import NetworkVault
from tests.engine.process import RunningEngine, running_engine, serving
from tests.engine.test_server import certificate
from tests.packages.builders import AUTHORS, authors_file, network_of, packed, packed_network
from tests.report.builders import DAY, state
from tests.sealed_models import assessor

CALLS = 6
"""Whether a refusal is read is a matter of moments, so it is asked for a few times."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hospital's: it holds a network."""
    made = tmp_path_factory.mktemp("network")
    published.publish(packed_network(made / "network").package, made / "models", with_weights=False)
    return made


@pytest.fixture(scope="module")
def features(folder: Path) -> SealedFeatures:
    (package,) = published.current(folder / "models", AUTHORS)
    vault = NetworkVault(network_of(package).hidden)
    return vault.seal(np.zeros(len(vault.circuit.inputs)))[0]


@pytest.fixture(scope="module", params=["unix", "https"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    """It has tenants, and no network."""
    place = tmp_path_factory.mktemp(request.param)
    tenants = place / "tenants"
    tenants_folder.add(tenants, "one", Limits(), {EVERYTHING})
    listen = url = ""
    options: tuple[str, ...] = ()
    if request.param == "https":
        cert, key = certificate(tenants)
        options = ("--tls-cert", str(cert), "--tls-key", str(key))
        listen = f"127.0.0.1:{free_port('127.0.0.1')}"
        url = f"https://{listen}"
    with running_engine(place, *options, tenants=tenants, url=url, listen=listen) as running:
        yield running


def test_a_network_that_is_not_served_is_lacking_and_the_engine_not_down(
    engine: RunningEngine, features: SealedFeatures
) -> None:
    courier = engine.courier()
    for sent in (features, replace(features, evaluation_keys=b"")) * CALLS:  # with keys, and when it had them before
        with pytest.raises(EngineLacksModel):
            courier.evaluate(sent)


def test_a_hospital_that_holds_such_a_network_is_told_all_other_risks(engine: RunningEngine, folder: Path) -> None:
    found = assessor(folder, engine.courier()).assess(state(), DAY)
    assert [one.vector.predictor.id for one in found.results] == ["kfre-4-variable", "prevent-base"]
    (refused,) = found.refusals
    assert refused.predictor.id == "network-illustration" and refused.reasons == (WITHDRAWN,)


def test_a_model_that_is_not_open_to_a_tenant_is_told_as_such_and_stops_no_other(tmp_path: Path) -> None:
    made, tenants = packed(tmp_path / "kfre").package, tmp_path / "tenants"
    published.publish(made, tmp_path / "models", with_weights=True)
    tenants_folder.add(tenants, "one", Limits(), {PANEL})
    authors_file(tmp_path / "authors.json")
    with running_engine(tmp_path, *serving(tmp_path), tenants=tenants) as narrow:
        found = assessor(tmp_path, narrow.courier()).assess(state(), DAY)
    assert [one.vector.predictor.id for one in found.results] == ["kfre-4-variable", "prevent-base"]
    (refused,) = found.refusals
    assert refused.predictor.id == "kfre-packaged" and refused.reasons == (CLOSED,)


def test_a_stranger_with_a_large_message_is_told_that_it_is_one(
    engine: RunningEngine, features: SealedFeatures
) -> None:
    for _ in range(CALLS):
        stranger = engine.courier(key=secrets.token_bytes(32))
        with pytest.raises(EngineUnavailable, match="knows no gateway with this secret"):
            stranger.evaluate(features)
