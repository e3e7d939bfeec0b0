"""Teaches a network with squares to say what another model says, and reports how well it does where nobody trained it.

A quarter of the rows is put aside before anything is reckoned, and only the report looks at it. How much a unit may say
is chosen by trying, by the error that the network declares, for which no row is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.network import Network
from fhirtwin.ckks.hidden_network import INPUTS, OUTPUTS, UNITS
from fhirtwin.errors import Incorrect
from fhirtwin.training.student import Room, Weights, fit

LARGEST_SHARES: Final = (1.0, 0.5, 0.3, 0.2)
"""What a unit may say at most, in standard deviations of the teacher: the first that is precise enough is taken."""

_TESTED = 0.25
_LEAST_ROWS = 400
_DECAY = 0.3

Float = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Report:
    """How the student does on rows that were put aside, in units of the teacher's outputs (log odds, say).

    Attributes:
        trained, tested: rows.
        covered: share of tested rows that lie in what may be sealed; the others would be refused. All that follows is
            of those that lie in it.
        auc_teacher, auc_student: against the labels, when there are some.
        typical: root of the mean squared difference of student and teacher.
        worst: the largest difference.
        error: what encryption can add to it, as the network declares.
    """

    trained: int
    tested: int
    covered: float
    auc_teacher: float | None
    auc_student: float | None
    typical: float
    worst: float
    error: float


@dataclass(frozen=True, eq=False)
class Distilled:
    """A student.

    Attributes:
        network: takes centred and scaled inputs.
        centre, scale: what the gateway takes away from inputs, and divides the rest by.
        report: how well it does.
    """

    network: Network
    centre: Float
    scale: Float
    report: Report

    def inputs(self, rows: Float) -> Float:
        """Rows as the network takes them."""
        return (rows - self.centre) / self.scale


def distil(
    rows: Float,
    told: Float,
    names: Sequence[str],
    outputs: Sequence[str],
    *,
    labels: Flags | None = None,
    covered: float = 0.99,
    epochs: int = 40,
    seed: int = 1,
) -> Distilled:
    """Teach a network.

    Args:
        rows: of inputs, without missing values.
        told: by the teacher, a column for each output: log odds, not probabilities.
        names: of the columns of rows.
        outputs: names of the columns of what was told.
        labels: what was true, for one output; for the report alone.
        covered: share of the rows trained on that may be sealed. A network is less precise the further out inputs lie.
        epochs: how often every row is seen.
        seed: the same gives the same network.

    Raises:
        Incorrect: rows are too few or not such, or no network was precise enough; the text says what to change.
    """
    _check(rows, told, names, outputs, labels, covered)
    order = np.random.default_rng(seed).permutation(len(rows))
    tested, trained = np.split(order, [int(len(rows) * _TESTED)])
    centre, scale = rows[trained].mean(axis=0), rows[trained].std(axis=0)
    inputs = (rows - centre) / scale
    room = _room(inputs[trained], covered)
    trained = trained[room.holds(inputs[trained])]
    network = _precise(inputs[trained], told[trained], room, tuple(names), tuple(outputs), epochs, seed)
    within = tested[room.holds(inputs[tested])]
    said = network.evaluate_plain(inputs[within])
    off = np.abs(said - told[within])
    report = Report(
        trained=len(trained),
        tested=len(tested),
        covered=len(within) / len(tested),
        auc_teacher=None if labels is None else auc(told[within, 0], labels[within]),
        auc_student=None if labels is None else auc(said[:, 0], labels[within]),
        typical=float(np.sqrt((off**2).mean())),
        worst=float(off.max()),
        error=network.error,
    )
    return Distilled(network, centre, scale, report)


def auc(scores: Float, labels: Flags) -> float:
    """The chance that of a true and a false row the true one has the higher score; ties count half.

    Raises:
        Incorrect: all rows are true, or none.
    """
    if labels.all() or not labels.any():
        raise Incorrect("The labels of the rows put aside are all alike; give more rows.")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    true = int(labels.sum())
    return float((ranks[labels].sum() - true * (true + 1) / 2) / (true * (len(labels) - true)))


def _room(inputs: Float, covered: float) -> Room:
    lengths = np.linalg.norm(inputs, axis=1)
    radius = float(np.ceil(np.quantile(lengths, covered) * 10) / 10)
    return Room(np.floor(inputs.min(axis=0)), np.ceil(inputs.max(axis=0)), radius)


def _precise(
    inputs: Float, told: Float, room: Room, names: tuple[str, ...], outputs: tuple[str, ...], epochs: int, seed: int
) -> Network:
    """The first network that is precise enough, holding units back more and more."""
    middle, spread = told.mean(axis=0), told.std(axis=0)
    refused = ""
    for share in LARGEST_SHARES:
        found = fit(inputs, (told - middle) / spread, room, UNITS, _DECAY, share, epochs, seed)
        try:
            return _network(found.stretched(spread, middle), room, names, outputs)
        except Incorrect as error:
            refused = str(error)
    raise Incorrect(f"No network was precise enough: {refused} Give fewer inputs, or a smaller `covered`.")


def _network(found: Weights, room: Room, names: tuple[str, ...], outputs: tuple[str, ...]) -> Network:
    return Network(names, outputs, room.low, room.high, room.radius, found.weights, found.biases)


def _check(
    rows: Float, told: Float, names: Sequence[str], outputs: Sequence[str], labels: Flags | None, covered: float
) -> None:
    if rows.shape != (len(rows), len(names)) or told.shape != (len(rows), len(outputs)):
        raise Incorrect("There must be a column for each name, of inputs and of what the teacher says.")
    if not (1 <= len(names) <= INPUTS and 1 <= len(outputs) <= OUTPUTS and len(rows) >= _LEAST_ROWS):
        raise Incorrect(f"There may be {INPUTS} inputs and {OUTPUTS} outputs, and must be {_LEAST_ROWS} rows.")
    if not (np.isfinite(rows).all() and np.isfinite(told).all()):
        raise Incorrect(
            "A network takes no missing value: fill them in, as the gateway will have to. "
            "What the teacher says must be finite: log odds, not probabilities."
        )
    ranges = np.concatenate([np.ptp(rows, axis=0), np.ptp(told, axis=0)])
    for place in np.flatnonzero(ranges == 0):
        raise Incorrect(f"{[*names, *outputs][place]} is the same in all rows; leave it out.")
    if labels is not None and (labels.shape != (len(rows),) or labels.dtype != np.bool_ or len(outputs) != 1):
        raise Incorrect("Labels must be a truth value for each row, and go with one output.")
    if not 0.5 <= covered <= 1:
        raise Incorrect("`covered` must be from 0.5 to 1.")
