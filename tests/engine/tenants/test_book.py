from __future__ import annotations

from pathlib import Path

import pytest

from fhirtwin import keyfile
from fhirtwin.ckks import wire
from fhirtwin.engine.tenants import book, folder
from fhirtwin.engine.tenants.book import Several
from fhirtwin.engine.tenants.tenant import Limits


def test_nobody_is_kept_out_when_a_secret_changes_while_the_folder_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.add(tmp_path, "other", Limits(), ["everything"])
    folder.add(tmp_path, "st-mary", Limits(), ["everything"])
    known = Several(tmp_path)
    following = folder.begin_rotation(tmp_path, "st-mary")
    names = [wire.key_name(bytes.fromhex(keyfile.read(path))) for path in (following, tmp_path / "other.key")]
    key_files = folder.key_files

    def and_then_it_changes(where: Path, name: str) -> list[Path]:
        found = key_files(where, name)
        if name == "st-mary" and following.exists():
            folder.end_rotation(where, name)
        return found

    monkeypatch.setattr(folder, "key_files", and_then_it_changes)
    monkeypatch.setattr(book, "_LOOK_EVERY_SECONDS", 0.0)
    assert [known.known(name) is not None for name in names] == [True, True]
    assert not following.exists()
