"""What each row adds to gradient and curvature under noise: whole numbers, so that one row changes what it may.

A sum of doubles can change by more than what is added, and rounding a sum by one more; so noise that was reckoned for
real numbers would be too little (Casacuberta, Shoemate, Vadhan, Wagaman 2022, https://arxiv.org/abs/2207.10635). Here
each row is made whole first, towards zero, and whole numbers are added up.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.studies.statistics import REAL_BITS

RISK_BITS: Final = 26
"""How far a risk is from its outcome is a multiple of 2 to the minus this, so that r * (1 - r) is exact in a double."""

Float = NDArray[np.float64]
Whole = NDArray[np.int64]


def distances(predictor: Float, outcome: Float) -> Float:
    """How far each predicted risk is from its outcome: from 0 to 1, in multiples of 2^-26."""
    away = np.exp(-np.logaddexp(0.0, np.where(outcome > 0, predictor, -predictor)))
    return np.asarray(np.clip(np.rint(away * 2.0**RISK_BITS), 0, 2**RISK_BITS) * 2.0**-RISK_BITS)


def gradients(design: Float, distance: Float, outcome: Float) -> Whole:
    """A line for each row, in multiples of 2^-30: none is larger than the distance of its row."""
    signed = np.where(outcome > 0, -distance, distance)
    return _whole(design * signed[:, None])


def curvatures(design: Float, distance: Float, places: tuple[Whole, Whole]) -> Whole:
    """A line for each row, in multiples of 2^-30: none is larger than r * (1 - r) of its row.

    Args:
        design: from -1 to 1.
        distance: of `distances`.
        places: of the matrix, on and above its diagonal.
    """
    weight = distance * (1.0 - distance)
    return _whole(design[:, places[0]] * design[:, places[1]] * weight[:, None])


def _whole(real: Float) -> Whole:
    """Towards zero; the product with a power of 2 is exact."""
    return np.asarray(np.trunc(real * 2.0**REAL_BITS).astype(np.int64))
