"""The body of an operation that is a large file: it goes to the disk piece by piece, and never whole into memory.

The file has no name and is gone with the request. Nothing is worked on before all of it is here, so who sends slowly
keeps nobody waiting. A body without an announced length is refused: a cut-off text would pass for a shorter one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from threading import BoundedSemaphore
from typing import BinaryIO, Final

from flask import request
from werkzeug.exceptions import ClientDisconnected

from fhirtwin.api import admission
from fhirtwin.errors import Busy, Incorrect, InsufficientStorage, TooLarge, WrongMediaType
from fhirtwin.settings import Settings

MOST: Final = 2
"""Files that one process holds at a time."""

_PIECE: Final = 1 << 20
_inside = BoundedSemaphore(MOST)


def is_one(types: tuple[str, ...]) -> bool:
    """Tell whether the request at hand sends a file of one of these media types.

    Raises:
        WrongMediaType: it does, compressed in a way that is not read.
    """
    if request.method != "POST" or request.mimetype not in types:
        return False
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", "gzip", "x-gzip"):
        raise WrongMediaType("A file may be compressed with gzip, or not at all.")
    return True


@contextmanager
def received(settings: Settings) -> Iterator[BinaryIO]:
    """Give the body as a file that can be read from its beginning, when it is whole and this request's turn has come.

    Raises:
        TooLarge: it has more bytes than the setting `max_file_bytes`.
        Incorrect: its length was not announced, or it ended before.
        Busy: other files are being worked on.
        InsufficientStorage: there is no room for it.
    """
    length = request.content_length
    if length is None:
        raise Incorrect("Announce the length of the file (Content-Length): without it a cut-off file looks whole.")
    if length > settings.max_file_bytes:
        raise TooLarge(f"A file may have at most {settings.max_file_bytes} bytes (FHIRTWIN_MAX_FILE_BYTES).")
    if not _inside.acquire(blocking=False):
        raise Busy(f"{MOST} files are being worked on already; try again.")
    try:
        with TemporaryFile(dir=settings.data) as file:
            _fill(file, length)
            admission.take_turn()
            yield file
    finally:
        _inside.release()


def _fill(file: BinaryIO, length: int) -> None:
    size = 0
    while size < length and (piece := _piece(min(_PIECE, length - size))):
        size += len(piece)
        try:
            file.write(piece)
        except OSError:
            raise InsufficientStorage(
                "There is no room for this file here; make some, or send a smaller one."
            ) from None
    if size != length:
        raise Incorrect("The body ended before its announced length; send it again.")
    file.seek(0)


def _piece(size: int) -> bytes:
    try:
        return request.stream.read(size)
    except (ClientDisconnected, OSError):
        raise Incorrect("The body ended before its announced length; send it again.") from None
