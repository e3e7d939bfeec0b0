"""`fhirtwin cohort` at the terminal: stopped by hand or refused, it says what is left and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fhirtwin.cli import main
from fhirtwin.cohort import running
from fhirtwin.cohort.job import Block, Done, Item, Row
from fhirtwin.cohort.pools import LocalPool
from tests.cohort.people import DAY, line


def cohort(folder: Path, *options: str) -> Result:
    (folder / "people").write_bytes(line(0, DAY))
    given = ["--input", str(folder / "people"), "--out", str(folder / "out"), "--data", str(folder / "data")]
    return CliRunner().invoke(main, ["cohort", *given, "--date", DAY.isoformat(), *options])


def left(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()} - {"people", "data"}


def test_an_engine_that_is_not_there_leaves_no_empty_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0" * 64)
    (tmp_path / "key").chmod(0o600)
    nowhere = f"unix:{tmp_path / 'none'}"
    done = cohort(tmp_path, "--engine", nowhere, "--engine-key", str(tmp_path / "key"))
    assert done.exit_code == 1
    assert "engine" in done.output
    assert left(tmp_path) == {"key"}


def test_a_folder_without_a_store_is_refused_and_not_made(tmp_path: Path) -> None:
    given = ["--input", "store", "--out", str(tmp_path / "out"), "--data", str(tmp_path / "mistyped")]
    done = CliRunner().invoke(main, ["cohort", *given, "--date", DAY.isoformat()])
    assert done.exit_code == 1 and "name its data folder with --data" in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("after", "said", "files"),
    [
        (0, "before anything was done", set()),
        (1, "out.part; the same command goes on", {"out.part", "out.refused.ndjson.part", "out.journal"}),
    ],
)
def test_stopped_by_hand_it_says_whether_it_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int, said: str, files: set[str]
) -> None:
    def stopped(_blocks: Any, _pool: LocalPool, journal: Any, *_more: Any) -> None:
        for number in range(after):
            row = Row(1, b"x" * 16, b"row\n")
            running._write(Block(number, 1, (Item(1, b""),)), Done(number, (row,)), journal, "line")
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "run", stopped)
    done = cohort(tmp_path, "--prepare")
    assert done.exit_code == 130
    assert said in done.output
    assert left(tmp_path) == files


def test_a_published_package_is_told_from_a_model_that_there_is_not(tmp_path: Path) -> None:
    (tmp_path / "data" / "models" / "kfre-packaged" / "1.0").mkdir(parents=True)
    told = cohort(tmp_path, "--models", "kfre-packaged").output
    assert "kfre-packaged is a published package, and cohorts score built-in models alone: kfre" in told
    assert "There is no model nobody" in cohort(tmp_path, "--models", "prevent-base,nobody").output
