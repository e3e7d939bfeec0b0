"""$meta-add: `POST [base]/[type]/[id]/$meta-add`: adds profiles, tags and security labels.

*Source*: http://hl7.org/fhir/R4/resource-operation-meta-add.html.
"""

from __future__ import annotations

from typing import Final

from fhirtwin.interactions import labels
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import ANY_TYPE, Call, Level, Operation, Parameter


def meta_add(call: Call) -> Answer:
    """Add what the resource does not have yet; what it has stays as it is.

    Raises:
        Incorrect: `meta` says something that this operation does not change.
        NotFound, Gone: no such resource.
    """
    return labels.change(call, labels.merged)


OPERATION: Final = Operation(
    name="meta-add",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-meta-add",
    types=frozenset({ANY_TYPE}),
    levels=frozenset({Level.INSTANCE}),
    run=meta_add,
    parameters=(Parameter("meta", "Meta", required=True),),
    affects_state=True,
)
