"""A Unix socket that passes everything on to an engine and keeps a copy, and the search for what must not be in it."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PART_BYTES: Final = 2**23
_LAST_BITS: Final = 25


class Recording:
    """Everything that was sent to the engine, byte for byte, and everything that it sent."""

    def __init__(self) -> None:
        self.up = bytearray()
        self.down = bytearray()
        self._threads: list[threading.Thread] = []

    @contextmanager
    def between(self, path: Path, engine: Path) -> Iterator[str]:
        """Listen on `path`, pass on to `engine`; gives the URL to talk to."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            accepting = threading.Thread(target=self._accept, args=(listener, engine))
            accepting.start()
            try:
                yield f"unix:{path}"
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                accepting.join()
                for thread in self._threads:
                    thread.join()

    def _accept(self, listener: socket.socket, engine: Path) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(str(engine))
            back = threading.Thread(target=_pump, args=(far, near, self.down))
            there = threading.Thread(target=_pump_and_close, args=(near, far, self.up, back))
            self._threads.append(there)
            there.start()


def _pump(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    try:
        while data := source.recv(65536):
            kept += data
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


def _pump_and_close(source: socket.socket, sink: socket.socket, kept: bytearray, back: threading.Thread) -> None:
    back.start()
    _pump(source, sink, kept)
    back.join()
    source.close()
    sink.close()


def traces(recorded: bytes, *, numbers: Iterable[float], secrets: Iterable[bytes]) -> list[str]:
    """What of these is in what was recorded.

    Args:
        recorded: bytes to search.
        numbers: searched as doubles of either byte order at any place, and as text. Give none that is short as text.
        secrets: each is searched in pieces of eight bytes, at any place; two of them by chance are not to be expected.
    """
    numbers, secrets = list(numbers), list(secrets)
    pieces = {
        int.from_bytes(secret[at : at + 8], "little") for secret in secrets for at in range(0, len(secret) - 7, 8)
    }
    found = [f"{count} pieces of secrets" for count in [_hits(recorded, pieces)] if count]
    found += [f"{count} numbers as doubles" for count in [doubles(recorded, numbers)] if count]
    runs = b" ".join(re.findall(rb"[-+.0-9eE]{4,}", recorded))
    found += [f"{n!r} as text" for n in numbers if repr(n).encode() in runs or f"{n:.6f}".encode() in runs]
    return found


def doubles(recorded: bytes, numbers: Iterable[float]) -> int:
    """How often one of these is there as a double of either byte order, at any place.

    Numbers with four zero bytes on end are left out. A word modulo a prime of 24 bits is three random bytes and five
    zeros, so a recording of 100 MB has -10.000000000000004 (c0 24, five zeros, 02) by chance, as it has 2.0.
    """
    packed = [one for one in (struct.pack("<d", number) for number in numbers) if bytes(4) not in one]
    return _hits(recorded, {int.from_bytes(one, order) for one in packed for order in ("little", "big")})


def texts(recorded: bytes, known: Iterable[str]) -> list[str]:
    """Which of these are there, in whatever case; a UUID also as its sixteen bytes."""
    lower = recorded.lower()
    return [
        text
        for text in sorted(known)
        if text.lower().encode() in lower or (_UUID.fullmatch(text) and UUID(text).bytes in recorded)
    ]


def _windows(recorded: bytes) -> Iterator[NDArray[np.uint64]]:
    """Every eight bytes of it, as they lie at any place, part after part: a network's keys are 51 MB."""
    for start in range(0, len(recorded), _PART_BYTES):
        part = recorded[start : start + _PART_BYTES + 7]
        for at in range(min(8, len(part) - 7)):
            yield np.frombuffer(part, dtype="<u8", offset=at, count=(len(part) - at) // 8)


def _hits(recorded: bytes, words: set[int]) -> int:
    """How often one of these stands there: by their last bits first, since nearly all windows are none of them."""
    sought = np.array(sorted(words), dtype=np.uint64)
    last, may = np.uint64(2**_LAST_BITS - 1), np.zeros(2**_LAST_BITS, dtype=bool)
    may[sought & last] = True
    found = 0
    for some in _windows(recorded) if sought.size else ():
        left = some[may[some & last]]
        found += int((sought[np.minimum(np.searchsorted(sought, left), sought.size - 1)] == left).sum())
    return found
