from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway_in_process import Gateway, gateway, maria


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway with an empty store."""
    made = gateway(tmp_path)
    yield made
    made.parts.store.close()


@pytest.fixture
def patient(twin: Gateway) -> str:
    """Maria Keller's id on `twin`."""
    return twin.load(maria())
