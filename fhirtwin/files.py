"""Reads files that others may have prepared: no links, no pipes, no more bytes than may be. Writes whole ones."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from fhirtwin.errors import Incorrect


def read_file(path: Path, longest: int, *, private_to_write: bool = False) -> bytes:
    """The bytes of a regular file.

    Args:
        path: of the file; the last part of it is no link.
        longest: most bytes it may have.
        private_to_write: whether only its owner, who is us or root, may be able to write it.

    Raises:
        Incorrect: it is not there, is no such file, or is too large; the text names it.
    """
    try:
        # Asked of what was opened, since another file may be there a moment later; not blocking, for it may be a pipe.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise Incorrect(f"{path} cannot be read as a file: {error.strerror}.") from None
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise Incorrect(f"{path} is not a regular file.")
        if private_to_write and (about.st_uid not in (0, os.geteuid()) or stat.S_IMODE(about.st_mode) & 0o022):
            raise Incorrect(
                f"{path} can be written by others, who could let anybody in; `chmod 600 {path}` mends that."
            )
        data = file.read(longest + 1)
    if len(data) > longest:
        raise Incorrect(f"{path} is larger than the {longest:,} bytes that are read.")
    return data


def read_folder(folder: Path, longest: Mapping[str, int]) -> dict[str, bytes]:
    """The files of a folder, by name; nothing else may be in it.

    Args:
        folder: no link.
        longest: names that may be there, and most bytes of each.

    Raises:
        Incorrect: it is no folder, something else is in it, or a file is not as it must be.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise Incorrect(f"{folder} is not a folder.")
    with os.scandir(folder) as entries:
        names = []
        for entry in entries:
            if entry.name not in longest:
                raise Incorrect(f"{folder} holds something else than {', '.join(longest)}; a model has nothing beside.")
            names.append(entry.name)
    return {name: read_file(folder / name, longest[name]) for name in sorted(names)}


def write_file(path: Path, data: bytes) -> None:
    """Put a file in the place of what is there, whole or not at all, with mode 0600.

    Raises:
        Incorrect: it cannot be written; the text names it.
    """
    with _naming(path):
        _put(path, data)


def _put(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder with these files, whole or not at all.

    Raises:
        Incorrect: something of that name is there, or it cannot be written; the text names it.
    """
    with _naming(folder):
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent, prefix="."))
    try:
        with _naming(folder):
            for name, data in files.items():
                _put(made / name, data)
        try:
            made.rename(folder)
        except OSError:
            raise Incorrect(f"{folder} is there already; nothing was written.") from None
    finally:
        with suppress(OSError):
            for name in files:
                (made / name).unlink(missing_ok=True)
            made.rmdir()


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Tell what could not be written in the block by its own name, not by that which it has until it is whole."""
    try:
        yield
    except OSError as error:
        remedy = ""
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            remedy = f"; whoever runs this must be able to write to the folder {path.parent}"
        raise Incorrect(f"{path} cannot be written: {error.strerror}{remedy}.") from None


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Be the only process that changes a folder, which is made when it is not there, in the block."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.fsync(handle)
    finally:
        os.close(handle)
