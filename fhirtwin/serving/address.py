"""Where a gateway may listen: what would put patients on a network unprotected is refused before anything starts."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from pathlib import Path

from fhirtwin.errors import Incorrect
from fhirtwin.settings import Settings


def check_address(settings: Settings, host: str, tls_cert: Path | None, tls_key: Path | None) -> None:
    """Refuse what would put patients on a network unprotected."""
    if (tls_cert is None) != (tls_key is None):
        raise Incorrect("--tls-cert and --tls-key go together.")
    if tls_cert and settings.behind_proxy:
        raise Incorrect("Take either --tls-cert and --tls-key or --behind-proxy, not both.")
    if settings.open and settings.behind_proxy:
        raise Incorrect("--open lets anybody in, and a proxy may stand where anybody is; leave one of both out.")
    if is_loopback(host):
        return
    if settings.open:
        raise Incorrect(
            f"--open lets anybody in, so it is refused on {host}; use --host 127.0.0.1, or leave --open out."
        )
    if not (tls_cert or settings.behind_proxy):
        raise Incorrect(f"{host} is not a loopback address: give --tls-cert and --tls-key, or --behind-proxy.")
    if not settings.base_url:
        raise Incorrect(
            "Set FHIRTWIN_BASE_URL to the FHIR base that callers see, for example https://twin.example.org/fhir."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`; a name counts only when all its addresses do."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except socket.gaierror:
        raise Incorrect(f"{host} is not an address of this machine.") from None
    return all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in found)


def check_certificate(tls_cert: Path, tls_key: Path) -> None:
    """Refuse files that TLS cannot be spoken with, before anything is started."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls_cert, tls_key, password="")
    except OSError:  # of which every SSLError is one
        raise Incorrect(
            f"{tls_cert} and {tls_key} are not a certificate and its key: PEM files, the key without a passphrase."
        ) from None
