"""$expand: `GET` or `POST [base]/ValueSet/$expand`, `[base]/ValueSet/[id]/$expand`: the codes of a value set.

*Source*: http://hl7.org/fhir/R4/valueset-operation-expand.html.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, Final

from fhirtwin.access import permit
from fhirtwin.access.visibility import view
from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec
from fhirtwin.fhir.terminology import expansion
from fhirtwin.fhir.terminology.expansion import Code
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter
from fhirtwin.interactions.terminology import Terminology

_LEFT_OUT: Final = frozenset({"id", "meta", "text", "compose", "expansion", "contained"})
_SHAPING: Final = ("filter", "offset", "count", "activeOnly", "includeDesignations")
"""Parameters that decide what the expansion holds; it names those that were given."""


def expand(call: Call) -> Answer:
    """Give a ValueSet with all of its codes, in a flat list, or the part of it that `offset` and `count` name.

    Args:
        call: `url`, `valueSet` or the address name the value set; `filter` keeps codes of which code or display holds
            each of its words.

    Raises:
        NotFound, Gone: there is no such value set.
        Unprocessable: it cannot be expanded whole with what is here.
        TooLarge: it has too many codes.
        Incorrect: a parameter is wrong.
    """
    permit(call.caller, "read", "ValueSet")
    with call.services.store.snapshot() as reader:
        terminology = Terminology(reader, view(call.caller))
        value_set = terminology.asked(call, "ValueSet", "valueSet", "valueSetVersion")
        codes = terminology.expander.expand(value_set)
    active = call.one("activeOnly") is True
    shown = list(expansion.shown(codes.values(), text=call.one("filter") or "", active_only=active))
    offset, count = call.one("offset") or 0, call.one("count")
    if offset < 0 or (count or 0) < 0:
        raise Incorrect("`offset` and `count` must be 0 or more.")
    page = shown[offset:] if count is None else shown[offset : offset + count]
    designations = call.one("includeDesignations") is True
    made: dict[str, Any] = {
        "identifier": uuid.uuid4().urn,
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "total": len(shown),
        "offset": offset,
        "parameter": [_parameter(name, call.one(name)) for name in _SHAPING if call.one(name) is not None],
        "contains": [_contains(code, designations) for code in page],
    }
    kept = {name: value for name, value in value_set.items() if name not in _LEFT_OUT}
    if call.one("includeDefinition") is True and "compose" in value_set:
        kept["compose"] = value_set["compose"]
    # An empty array is no FHIR.
    return Answer(200, codec.encode({**kept, "expansion": {n: value for n, value in made.items() if value != []}}))


def _contains(code: Code, designations: bool) -> dict[str, Any]:
    members: dict[str, Any] = {
        "system": code.system,
        "abstract": code.abstract,
        "inactive": code.inactive,
        "version": code.version,
        "code": code.code,
        "display": code.display,
        "designation": list(code.designations) if designations else [],
    }
    return {name: value for name, value in members.items() if value}


def _parameter(name: str, value: Any) -> dict[str, Any]:
    kind = "valueBoolean" if isinstance(value, bool) else "valueInteger" if isinstance(value, int) else "valueString"
    return {"name": name, kind: value}


OPERATION: Final = Operation(
    name="expand",
    definition="http://hl7.org/fhir/OperationDefinition/ValueSet-expand",
    types=frozenset({"ValueSet"}),
    levels=frozenset({Level.TYPE, Level.INSTANCE}),
    run=expand,
    parameters=(
        Parameter("url", "uri"),
        Parameter("valueSet", "ValueSet"),
        Parameter("valueSetVersion", "string"),
        Parameter("filter", "string"),
        Parameter("offset", "integer"),
        Parameter("count", "integer"),
        Parameter("includeDesignations", "boolean"),
        Parameter("includeDefinition", "boolean"),
        Parameter("activeOnly", "boolean"),
        Parameter("excludeNested", "boolean"),
    ),
)
