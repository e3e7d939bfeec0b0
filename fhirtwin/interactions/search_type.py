"""search-type: `GET [base]/[type]?...` and `POST [base]/[type]/_search`.

*Source*: http://hl7.org/fhir/R4/http.html#search, http://hl7.org/fhir/R4/search.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from fhirtwin.access import Caller, permit
from fhirtwin.access.visibility import View, view
from fhirtwin.errors import Forbidden, Incorrect, Issue
from fhirtwin.fhir import codec
from fhirtwin.fhir.search import listed_codes
from fhirtwin.fhir.search.grammar import Grammar, Limits
from fhirtwin.fhir.search.parameters import PARAMETERS
from fhirtwin.fhir.search.query import Condition, Query, Wanted
from fhirtwin.fhir.search.values import UriValue
from fhirtwin.interactions import replaced
from fhirtwin.interactions.context import Answer, Services, require_type
from fhirtwin.interactions.searchset import searchset
from fhirtwin.settings import Settings
from fhirtwin.store import Reader

Parameters = Iterable[tuple[str, str]]


def search_type(
    services: Services, caller: Caller, type_: str, parameters: Parameters, *, prefer: str = "", form: Parameters = ()
) -> Answer:
    """Give one page of the resources of a type that fit, with the total and links.

    Without `_sort` the order is that of first storing. A page's `next` link goes on behind its last resource, and looks
    no further than what was stored when the first page was made: writers do not shift pages.

    Args:
        services: the parts.
        caller: who asks.
        type_: resource type.
        parameters: decoded names and values, in the order sent.
        prefer: the `Prefer` header; `handling=lenient` passes over what is not offered, and tells.
        form: the parameters about the form of the answer (`_format`, `_pretty`), which the links repeat.

    Raises:
        NotFound: no such type.
        Unsupported: a parameter or modifier that is not offered.
        Incorrect: a value that cannot be read.
        TooLarge: more than a limit allows.
    """
    with services.store.snapshot() as reader:
        return Answer(200, within(services, caller, reader, type_, parameters, prefer=prefer, form=form))


def within(
    services: Services,
    caller: Caller,
    reader: Reader,
    type_: str,
    parameters: Parameters,
    *,
    prefer: str = "",
    form: Parameters = (),
) -> bytes:
    """The searchset Bundle, asked in an open transaction."""
    permit(caller, "search-type", type_)
    require_type(type_)
    lenient = handling(prefer, services.settings.search_handling) == "lenient"
    query = grammar(services, caller, reader, lenient=lenient).parse((type_,), parameters)
    return carried_out(services, caller, reader, f"{services.base_url}/{type_}", query.told(*form))


def carried_out(services: Services, caller: Caller, reader: Reader, address: str, query: Query) -> bytes:
    """Run a search in an open transaction; the searchset Bundle."""
    sight = view(caller)
    notes = list(replaced.hints(reader, query, sight))
    if query.explain:
        if not caller.administrator:
            raise Forbidden("`_explain` is for administrators.")
        notes.append(Issue("informational", reader.explain(query, sight), severity="information"))
    return searchset(services.base_url, address, query, reader.search(query, sight), notes)


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
    query = grammar(services, caller, reader, lenient=False).parse((type_,), query_pairs(criteria, place))
    if not query.is_conditional:
        raise Incorrect(f"{place} must name at least one search parameter.")
    return reader.matches(query, view(caller))


def query_pairs(text: str, place: str) -> list[tuple[str, str]]:
    """Names and values of a query string.

    Raises:
        Incorrect: it is none.
    """
    try:
        if not text:
            return []
        return parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=100, errors="strict")
    except ValueError:
        raise Incorrect(f"{place} must be search parameters as in a URL, in UTF-8: name=value&name=value.") from None


def handling(prefer: str, default: str) -> str:
    """What to do with parameters that are not offered: `strict` or `lenient`.

    Args:
        prefer: the `Prefer` header; what is not understood there may be passed over, says RFC 7240.
        default: what to do when the header does not say.
    """
    found = re.search(r"(?:^|[;,])\s*handling\s*=\s*\"?(strict|lenient)\"?\s*(?:$|[;,])", prefer)
    return found[1] if found else default


def grammar(services: Services, caller: Caller, reader: Reader, *, lenient: bool) -> Grammar:
    """The grammar of one search, with the limits of the settings and the value sets that the caller may see."""
    return Grammar(
        services.base_url, limits(services.settings), lenient=lenient, value_sets=_value_sets(reader, view(caller))
    )


def limits(settings: Settings) -> Limits:
    """How much one search may ask."""
    return Limits(
        settings.default_count,
        settings.max_count,
        settings.max_includes,
        settings.max_chain_depth,
        settings.max_or_values,
    )


def _value_sets(reader: Reader, sight: View) -> listed_codes.ValueSets:
    """Value sets that are stored here, or that R4 defines and this program can list."""

    def find(canonical: str) -> Mapping[str, frozenset[str]] | None:
        url, _, version = canonical.partition("|")
        named = Condition(PARAMETERS["ValueSet"]["url"], "", (UriValue(url),))
        found = reader.search(Query((Wanted("ValueSet", (named,)),), count=10, total="none"), sight).versions
        for resource in (codec.reread(stored.data) for stored in reversed(found)):
            if version in ("", resource.get("version")):
                return listed_codes.listed(resource)
        return listed_codes.defined(url)

    return find
