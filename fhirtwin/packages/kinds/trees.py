"""Boosted trees: splits are public, leaf values stay with the engine.

A model that does not fit one ciphertext has several parts, the same for everybody; golden cases give the sum of each,
for that is what the probe of each is made of. The splits are a file of their own (`fhirtwin.packages.forms.trees`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

import numpy as np

from fhirtwin.ckks.circuits.splits import Splits
from fhirtwin.ckks.circuits.trees import BOUND_STEP, PublicTrees, Trees, hidden_part
from fhirtwin.ckks.panel import LARGEST_SUM
from fhirtwin.ckks.profiles import MASKED
from fhirtwin.errors import Incorrect
from fhirtwin.packages import safetensors, strict_json
from fhirtwin.packages.forms.manifest import Manifest
from fhirtwin.packages.forms.trees import SPLITS, SplitsForm, TreesForm, TreesGoldenForm, splits_of
from fhirtwin.packages.golden import TOLERANCE, cases_of
from fhirtwin.packages.kind import (
    COMMON,
    GOLDEN,
    PUBLIC,
    WEIGHTS,
    AsPanel,
    Float,
    Kind,
    Predictive,
    needed,
    part_digest,
)
from fhirtwin.packages.predictor import predictor
from fhirtwin.predictors.model import Predictor, Values

_LARGEST_FEATURE = 1e30
"""Values are compared as 32-bit floats, which end at 3e38."""


@dataclass(frozen=True, eq=False)
class TreesModel(Predictive):
    """Trees.

    Attributes:
        cases: each with the margin of all rows; what is given of it is the leaves it reaches, part by part.
        predictor: without leaf values; a feature of a fact that is absent is NaN.
        public: what is sealed by.
        whole: with the leaf values; None in the public half.
    """

    public: PublicTrees
    whole: Trees | None

    @cached_property
    def told(self) -> int:
        """The ranks of what the cases reach, part by part: those of how much any two have in common."""
        given = [self.parts_of(case.given) for case in self.cases]
        parts = [np.array(hot) for hot in zip(*given, strict=True)]
        return sum(int(np.linalg.matrix_rank(hot @ hot.T, hermitian=True)) for hot in parts)

    @property
    def secrets(self) -> int:
        """Sums of a part are told by as many cases as it has leaves, less trees, and one."""
        trees = self.public.splits.trees
        return sum(sum(trees[tree].leaves - 1 for tree in part) + 1 for part in self.public.parts)

    @property
    def nothing(self) -> Float:
        """No leaf."""
        return np.zeros(sum(len(panel.features) for panel in self.public.panels))

    def given(self, features: Mapping[str, float]) -> Float:
        """Ones for the leaves that are reached, all parts end to end."""
        row = np.array([features[name] for name in self.public.splits.features])
        return np.concatenate(self.public.vectors(row))

    def told_of(self, values: Values) -> str:
        """Which inputs were missing: trees say something all the same."""
        missing = [one.label for one in self.predictor.inputs if one.fact not in values]
        return f"Calculated without {', '.join(missing)}, for which the model has ways of its own." if missing else ""

    def parts_of(self, given: Float) -> tuple[Float, ...]:
        """What is given, part by part."""
        ends = np.cumsum([0, *(len(panel.features) for panel in self.public.panels)]).tolist()
        return tuple(given[start:end] for start, end in pairwise(ends))

    def served(self) -> tuple[AsPanel, ...]:
        """A panel for each part."""
        named = zip(needed(self.whole).panels, self.public.panels, strict=True)
        return tuple(AsPanel(replace(panel, package=hidden.digest), MASKED) for panel, hidden in named)


class TreesKind(Kind):
    """Read as splits and leaf values, checked against bounds, overflow and error."""

    name = "trees"
    declared: ClassVar = Trees.declared
    longest: ClassVar = {**COMMON, SPLITS: 4_000_000}

    def read(self, files: Mapping[str, bytes], manifest: Manifest, model_hash: str) -> TreesModel:
        """Read trees."""
        public = strict_json.read(files[PUBLIC], TreesForm, PUBLIC)
        made = predictor(public, manifest, model_hash, absent=float("nan"))
        _refuse_large(made)
        splits = splits_of(strict_json.read(files[SPLITS], SplitsForm, SPLITS), made, public)
        parts = _parts(public, splits)
        whole = None
        if WEIGHTS in files:
            whole = _whole(public, splits, safetensors.read(files[WEIGHTS], 1, sum(t.leaves for t in splits.trees))[0])
        golden = strict_json.read(files[GOLDEN], TreesGoldenForm, GOLDEN)
        sums_of = None if whole is None else lambda features: whole.evaluate_plain(features[None])[0]
        plain = cases_of(golden, public, made, sums_of)
        hot = splits.one_hot(np.array([case.given for case in plain]), parts)
        answers = _answers(golden, public, splits, parts)
        hidden = tuple(
            replace(
                hidden_part(splits, part, of_part, answers[:, [number]]),
                digest=part_digest(model_hash, number),
                least=np.array([public.parts[number].least]),
                greatest=np.array([public.parts[number].greatest]),
            )
            for number, (part, of_part) in enumerate(zip(parts, hot, strict=True))
        )
        for panel in hidden:
            panel.check()
        cases = tuple(
            replace(case, given=np.concatenate([of_part[place] for of_part in hot])) for place, case in enumerate(plain)
        )
        if whole is not None:
            _refuse_loose(whole, public, hot, answers)
        gateway = PublicTrees(splits, parts, hidden, np.array(public.constants))
        return TreesModel(cases, made, gateway, whole)


def _parts(public: TreesForm, splits: Splits) -> tuple[tuple[int, ...], ...]:
    """The declared parts, each of one row, all trees once and in order."""
    parts = tuple(part.trees for part in public.parts)
    rows = [{splits.output_of[tree] for tree in part if 0 <= tree < len(splits.trees)} for part in parts]
    listed = sorted(tree for part in parts for tree in part)
    leaves = [sum(splits.trees[tree].leaves for tree in part if 0 <= tree < len(splits.trees)) for part in parts]
    if listed != list(range(len(splits.trees))) or any(len(of_part) != 1 for of_part in rows):
        raise Incorrect(f"{PUBLIC}: parts must have every tree once, and those of one row each.")
    if max(leaves) > MASKED.slots:
        raise Incorrect(f"{PUBLIC}: a part has more than the {MASKED.slots} leaves that fit a ciphertext.")
    if any(max(abs(part.least), abs(part.greatest)) > LARGEST_SUM + BOUND_STEP for part in public.parts):
        raise Incorrect(f"{PUBLIC}: the sum of a part could be more than {LARGEST_SUM:g}.")
    if len(public.constants) != len(public.rows):
        raise Incorrect(f"{PUBLIC}: there must be a constant for each row.")
    return parts


def _whole(public: TreesForm, splits: Splits, values: Float) -> Trees:
    ends = np.cumsum([0, *(tree.leaves for tree in splits.trees)]).tolist()
    by_tree = tuple(values[start:end] for start, end in pairwise(ends))
    middles = np.array([(value.min() + value.max()) / 2 for value in by_tree])
    taken = np.bincount(splits.output_of, middles, len(splits.outputs))
    base: Float = np.array(public.constants, dtype=np.float64) - taken
    return Trees(splits, by_tree, base)


def _answers(golden: TreesGoldenForm, public: TreesForm, splits: Splits, parts: tuple[tuple[int, ...], ...]) -> Float:
    """The sums of parts of all cases, shape (cases, parts), checked against their margins."""
    if any(len(case.parts) != len(parts) for case in golden.cases):
        raise Incorrect(f"{GOLDEN}: a case must give the sum of each part.")
    answers = np.array([case.parts for case in golden.cases])
    row_of = [splits.output_of[part[0]] for part in parts]
    for case, sums in zip(golden.cases, answers, strict=True):
        margins = np.array(public.constants) + np.bincount(row_of, sums, len(splits.outputs))
        told = np.array([(case.sums or {})[name] for name in splits.outputs])
        if not np.abs(margins - told).max() <= TOLERANCE:
            raise Incorrect(f"{GOLDEN}: the parts of {case.name} do not add up to its sums.")
    return answers


def _refuse_loose(whole: Trees, public: TreesForm, hot: tuple[Float, ...], answers: Float) -> None:
    """Refuse leaf values of which the public half does not say the truth."""
    if whole.parts != tuple(part.trees for part in public.parts):
        raise Incorrect(f"{PUBLIC}: the parts are not those that these leaf values have.")
    for number, (panel, part) in enumerate(zip(whole.panels, public.parts, strict=True)):
        least, greatest = panel.range()
        if least[0] < part.least or greatest[0] > part.greatest:
            raise Incorrect(f"{PUBLIC}: the sum of part {number} can leave the bounds that it declares.")
        if not np.abs(hot[number] @ panel.weights[0] - answers[:, number]).max() <= TOLERANCE:
            raise Incorrect(f"{GOLDEN}: the leaf values give other sums of part {number} than the cases say.")


def _refuse_large(made: Predictor) -> None:
    for feature in made.features:
        if max(abs(feature.low), abs(feature.high)) > _LARGEST_FEATURE:
            raise Incorrect(f"features: {feature.name} can be too large for the 32 bits that trees compare.")
