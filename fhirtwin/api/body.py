"""Reads the body of a request whole, or refuses it: never a part of it.

Werkzeug cuts a chunked body at `MAX_CONTENT_LENGTH` and goes on as if that were all. So nothing here relies on it:
one byte more than the limit is read, and its presence is the verdict.

A chunked body whose connection broke looks like a shorter one: WSGI has no word for it. What is read here is one JSON
object, and no beginning of one is a whole one.
"""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import ClientDisconnected

from fhirtwin.api import admission
from fhirtwin.errors import Incorrect, TooLarge


def read_body(limit: int) -> bytes:
    """Give the body of the request at hand, when it is whole and this request's turn to be worked on has come.

    Args:
        limit: most bytes it may have.

    Raises:
        TooLarge: it has more, whatever its headers say.
        Incorrect: the connection ended before the body did.
        Busy: the turn did not come in time.
    """
    body = read_whole(limit)
    admission.take_turn()
    return body


def read_whole(limit: int) -> bytes:
    """Give the body without waiting for a turn: for a page whose work is another request, which waits for its own.

    Raises:
        TooLarge: it has more, whatever its headers say.
        Incorrect: the connection ended before the body did.
    """
    declared = request.content_length
    if declared is not None and declared > limit:
        raise _too_large(limit)
    try:
        body = request.stream.read(limit + 1)
    except (ClientDisconnected, OSError):
        raise _cut_short() from None
    if len(body) > limit:
        raise _too_large(limit)
    if declared is not None and len(body) != declared:
        raise _cut_short()
    return body


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"A body may have at most {limit} bytes (FHIRTWIN_MAX_BODY_BYTES).")


def _cut_short() -> Incorrect:
    return Incorrect("The body ended before its announced length; send it again.")
