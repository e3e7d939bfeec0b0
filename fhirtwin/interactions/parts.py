"""Parts of a resource that is read: `_summary` and `_elements` in the URL of a read or vread.

*Source*: http://hl7.org/fhir/R4/http.html#read, http://hl7.org/fhir/R4/search.html#summary.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec
from fhirtwin.fhir.search import subsetting
from fhirtwin.fhir.search.results import Results

NAMES: Final = frozenset({"_summary", "_elements"})
"""The parameters; a read passes over others."""


def part(type_: str, data: bytes, parameters: Iterable[tuple[str, str]]) -> bytes:
    """What the parameters leave of a resource; every byte of it, where they ask for the whole.

    Args:
        type_: its resource type.
        data: the resource as it is stored.
        parameters: decoded names and values of the URL.

    Raises:
        Incorrect: a value that cannot be read, a parameter twice or both, or a count, which is no part of a resource.
    """
    results = Results((type_,), count=0, max_count=0)
    for name, text in parameters:
        if name in NAMES:
            results.read(name, text)
    asked = results.members()
    if asked["summary"] == "count":
        raise Incorrect("A read gives one resource: `_summary` takes one of true, text, data, false.")
    if not asked["elements"] and asked["summary"] == "false":
        return data
    resource = codec.reread(data)
    if asked["elements"]:
        return codec.encode(subsetting.only(resource, asked["elements"]))
    return codec.encode(subsetting.summarized(resource, asked["summary"]))
