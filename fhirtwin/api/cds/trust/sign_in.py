"""Lets EHRs in by their tokens; what is wrong with one is told to the security log alone."""

from __future__ import annotations

import logging

from fhirtwin.access import Caller
from fhirtwin.api.cds.trust.clients import Client
from fhirtwin.api.cds.trust.key_cache import MAX_BYTES, PATIENCE_SECONDS, KeyCache
from fhirtwin.api.cds.trust.refusal import Refusal
from fhirtwin.api.cds.trust.trust_file import Clients, TrustFile
from fhirtwin.api.cds.trust.verifier import Verifier
from fhirtwin.errors import Unauthenticated, Unavailable
from fhirtwin.outbound import Allowed, Fetched, Outbound
from fhirtwin.settings import Settings
from fhirtwin.store.spent_tokens import SpentTokens

_log = logging.getLogger("fhirtwin.security")


class SignIn:
    """Which EHR calls.

    Args:
        trusted: the EHRs there are.
        verifier: judges their tokens.
        cds_url: discovery's URL, as clients know it.
    """

    def __init__(self, trusted: TrustFile, verifier: Verifier, cds_url: str) -> None:
        self._trusted = trusted
        self._verifier = verifier
        self._cds_url = cds_url

    @classmethod
    def open(cls, settings: Settings) -> SignIn:
        """Join the parts that the settings describe.

        Raises:
            Incorrect: the trust file is not as it must be.
        """
        trusted = TrustFile(settings.trust_path, required=bool(settings.trust_file))

        def fetch(client: Client, url: str, deadline: float) -> Fetched:
            way = Outbound(
                [Allowed(url, client.private_network)],
                connect_timeout=PATIENCE_SECONDS,
                read_timeout=PATIENCE_SECONDS,
                max_bytes=MAX_BYTES,
                open_=settings.open,
                ca_file=settings.outbound_ca_file,
            )
            return way.get(url, headers={"Accept": "application/json"}, deadline=deadline)

        spent = SpentTokens.open(settings)
        verifier = Verifier(trusted, KeyCache(fetch), spent.spend, longest=settings.max_token_seconds)
        return cls(trusted, verifier, settings.cds_url)

    def clients(self) -> Clients:
        """The EHRs there are; none while the trust file cannot be read."""
        try:
            return self._trusted.clients()
        except Unavailable:
            return Clients()

    def expects(self) -> bool:
        """Whether any EHR is registered, or the file that says so cannot be read."""
        try:
            return bool(self._trusted.clients().all)
        except Unavailable:
            return True

    def client(self, token: str, path: str, number: str) -> Client:
        """The EHR whose token this is.

        Args:
            token: what it showed.
            path: what it calls, from `/cds-services` on.
            number: of the request, for the log.

        Raises:
            Unauthenticated: it lets nobody in; the text does not say why.
            Unavailable: it cannot be judged now.
        """
        endpoint = self._cds_url + path.removeprefix("/cds-services").rstrip("/")
        try:
            return self._verifier.verify(token, endpoint)
        except Refusal as refusal:
            _log.warning("%s token refused, client %s: %s", number, refusal.client or "unknown", refusal.reason)
            raise Unauthenticated("") from None


def caller(client: Client) -> Caller:
    """What a client's calls may do: what the services behind them need."""
    return Caller(f"ehr:{client.name}", frozenset({"operation", "create", "read", "search-type"}))
