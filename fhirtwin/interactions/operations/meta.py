"""$meta: `GET` or `POST [base]/$meta`, `[base]/[type]/$meta`, `[base]/[type]/[id]/$meta`: profiles, tags, labels.

*Source*: http://hl7.org/fhir/R4/resource-operation-meta.html.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from fhirtwin.access import permit
from fhirtwin.access.visibility import view
from fhirtwin.errors import TooLarge
from fhirtwin.fhir import codec
from fhirtwin.interactions import labels, read
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import ANY_TYPE, Call, Level, Operation
from fhirtwin.store import Reader

MOST_RESOURCES: Final = 100_000
"""Most resources that are gone through for the labels of a type or of everything."""


class _Labelled(msgspec.Struct):
    meta: dict[str, Any] = {}


def meta(call: Call) -> Answer:
    """Give the meta of a resource; or all profiles, tags and labels in use on a type, or on the server.

    Raises:
        NotFound, Gone: no such resource.
        TooLarge: more than `MOST_RESOURCES` would have to be gone through.
    """
    permit(call.caller, "read" if call.id else "search-type", call.type)
    with call.services.store.snapshot() as reader:
        if call.id:
            stored = read.current(reader, call.caller, call.type, call.id)
            return labels.given(codec.reread(stored.data)["meta"])
        return labels.given(_in_use(call, reader))


def _in_use(call: Call, reader: Reader) -> labels.Meta:
    found: dict[str, dict[tuple[str, str], Any]] = {name: {} for name in labels.SETS}
    for number, stored in enumerate(reader.each(call.type, view(call.caller))):
        if number >= MOST_RESOURCES:
            raise TooLarge(f"There are more than {MOST_RESOURCES} resources; ask for a type, or for one resource.")
        # Everything else of the resource is skipped, not made into objects.
        one = msgspec.json.decode(stored.data, type=_Labelled).meta
        for name in labels.SETS:
            for value in one.get(name, ()):
                found[name].setdefault(labels.identity(value), value)
    return {name: [values[key] for key in sorted(values)] for name, values in found.items() if values}


OPERATION: Final = Operation(
    name="meta",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-meta",
    types=frozenset({ANY_TYPE}),
    levels=frozenset(Level),
    run=meta,
)
