"""The page on kept keys: a gateway makes them, the commands show, replace and revoke them."""

from __future__ import annotations

import re
import shlex
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhirtwin import app, key_shelf, keyfile
from fhirtwin.cli import main
from fhirtwin.errors import Incorrect
from fhirtwin.settings import Settings
from fhirtwin.vault import Vault
from tests.ckks.builders import random_panel
from tests.conftest import ROOT

(COMMANDS,) = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "how-to" / "keep-circuit-keys.md").read_text(), re.S)


def invoke(command: str, folder: Path) -> str:
    done = CliRunner().invoke(main, [*shlex.split(command)[1:], "--data", str(folder)])
    return f"{done.exit_code} {done.output}"


def settings(folder: Path, **more: object) -> Settings:
    return Settings(**{"data": folder, "sealing": "rotating", "circuit_keys": "kept"} | more)  # type: ignore[arg-type]


def test_kept_keys_are_listed_rotated_and_revoked(tmp_path: Path) -> None:
    panel = random_panel()
    vault = Vault(panel, mode="rotating", shelf=app._shelf(settings(tmp_path)))
    vault.seal(panel.high)
    listing, rotating = COMMANDS.strip().splitlines()
    assert re.match(
        rf"0 [0-9a-f]{{16}}  in use  made .*Z  openings 20  P1-rot {panel.digest}\n$", invoke(listing, tmp_path)
    )
    assert "1 retired" in invoke(rotating, tmp_path)
    vault.seal(panel.high)
    newest = key_shelf.KeyShelf(tmp_path / key_shelf.NAME).in_use(f"P1-rot {panel.digest}")
    assert newest
    assert "revoked; its secret is erased" in invoke(f"fhirtwin keys circuits revoke {newest.id}", tmp_path)
    assert f"{newest.id}  revoked" in invoke(listing, tmp_path)
    assert invoke("fhirtwin keys circuits revoke nobody", tmp_path).startswith("1 fhirtwin: There is no key nobody")


def test_where_nothing_is_kept_that_is_said(tmp_path: Path) -> None:
    assert app._shelf(settings(tmp_path, circuit_keys="memory")).kept is None
    assert app._shelf(settings(tmp_path, sealing="masked")).kept is None
    assert list(tmp_path.iterdir()) == []
    assert "FHIRTWIN_CIRCUIT_KEYS=kept does" in invoke("fhirtwin keys circuits list", tmp_path)


def test_a_file_that_cannot_be_used_is_told_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / key_shelf.NAME).write_text("no database, and long enough to be told from an empty one" * 10)
    told = invoke("fhirtwin keys circuits list", tmp_path)
    assert f"{tmp_path / key_shelf.NAME} cannot be used: file is not a database." in told

    def read_only(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(sqlite3, "connect", read_only)
    told = invoke("fhirtwin keys circuits list", tmp_path)
    assert "readonly database; run this as the user of the gateway" in told
    assert f"write to the folder {tmp_path}." in told


def test_a_passphrase_of_ones_own_is_taken_when_it_is_long_enough(tmp_path: Path) -> None:
    path = tmp_path / "words"
    path.touch(mode=0o600)
    path.write_text("three words are few\n")
    assert keyfile.read_passphrase(path) == "three words are few"
    path.write_text("short\n")
    with pytest.raises(Incorrect, match="at least 16 characters"):
        app._shelf(settings(tmp_path, circuit_keys_secret_file=str(path)))
    path.chmod(0o644)
    with pytest.raises(Incorrect, match="can be read by others"):
        keyfile.read_passphrase(path)
