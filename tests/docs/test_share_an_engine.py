"""The commands of the page on sharing an engine do what it says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhirtwin.cli import main
from fhirtwin.engine.tenants import folder
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "how-to" / "share-an-engine.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.S)


def run(commands: str) -> list[str]:
    told = []
    for command in commands.strip().splitlines():
        program, *words = shlex.split(command)
        assert program == "fhirtwin"
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output
        told.append(done.output)
    return told


def test_tenants_are_added_listed_rotated_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    *_, told, listed = run(BLOCKS[0])
    assert [line for line in told.splitlines() if not line.startswith(" ")] == ["north-clinic", "st-mary"]
    assert "  may ask for  panel\n" in told and "  answers  at most 20,000 a day of each model\n" in told
    north, mary = (json.loads(line) for line in listed.splitlines())
    assert (north["name"], north["models"], north["used"]) == ("north-clinic", ["panel"], {})
    assert (mary["name"], mary["models"], mary["answers_per_day"]) == ("st-mary", ["everything"], 20_000)
    before = (tmp_path / "tenants" / "st-mary.key").read_text()
    run(BLOCKS[1])
    assert {one.name for one in folder.read(tmp_path / "tenants").values()} == {"st-mary"}
    assert (tmp_path / "tenants" / "st-mary.key").read_text() != before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["tenant", "add", "St Mary"], "A tenant's name"),
        (["tenant", "add", "a", "--model", "pannel"], "models are `everything`"),
        (["tenant", "add", "a", "--answers-per-day", "-1"], "answers_per_day must be a positive number"),
        (["tenant", "remove", "nobody"], "There is no tenant nobody"),
        (["tenant", "list", "--tenants", "nowhere"], "`fhirtwin tenant add NAME --tenants nowhere` makes it"),
        (["engine", "--listen", "127.0.0.1:0"], "--tenants for several"),
    ],
)
def test_what_is_typed_wrongly_is_told_how_to_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    assert says in done.output
