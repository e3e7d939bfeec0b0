"""Secret files are made private and refused when they are not."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from fhirtwin import keyfile
from fhirtwin.errors import Incorrect


def test_made_file_is_private_and_reads_back(tmp_path: Path) -> None:
    secret = keyfile.make(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert keyfile.read(tmp_path / "key") == secret
    assert len(bytes.fromhex(secret)) == 32


def test_two_secrets_differ(tmp_path: Path) -> None:
    assert keyfile.make(tmp_path / "a") != keyfile.make(tmp_path / "b")


def test_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    keyfile.make(tmp_path / "key")
    with pytest.raises(Incorrect, match="exists already"):
        keyfile.make(tmp_path / "key")


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Incorrect, match="cannot be written"):
        keyfile.make(tmp_path / "nowhere" / "key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    keyfile.make(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(Incorrect, match="chmod 600"):
        keyfile.read(tmp_path / "key")


@pytest.mark.parametrize("text", ["", "abc", "g" * 64, "0" * 62])
def test_file_without_a_secret_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(Incorrect, match="64 hex digits"):
        keyfile.read(path)


def test_missing_file_tells_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Incorrect, match="fhirtwin keys make"):
        keyfile.read(tmp_path / "key")
