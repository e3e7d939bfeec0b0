"""Fetches what a call did not bring from the client's own FHIR server: all keys at once, every page, until a deadline.

What comes back is judged like what the client sends; here it is only obtained, whole or not at all. The access token
goes into a header and nowhere else.

Source: https://cds-hooks.hl7.org/2.0/#cds-service-request-1 (prefetch and FHIR access)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Protocol
from urllib.parse import urljoin

from fhirtwin.errors import FhirtwinError
from fhirtwin.fhir import codec
from fhirtwin.intake.belonging import Resource, is_outcome
from fhirtwin.intake.templates import Template
from fhirtwin.outbound import Fetched, places

MOST_PAGES: Final = 50
"""Pages of one search that are followed."""

MOST_AT_ONCE: Final = 8
"""Queries that are under way at a time."""

_NOT_LISTED: Final = "`fhirServer` is not on this server's list of servers to fetch from (FHIRTWIN_FHIR_SERVERS)"
_OVER_HTTP: Final = ", where http counts for this machine alone, under --open"


class Way(Protocol):
    """The way out: `fhirtwin.outbound.Outbound`."""

    def allows(self, url: str) -> bool:
        """Whether an address may be called."""

    def get(self, url: str, *, headers: Mapping[str, str], deadline: float) -> Fetched:
        """Fetch it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be obtained for one key.

    Attributes:
        template: its template.
        begun: the first page, when the client sent that; else None.
    """

    template: Template
    begun: Resource | None = None


class _NotObtainedError(Exception):
    """Why a key could not be obtained; the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Server:
    """The FHIR server of one call.

    Attributes:
        base: its base URL, as places are compared.
        token: bearer token; empty when the client lends none.
        way: how it is reached.
        values: what tokens of templates stand for in this call.
        today: the day that `today()` stands for.
        deadline: on the clock of `time.monotonic`.
        max_depth: deepest nesting of what is read.
    """

    base: str
    token: str = field(repr=False)
    way: Way
    values: Mapping[str, str]
    today: date
    deadline: float
    max_depth: int

    def obtain(self, wanted: Mapping[str, Wanted]) -> tuple[dict[str, Any], dict[str, str]]:
        """Fetch several keys at the same time.

        Returns:
            By key, what was obtained whole; and for every other key, why it was not.
        """
        if not self.way.allows(self.base):
            return {}, dict.fromkeys(wanted, _NOT_LISTED + (_OVER_HTTP if self.base.startswith("http:") else ""))
        pool = ThreadPoolExecutor(min(MOST_AT_ONCE, len(wanted)), thread_name_prefix="prefetch")
        try:
            under_way = {key: pool.submit(self._one, one) for key, one in wanted.items()}
            wait(under_way.values(), timeout=max(0.0, self.deadline - time.monotonic()))
            return _sorted_out(under_way)
        finally:
            # Whoever is late has a deadline of its own; nobody waits for it here.
            pool.shutdown(wait=False, cancel_futures=True)

    def _one(self, wanted: Wanted) -> Resource:
        if wanted.begun is not None and (following := _next(wanted.begun)):
            return self._rest(wanted.begun, self._same_server(following))
        try:
            query = wanted.template.resolve(self.values, self.today)
        except LookupError as error:
            raise _NotObtainedError(f"the call has no value for the token {error.args[0]}") from None
        url = f"{self.base}/{query}"
        first = self._get(url)
        following = _next(first)
        return self._rest(first, self._same_server(following, url)) if following else first

    def _rest(self, first: Resource, url: str) -> Resource:
        """Gather the pages that follow the first into one Bundle."""
        entries, seen = [*_entries(first)], {url}
        for _ in range(MOST_PAGES):
            page = self._get(url)
            entries += _entries(page)
            following = _next(page)
            if following is None:
                whole = {name: value for name, value in first.items() if name not in ("entry", "link")}
                return {**whole, "entry": entries} if entries else whole
            url = self._same_server(following, url)
            if url in seen:
                raise _NotObtainedError("the pages of the answer lead in a circle")
            seen.add(url)
        raise _NotObtainedError(f"the answer has more than {MOST_PAGES} pages")

    def _same_server(self, link: str, page: str | None = None) -> str:
        """The address of a next page, when it is of the same server: the token is for no other."""
        try:
            url = urljoin(page or f"{self.base}/", link)
        except ValueError:
            url = ""
        there, here = places.read(url), places.read(self.base)
        if there is None or here is None or there.origin != here.origin:
            raise _NotObtainedError("the `next` link leads to another server than `fhirServer`")
        return url

    def _get(self, url: str) -> Resource:
        headers = {"Accept": "application/fhir+json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            answer = self.way.get(url, headers=headers, deadline=self.deadline)
        except FhirtwinError as error:
            raise _NotObtainedError(f"the FHIR server was asked in vain: {str(error).rstrip('.')}") from None
        if answer.status in (401, 403):
            raise _NotObtainedError(f"the FHIR server did not allow it (status {answer.status})")
        if answer.status != 200:
            raise _NotObtainedError(f"the FHIR server answered with status {answer.status}")
        try:
            found = codec.decode(answer.body, max_depth=self.max_depth)
        except FhirtwinError:
            raise _NotObtainedError("the FHIR server's answer is not JSON of FHIR") from None
        if is_outcome(found):
            raise _NotObtainedError("the FHIR server answered with an OperationOutcome")
        return found


def _sorted_out(under_way: Mapping[str, Future[Resource]]) -> tuple[dict[str, Any], dict[str, str]]:
    found: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for key, future in under_way.items():
        if not future.done():
            failed[key] = "the FHIR server did not answer in time"
            continue
        try:
            found[key] = future.result()
        except _NotObtainedError as error:
            failed[key] = str(error)
    return found, failed


def _entries(page: Mapping[str, Any]) -> list[Any]:
    entries = page.get("entry", [])
    if page.get("resourceType") != "Bundle" or not isinstance(entries, list):
        raise _NotObtainedError("a page of the answer is no Bundle")
    return entries


def _next(bundle: Mapping[str, Any]) -> str | None:
    """The `next` link of a Bundle, valid or not; None when it has none."""
    links = bundle.get("link", ())
    with suppress(AttributeError, TypeError):
        for link in links:
            if link.get("relation") == "next" and isinstance(link.get("url"), str):
                return str(link["url"])
    return None


Fetch = Callable[[Mapping[str, Wanted]], tuple[dict[str, Any], dict[str, str]]]
"""`Server.obtain`, or what stands in for it."""
