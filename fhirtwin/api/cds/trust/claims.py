"""What the claims of a token must say, before anybody looks at its signature.

*Source*: https://cds-hooks.hl7.org/2.0/#trusting-cds-clients, RFC 7519 (section 4.1), RFC 8725 (sections 3.8 to 3.10).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fhirtwin.api.cds.trust.clients import Client
from fhirtwin.api.cds.trust.refusal import Refusal, shown

SKEW_SECONDS: Final = 60
"""How far the clocks of a client and of this server may lie apart."""
_LATEST: Final = 2**40
_LONGEST: Final = 512
_MOST_AUDIENCES: Final = 10


def issuer(claims: Mapping[str, Any]) -> str:
    """Who says that the token is its own.

    Raises:
        Refusal: nobody.
    """
    return _text(claims, "iss")


def require_audience(claims: Mapping[str, Any], endpoint: str) -> None:
    """Return when a token is for this endpoint: letter by letter, as the one audience or one of a few.

    Raises:
        Refusal: it is for another.
    """
    given = claims.get("aud")
    told = [given] if isinstance(given, str) else given
    if not isinstance(told, list) or not 0 < len(told) <= _MOST_AUDIENCES or not all(type(one) is str for one in told):
        raise Refusal("`aud` is missing, or not text or a short list of it")
    if endpoint not in told:
        raise Refusal(f"`aud` is {shown(given)}, not {endpoint}")


def require_time(claims: Mapping[str, Any], now: float, longest: int) -> int:
    """Return when a token is in force, and not for longer than one may be.

    Args:
        claims: of the token.
        now: seconds since 1970.
        longest: seconds from `iat` to `exp`.

    Returns:
        When it stops being in force on every clock.

    Raises:
        Refusal: it is not.
    """
    expires, issued = _time(claims, "exp"), _time(claims, "iat")
    if expires <= now - SKEW_SECONDS:
        raise Refusal("it has expired")
    if issued > now + SKEW_SECONDS:
        raise Refusal("its `iat` lies in the future")
    if not 0 < expires - issued <= longest:
        raise Refusal(f"from `iat` to `exp` are not 1 to {longest} seconds")
    if "nbf" in claims and _time(claims, "nbf") > now + SKEW_SECONDS:
        raise Refusal("its `nbf` lies in the future")
    return expires + SKEW_SECONDS


def require_tenant(claims: Mapping[str, Any], client: Client) -> None:
    """Return when a token is of a tenant that is registered for its client, or has none where none is.

    Raises:
        Refusal: it is not.
    """
    tenant = claims.get("tenant")
    if tenant is not None and not isinstance(tenant, str):
        raise Refusal("`tenant` is no text")
    if (tenant not in client.tenants) if client.tenants else ("tenant" in claims):
        raise Refusal("`tenant` is not one that is registered for it")


def token_id(claims: Mapping[str, Any]) -> str:
    """What a token differs by from every other of its issuer.

    Raises:
        Refusal: nothing.
    """
    return _text(claims, "jti")


def _text(claims: Mapping[str, Any], name: str) -> str:
    given = claims.get(name)
    if not isinstance(given, str) or not 0 < len(given) <= _LONGEST or not given.isprintable():
        raise Refusal(f"`{name}` is missing, or no text of 1 to {_LONGEST} characters")
    return given


def _time(claims: Mapping[str, Any], name: str) -> int:
    given = claims.get(name)
    if type(given) is not int or not 0 < given < _LATEST:
        raise Refusal(f"`{name}` is missing, or no whole number of seconds")
    return given
