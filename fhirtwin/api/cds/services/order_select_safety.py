"""`twin-order-select`: allergy, duplicate therapy and interactions while orders are chosen.

Only the newly selected drafts are spoken of; the others are what they are checked beside.
"""

from __future__ import annotations

from typing import Final

from fhirtwin.api.cds.advice import order_safety
from fhirtwin.api.cds.contexts import OrderSelect
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.errors import Fault


def select(call: Call) -> Response:
    """Answer one call."""
    context = call.context
    if not isinstance(context, OrderSelect):
        raise Fault("twin-order-select was called without the context of order-select")
    return order_safety.judge(call, context.draft_orders, frozenset(context.selections))


SERVICE: Final = Service(
    id="twin-order-select",
    hooks=("order-select",),
    title="Safety of selected orders",
    description=(
        "Checks the selected draft orders of medicines against allergies and medicines of the record, and against the "
        "other drafts, by FDA labels, and against genes that were looked at, by CPIC; says what it could not check."
    ),
    prefetch=order_safety.PREFETCH,
    handler=select,
)
