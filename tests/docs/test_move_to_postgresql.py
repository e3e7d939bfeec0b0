from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhirtwin.cli import main
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from tests import postgresql
from tests.conftest import ROOT
from tests.store.storing import put


def test_the_way_to_postgresql_is_walked_as_the_page_says(
    tmp_path: Path, postgresql_server: postgresql.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "how-to" / "move-to-postgresql.md").read_text()
    commands = re.findall(r"^fhirtwin ((?:backup|db copy) .+)$", page, re.M)
    assert len(commands) == 2
    store = Store.open(Settings(data=tmp_path))
    put(store)
    store.close()
    monkeypatch.chdir(tmp_path)
    with postgresql_server.database() as url:
        for command in commands:
            words = [{"data": str(tmp_path), '"$FHIRTWIN_NEW_DATABASE"': url}.get(w, w) for w in command.split()]
            done = CliRunner().invoke(main, words, env={})
            assert done.exit_code == 0, done.output
        moved = Store.open(Settings(data=tmp_path, database_url=url))
        assert moved.read("Patient", "p") is not None
        moved.close()
