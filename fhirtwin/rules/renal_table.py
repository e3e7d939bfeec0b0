"""Renal dosing: rows that were verified against the text of a label, and nothing else.

Labels give ranges in whole numbers (30 to 49, 10 to 29). A calculated value lies between them (49.6). The lower end of
a range is read as it stands and its upper end as "up to the next range", so that 49.6 counts with 30 to 49: the lower
kidney function, never the higher one. Where a label writes ≤, ≥, < or >, that is kept.
"""

from __future__ import annotations

from typing import Final

from fhirtwin.rules import renal_clotting, renal_infection, renal_metabolism, renal_nerves
from fhirtwin.rules.renal_row import RenalRow

ROWS: Final[tuple[RenalRow, ...]] = (
    *renal_metabolism.ROWS,
    *renal_clotting.ROWS,
    *renal_nerves.ROWS,
    *renal_infection.ROWS,
)
"""One row a medicine."""
