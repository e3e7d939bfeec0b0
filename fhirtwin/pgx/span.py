"""Where a Variant lies and what a range asks for, both in zero-based half-open positions of one reference sequence.

*Source*: https://hl7.org/fhir/uv/genomics-reporting/STU3/StructureDefinition-variant.html (components 48013-7, 81254-5,
92822-6, 69547-8); ranges as https://hl7.org/fhir/uv/genomics-reporting/STU3/operations.html writes them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_RANGE: Final = re.compile(r"(N[CGTMR]_\d{6,9}\.\d{1,2}):(\d{1,10})-(\d{1,10})")


@dataclass(frozen=True, slots=True)
class Span:
    """Positions from `start`, with it, to `end`, without it.

    Attributes:
        sequence: RefSeq accession with its version.
    """

    sequence: str
    start: int
    end: int

    def meets(self, other: Span) -> bool:
        """Whether they share a position; an insertion, which has none of its own, lies where it is put in."""
        if self.sequence != other.sequence:
            return False
        return self.start < max(other.end, other.start + 1) and other.start < max(self.end, self.start + 1)

    def comparable(self, other: Span) -> bool:
        """Whether positions can be compared: not those of two versions of one sequence."""
        return self.sequence == other.sequence or self.sequence.split(".")[0] != other.sequence.split(".")[0]


def read(text: str) -> Span | None:
    """Read `NC_000010.11:94761899-94761900`; None when it is no such range."""
    match = _RANGE.fullmatch(text.strip())
    if match is None or int(match[2]) >= int(match[3]):
        return None
    return Span(match[1], int(match[2]), int(match[3]))
