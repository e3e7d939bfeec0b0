"""Secret files are made private and refused when they are not."""

from __future__ import annotations

import os
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


def test_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keyfile.make(tmp_path / "key")
    owner = os.fstat

    def foreign(handle: int) -> os.stat_result:
        fields = list(owner(handle))
        fields[stat.ST_UID] = 4711
        return os.stat_result(fields)

    monkeypatch.setattr(os, "fstat", foreign)
    with pytest.raises(Incorrect, match="belongs to another user"):
        keyfile.read(tmp_path / "key")


def test_link_to_a_secret_is_followed_and_judged_by_what_it_leads_to(tmp_path: Path) -> None:
    secret = keyfile.make(tmp_path / "key")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    assert keyfile.read(tmp_path / "link") == secret
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(Incorrect, match="chmod 600"):
        keyfile.read(tmp_path / "link")


def test_secret_is_never_made_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Incorrect, match="exists already"):
        keyfile.make(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFDIR])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "key"
    if kind == stat.S_IFIFO:
        os.mkfifo(path, 0o600)
    else:
        path.mkdir(0o700)
    with pytest.raises(Incorrect, match=r"64 hex digits|cannot be read"):
        keyfile.read(path)
