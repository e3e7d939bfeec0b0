"""What rows of renal dosing have in common: what labels say of body weight, and where labels are published."""

from __future__ import annotations

from typing import Final

UNNAMED: Final = "The label asks for creatinine clearance and names no weight; actual body weight is used."
EQUATION: Final = "The label gives the equation of Cockcroft and Gault with body weight; actual body weight is used."
COCKCROFT: Final = "The label asks for the equation of Cockcroft and Gault; actual body weight is used."
DAILYMED: Final = "https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid="


def rxnorm(*codes: str) -> frozenset[str]:
    """Gather RxNorm ingredient codes."""
    return frozenset(codes)
