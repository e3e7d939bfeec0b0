"""$meta-delete: `POST [base]/[type]/[id]/$meta-delete`: takes profiles, tags and security labels away.

*Source*: http://hl7.org/fhir/R4/resource-operation-meta-delete.html.
"""

from __future__ import annotations

from typing import Final

from fhirtwin.interactions import labels
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import ANY_TYPE, Call, Level, Operation, Parameter


def meta_delete(call: Call) -> Answer:
    """Take away what the resource has of these; what it has not is no error.

    Raises:
        Incorrect: `meta` says something that this operation does not change.
        NotFound, Gone: no such resource.
    """
    return labels.change(call, labels.without)


OPERATION: Final = Operation(
    name="meta-delete",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-meta-delete",
    types=frozenset({ANY_TYPE}),
    levels=frozenset({Level.INSTANCE}),
    run=meta_delete,
    parameters=(Parameter("meta", "Meta", required=True),),
    affects_state=True,
)
