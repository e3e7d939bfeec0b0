"""What an address says, read strictly: one spelling, one meaning, or it is refused.

Two programs that read one URL differently are how a list is got round, so nothing is mended here: no blank is cut off,
no backslash turned, no number taken for an address, no dot segment resolved.

*Source*: RFC 3986, sections 3.1 to 3.4; what is refused on purpose is told by the tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

LONGEST: Final = 16_384
"""Characters of a URL; a search for a list of codes may be long."""

_PORTS: Final = {"https": 443, "http": 80}
_URL: Final = re.compile(
    r"(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(\?(?P<query>[A-Za-z0-9._~!$&'()*+,;=:@%/?|\[\]-]*))?"
)
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_HEX: Final = re.compile(r"0x[0-9a-f]*")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HIDDEN: Final = re.compile(r"%(2[Ee]|2[Ff]|5[Cc]|25|[01][0-9A-Fa-f]|7[Ff])")
"""Escapes that some server reads as a dot, a slash, a backslash, an escape or a control character."""


@dataclass(frozen=True, slots=True)
class Place:
    """A URL in its parts.

    Attributes:
        scheme: `https` or `http`.
        host: in lower case; an IPv6 address without brackets.
        port: the one it says, or the scheme's.
        path: as it was written; `` or beginning with a slash.
        query: as it was written; None when there is none.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str | None

    @property
    def authority(self) -> str:
        """What a Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """What has to be the same for two places to be of one server."""
        return self.scheme, self.host, self.port

    @property
    def base(self) -> str:
        """Its one spelling as a base: no default port, no slash at the end."""
        return f"{self.scheme}://{self.authority}{self.path.rstrip('/')}"

    @property
    def literal(self) -> IPv4Address | IPv6Address | None:
        """The address, when the host is one and no name."""
        return _literal(self.host)

    @property
    def is_loopback(self) -> bool:
        """Whether it says by itself that it is on this machine."""
        literal = self.literal
        return self.host == "localhost" or (literal is not None and literal.is_loopback)


@dataclass(frozen=True, slots=True)
class Allowed:
    """A base URL that may be called.

    Attributes:
        url: an origin, or a base URL with a path: then only what lies under it.
        private: whether its name may lead into a private network, as the servers of a hospital do.
    """

    url: str
    private: bool = False


def read(url: str) -> Place | None:
    """Read a URL; None when it is none that can be called."""
    if len(url) > LONGEST or not (found := _URL.fullmatch(url)):
        return None
    scheme, host = found["scheme"].lower(), found["host"].lower().strip("[]")
    port = int(found["port"] or _PORTS[scheme])
    path, query = found["path"] or "", found["query"]
    if not 0 < port < 65536 or not _is_host(host, bracketed="[" in found["host"]):
        return None
    if _BAD_ESCAPE.search(path + (query or "")) or _HIDDEN.search(path):
        return None
    segments = path.split("/")[1:]
    if any(segment in (".", "..") for segment in segments) or "" in segments[:-1]:
        return None
    literal = _literal(host)
    return Place(scheme, str(literal) if literal else host, port, path, query)


def lies_under(place: Place, base: Place) -> bool:
    """Whether a place is of the same origin as a base, and its path the base's or under it, segment by segment."""
    prefix = base.path.rstrip("/")
    return place.origin == base.origin and (place.path == prefix or place.path.startswith(prefix + "/"))


def _is_host(host: str, *, bracketed: bool) -> bool:
    if bracketed or _literal(host):
        return bracketed == isinstance(_literal(host), IPv6Address)
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    # `127.1`, `0x7f.1` and `2130706433` are addresses to a resolver, and no names.
    return any(letter.isalpha() for letter in labels[-1]) and not _HEX.fullmatch(labels[-1])


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return IPv6Address(host) if ":" in host else IPv4Address(host)
    except AddressValueError:
        return None
