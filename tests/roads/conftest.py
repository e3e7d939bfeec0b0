"""One gateway for the tests that only read, post and call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.roads.gateway import Running, maria, ready, running


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("gateway") / "data") as started:
        ready(started)
        yield started


@pytest.fixture(scope="session")
def patient(gateway: Running) -> str:
    """Maria Keller's id on `gateway`."""
    return gateway.post_record(maria())
