"""search-system: `GET [base]?_type=...` and `POST [base]/_search`: one search over several resource types.

*Source*: http://hl7.org/fhir/R4/http.html#search, http://hl7.org/fhir/R4/search.html#_type.
"""

from __future__ import annotations

from fhirtwin.access import Caller, permit
from fhirtwin.errors import Incorrect, Unsupported
from fhirtwin.fhir.tables import RESOURCE_TYPES
from fhirtwin.interactions.context import Answer, Services
from fhirtwin.interactions.search_type import Parameters, carried_out, grammar, handling


def search_system(
    services: Services, caller: Caller, parameters: Parameters, *, prefer: str = "", form: Parameters = ()
) -> Answer:
    """Give one page of the resources of several types that fit, by parameters that all these types have.

    Args:
        services: the parts.
        caller: who asks.
        parameters: decoded names and values; `_type` names the types with commas between, and without it all are meant.
        prefer: the `Prefer` header, as for a search of one type.
        form: the parameters about the form of the answer, likewise.

    Raises:
        Incorrect: `_type` comes twice, or a value cannot be read.
        Unsupported: `_type` names a type that R4 does not have, or a parameter is not offered for all types.
        TooLarge: more than a limit allows.
    """
    permit(caller, "search-system")
    given = list(parameters)
    named = [value for name, value in given if name == "_type"]
    if len(named) > 1:
        raise Incorrect("Name all types in one `_type`, with commas between.")
    types = tuple(dict.fromkeys(named[0].split(","))) if named else tuple(sorted(RESOURCE_TYPES))
    if not RESOURCE_TYPES.issuperset(types):
        raise Unsupported("`_type` names a resource type that R4 does not have (upper and lower case matter).")
    lenient = handling(prefer, services.settings.search_handling) == "lenient"
    with services.store.snapshot() as reader:
        asked = [pair for pair in given if pair[0] != "_type"]
        query = grammar(services, caller, reader, lenient=lenient).parse(types, asked)
        if named:
            query = query.told(("_type", named[0]))
        return Answer(200, carried_out(services, caller, reader, services.base_url, query.told(*form)))
