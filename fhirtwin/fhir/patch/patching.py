"""What both kinds of patch share: their errors, and limits on the work that one patch may ask for."""

from __future__ import annotations

from typing import Any, Final

from fhirtwin.errors import TooLarge, Unprocessable

MAX_OPERATIONS: Final = 1000
"""Most operations of one patch."""

MAX_WORK: Final = 500_000
"""Most values that one patch may visit, copy and compare: about a second. A resource and a patch within the limit for
bodies can ask for a thousand times as many, and a chain of copies doubles a resource with every one."""

MAX_DEPTH: Final = 64
"""Deepest nesting of what a patch may put in place."""


class DoesNotApply(Unprocessable):
    """The patch is right in itself, and the resource is not such that it could be applied.

    *Source*: RFC 5789, 2.2; 422 for a failed `test` is what HL7 says since R5.
    """


class Work:
    """Counts what one patch visits."""

    def __init__(self) -> None:
        self._left = MAX_WORK

    def spend(self, values: int) -> None:
        """Count `values` more.

        Raises:
            TooLarge: that is more than one patch may visit.
        """
        self._left -= values
        if self._left < 0:
            raise TooLarge(f"A patch may visit at most {MAX_WORK} values; send several smaller ones.")

    def weigh(self, value: Any, depth: int) -> None:
        """Count a value that is put in place at `depth`, or compared, level by level.

        Raises:
            TooLarge: it has too many values, or would lie too deep.
        """
        level = [value]
        while level:
            self.spend(len(level))
            if depth > MAX_DEPTH:
                raise TooLarge(f"A patch may nest values at most {MAX_DEPTH} deep.")
            depth += 1
            level = [
                inner
                for one in level
                if isinstance(one, dict | list)
                for inner in (one.values() if isinstance(one, dict) else one)
            ]
