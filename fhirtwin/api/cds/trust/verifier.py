"""Judges the token of a call: whose it is, what for, whether in force, whose signature, and whether it is new.

What costs nothing comes first, and nothing is fetched for a token that would be refused anyway. A token counts as used
only when all else is right, so that nobody can use up another's.

*Source*: https://cds-hooks.hl7.org/2.0/#trusting-cds-clients, and for the order https://cds-hooks.org/best-practices/
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from joserfc import jws
from joserfc.errors import JoseError

from fhirtwin.api.cds.trust import claims, token
from fhirtwin.api.cds.trust.clients import Client
from fhirtwin.api.cds.trust.key_cache import KeyCache
from fhirtwin.api.cds.trust.keys import ALGORITHMS, Key
from fhirtwin.api.cds.trust.refusal import Refusal, shown
from fhirtwin.api.cds.trust.token import Token
from fhirtwin.api.cds.trust.trust_file import TrustFile

Spend = Callable[[str, str, int], bool]
"""From an issuer, a token's id and when it is out of force to whether it was new."""


def _registry(algorithm: str) -> jws.JWSRegistry:
    made = jws.JWSRegistry(algorithms=[algorithm])
    made.max_header_length = made.max_signature_length = token.LONGEST
    return made


_REGISTRIES: Final = {algorithm: _registry(algorithm) for algorithm in ALGORITHMS}


class Verifier:
    """Tells which client a token is of.

    Args:
        trusted: the clients.
        cache: their keys, where they are fetched.
        spend: remembers tokens, for all processes together.
        longest: seconds that a token may be in force.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        trusted: TrustFile,
        cache: KeyCache,
        spend: Spend,
        *,
        longest: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._trusted = trusted
        self._cache = cache
        self._spend = spend
        self._longest = longest
        self._clock = clock

    def verify(self, text: str, endpoint: str) -> Client:
        """The client whose token this is.

        Args:
            text: what stood behind `Bearer`.
            endpoint: URL that is called, as clients know it.

        Raises:
            Refusal: it lets nobody in.
            Unavailable, Busy, InsufficientStorage: it cannot be judged now.
        """
        read = token.read(text)
        issuer = claims.issuer(read.claims)
        client = self._trusted.clients().by_issuer.get(issuer)
        if client is None:
            raise Refusal(f"`iss` {shown(issuer)} is not registered")
        try:
            self._check(read, client, endpoint)
        except Refusal as refusal:
            raise Refusal(refusal.reason, client.name) from None
        return client

    def _check(self, read: Token, client: Client, endpoint: str) -> None:
        claims.require_audience(read.claims, endpoint)
        until = claims.require_time(read.claims, self._clock(), self._longest)
        claims.require_tenant(read.claims, client)
        id_ = claims.token_id(read.claims)
        key = self._key(read, client)
        if key is None or key.algorithm != read.algorithm:
            raise Refusal(f"there is no key {shown(read.kid)} for {read.algorithm}")
        try:
            jws.deserialize_compact(read.text, key.jose, registry=_REGISTRIES[read.algorithm])
        except (JoseError, ValueError):
            raise Refusal("its signature is wrong") from None
        if not self._spend(client.issuer, id_, until):
            raise Refusal("it was used before")

    def _key(self, read: Token, client: Client) -> Key | None:
        if read.jku is not None and read.jku not in client.jku:
            raise Refusal(f"`jku` {shown(read.jku)} is not registered for it")
        if client.jwks is not None:
            return client.keys.get(read.kid)
        if read.jku is None and len(client.jku) > 1:
            raise Refusal("it has no `jku`, and several are registered for it")
        return self._cache.key(client, read.jku or client.jku[0], read.kid)
