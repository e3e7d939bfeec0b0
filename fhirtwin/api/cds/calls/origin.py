"""Which server a call speaks for: an id of a patient means something only together with it."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from fhirtwin.errors import Incorrect
from fhirtwin.settings import Settings
from fhirtwin.twin.state import LOCAL

_PORTS = {"https": 443, "http": 80}
_FIELD = "fhirServer"


def origin(fhir_server: str | None, settings: Settings) -> str:
    """The origin of a call, for `PatientKey`.

    Args:
        fhir_server: the call's `fhirServer`; None when it has none.
        settings: `base_url` is ours; `open` allows http.

    Returns:
        `LOCAL` when the call names no server or names this one, else the server's base URL in one spelling: scheme and
        host in lower case, no default port, no slash at the end.

    Raises:
        Incorrect: not an https URL of a FHIR base; or http from elsewhere than this machine while sign-in is on.
    """
    if fhir_server is None:
        return LOCAL
    found = normalised(fhir_server)
    if found.startswith("http:") and not (settings.open or _is_loopback(urlsplit(found).hostname or "")):
        raise Incorrect("`fhirServer` must be an https URL.", expression=_FIELD)
    return LOCAL if settings.base_url and found == normalised(settings.base_url) else found


def normalised(url: str) -> str:
    """One spelling of a FHIR base URL.

    Raises:
        Incorrect: it is no http or https URL, or carries a user, a query or a fragment.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _not_a_base() from None
    if parts.scheme not in _PORTS or not parts.hostname or not url.isascii() or not url.isprintable():
        raise _not_a_base()
    if "@" in parts.netloc or "?" in url or "#" in url or "\\" in url or " " in url:
        raise _not_a_base()
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    return SplitResult(parts.scheme, shown, parts.path.rstrip("/"), "", "").geturl()


def _not_a_base() -> Incorrect:
    return Incorrect(
        "`fhirServer` must be the base URL of a FHIR server, without user, query and fragment.", expression=_FIELD
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
