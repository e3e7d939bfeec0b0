"""How far the sums of a panel may be off, forecast from its weights and bounds before anybody is sealed."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.layout import gains_of
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import Profile

FRESH_NOISE: Final = 700.0
"""Standard deviation of one part of a slot of a fresh ciphertext at degree 4096, times its scale: 672 when measured.

That is of encryption under the public key, as browsers and kept keys do it. Under the secret key it is 147 for a
message alone. Of several (`Ring.encrypt_again`) neighbours share noise with opposite signs: a weighted sum of them has
at most 294 where independent ones of 147 would have 147. So forecasts cover all three.

It follows from rounding when SEAL brings a fresh ciphertext from all primes to the data prime: sqrt((1 + 2n/3) / 12) a
coefficient, times sqrt(n / 2) for the sum over coefficients.
"""

_DEVIATIONS = 6.0
"""Beyond so many standard deviations lies one sum of five hundred million."""


def error_of(panel: Panel, profile: Profile) -> NDArray[np.float64]:
    """How far an opened sum of each row may be from the plain one, before rounding; shape (rows,).

    It is the noise of sealing, by the weights, and that of rounding the coefficients of encoded weights, by the largest
    features, of each choice one alone; over all slots of a row.
    """
    gains = gains_of(panel)
    sealing = ((panel.weights / gains) ** 2).sum(axis=1) * (FRESH_NOISE / profile.input_scale) ** 2
    rounding = panel.added((panel.largest() * gains)[None] ** 2) * profile.degree / 12 / profile.weight_scale**2
    error: NDArray[np.float64] = _DEVIATIONS * np.sqrt(sealing + rounding)
    return error
