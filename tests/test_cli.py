"""The command line says in a line what is wrong, and goes by the folder it was told."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fhirtwin import keyfile
from fhirtwin.cli import main
from fhirtwin.settings import Settings
from fhirtwin.store import Store


def run(*words: str | Path, **env: str) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], env=env)


def refused(result: Result) -> str:
    """What was said, in words and not as a stack trace."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    return result.stderr


def test_a_backup_of_a_folder_without_a_database_is_refused_and_makes_none(tmp_path: Path) -> None:
    assert "fhirtwin.sqlite is not there" in refused(run("backup", tmp_path / "copy", "--data", tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_backup_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    Store.open(Settings(data=tmp_path)).close()
    told = refused(run("backup", tmp_path / "no-such-folder" / "copy", "--data", tmp_path))
    assert "cannot be copied" in told
    assert list(tmp_path.glob("**/*.partial")) == []


@pytest.mark.parametrize("command", [("serve", "--open"), ("restore", __file__), ("db", "upgrade")])
def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path, command: tuple[str, ...]) -> None:
    file = tmp_path / "file"
    file.touch()
    assert f"{file}" in refused(run(*command, "--data", file / "data"))


def test_the_data_folder_may_come_from_the_environment_and_the_option_wins(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        keyfile.make(tmp_path / name / "token")
    assert f"{tmp_path / 'one'}/token" in run("keys", "list", FHIRTWIN_DATA=str(tmp_path / "one")).stdout
    told = run("keys", "list", "--data", tmp_path / "two", FHIRTWIN_DATA=str(tmp_path / "one")).stdout
    assert f"{tmp_path / 'two'}/token" in told


@pytest.mark.parametrize("patient", ["", ".", "..", "a/b", "Patient/", "Observation/1", "a" * 65])
def test_what_is_no_id_is_refused_before_anything_is_asked(tmp_path: Path, patient: str) -> None:
    told = refused(run("assess", patient, "--server", "http://127.0.0.1:9/fhir", "--data", tmp_path))
    assert "id of a Patient" in told


def test_a_record_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "passwd"
    file.write_text("root:x:0:0:root:/root:/bin/bash")
    told = refused(run("my-twin", file, "--patient", "1", "--server", "http://127.0.0.1:9/fhir", "--data", tmp_path))
    assert f"{file}: the file is not JSON" in told
    assert "root:x" not in told
