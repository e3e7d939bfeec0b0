from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhirtwin.api.cds.services import registry
from tests.api_cds.advising import ID, Advisor
from tests.gateway_in_process import Gateway, gateway


@pytest.fixture
def advisor(monkeypatch: pytest.MonkeyPatch) -> Advisor:
    """A service beside the built-in ones, whose answers the test decides on."""
    made = Advisor()
    every = {**registry.all_services(), ID: made.service}
    monkeypatch.setattr(registry, "all_services", lambda: every)
    return made


@pytest.fixture
def advised(tmp_path: Path, advisor: Advisor, database_url: str) -> Iterator[Gateway]:
    """A gateway that has the advisor's service."""
    made = gateway(tmp_path, database_url=database_url)
    yield made
    made.parts.store.close()


@pytest.fixture
def unquiet(tmp_path: Path, advisor: Advisor) -> Iterator[Gateway]:
    """The same, holding nothing back."""
    made = gateway(tmp_path, cds_quiet_hours=0.0)
    yield made
    made.parts.store.close()
