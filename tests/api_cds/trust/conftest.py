"""A gateway at which one EHR is registered."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin import keyfile
from fhirtwin.app import create_app
from fhirtwin.settings import Settings
from tests.api_cds.trust import tokens

EHR: dict[str, Any] = {
    "name": "main",
    "iss": tokens.ISSUER,
    "jku": [tokens.JKU],
    "fhir_servers": [tokens.EHR_FHIR],
    "origins": ["https://ehr.example.org"],
}


def write(folder: Path, *clients: dict[str, Any]) -> None:
    path = folder / "trust.json"
    path.write_text(json.dumps({"clients": clients}))
    path.chmod(0o600)


def make(folder: Path, *clients: dict[str, Any], **settings: Any) -> FlaskClient:
    keyfile.read_or_make(folder / "engine.key")
    keyfile.read_or_make(folder / "token")
    write(folder, *clients)
    chosen = {"data": folder, "base_url": tokens.BASE, "engine_url": f"unix:{folder}/none.sock", **settings}
    return create_app(Settings(**chosen)).test_client()


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """One that stays: tokens for it are good once."""
    return make(tmp_path_factory.mktemp("trust"), {**EHR, "jwks": tokens.jwks()})


@pytest.fixture(scope="session")
def discover(gateway: FlaskClient) -> Callable[..., Any]:
    """Ask for discovery with a token."""

    def ask(token: str, path: str = "/cds-services", method: str = "GET") -> Any:
        return gateway.open(path, method=method, headers={"Authorization": f"Bearer {token}"})

    return ask
