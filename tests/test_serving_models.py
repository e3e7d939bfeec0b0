"""The engine that a gateway starts serves the models that it is told to."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from fhirtwin import golden
from fhirtwin.errors import EngineLacksModel, EngineUnavailable
from fhirtwin.packages import published
from fhirtwin.serving.engine_beside import Engine
from fhirtwin.settings import Settings
from tests.packages.builders import authors_file, packed


def _asked(settings: Settings, folder: Path) -> int:
    package = packed(folder).package
    with Engine(settings) as engine:
        deadline = time.monotonic() + 60
        while True:
            try:
                return golden.ask(package, engine.settings.engine_url, engine.settings.engine_key_path).cases
            except EngineLacksModel:
                raise
            except EngineUnavailable:
                assert time.monotonic() < deadline, "the engine did not start"
                time.sleep(0.1)


def test_an_engine_beside_the_gateway_serves_the_folder_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # names in settings are relative to where the gateway was started
    published.publish(packed(tmp_path / "made").package, tmp_path / "models", with_weights=True)
    authors_file(tmp_path / "authors.json")
    assert _asked(Settings(data=tmp_path, engine_models="models"), tmp_path / "a") == 3
    with pytest.raises(EngineLacksModel):
        _asked(Settings(data=tmp_path), tmp_path / "b")
