"""Published exposure ratios of drug-drug-gene interactions beside what the convention of phenoconversion expects.

    python -m benchmarks.exposure_ratios

Each row is predicted without itself: how much of a substrate goes through CYP2D6 is told from the other rows of the
same substrate with a strong inhibitor; where there is none that tells it, from the other substrates (marked). Bar:
geometric mean of the fold errors at most 1.5, and less than that of assuming no interaction. Exit code 1 when missed.

Source: psp4.12411 (CPT Pharmacometrics Syst Pharmacol 2019;8:567-576), table 4.
"""

from __future__ import annotations

import math
import statistics
import sys
from dataclasses import dataclass

from fhirtwin.pgx import phenoconversion

BAR = 1.5


@dataclass(frozen=True, slots=True)
class Observation:
    substrate: str
    inhibitor: str
    score: float
    observed: float


@dataclass(frozen=True, slots=True)
class Row:
    observation: Observation
    share: float
    borrowed: bool
    predicted: float

    @property
    def fold(self) -> float:
        return math.exp(abs(math.log(self.predicted / self.observation.observed)))


# "EM" of the risperidone study is taken as a score of two.
OBSERVED = (
    Observation("dextromethorphan", "duloxetine", 1.0, 1.8),
    Observation("dextromethorphan", "duloxetine", 2.0, 2.4),
    Observation("dextromethorphan", "paroxetine", 1.0, 8.5),
    Observation("dextromethorphan", "paroxetine", 2.0, 14.6),
    Observation("tolterodine", "fluoxetine", 0.0, 1.25),
    Observation("tolterodine", "fluoxetine", 1.0, 5.47),
    Observation("tolterodine", "fluoxetine", 2.0, 17.4),
    Observation("risperidone", "fluoxetine", 0.0, 1.3),
    Observation("risperidone", "fluoxetine", 2.0, 4.2),
)


def _strength(one: Observation) -> str:
    return phenoconversion.inhibitors()[one.inhibitor, "CYP2D6"].strength


def _shares(rows: list[Observation]) -> list[float]:
    """What each row says of the enzyme's part; a strong inhibitor leaves none of it, no enzyme says nothing."""
    return [(one.observed - 1) * 2 / one.score for one in rows if _strength(one) == "strong" and one.score]


def predict(one: Observation) -> Row:
    others = [other for other in OBSERVED if other is not one]
    own = _shares([other for other in others if other.substrate == one.substrate])
    share = statistics.geometric_mean(own or _shares([other for other in others if other.substrate != one.substrate]))
    effective = one.score * float(phenoconversion.FACTORS[_strength(one)])
    # Without enzyme there is nothing to share: the prediction is one, whatever it was told from.
    borrowed = not own and one.score > 0
    return Row(one, share, borrowed, phenoconversion.exposure_ratio(one.score, effective, share))


def rows() -> list[Row]:
    return [predict(one) for one in OBSERVED]


def errors(found: list[Row]) -> tuple[float, float]:
    """Geometric mean of fold errors: ours, and that of assuming no interaction."""
    return statistics.geometric_mean(row.fold for row in found), statistics.geometric_mean(
        row.observation.observed for row in found
    )


def table() -> str:
    lines = ["| substrate | inhibitor | score | observed | expected | fold error |", "|---|---|---|---|---|---|"]
    for row in rows():
        one = row.observation
        lines.append(
            f"| {one.substrate} | {one.inhibitor} ({_strength(one)}) | {one.score:g} | {one.observed:g} "
            f"| {row.predicted:.2f}{' ¹' if row.borrowed else ''} | {row.fold:.2f}{' ✗' if row.fold > BAR else ''} |"
        )
    ours, without = errors(rows())
    return "\n".join([*lines, f"| **geometric mean** | | | | | **{ours:.2f}** (no interaction: {without:.2f}) |"])


def main() -> None:
    print(table())
    ours, without = errors(rows())
    sys.exit(0 if ours <= BAR and ours < without else 1)


if __name__ == "__main__":
    main()
