"""Who may do what: callers, and the one question that every interaction asks before anything else.

Pure: facts in, verdict out. No database, no HTTP, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from fhirtwin.errors import Forbidden

Interaction = Literal[
    "create",
    "read",
    "vread",
    "update",
    "patch",
    "delete",
    "history-instance",
    "history-type",
    "history-system",
    "search-type",
    "search-system",
    "batch",
    "transaction",
    "capabilities",
    "operation",
]
"""What FHIR calls it: http://hl7.org/fhir/R4/codesystem-restful-interaction.html, `capabilities` and `operation`."""

_EVERYTHING: Final[frozenset[Interaction]] = frozenset(get_args(Interaction))


_WRITES: Final[frozenset[Interaction]] = frozenset({"create", "update", "patch", "delete"})
"""Nobody who sees a part of the records may write: what they may write where is not told yet."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls.

    Attributes:
        id: a name for logs and audit; never a secret.
        may: the interactions allowed; what is not listed is forbidden.
        patients: ids of the patients of this server whose records they may see; None: everybody's.
        withheld: security labels (system and code) of what they may not see.
        administrator: whether they may see how the server does its work.
    """

    id: str
    may: frozenset[Interaction] = frozenset()
    patients: frozenset[str] | None = None
    withheld: frozenset[tuple[str, str]] = frozenset()
    administrator: bool = False


LOCAL_TOKEN: Final = Caller("local-token", _EVERYTHING)
"""Holds the token of the data folder."""

OPEN: Final = Caller("open", _EVERYTHING, administrator=True)
"""Anybody on this machine, when the gateway runs with `--open`."""


def runs_the_server(caller: Caller) -> bool:
    """Whether the caller is an administrator, or holds the token of the data folder, which nobody else can read."""
    return caller.administrator or caller.id == LOCAL_TOKEN.id


def permit_figures(caller: Caller) -> None:
    """Return when the caller may see what this server did for all: an administrator, or who runs it.

    Raises:
        Forbidden: neither.
    """
    if not runs_the_server(caller):
        raise Forbidden("Figures of the server are for administrators.")


def permit(caller: Caller, interaction: Interaction, type_: str = "") -> None:
    """Return when the caller may do this.

    Args:
        caller: who asks.
        interaction: what for.
        type_: on which resource type; empty for the whole server.

    Raises:
        Forbidden: not allowed; what nobody has allowed is not.
    """
    bound = caller.patients is not None or caller.withheld
    if interaction not in caller.may or (bound and interaction in _WRITES):
        raise Forbidden(f"You may not use {interaction}{f' of {type_}' if type_ else ' here'}.")
