"""Linear panels: weighted sums of features, in one ciphertext."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from fhirtwin.ckks import noise, packing
from fhirtwin.ckks.declared import OF_PANELS
from fhirtwin.ckks.hidden import HiddenPanel
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import MASKED
from fhirtwin.errors import Incorrect
from fhirtwin.packages import safetensors, strict_json, transforms
from fhirtwin.packages.forms.manifest import Manifest
from fhirtwin.packages.forms.predictive import GoldenForm, PublicForm
from fhirtwin.packages.golden import cases_of
from fhirtwin.packages.kind import COMMON, GOLDEN, PUBLIC, WEIGHTS, AsPanel, Float, Kind, Predictive, needed
from fhirtwin.packages.predictor import predictor, rows_of


@dataclass(frozen=True, eq=False)
class PanelModel(Predictive):
    """A panel.

    Attributes:
        cases: each with the sums of all rows, without constants.
        public: as it was read.
        weights: shape (rows, features); None in the public half.
    """

    public: PublicForm
    weights: Float | None

    @cached_property
    def told(self) -> int:
        """The rank of the cases."""
        return int(np.linalg.matrix_rank(np.array([case.given for case in self.cases])))

    @property
    def secrets(self) -> int:
        """A weight of each feature, in each row, and a case has a sum of each row."""
        return len(self.predictor.features)

    @property
    def nothing(self) -> Float:
        """Zeros."""
        return np.zeros(len(self.predictor.features))

    def given(self, features: Mapping[str, float]) -> Float:
        """The features in their order."""
        return np.array([features[feature.name] for feature in self.predictor.features])

    def served(self) -> tuple[AsPanel, ...]:
        """One panel."""
        return (AsPanel(self.panel(), MASKED),)

    def panel(self) -> Panel:
        """The panel with its weights, which must be here."""
        return Panel(*self._names_and_bounds(), needed(self.weights), package=self.predictor.model_hash)

    def hidden(self) -> HiddenPanel:
        """The panel as a gateway knows it."""
        features, low, high, rows = self._names_and_bounds()
        return HiddenPanel(
            features=features,
            low=low,
            high=high,
            rows=rows,
            digest=self.predictor.model_hash,
            least=np.array([given_bound(row.least) for row in self.public.rows]),
            greatest=np.array([given_bound(row.greatest) for row in self.public.rows]),
            cases=np.array([case.given for case in self.cases]),
            answers=np.array([[case.answers[row] for row in rows] for case in self.cases]),
        )

    def _names_and_bounds(self) -> tuple[tuple[str, ...], Float, Float, tuple[str, ...]]:
        features = self.predictor.features
        return (
            tuple(feature.name for feature in features),
            np.array([feature.low for feature in features]),
            np.array([feature.high for feature in features]),
            tuple(row.name for row in self.public.rows),
        )


class PanelKind(Kind):
    """Read as weights, checked against bounds, overflow and error."""

    name = "panel"
    declared: ClassVar = OF_PANELS[MASKED.name]
    longest: ClassVar = COMMON

    def read(self, files: Mapping[str, bytes], manifest: Manifest, model_hash: str) -> PanelModel:
        """Read a panel."""
        public = strict_json.read(files[PUBLIC], PublicForm, PUBLIC)
        made = predictor(public, manifest, model_hash)
        weights = None
        if WEIGHTS in files:
            weights = safetensors.read(files[WEIGHTS], len(public.rows), len(public.features))
            refuse_weighed(public, weights)
        golden = strict_json.read(files[GOLDEN], GoldenForm, GOLDEN)
        sums_of = None if weights is None else lambda features: weights @ features
        found = PanelModel(cases_of(golden, public, made, sums_of), made, public, weights)
        packing.layout(found.hidden(), MASKED)
        if weights is not None:
            _refuse_loose(found)
        return found


def refuse_weighed(public: PublicForm, weights: Float) -> None:
    """Refuse weights of inputs that an output says it does without: they would count as 0 for who has no value.

    Raises:
        Incorrect: an output weighs such an input.
    """
    places = {row.name: place for place, row in enumerate(public.rows)}
    for output in public.outputs:
        if output.inputs is None:
            continue
        left_out = [
            place
            for place, feature in enumerate(public.features)
            if not transforms.facts_of(feature) <= set(output.inputs)
        ]
        for row in rows_of(output):
            if weights[places[row], left_out].any():
                raise Incorrect(f"Row {row} weighs an input that output {output.id} says it does without.")


def refuse_error(panel: Panel) -> None:
    """Refuse weights for which the noise of ciphertexts would move a sum by more than the profile allows.

    Raises:
        Incorrect: they are such; the text names the row.
    """
    errors = noise.error_of(panel, MASKED)
    worst = int(np.argmax(errors))
    if not errors[worst] <= MASKED.error:
        raise Incorrect(
            f"The sum of row {panel.rows[worst]} could be off by {errors[worst]:.1e} under encryption, and "
            f"{MASKED.error:g} is the most; bring its features to about 1 (`over`), or spread its weight over more."
        )


def given_bound(bound: float | None) -> float:
    """A bound that a public half must have.

    Raises:
        Incorrect: it has none.
    """
    if bound is None:
        raise Incorrect("public.json: a row has no bounds; `fhirtwin model pack` works them out.")
    return bound


def _refuse_loose(found: PanelModel) -> None:
    """Refuse weights that could overflow, or whose sums leave the bounds that are declared for them."""
    panel = found.panel()
    packing.layout(panel, MASKED)
    refuse_error(panel)
    least, greatest = panel.range()
    for row, low, high in zip(found.public.rows, least, greatest, strict=True):
        if low < given_bound(row.least) or high > given_bound(row.greatest):
            raise Incorrect(f"The sum of row {row.name} can leave the bounds that it declares.")
