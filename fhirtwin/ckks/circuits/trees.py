"""Boosted trees whose leaf values stay with the engine: the gateway finds the leaves, the engine adds them up.

Which leaf of each tree a person falls into is a one-hot vector, and the margin is that vector times the leaf values. So
trees are panels with one row: a feature for each leaf, a choice for each tree. The gateway walks the trees in clear;
therefore it has all their features, thresholds and shapes, and only the leaf values are not there.

Exactly one leaf of each tree is hot. So the middle between a tree's least and greatest leaf is taken off its leaves and
added to a constant that the gateway has, which halves what a sum can be. Trees whose sums could exceed the bound of a
panel, or whose leaves do not fit a ciphertext, are divided up into parts, each a panel; how many there are is the same
for everybody.

Each part is sealed as a panel without weights is (`fhirtwin.ckks.hidden`), with a probe of known cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks import noise
from fhirtwin.ckks.circuits.circuit import digest_of
from fhirtwin.ckks.circuits.splits import Splits
from fhirtwin.ckks.declared import Declared
from fhirtwin.ckks.hidden import HiddenPanel
from fhirtwin.ckks.panel import LARGEST_SUM, Panel
from fhirtwin.ckks.profiles import MASKED
from fhirtwin.ckks.sealed import Scores
from fhirtwin.errors import Fault, Incorrect

LARGEST: Final = 1.125
"""The declared bound of every place: so much above 1 that gains, which follow from bounds alone, come out as 1."""

TOLERANCE: Final = 3e-4
"""How far a margin may be off unless a model says otherwise: a few ten-thousandths of the log odds."""

BOUND_STEP: Final = 0.25
"""Bounds of sums are widened to multiples of it, so that they tell little of the leaf values."""

_PLACES_OF_ONE_ROW: Final = MASKED.slots

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trees:
    """A whole model, as its owner and the engine have it.

    Attributes:
        splits: everything but the leaf values.
        values: of the leaves of each tree, in the order of its nodes.
        base: what each output has before any tree, shape (outputs,).
        tolerance: how far a margin may be off, before rounding.

    Raises:
        Incorrect: shapes or numbers are wrong, a tree tells nothing or too much, or the error is greater than may be.
    """

    splits: Splits
    values: tuple[Float, ...]
    base: Float
    tolerance: float = TOLERANCE

    declared: ClassVar = Declared(
        MASKED,
        1,
        "two leaves a slot, as a complex number; trees of one output, in as many ciphertexts as they need; a probe "
        "beside them. The vault adds up",
    )

    def __post_init__(self) -> None:
        splits = self.splits
        if [value.shape for value in self.values] != [(tree.leaves,) for tree in splits.trees]:
            raise Incorrect("The model does not have one value for each leaf of each tree.")
        if (
            self.base.shape != (len(splits.outputs),)
            or not np.isfinite(np.concatenate([*self.values, self.base])).all()
        ):
            raise Incorrect("The model must have a finite number for each leaf, and for each output before any tree.")
        for panel in self.panels:
            panel.check()
        for name, error in zip(splits.outputs, self.errors, strict=True):
            if not error <= self.tolerance:
                raise Incorrect(
                    f"Output {name} could be off by {error:.2g} under encryption, more than the {self.tolerance:g} "
                    "that it may; use fewer trees, or smaller leaf values."
                )

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of splits, leaf values and base."""
        return digest_of("trees", self.splits.digest, np.concatenate(self.values), self.base)

    @cached_property
    def constants(self) -> Float:
        """What the gateway adds to the sums of the engine, shape (outputs,)."""
        middles = np.array([(value.min() + value.max()) / 2 for value in self.values])
        return np.asarray(self.base + np.bincount(self.splits.output_of, middles, len(self.splits.outputs)))

    @cached_property
    def parts(self) -> tuple[tuple[int, ...], ...]:
        """Trees of one output that go into one ciphertext, by their numbers."""
        found: list[list[int]] = []
        for output in range(len(self.splits.outputs)):
            places, room = 0, -1.0
            for number in np.flatnonzero(np.array(self.splits.output_of) == output).tolist():
                leaves, most = self.splits.trees[number].leaves, float(np.ptp(self.values[number])) / 2 * LARGEST
                if leaves > _PLACES_OF_ONE_ROW or most > LARGEST_SUM:
                    raise Incorrect(
                        f"Tree {number} has too many leaves for a ciphertext, or values that are too large."
                    )
                if room < most or places + leaves > _PLACES_OF_ONE_ROW:
                    found.append([])
                    places, room = 0, LARGEST_SUM
                found[-1].append(number)
                places, room = places + leaves, room - most
        return tuple(map(tuple, found))

    @cached_property
    def panels(self) -> tuple[Panel, ...]:
        """A panel of one row for each part."""
        return tuple(self._panel(number, part) for number, part in enumerate(self.parts))

    @cached_property
    def errors(self) -> Float:
        """How far each margin may be off, before rounding, shape (outputs,)."""
        squares = [float(noise.error_of(panel, MASKED)[0]) ** 2 for panel in self.panels]
        outputs = [self.splits.output_of[part[0]] for part in self.parts]
        return np.asarray(np.sqrt(np.bincount(outputs, squares, len(self.splits.outputs))))

    def evaluate_plain(self, rows: Float) -> Float:
        """Margins in clear, for rows of features where NaN is a missing value; shape (rows, outputs)."""
        return self.splits.margins(rows, self.values, self.base)

    def public(self, cases: Float) -> PublicTrees:
        """What the gateway gets: no leaf value, but the sums of some cases.

        Args:
            cases: rows of features, of nobody. Each is an equation about the leaf values, and makes lies harder.
        """
        hot = self.splits.one_hot(cases, self.parts)
        hidden = tuple(
            replace(
                hidden_part(self.splits, part, of_part, of_part @ panel.weights.T),
                digest=panel.digest,
                least=-_widened(-panel.range()[0]),
                greatest=_widened(panel.range()[1]),
            )
            for part, panel, of_part in zip(self.parts, self.panels, hot, strict=True)
        )
        return PublicTrees(self.splits, self.parts, hidden, self.constants)

    def _panel(self, number: int, part: Sequence[int]) -> Panel:
        values = [self.values[tree] for tree in part]
        ends = np.cumsum([0, *(len(value) for value in values)]).tolist()
        return Panel(
            features=_names(self.splits, part),
            low=np.zeros(ends[-1]),
            high=np.full(ends[-1], LARGEST),
            rows=(self.splits.outputs[self.splits.output_of[part[0]]],),
            weights=np.concatenate([value - (value.min() + value.max()) / 2 for value in values])[None],
            choices=tuple(tuple(range(start, end)) for start, end in pairwise(ends)),
            package=digest_of("trees part", self.digest, str(number)),
        )


@dataclass(frozen=True, eq=False)
class PublicTrees:
    """A model without its leaf values, as the gateway has it.

    Attributes:
        splits: features, thresholds and shapes of all trees.
        parts: trees that go into one ciphertext, by their numbers.
        panels: what each part is sealed by.
        constants: what each output has added, shape (outputs,).
    """

    splits: Splits
    parts: tuple[tuple[int, ...], ...]
    panels: tuple[HiddenPanel, ...]
    constants: Float

    def vectors(self, values: Float) -> tuple[Float, ...]:
        """What is sealed for one person, a vector for each part.

        Args:
            values: of the features; NaN where a value is missing.

        Raises:
            Incorrect: there are too many or too few, or one is infinite; the text never has a value.
        """
        return tuple(hot[0] for hot in self.splits.one_hot(values[None], self.parts))

    def read(self, scores: Sequence[Scores]) -> Mapping[str, Decimal]:
        """Margins, from the opened and rounded sums of all parts in their order.

        Raises:
            Fault: they are of other parts.
        """
        if [one.panel_digest for one in scores] != [panel.digest for panel in self.panels]:
            raise Fault("These scores are of another model, or not of all its parts in order.")
        margins = dict.fromkeys(self.splits.outputs, Decimal(0))
        for one in scores:
            for output, value in one.values.items():
                margins[output] += value
        rounded = [Decimal(repr(round(float(constant), 6))) for constant in self.constants]
        return {name: margins[name] + constant for name, constant in zip(margins, rounded, strict=True)}


def hidden_part(splits: Splits, part: Sequence[int], cases: Float, answers: Float) -> HiddenPanel:
    """What a gateway has of the trees of one part; digest and bounds of its sum are for the caller to name.

    Args:
        splits: of the model.
        part: numbers of its trees.
        cases: leaves that known cases reach, shape (cases, leaves of the part).
        answers: their centred sums, shape (cases, 1).
    """
    names = _names(splits, part)
    rows = (splits.outputs[splits.output_of[part[0]]],)
    low, high, none = np.zeros(len(names)), np.full(len(names), LARGEST), np.zeros(1)
    return HiddenPanel(names, low, high, rows, "", none, none, cases, answers)


def _names(splits: Splits, part: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"{tree}:{leaf}" for tree in part for leaf in range(splits.trees[tree].leaves))


def _widened(bound: Float) -> Float:
    return np.asarray(np.ceil(bound / BOUND_STEP) * BOUND_STEP + 0.0)
