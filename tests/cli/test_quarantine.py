from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from fhirtwin.cli import main
from fhirtwin.settings import Settings
from fhirtwin.store import Store


@pytest.fixture
def data(tmp_path: Path) -> Path:
    Store.open(Settings(data=tmp_path)).close()
    return tmp_path


def run(data: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["quarantine", *words, "--data", str(data)])
    return done.exit_code, done.output


def settle(data: Path, doubted_from: int | None) -> None:
    store = Store.open(Settings(data=data))
    with store.write() as write:
        write.standings.settle(doubted_from)
    store.close()


def test_an_engine_is_asked_until_somebody_or_something_says_no(data: Path) -> None:
    assert run(data, "show") == (0, "answers right: 0; wrong: 0; last right: never\nThe engine is asked.\n")
    assert run(data, "lift")[0] == 1


def test_it_is_imposed_and_lifted_when_all_that_is_doubted_is_withdrawn(data: Path) -> None:
    assert run(data, "impose", "--since", "2026-06-01T10:00:00+02:00")[0] == 0
    code, told = run(data, "show")
    assert code == 0 and "since 2026-06-01T08:00:00+00:00: not all withdrawn yet (0 withdrawn, 0 not)." in told
    assert "are not called back: look at what was done on them" in told
    code, told = run(data, "lift")
    assert code == 1 and "Not all reports" in told
    settle(data, 1_780_300_800_000_000)
    assert ": withdrawn (0)." in run(data, "show")[1]
    assert run(data, "lift") == (0, "The engine is asked again.\n")
    assert "The engine is asked." in run(data, "show")[1]


def test_all_reports_can_be_doubted(data: Path) -> None:
    assert run(data, "impose", "--since", "ever")[0] == 0
    assert "Reports stored since ever" in run(data, "show")[1]
    assert run(data, "lift", "--anyway")[0] == 0
    assert "The engine is asked." in run(data, "show")[1]


@pytest.mark.parametrize("since", ["yesterday", "2026-06-01T10:00:00", "2026-06-01", "2999-01-01T00:00:00Z"])
def test_a_moment_without_a_time_zone_or_in_the_future_is_refused(data: Path, since: str) -> None:
    code, told = run(data, "impose", "--since", since)
    assert code == 2 and "--since" in told
    assert "The engine is asked." in run(data, "show")[1]


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert run(tmp_path / "none", "show")[0] == 1
    assert not (tmp_path / "none").exists()
