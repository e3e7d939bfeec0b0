"""A client of the FHIR door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from fhirtwin.interactions.context import Services
from tests import parts


@pytest.fixture
def services(tmp_path: Path, database_url: str) -> Iterator[Services]:
    made = parts.services(tmp_path, database_url=database_url, max_body_bytes=100_000, max_bundle_entries=20)
    yield made
    made.store.close()


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return parts.application(services).test_client()
