"""search-type: `GET [base]/[type]?...` and `POST [base]/[type]/_search`.

*Source*: http://hl7.org/fhir/R4/http.html#search, http://hl7.org/fhir/R4/search.html.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from fhirtwin.access import Caller, permit
from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec
from fhirtwin.fhir.search_grammar import PAGE, Query, parse
from fhirtwin.interactions.context import Answer, Services, require_type
from fhirtwin.store import Page, Reader, index

Parameters = Iterable[tuple[str, str]]


def search_type(services: Services, caller: Caller, type_: str, parameters: Parameters) -> Answer:
    """Give one page of the resources of a type that fit, with the total and links.

    The order is that of first storing, and a page's `next` link looks no further than what was stored when the first
    page was made: writers do not shift pages.

    Raises:
        NotFound: no such type.
        Unsupported: a parameter or modifier that is not offered.
        Incorrect: a value that cannot be read.
    """
    with services.store.snapshot() as reader:
        return Answer(200, within(services, caller, reader, type_, parameters))


def within(services: Services, caller: Caller, reader: Reader, type_: str, parameters: Parameters) -> bytes:
    """The searchset Bundle, asked in an open transaction."""
    permit(caller, "search-type", type_)
    require_type(type_)
    query = _query(services, type_, parameters)
    return codec.encode(_bundle(services, query, reader.search(query)))


def matches(
    services: Services, caller: Caller, reader: Reader, type_: str, criteria: str, place: str
) -> tuple[str, ...]:
    """Ids of the first two resources that fit a condition: one is a match, two are too many.

    Args:
        services: the parts.
        caller: who asks; a condition tells whether something is there, so it takes the right to search.
        reader: the open transaction.
        type_: resource type.
        criteria: search parameters as in a URL, without a question mark.
        place: where the condition stands, for the text of an error.

    Raises:
        Incorrect: no parameter, or one that is not offered.
    """
    permit(caller, "search-type", type_)
    query = _query(services, type_, query_pairs(criteria, place))
    if not query.conditions:
        raise Incorrect(f"{place} must name at least one search parameter.")
    return reader.matches(query)


def query_pairs(text: str, place: str) -> list[tuple[str, str]]:
    """Names and values of a query string.

    Raises:
        Incorrect: it is none.
    """
    try:
        return parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=100) if text else []
    except ValueError:
        raise Incorrect(f"{place} must be search parameters as in a URL: name=value&name=value.") from None


def _query(services: Services, type_: str, parameters: Parameters) -> Query:
    return parse(
        type_,
        parameters,
        index.kinds(type_),
        base_url=services.base_url,
        default_count=services.settings.default_count,
        max_count=services.settings.max_count,
    )


def _bundle(services: Services, query: Query, page: Page) -> dict[str, Any]:
    address = f"{services.base_url}/{query.type}"
    position = [(PAGE, f"{query.after}-{query.ceiling}")] if query.ceiling is not None else []
    links = [{"relation": "self", "url": _url(address, [*query.understood, *position])}]
    if page.next_after is not None:
        following = [*query.understood, (PAGE, f"{page.next_after}-{page.ceiling}")]
        links.append({"relation": "next", "url": _url(address, following)})
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": page.total,
        "link": links,
    }
    if page.versions:
        bundle["entry"] = [
            {
                "fullUrl": f"{address}/{stored.id}",
                "resource": msgspec.Raw(stored.data),
                "search": {"mode": "match"},
            }
            for stored in page.versions
        ]
    return bundle


def _url(address: str, parameters: list[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(parameters)}" if parameters else address
