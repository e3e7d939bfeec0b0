"""A fake engine that passes requests on to a real application, and what a courier carries to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.web import create_app
from tests.ckks.builders import KEY
from tests.courier.fake_engine import PANEL, VAULT, FakeEngine, through


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Evaluator(PANEL), KEY).test_client()


@pytest.fixture
def fake(tmp_path: Path, client: FlaskClient) -> Iterator[FakeEngine]:
    with FakeEngine(tmp_path / "engine.sock", lambda request: through(client, request)).listening() as engine:
        yield engine


@pytest.fixture
def features() -> SealedFeatures:
    return VAULT.seal(PANEL.high)[0]
