"""The lines of a VCF file, or of another of genetics, plain or gzipped: a stream that stays small whatever is sent."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from fhirtwin.errors import Incorrect, TooLarge

_CHUNK: Final = 1 << 18
_GZIP: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31
"""What tells zlib that a member has the header and the check sum of gzip."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read before a file is refused.

    Attributes:
        text: bytes of text, unpacked; a whole genome as gVCF stays below.
        line: bytes of one line.
        what: the file is called in errors.
    """

    text: int = 64 << 30
    line: int = 1 << 24
    what: str = "VCF"


def blocks_of_lines(stream: BinaryIO, limits: Limits = Limits()) -> Iterator[list[bytes]]:
    """Gives the lines, without their ends, many at a time.

    Raises:
        Incorrect: the file ends within a gzip member, or what is packed is damaged.
        TooLarge: more text, or a longer line, than the limits allow.
    """
    rest, total = b"", 0
    for chunk in _text(stream, limits.what):
        total += len(chunk)
        if total > limits.text:
            raise TooLarge(f"{limits.what}: more than {limits.text >> 20} MiB of text; send less of it")
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if len(rest) > limits.line:
            raise TooLarge(f"{limits.what}: a line of more than {limits.line >> 20} MiB; send fewer samples a file")
        yield lines
    if rest:
        yield [rest]


def _text(stream: BinaryIO, what: str) -> Iterator[bytes]:
    first = stream.read(_CHUNK)
    if first[:2] == _GZIP:
        yield from _unpacked(stream, first, what)
        return
    while first:
        yield first
        first = stream.read(_CHUNK)


def _unpacked(stream: BinaryIO, packed: bytes, what: str) -> Iterator[bytes]:
    """Unpacks member after member (bgzip writes many), never more at a time than a fixed amount."""
    member = zlib.decompressobj(wbits=_GZIP_WINDOW)
    fresh = True
    try:
        while packed:
            text = member.decompress(packed, _CHUNK * 4)
            fresh = False
            if text:
                yield text
            packed = member.unconsumed_tail
            if member.eof:
                packed = member.unused_data.lstrip(b"\0")
                member, fresh = zlib.decompressobj(wbits=_GZIP_WINDOW), True
            if not packed:
                packed = stream.read(_CHUNK)
        if not fresh:
            yield member.flush()
    except zlib.error as error:
        raise Incorrect(f"{what}: the gzip data are damaged; send the file again, whole and in binary") from error
    if not fresh and not member.eof:
        raise Incorrect(f"{what}: the gzip data end too early; the file is cut off, send it again whole")
