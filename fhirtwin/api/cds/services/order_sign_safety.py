"""`twin-order-sign`: allergy, duplicate therapy and interactions before orders are signed. All drafts are spoken of."""

from __future__ import annotations

from typing import Final

from fhirtwin.api.cds.advice import order_safety
from fhirtwin.api.cds.contexts import OrderSign
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.errors import Fault


def sign(call: Call) -> Response:
    """Answer one call."""
    context = call.context
    if not isinstance(context, OrderSign):
        raise Fault("twin-order-sign was called without the context of order-sign")
    return order_safety.judge(call, context.draft_orders)


SERVICE: Final = Service(
    id="twin-order-sign",
    hooks=("order-sign",),
    title="Safety of orders to be signed",
    description=(
        "Checks the draft orders of medicines against allergies and medicines of the record, and against one another, "
        "by FDA labels, and against genes that were looked at, by CPIC; says what it could not check."
    ),
    prefetch=order_safety.PREFETCH,
    handler=sign,
)
