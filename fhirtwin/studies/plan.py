"""A plan: what the coordinator writes down, and every site can read before it seals anything."""

from __future__ import annotations

import re
from fractions import Fraction
from math import inf
from typing import Final, Literal

import msgspec

from fhirtwin.errors import Incorrect
from fhirtwin.studies.column import Column

LEAST_CONTRIBUTORS: Final = 3
"""Of two, each would learn the other's part from the total, for it knows its own."""

MOST_SITES: Final = 1024
MOST_ROWS: Final = 10**7
MOST_COLUMNS: Final = 64
MOST_CELLS: Final = 10_000
MOST_EPSILON: Final = 10.0
NOISY_ROUNDS: Final = range(3, 11)
"""Of a logistic regression with noise: two settle nothing, and of many each has little of epsilon."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Noise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Differential privacy of what is opened, towards everybody who sees it, the coordinator too.

    Attributes:
        epsilon: of the whole study, one row more or less.
        honest: so many contributors' noise alone is enough; the others may know or leave out theirs. 0 says: one less
            than the minimum of contributors.
    """

    epsilon: float
    honest: int = 0


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is added up, by whom, and within which bounds.

    Attributes:
        name: of the study.
        kind: `count`, `mean`, `histogram`, `ridge` or `logistic`.
        sites: names of all who are invited.
        columns: what is averaged, counted or a predictor; none for a count.
        outcome: of a regression; a logistic one has 0 or 1.
        penalty: as `alpha` of scikit-learn's Ridge; for logistic regression, 1 / `C` of its LogisticRegression.
        minimum_contributors: a total of fewer is neither made nor opened.
        least_rows, most_rows: of one site.
        missing: whether a row in which a value is missing is refused with its file, or left out and counted.
        most_rounds: of a logistic regression; with noise there are exactly so many.
        noise: of differential privacy, or none.
    """

    name: str
    kind: Literal["count", "mean", "histogram", "ridge", "logistic"]
    sites: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    outcome: Column | None = None
    penalty: float = 0.0
    minimum_contributors: int = LEAST_CONTRIBUTORS
    least_rows: int = 10
    most_rows: int = 100_000
    missing: Literal["refuse", "leave out"] = "refuse"
    most_rounds: int = 25
    noise: Noise | None = None

    def check(self) -> None:
        """Refuse what does not go together, before anybody is asked for anything.

        Raises:
            Incorrect: it does not; the text says what to change.
        """
        self._check_sites()
        self._check_columns()
        if not 1 <= self.least_rows <= self.most_rows <= MOST_ROWS:
            raise Incorrect(f"least_rows and most_rows must be from 1 to {MOST_ROWS:,}, in that order.")
        if not 0 <= self.penalty <= 1e12:
            raise Incorrect("penalty must be a number from 0 to 1e12.")
        if self.penalty and not self.outcome:
            raise Incorrect("Only a regression has a penalty.")
        if not 1 <= self.most_rounds <= 100:
            raise Incorrect("most_rounds must be from 1 to 100.")
        if self.noise:
            self._check_noise(self.noise)

    @property
    def variables(self) -> tuple[Column, ...]:
        """All that is read of a row: the columns, and last the outcome."""
        return self.columns + ((self.outcome,) if self.outcome else ())

    @property
    def rounds(self) -> int:
        """How many totals may be opened."""
        return self.most_rounds if self.kind == "logistic" else 1

    @property
    def is_noisy_logistic(self) -> bool:
        """Whether rounds share a budget of privacy: then nothing is opened that no step needs."""
        return self.kind == "logistic" and self.noise is not None

    @property
    def counts_rows(self) -> bool:
        """Whether the number of rows is opened; the cells of a histogram add up to it."""
        return self.kind != "histogram" and not self.is_noisy_logistic

    @property
    def counts_left_out(self) -> bool:
        """Whether the number of rows with a value missing is opened."""
        return self.missing == "leave out" and bool(self.columns) and not self.is_noisy_logistic

    def part(self, number: int) -> Fraction:
        """Which part of epsilon a round may spend: the last has a half, since its noise stays in the result."""
        if not self.is_noisy_logistic:
            return Fraction(1)
        return Fraction(1, 2) if number == self.rounds else Fraction(1, 2 * (self.rounds - 1))

    def epsilon_of(self, number: int) -> float:
        """What a round may spend; without noise there is no end to it."""
        return float(self.part(number)) * (self.noise.epsilon if self.noise else inf)

    @property
    def honest(self) -> int:
        """So many contributors' noise is enough."""
        return (self.noise.honest if self.noise else 0) or self.minimum_contributors - 1

    def _check_sites(self) -> None:
        for name in (self.name, *self.sites):
            if not _NAME.fullmatch(name):
                raise Incorrect(
                    "Names of the study and of sites have 1 to 64 letters, digits, dots, hyphens and underscores."
                )
        if len(set(self.sites)) != len(self.sites):
            raise Incorrect("A site is named twice.")
        if not LEAST_CONTRIBUTORS <= self.minimum_contributors <= len(self.sites) <= MOST_SITES:
            raise Incorrect(
                f"minimum_contributors must be at least {LEAST_CONTRIBUTORS} (of two, each would learn the other's "
                f"part) and at most the number of sites, and of sites there may be {MOST_SITES:,}."
            )

    def _check_columns(self) -> None:
        for column in self.variables:
            column.check()
            if bool(column.edges) != (self.kind == "histogram"):
                raise Incorrect(
                    f"Column {column.name}: edges belong to the columns of a histogram, and to each of them."
                )
        names = [column.name for column in self.variables]
        if len(set(names)) != len(names):
            raise Incorrect("A column is named twice.")
        if (self.kind == "count") == bool(self.columns) or len(self.columns) > MOST_COLUMNS:
            raise Incorrect(f"A count has no columns; everything else has 1 to {MOST_COLUMNS}.")
        if (self.kind in {"ridge", "logistic"}) != (self.outcome is not None):
            raise Incorrect("A regression has an outcome, and nothing else has.")
        if sum(len(column.edges) for column in self.columns) > MOST_CELLS:
            raise Incorrect(f"Histograms of a study have at most {MOST_CELLS:,} cells.")
        outcome = self.outcome
        if self.kind == "logistic" and outcome and (outcome.low != 0 or outcome.high != 1 or outcome.step != 1):
            raise Incorrect("The outcome of a logistic regression is 0 or 1: low 0, high 1, step 1.")

    def _check_noise(self, noise: Noise) -> None:
        if self.kind == "logistic" and self.most_rounds not in NOISY_ROUNDS:
            raise Incorrect(
                "With noise a logistic regression takes exactly most_rounds rounds, which part epsilon among them; set "
                f"most_rounds, from {NOISY_ROUNDS[0]} to {NOISY_ROUNDS[-1]} (4 for a common outcome, 6 for 5 in 100)."
            )
        if not 0.001 <= noise.epsilon <= MOST_EPSILON:
            raise Incorrect(f"epsilon must be from 0.001 to {MOST_EPSILON:g}; more protects nobody.")
        if not 0 <= noise.honest <= self.minimum_contributors:
            raise Incorrect("honest must be from 1 to minimum_contributors, or 0 for one less than these.")


def read(data: bytes) -> Plan:
    """Read and check a plan.

    Raises:
        Incorrect: it is none, or parts of it do not go together.
    """
    try:
        plan = msgspec.json.decode(data, type=Plan)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Incorrect(f"The plan cannot be read: {error}.") from None
    plan.check()
    return plan
