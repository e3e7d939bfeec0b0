"""Who looks genes up in the tables: this process, or an engine that does not see them. The answers are the same.

Everything that asks for phenotypes or rows of a person takes a `Lookup`, so that the application alone decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from fhirtwin.pgx import phenotype
from fhirtwin.pgx.guideline import Key
from fhirtwin.pgx.recommendations import Find, rows_at
from fhirtwin.pgx.results import GenePhenotype, Known


class Lookup(Protocol):
    """Looks up what the genes of one person mean.

    Where it is somebody else who looks, either method raises `EngineUnavailable` or `EngineAnswerRefused` when nobody
    answered or nothing of the answer may be believed, and `Unprocessable` when more was asked than there is room for.
    """

    def phenotypes(self, calls: Iterable[Known]) -> dict[str, GenePhenotype]:
        """Tell the phenotypes that each call allows, by gene; at most one call a gene."""

    def finder(self, keys: Iterable[Key]) -> Find:
        """Look keys up, all at once, and give what finds their rows.

        Args:
            keys: all that will be asked for; what is given may refuse any other.
        """


class Plain:
    """Reads the tables of this package in this process."""

    def phenotypes(self, calls: Iterable[Known]) -> dict[str, GenePhenotype]:
        """Tell the phenotypes that each call allows, by gene."""
        return {call.gene: phenotype.of_call(call) for call in calls}

    def finder(self, keys: Iterable[Key]) -> Find:
        """Give what finds the rows at any key."""
        return rows_at


PLAIN: Final = Plain()
