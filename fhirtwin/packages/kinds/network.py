"""Networks with squares: the gateway centres and scales, the engine has weights and biases.

They lie end to end in one tensor, layer after layer, weights before biases. A gateway needs evaluation keys that last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar, Final

import numpy as np

from fhirtwin.ckks.circuits.network import GAINS, Network
from fhirtwin.ckks.hidden_network import INPUTS, OUTPUTS, RADIUS, HiddenNetwork
from fhirtwin.errors import Incorrect
from fhirtwin.packages import safetensors, strict_json
from fhirtwin.packages.forms.manifest import Manifest
from fhirtwin.packages.forms.network import NetworkForm
from fhirtwin.packages.forms.predictive import GoldenForm
from fhirtwin.packages.golden import cases_of
from fhirtwin.packages.kind import COMMON, GOLDEN, PUBLIC, WEIGHTS, Float, Kind, Predictive, needed
from fhirtwin.packages.predictor import predictor
from fhirtwin.predictors.model import Predictor

LARGEST_TOTAL: Final = 14_000.0
"""Of the magnitudes that outputs cannot exceed, all together. No coefficient of a polynomial exceeds the mean magnitude
over 4,096 slots. An output's terms lie in 16 slots each, so they add 16 / 4,096 of this total, 54.7; masks and canaries
add less than 3; and from 64 on a coefficient wraps round. So the vault never takes a right answer for a wrong one."""

LARGEST_WEIGHT: Final = 1e6
"""No network that is precise enough comes near it; beyond, numbers of its checks would overflow."""

_LEAST_SCALE = 1e-9


@dataclass(frozen=True, eq=False)
class NetworkModel(Predictive):
    """A network.

    Attributes:
        cases: centred and scaled, each with all outputs.
        hidden: what is sealed by.
        centre, scale: of features.
        whole: with the weights; None in the public half.
        numbers: how many weights and biases there are.
    """

    hidden: HiddenNetwork
    centre: Float
    scale: Float
    whole: Network | None
    numbers: int

    needs_lasting_keys: ClassVar = True
    is_probed: ClassVar = False

    @property
    def told(self) -> int:
        """An equation for each output of each case."""
        return len(self.cases) * len(self.hidden.outputs)

    @property
    def secrets(self) -> int:
        """Weights and biases."""
        return self.numbers

    @property
    def nothing(self) -> Float:
        """The centre."""
        return np.zeros(len(self.hidden.inputs))

    def given(self, features: Mapping[str, float]) -> Float:
        """Features, centred and scaled."""
        return (np.array([features[name] for name in self.hidden.inputs]) - self.centre) / self.scale

    def refuses(self, given: Float) -> str:
        """A network says nothing of what lies out of its bounds, or too far out in all directions together."""
        outside = self.hidden.outside(given)
        if outside == RADIUS:
            return "the values taken together lie further out than what the network was made for"
        return f"{outside} lies outside what the network was made for" if outside else ""

    def served(self) -> tuple[Network, ...]:
        """One circuit."""
        return (needed(self.whole),)


class NetworkKind(Kind):
    """Read as weights and biases, checked against bounds, overflow and error."""

    name = "network"
    declared: ClassVar = Network.declared
    longest: ClassVar = COMMON

    def read(self, files: Mapping[str, bytes], manifest: Manifest, model_hash: str) -> NetworkModel:
        """Read a network."""
        public = strict_json.read(files[PUBLIC], NetworkForm, PUBLIC)
        made = predictor(public, manifest, model_hash)
        hidden = _hidden(public, made, model_hash)
        centre, scale = np.array(public.centre), np.array(public.scale)
        whole = None
        shapes = shapes_of(len(hidden.inputs), public.units, len(hidden.outputs))
        numbers = sum(int(np.prod(shape)) for shape in shapes)
        if WEIGHTS in files:
            arrays = cut(safetensors.read(files[WEIGHTS], 1, numbers)[0], shapes)
            whole = _whole(hidden, arrays)
        sums_of = None if whole is None else lambda features: whole.evaluate_plain((features - centre) / scale)
        plain = cases_of(strict_json.read(files[GOLDEN], GoldenForm, GOLDEN), public, made, sums_of)
        cases = tuple(replace(case, given=(case.given - centre) / scale) for case in plain)
        for case in cases:
            if hidden.outside(case.given):
                raise Incorrect(f"{GOLDEN}: {case.name} lies outside what the network was made for.")
            if (np.abs([case.answers[name] for name in hidden.outputs]) > hidden.largest_outputs).any():
                raise Incorrect(f"{GOLDEN}: {case.name} has a sum that the network cannot have.")
        return NetworkModel(cases, made, hidden, centre, scale, whole, numbers)


def shapes_of(inputs: int, units: tuple[int, int], outputs: int) -> tuple[tuple[int, ...], ...]:
    """Shapes of weights and biases of the three layers, in the order they lie in."""
    sizes = (inputs, *units, outputs)
    return tuple(shape for of, to in pairwise(sizes) for shape in ((to, of), (to,)))


def cut(flat: Float, shapes: tuple[tuple[int, ...], ...]) -> list[Float]:
    """Arrays that lie end to end."""
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)]).tolist()
    return [flat[start:end].reshape(shape) for (start, end), shape in zip(pairwise(ends), shapes, strict=True)]


def _hidden(public: NetworkForm, made: Predictor, model_hash: str) -> HiddenNetwork:
    inputs, rows = tuple(feature.name for feature in made.features), tuple(row.name for row in public.rows)
    if len(inputs) > INPUTS or len(rows) > OUTPUTS or len(set(rows)) != len(rows):
        raise Incorrect(f"{PUBLIC}: a network has at most {INPUTS} features and {OUTPUTS} rows, each name once.")
    if {len(one) for one in (public.centre, public.scale, public.lowest, public.highest)} != {len(inputs)}:
        raise Incorrect(f"{PUBLIC}: centre, scale, lowest and highest must have a number for each feature.")
    if min(public.scale) < _LEAST_SCALE:
        raise Incorrect(f"{PUBLIC}: a number of scale is not above {_LEAST_SCALE:g}.")
    if any(low > 0 for low in public.lowest) or any(high < 0 for high in public.highest):
        raise Incorrect(f"{PUBLIC}: 0 must lie from lowest to highest, for it stands for what was not asked.")
    if public.input_gain not in GAINS:
        raise Incorrect(f"{PUBLIC}: input_gain is not a power of two that may be.")
    if any(row.greatest is None or row.least != -row.greatest or row.greatest <= 0 for row in public.rows):
        raise Incorrect(f"{PUBLIC}: a row needs least and greatest of one magnitude; `fhirtwin model pack` finds them.")
    largest = np.array([row.greatest for row in public.rows], dtype=np.float64)
    if largest.sum() > LARGEST_TOTAL:
        raise Incorrect(
            f"The outputs of this network could come to {largest.sum():.0f}, and {LARGEST_TOTAL:,.0f} is the most; "
            "narrow its bounds or its radius."
        )
    facts = {one.fact for one in public.inputs}
    if any(output.inputs is not None and set(output.inputs) != facts for output in public.outputs):
        raise Incorrect(f"{PUBLIC}: an output says that it does without an input, and a network cannot.")
    ends = np.array(public.lowest), np.array(public.highest)
    return HiddenNetwork(inputs, rows, *ends, public.radius, public.input_gain, largest, model_hash)


def _whole(hidden: HiddenNetwork, arrays: list[Float]) -> Network:
    if max(float(np.abs(array).max()) for array in arrays) > LARGEST_WEIGHT:
        raise Incorrect(f"{WEIGHTS}: a weight is more than {LARGEST_WEIGHT:g}.")
    w1, b1, w2, b2, w3, b3 = arrays
    found = Network(
        hidden.inputs,
        hidden.outputs,
        hidden.low,
        hidden.high,
        hidden.radius,
        (w1, w2, w3),
        (b1, b2, b3),
        package=hidden.digest,
        input_gain=hidden.input_gain,
    )
    if (found.largest_outputs > hidden.largest_outputs).any():
        raise Incorrect(f"{PUBLIC}: an output can leave the bounds that it declares.")
    return found
