"""A file system with little room, in memory, for what happens when there is none left."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEGABYTES = 24


@contextmanager
def small_disk(folder: Path, owner: int = 0) -> Iterator[Path]:
    """Mount one at `folder`; skips where only root may and the tests do not run as root."""
    folder.mkdir()
    options = f"size={MEGABYTES}m,mode=0700,uid={owner}"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        folder.rmdir()
        pytest.skip("a file system with little room can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


@contextmanager
def filled(folder: Path, left: int) -> Iterator[None]:
    """Leave `left` bytes of room for a while."""
    filler = folder / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(folder).free - left))
    try:
        yield
    finally:
        filler.unlink()
