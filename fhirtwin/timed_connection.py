"""A connection on which one deadline holds for a whole exchange, however the other side drips."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from contextlib import suppress
from typing import Any, Final

BROKEN_OFF: Final = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""What a connection raises that the other side has closed, without TLS and with it."""


class TooMuch(OSError):
    """The other side sends more than it may."""


class TimedSocket:
    """What `http.client` needs of a socket, under one deadline for a whole exchange instead of one a read."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.deadline = 0.0
        self.received = 0
        self._begun = b""
        self.is_broken = False
        """Something was not sent whole, so nothing else can be sent."""
        self.most: int | None = None
        """Bytes that may be received, headers and framing included; None leaves that to who reads."""

    def arm(self) -> None:
        """Give the next call on the socket what is left of the time.

        Raises:
            TimeoutError: nothing is left.
        """
        left = self.deadline - time.perf_counter()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)

    def sendall(self, data: bytes) -> None:
        """Send all of it before the deadline."""
        # Not the socket's own: over TLS that gives each record of a long message the whole time anew.
        left = memoryview(data)
        try:
            while left:
                self.arm()
                left = left[self._sock.send(left) :]
        except BROKEN_OFF:
            self.is_broken = True
            self._count_waiting()
            raise

    def _count_waiting(self) -> None:
        """Count what the other side sent before it broke off: who has begun to answer has seen the request."""
        with suppress(OSError):
            self._sock.settimeout(0)
            self._begun = self._sock.recv(1)  # and whoever reads is given it: TLS has no way to look ahead
            self.received += len(self._begun)

    def recv_into(self, buffer: Any) -> int:
        """Receive what is there before the deadline, and count it.

        Raises:
            TimeoutError: the time is over.
            TooMuch: more was sent than may be received.
        """
        self.arm()
        if self._begun:
            buffer[:1], self._begun = self._begun, b""
            return 1
        count = self._sock.recv_into(buffer)
        self.received += count
        if self.most is not None and self.received > self.most:
            raise TooMuch
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Read as from a file, under the same deadline."""
        return io.BufferedReader(_Reads(self))

    def close(self) -> None:
        """Do nothing: `http.client` closes what the other side will not keep before it has read the answer."""

    def hang_up(self) -> None:
        """Close for good."""
        self._sock.close()


class _Reads(io.RawIOBase):
    def __init__(self, sock: TimedSocket) -> None:
        self._timed = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._timed.recv_into(buffer)


class Connection(http.client.HTTPConnection):
    """A connection that is open already; what asks over it says the Host itself, or it is `engine`."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__("engine")
        self.auto_open = 0
        self.timed = TimedSocket(sock)
        self.sock = self.timed
