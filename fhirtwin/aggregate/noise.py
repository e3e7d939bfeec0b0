"""The noise of differential privacy: each site adds a share, and the shares of enough sites add up to the whole.

The whole is discrete Laplace noise (the two-sided geometric distribution; Ghosh, Roughgarden, Sundararajan 2009,
https://arxiv.org/abs/0811.2841): P(k) proportional to a^|k|, with a = exp(-1 / scale) and
scale = sensitivity / epsilon. It is the difference of two geometric numbers; a geometric number is the sum of h
independent negative binomial ones of shape 1/h, since their generating functions multiply; and one of those is a
Poisson number of logarithmic ones. So each site draws the difference of two negative binomial numbers of shape 1/h. Any
h sites together have the noise of the whole, and what further sites add takes nothing away.
"""

from __future__ import annotations

import math
from fractions import Fraction
from random import SystemRandom
from typing import Final

from fhirtwin.errors import Fault
from fhirtwin.studies.round import Round
from fhirtwin.studies.study import Study

_RANDOM: Final = SystemRandom()
_BITS: Final = 128


def added(values: list[int], study: Study, current: Round) -> list[int]:
    """Statistics of one site with its share of the noise of each; without noise in the plan, as they are.

    A round that may spend a part of epsilon has that much more noise.

    Raises:
        Fault: a draw is larger than there is room for, which happens less often than once in e^200.
    """
    found, part = [], float(study.plan.part(current.number))
    for one, value in zip(study.statistics, values, strict=True):
        noisy = value + share(one.scale / part, study.plan.honest) if one.scale else value
        if not one.low <= noisy <= one.high:
            raise Fault(f"The statistic {one.name} is outside the bounds of its study.")
        found.append(noisy)
    return found


def share(scale: float, honest: int) -> int:
    """One site's share of discrete Laplace noise, of which `honest` make the whole."""
    return _negative_binomial(scale, honest) - _negative_binomial(scale, honest)


def _negative_binomial(scale: float, honest: int) -> int:
    """Of shape 1 / honest; the sum of a Poisson number of logarithmic ones."""
    missing = -math.expm1(-1.0 / scale)  # 1 - a
    return sum(_logarithmic(missing) for _ in range(_poisson(-math.log(missing) / honest)))


def _logarithmic(missing: float) -> int:
    """P(k) proportional to a^k / k, from 1. Source: Kemp 1981, algorithm LS, https://doi.org/10.2307/2346348."""
    # With u uniform and q = 1 - (1 - a)^u, one more than a geometric number of that q is logarithmic.
    power = math.log(missing) * _uniform()
    log_q = math.log(-math.expm1(power)) if power > -math.log(2) else math.log1p(-math.exp(power))
    return 1 + geometric(-1.0 / log_q)


def geometric(scale: float) -> int:
    """P(k) proportional to exp(-k / scale), from 0: in whole numbers alone, so that no value is left out by rounding.

    Source: Canonne, Kamath, Steinke 2020, algorithm 2, https://arxiv.org/abs/2004.00010.
    """
    above, below = scale.as_integer_ratio()
    rest = _RANDOM.randrange(above)
    while not _happens(rest, above):
        rest = _RANDOM.randrange(above)
    whole = 0
    while _happens(1, 1):
        whole += 1
    return (rest + above * whole) // below


def _happens(above: int, below: int) -> bool:
    """With a probability of exp(-above / below), which is from 0 to 1. Source: the same, algorithm 1."""
    step = 1
    while _RANDOM.randrange(below * step) < above:
        step += 1
    return step % 2 == 1


def _poisson(mean: float) -> int:
    """By waiting times: their mean is the logarithm of a scale, at most."""
    count, waited = 0, -math.log(_uniform())
    while waited < mean:
        count, waited = count + 1, waited - math.log(_uniform())
    return count


def _uniform() -> float:
    """Between 0 and 1, neither of them; small ones as fine as the others."""
    return float(Fraction(_RANDOM.getrandbits(_BITS) + 1, 2**_BITS + 2))
