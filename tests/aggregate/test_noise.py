"""The noise is what the documentation says it is: its distribution, and the bound that makes it private."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from fhirtwin.aggregate import noise
from fhirtwin.errors import Fault
from fhirtwin.studies.plan import Noise
from fhirtwin.studies.round import Round
from tests.studies.builders import AGE, ILL, Parties, plan

DRAWS = 20_000
LEAST_P = 1e-6  # so that a right sampler fails once in a million runs


def fits(drawn: list[int], probability: stats.rv_discrete, low: int, high: int) -> bool:
    """Chi-squared over the values from `low` to `high`, with what lies outside as two cells more."""
    counted = Counter(min(max(one, low - 1), high + 1) for one in drawn)
    cells = range(low - 1, high + 2)
    expected = np.array([probability.pmf(k) for k in range(low, high + 1)])
    expected = np.concatenate([[probability.cdf(low - 1)], expected, [probability.sf(high)]]) * len(drawn)
    observed = np.array([counted[k] for k in cells])
    kept = expected > 5
    return bool(
        stats.chisquare(observed[kept], expected[kept] * observed[kept].sum() / expected[kept].sum()).pvalue > LEAST_P
    )


@pytest.mark.parametrize("scale", [0.4, 2.0, 5.5])
def test_geometric_numbers_are_geometric(scale: float) -> None:
    drawn = [noise.geometric(scale) for _ in range(DRAWS)]
    assert fits(drawn, stats.geom(-math.expm1(-1 / scale), loc=-1), 0, int(4 * scale) + 1)


@pytest.mark.parametrize(("scale", "honest"), [(2.0, 1), (2.0, 3), (0.7, 2), (6.0, 5)])
def test_shares_of_enough_sites_add_up_to_discrete_laplace_noise(scale: float, honest: int) -> None:
    drawn = [sum(noise.share(scale, honest) for _ in range(honest)) for _ in range(DRAWS)]
    assert fits(drawn, stats.dlaplace(1 / scale), -int(4 * scale) - 1, int(4 * scale) + 1)


def test_large_noise_has_the_right_size_and_leaves_no_value_out() -> None:
    drawn = np.array([noise.share(2.0**60, 1) for _ in range(600)], dtype=object)
    magnitude = float(np.mean([abs(one) for one in drawn]))
    assert magnitude == pytest.approx(2.0**60, rel=0.3)
    assert 0.4 < np.mean([one % 2 for one in drawn]) < 0.6  # low bits are noise as well
    assert 0.4 < np.mean([one >> 1 & 1 for one in drawn]) < 0.6


def test_one_row_more_changes_no_probability_by_more_than_epsilon() -> None:
    """Of the distribution that the draws were shown to have: P(k) / P(k - sensitivity) is at most e^epsilon."""
    noisy = Parties(plan("count", noise=Noise(0.7)))
    (rows,) = [one for one in noisy.study.statistics if one.name == "rows"]
    distribution = stats.dlaplace(1 / rows.scale)
    for k in range(-20, 21):
        assert distribution.pmf(k) / distribution.pmf(k - rows.sensitivity) <= math.exp(0.7) * (1 + 1e-9)


def test_noise_is_added_to_what_counts_people_and_to_nothing_else() -> None:
    parties = Parties(plan("count", noise=Noise(0.01)))
    drawn = [noise.added([1, 50], parties.study, parties.first) for _ in range(20)]
    assert {one[0] for one in drawn} == {1}
    assert len({one[1] for one in drawn}) > 10


def test_without_noise_statistics_are_as_they_are() -> None:
    parties = Parties(plan())
    assert noise.added([1, 50], parties.study, parties.first) == [1, 50]


def test_noise_there_is_no_room_for_is_a_fault_and_not_clipped(monkeypatch: pytest.MonkeyPatch) -> None:
    parties = Parties(plan("count", noise=Noise(1.0)))
    monkeypatch.setattr(noise, "share", lambda *_: 10**9)
    with pytest.raises(Fault, match="rows is outside"):
        noise.added([1, 50], parties.study, parties.first)


ROUNDS = plan("logistic", columns=(AGE,), outcome=ILL, most_rounds=5, noise=Noise(2.0))


def test_noise_of_a_round_is_that_of_its_part_of_epsilon() -> None:
    """Shares of as many sites as are needed add up to Laplace noise of the scale that the reckoning asks for."""
    study = Parties(ROUNDS).study
    for number in (1, 5):
        current = Round(study.digest, number, (0.0, 0.0))
        shares = [noise.added([1, 0, 0, 0, 0, 0], study, current) for _ in range(2 * 3000)]
        epsilon = ROUNDS.epsilon_of(number)
        assert epsilon == (1.0 if number == 5 else 0.25)
        for place, scale in ((1, 2 * 9 / (8 * epsilon)), (3, 3 * 9 / (16 * epsilon))):
            drawn = [(one[place] + other[place]) / 2**30 for one, other in pairwise_sites(shares)]
            assert stats.kstest(drawn, stats.laplace(scale=scale).cdf).pvalue > LEAST_P


def pairwise_sites(shares: list[list[int]]) -> list[tuple[list[int], list[int]]]:
    """As if of two sites each: so many are needed of the four."""
    assert ROUNDS.honest == 2
    return list(zip(shares[::2], shares[1::2], strict=True))


def test_every_round_has_room_for_its_noise() -> None:
    study = Parties(ROUNDS).study
    for one in study.statistics[1:]:
        assert one.high > 199 * one.scale / float(ROUNDS.part(1))
        assert one.low < -199 * one.scale / float(ROUNDS.part(1))
