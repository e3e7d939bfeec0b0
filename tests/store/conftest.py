"""A store in a fresh folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhirtwin.settings import Settings
from fhirtwin.store import Store


@pytest.fixture
def database_is_new() -> bool:
    return True


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(data=tmp_path, database_url=database_url)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    made = Store.open(settings)
    yield made
    made.close()
