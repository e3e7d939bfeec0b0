"""Files that are written whole or not at all: what cannot be written is told by its own name."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.files import write_file, write_folder

WRITERS = [lambda path: write_file(path, b"x"), lambda path: write_folder(path, {"a": b"x"})]


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a folder that others own, for root too, who may write everywhere."""

    def refused(*_: object, dir: Path, prefix: str) -> None:  # noqa: A002 - the name that tempfile gives it
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(dir / f"{prefix}okm88pwh"))

    monkeypatch.setattr(tempfile, "mkstemp", refused)
    monkeypatch.setattr(tempfile, "mkdtemp", refused)


@pytest.mark.usefixtures("read_only")
@pytest.mark.parametrize("write", WRITERS)
def test_a_folder_that_cannot_be_written_to_is_named_with_what_was_to_be_in_it(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    with pytest.raises(Incorrect) as told:
        write(tmp_path / "served.json")
    assert str(told.value) == (
        f"{tmp_path / 'served.json'} cannot be written: Permission denied; whoever runs this must be able to write to "
        f"the folder {tmp_path}."
    )


@pytest.mark.parametrize("write", WRITERS)
def test_a_full_disk_is_told_as_that_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None]
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Incorrect, match=r"served\.json cannot be written: No space left on device\.$"):
        write(tmp_path / "served.json")
    assert not list(tmp_path.iterdir())
