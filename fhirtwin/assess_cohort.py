"""Road 2 for thousands of patients at once: their vectors → one batch → engine → opened → scores, each with its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fhirtwin import __version__
from fhirtwin.ckks.circuits.batch import Batch, BatchScores
from fhirtwin.ckks.panel import Panel
from fhirtwin.features.case import Case
from fhirtwin.features.panel import panel_values
from fhirtwin.predictors import score
from fhirtwin.predictors.model import FeatureVector, Result
from fhirtwin.settings import Settings
from fhirtwin.vault import BatchVault, Send, answered

Results = tuple[Result, ...]


class CohortAssessor:
    """Scores cases, as many at once as fit in a batch.

    Args:
        panel: of all predictors, the engine's.
        send: the way to the engine.
        settings: what links and categories depend on.
    """

    def __init__(self, panel: Panel, send: Send, settings: Settings) -> None:
        self.circuit = Batch(panel)
        self._vault = BatchVault(self.circuit)
        self._send, self._settings = send, settings

    @property
    def most(self) -> int:
        """Cases of one batch."""
        return self.circuit.patients

    def assess(self, cases: Sequence[Case]) -> list[Results]:
        """Score every vector of every case; nothing is sent when there is no vector at all.

        Each case keeps its place from here to there: the vault seats the patients in their order, and gives a row of
        sums for each.

        Args:
            cases: at most `most`.

        Returns:
            The results of each case, in the order of the cases and of their vectors.

        Raises:
            EngineUnavailable: the engine did not answer in time, or is of another version.
            EngineAnswerRefused: its answer failed a check; nothing is calculated, of nobody.
        """
        places = [place for place, case in enumerate(cases) if case.vectors]
        results: list[Results] = [()] * len(cases)
        if not places:
            return results
        opened = self._opened([cases[place] for place in places])
        sums_of = _by_name(opened)
        how = (
            f"The weighted sum was computed on ciphertext by fhirtwin engine {__version__} (CKKS, parameter profile "
            f"{opened.profile}, many patients in one call), which held no key that opens; the gateway opened and "
            "rounded it, and applied the equation's constant and link."
        )
        for seat, place in enumerate(places):
            case = cases[place]
            results[place] = tuple(
                Result(vector, score.scores(vector, sums_of(seat, vector), self._settings), how, notes)
                for vector, notes in zip(case.vectors, case.notes, strict=True)
            )
        return results

    def _opened(self, cases: Sequence[Case]) -> BatchScores:
        panel = self.circuit.panel
        return answered(self._vault, np.stack([panel_values(case.vectors, panel) for case in cases]), self._send)


def _by_name(opened: BatchScores) -> Callable[[int, FeatureVector], dict[str, float]]:
    """Give what looks up the sums of one patient for one predictor, by the names of its rows."""
    columns: dict[str, dict[str, int]] = {}
    for column, name in enumerate(opened.rows):
        predictor, _, row = name.partition(":")
        columns.setdefault(predictor, {})[row] = column
    sums = opened.counts * float(opened.step)

    def look_up(seat: int, vector: FeatureVector) -> dict[str, float]:
        line = sums[seat]
        return {row: float(line[column]) for row, column in columns[vector.predictor.id].items()}

    return look_up
