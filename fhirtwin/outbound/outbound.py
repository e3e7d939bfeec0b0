"""Fetches from servers on a list: the name is looked up once, what it resolves to judged, and that address called.

A redirect is not followed, no proxy of the environment is used, nothing compressed is read, and one deadline holds from
the look-up to the last byte, however slowly the other side sends.
"""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from fhirtwin import __version__
from fhirtwin.errors import Incorrect, OutboundFailed, OutboundRefused
from fhirtwin.outbound import addresses, places, resolving
from fhirtwin.outbound.places import Allowed, Place
from fhirtwin.timed_connection import Connection, TooMuch

_MOST_ADDRESSES: Final = 4
_FRAMING_BYTES: Final = 65_536
"""What headers, and the lengths of chunks, may add to a body."""
_OURS: Final = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "user-agent"})
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})

_log = logging.getLogger("fhirtwin.security")

Resolve = Callable[[str, int, float], list[str]]
"""From host, port and seconds to addresses."""
Connect = Callable[[str, int, float], socket.socket]
"""From address, port and seconds to an open connection."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, whatever its status.

    Attributes:
        status: HTTP status; one of 3xx is an answer like any other, and leads nowhere.
        headers: by name in lower case; what was sent several times is joined with a comma.
        body: whole, as long as it may be.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without parameters, in lower case; empty when there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class _Entry:
    place: Place
    private: bool


def connect(address: str, port: int, seconds: float) -> socket.socket:
    """Open a connection to an address, not to a name."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(max(seconds, 0.001))
        sock.connect((address, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


class Outbound:
    """The way to the servers of one list. Threads may share it; making one costs little.

    Args:
        allowed: base URLs or origins. An entry with a path allows only what lies under it. A private network is reached
            by an entry that says so, or that is such an address itself; this machine by an entry that says `localhost`
            or an address of it.
        connect_timeout: seconds for look-up, connection and TLS together.
        read_timeout: seconds from then until the last byte.
        max_bytes: longest body.
        open_: whether plain http is spoken with this machine; else entries that ask for it count for nothing.
        ca_file: a certificate authority that is believed besides the system's.
        resolve: looks a name up; tests set it.
        connect: opens a connection; tests set it.

    Raises:
        Incorrect: an entry of the list is not a base URL that could be called.
    """

    def __init__(
        self,
        allowed: Iterable[str | Allowed],
        *,
        connect_timeout: float,
        read_timeout: float,
        max_bytes: int,
        open_: bool,
        ca_file: str = "",
        resolve: Resolve = resolving.resolve,
        connect: Connect = connect,
    ) -> None:
        entries = [_entry(one) for one in allowed]
        self._entries = tuple(one for one in entries if open_ or one.place.scheme == "https")
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._max_bytes = max_bytes
        self._ca_file = ca_file
        self._resolve = resolve
        self._connect = connect

    def allows(self, url: str) -> bool:
        """Whether the list has this URL; where its name leads is judged when it is called."""
        place = places.read(url)
        return place is not None and self._entry_of(place) is not None

    def get(self, url: str, *, headers: Mapping[str, str] = _NOTHING, deadline: float) -> Fetched:
        """Fetch a URL.

        Args:
            url: absolute.
            headers: to send, `Authorization` and `Accept` for example.
            deadline: when the whole must be over, on the clock of `time.monotonic`.

        Raises:
            OutboundRefused: the list does not have it, or it leads to an address that is not called. Nothing was sent.
            OutboundFailed: it could not be reached, was late, or sent too much or what is not read.
        """
        place = places.read(url)
        entry = self._entry_of(place) if place else None
        if place is None or entry is None:
            raise OutboundRefused("This server calls only addresses on its list, and this is none of them.")
        for name in headers:
            if name.lower() in _OURS:
                raise OutboundRefused(f"The header {name} is not a caller's to choose.")
        try:
            return self._fetch(place, entry, headers, deadline)
        except TimeoutError:
            raise OutboundFailed("Another server did not answer in time.") from None
        except ssl.SSLCertVerificationError as error:
            _log.warning("outbound: the certificate of %s is refused: %s", place.authority, error.verify_message)
            raise OutboundFailed("Another server's certificate is not trusted here, or not its own.") from None
        except TooMuch:
            raise OutboundFailed(f"Another server sent more than {self._max_bytes} bytes.") from None
        except OSError:
            raise OutboundFailed("Another server cannot be reached.") from None
        except (http.client.HTTPException, ValueError):
            raise OutboundFailed("Another server's answer is not HTTP, or broke off.") from None

    def _entry_of(self, place: Place) -> _Entry | None:
        """The entry that allows a place; the one that says more, when several do."""
        found = [entry for entry in self._entries if places.lies_under(place, entry.place)]
        return max(found, key=lambda entry: entry.private, default=None)

    def _fetch(self, place: Place, entry: _Entry, headers: Mapping[str, str], deadline: float) -> Fetched:
        until = min(deadline, time.monotonic() + self._connect_timeout)
        sock = self._open(place, entry, until)
        try:
            if place.scheme == "https":
                sock.settimeout(_left(until))
                sock = _tls(self._ca_file).wrap_socket(sock, server_hostname=place.host)
            return self._exchange(sock, place, headers, min(deadline, time.monotonic() + self._read_timeout))
        finally:
            sock.close()

    def _open(self, place: Place, entry: _Entry, until: float) -> socket.socket:
        found = [place.host] if place.literal else self._resolve(place.host, place.port, _left(until))
        for address in found:
            reason = addresses.refusal(address, private=entry.private, loopback=entry.place.is_loopback)
            if reason:
                _log.warning("outbound: %s leads to an address that is not called: %s", place.authority, reason)
                raise OutboundRefused("The name of another server leads to an address that is not called from here.")
        failure: OSError = OSError("no address")
        for address in found[:_MOST_ADDRESSES]:
            try:
                return self._connect(address, place.port, _left(until))
            except OSError as error:
                failure = error
        raise failure

    def _exchange(self, sock: socket.socket, place: Place, headers: Mapping[str, str], until: float) -> Fetched:
        connection = Connection(sock)
        # The timed socket counts on its own clock.
        connection.timed.deadline = time.perf_counter() + _left(until)
        connection.timed.most = 2 * self._max_bytes + _FRAMING_BYTES
        query = f"?{place.query}" if place.query is not None else ""
        connection.putrequest("GET", (place.path or "/") + query, skip_host=True, skip_accept_encoding=True)
        sent = {"Host": place.authority, "User-Agent": f"fhirtwin/{__version__}", "Connection": "close"}
        for name, value in ({**sent, "Accept-Encoding": "identity"} | dict(headers)).items():
            connection.putheader(name, value)
        connection.endheaders()
        with connection.getresponse() as response:
            return self._read(response)

    def _read(self, response: http.client.HTTPResponse) -> Fetched:
        told: dict[str, str] = {}
        for name, value in response.headers.items():
            told[name.lower()] = f"{told[name.lower()]}, {value}" if name.lower() in told else value
        if told.get("content-encoding", "identity").strip().lower() != "identity":
            raise OutboundFailed("Another server compressed its answer although it was asked not to.")
        if response.length is not None and response.length > self._max_bytes:
            raise TooMuch
        body = response.read()
        if len(body) > self._max_bytes:
            raise TooMuch
        return Fetched(response.status, MappingProxyType(told), body)


def _entry(given: str | Allowed) -> _Entry:
    allowed = given if isinstance(given, Allowed) else Allowed(given)
    place = places.read(allowed.url)
    if place is None or place.query is not None:
        raise Incorrect("An address on a list of servers to call is not a base URL (https://host/path).")
    if place.scheme == "http" and not place.is_loopback:
        raise Incorrect("A server to call must be https; http is spoken only with this machine, under --open.")
    literal = place.literal
    private = allowed.private or (literal is not None and not literal.is_global)
    return _Entry(place, private)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@cache
def _tls(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.keylog_filename = None  # type: ignore[assignment]  # whatever the environment says
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError:
            raise Incorrect(f"{ca_file} does not hold a certificate authority.") from None
    return context
