"""Which addresses may be connected to. Every address that a name resolves to is asked about, not the first alone.

*Source*: IANA's registries of special-purpose addresses (RFC 6890, 8190), as Python's `ipaddress` has them; the ranges
that carry an IPv4 address inside an IPv6 one: RFC 4291 (mapped, compatible), 6052 and 8215 (NAT64), 3056 (6to4), 4380
(Teredo).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_METADATA: Final = frozenset(
    ip_address(text)
    for text in (
        *("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
        *("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42"),
    )
)
"""Where clouds tell a machine its secrets; some lie in ranges that are otherwise usable."""

_PRIVATE_4: Final = tuple(
    IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
_PRIVATE_6: Final = IPv6Network("fc00::/7")
_NEVER_4: Final = tuple(IPv4Network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/3"))
_GLOBAL_6: Final = IPv6Network("2000::/3")
_NEVER_6: Final = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


def refusal(address: str, *, private: bool, loopback: bool) -> str | None:
    """Why an address may not be connected to, in words for who runs the server; None when it may.

    Args:
        address: as the system resolved it.
        private: whether one of a private network is meant.
        loopback: whether this machine is meant.
    """
    try:
        read = ip_address(address)
    except ValueError:
        return "it is not an address"
    if read in _METADATA:
        return "it is where a cloud keeps its machines' secrets"
    if read.is_loopback:
        return None if loopback else "it is of this machine"
    if loopback:
        return "it is not of this machine"
    if _is_private(read):
        return None if private else "it is of a private network, and `private_network` is not set for it"
    return None if _is_public(read) else "it is of a range that no server has"


def _is_private(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(address in network for network in _PRIVATE_4)
    return address in _PRIVATE_6 and address.scope_id is None


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NEVER_4)
    usable = address in _GLOBAL_6 and address.scope_id is None and address.is_global
    return usable and not any(address in network for network in _NEVER_6)
