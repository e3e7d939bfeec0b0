"""Looks names up without waiting longer than the time there is: the system's own look-up knows no deadline."""

from __future__ import annotations

import queue
import socket
import threading
from typing import Final

_MOST_AT_ONCE: Final = 32
_places = threading.BoundedSemaphore(_MOST_AT_ONCE)


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """All addresses of a name.

    Args:
        host: a name, or an address, which is returned as it is.
        port: where it is to be used.
        seconds: how long it may take.

    Raises:
        TimeoutError: it took longer, or too many other look-ups hang.
        OSError: there is no such name.
    """
    if not _places.acquire(timeout=max(seconds, 0)):
        raise TimeoutError
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError("no name"))
        finally:
            _places.release()

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=max(seconds, 0.001))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer
