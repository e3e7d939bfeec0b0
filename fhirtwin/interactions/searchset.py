"""The Bundle of a search: matches, what comes along, what is to be said about them, and links to the other pages.

*Source*: http://hl7.org/fhir/R4/http.html#search, http://hl7.org/fhir/R4/bundle.html#searchset.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec

from fhirtwin.errors import Issue
from fhirtwin.fhir import codec
from fhirtwin.fhir.outcome import operation_outcome
from fhirtwin.fhir.search import subsetting
from fhirtwin.fhir.search.query import Query
from fhirtwin.fhir.search.results import PAGE, page_text
from fhirtwin.store import Page
from fhirtwin.twin.state import StoredVersion


def searchset(base_url: str, address: str, query: Query, page: Page, notes: Iterable[Issue] = ()) -> bytes:
    """Write the Bundle of one page.

    Args:
        base_url: this server's base, which the full URLs of entries begin with.
        address: what was searched: the base, or `[base]/Type`.
        query: what was asked.
        page: what was found.
        notes: what is to be said about the search, beside what was ignored.
    """
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if page.total is not None:
        bundle["total"] = page.total
    bundle["link"] = list(_links(address, query, page))
    entries = [*_entries(base_url, query, page), *_told(query, notes)]
    if entries:
        bundle["entry"] = entries
    return codec.encode(bundle)


def _links(address: str, query: Query, page: Page) -> Iterator[dict[str, str]]:
    here = [(PAGE, page_text(query.position))] if query.position else []
    yield {"relation": "self", "url": _url(address, [*query.understood, *here])}
    if page.following:
        yield {"relation": "next", "url": _url(address, [*query.understood, (PAGE, page_text(page.following))])}


def _entries(base_url: str, query: Query, page: Page) -> Iterator[dict[str, Any]]:
    for mode, versions in (("match", page.versions), ("include", page.included)):
        for stored in versions:
            yield {
                "fullUrl": f"{base_url}/{stored.type}/{stored.id}",
                "resource": _resource(query, stored, is_match=mode == "match"),
                "search": {"mode": mode},
            }


def _resource(query: Query, stored: StoredVersion, *, is_match: bool) -> Any:
    """The resource as it was sent, every byte of it, unless less was asked for."""
    if query.elements and is_match:
        return subsetting.only(codec.reread(stored.data), query.elements)
    if query.summary in ("true", "text", "data"):
        return subsetting.summarized(codec.reread(stored.data), query.summary)
    return msgspec.Raw(stored.data)


def _told(query: Query, notes: Iterable[Issue]) -> Iterator[dict[str, Any]]:
    issues = [*(Issue("not-supported", text, severity="warning") for text in query.ignored), *notes]
    if issues:
        yield {"resource": operation_outcome(issues), "search": {"mode": "outcome"}}


def _url(address: str, parameters: list[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(parameters)}" if parameters else address
