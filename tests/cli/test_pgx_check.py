"""`fhirtwin pgx check` says what a folder brings, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from fhirtwin.cli import main
from tests.pgx.knowledge.files import annotation, put


def test_what_each_file_brings(tmp_path: Path) -> None:
    put(tmp_path, "a.jsonl", annotation())
    put(tmp_path, "README.md", "x")
    told = CliRunner().invoke(main, ["pgx", "check", str(tmp_path)])
    assert told.exit_code == 0
    assert "1  a.jsonl  (JSON a line)  shown under: CC BY-SA 4.0 (ClinPGx)" in told.stdout
    assert "README.md  (no texts to show)" in told.stdout
    assert "1  texts about 1 drugs" in told.stdout


def test_every_bad_file_has_its_line(tmp_path: Path) -> None:
    put(tmp_path, "a.json", "{")
    put(tmp_path, "b.jsonl", "x")
    told = CliRunner().invoke(main, ["pgx", "check", str(tmp_path)])
    assert told.exit_code == 1
    assert "a.json: is not JSON at line 1" in told.stderr
    assert "b.jsonl: line 1 is not JSON" in told.stderr
