"""What may be done with the resources of each type: asked by every interaction, and told by `metadata`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fhirtwin.access import Interaction
from fhirtwin.errors import MethodNotAllowed
from fhirtwin.interactions.context import require_type

INTERACTIONS: Final[tuple[Interaction, ...]] = (
    "create",
    "read",
    "vread",
    "update",
    "patch",
    "delete",
    "history-instance",
    "history-type",
    "search-type",
)
"""On resources of a type, in the order in which `metadata` lists them."""

_NOT_OF: Final[Mapping[str, frozenset[Interaction]]] = {
    # What happened is told by this server alone, and nobody changes it afterwards.
    "AuditEvent": frozenset({"create", "update", "patch", "delete"}),
    # http://hl7.org/fhir/R4/binary.html#patch: there is none.
    "Binary": frozenset({"patch"}),
    # http://hl7.org/fhir/R4/subscription.html: creating one asks for notifications, and none are sent. What another
    # server kept of one that is over has an id, so an update stores it.
    "Subscription": frozenset({"create"}),
}

_METHODS: Final[tuple[tuple[Interaction, tuple[str, ...]], ...]] = (
    ("delete", ("DELETE",)),
    ("read", ("GET", "HEAD")),
    ("patch", ("PATCH",)),
    ("update", ("PUT",)),
)


def of(type_: str) -> tuple[Interaction, ...]:
    """The interactions on resources of a type."""
    without = _NOT_OF.get(type_, frozenset())
    return tuple(interaction for interaction in INTERACTIONS if interaction not in without)


def require(type_: str, interaction: Interaction) -> None:
    """Return when resources of this type take this interaction.

    Raises:
        NotFound: there is no such type.
        MethodNotAllowed: they do not.
    """
    require_type(type_)
    offered = of(type_)
    if interaction not in offered:
        allowed = [method for name, methods in _METHODS if name in offered for method in methods]
        raise MethodNotAllowed(f"{type_} takes no {interaction}; `metadata` lists what it takes.", allowed=allowed)
