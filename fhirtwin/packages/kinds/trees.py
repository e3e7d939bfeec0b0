"""Boosted trees: splits are public, leaf values stay with the engine.

The splits are a file of their own beside the description. A model that does not fit one ciphertext has several parts,
the same for everybody; golden cases give the sum of each, for that is what the probe of each is made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Annotated, ClassVar, Final

import numpy as np
from msgspec import Meta, Struct

from fhirtwin.ckks.circuits.splits import Splits, Tree
from fhirtwin.ckks.circuits.trees import BOUND_STEP, PublicTrees, Trees, hidden_part
from fhirtwin.ckks.panel import LARGEST_SUM
from fhirtwin.ckks.profiles import MASKED
from fhirtwin.errors import Fault, Incorrect
from fhirtwin.packages import safetensors, strict_json
from fhirtwin.packages.golden import TOLERANCE, cases_of
from fhirtwin.packages.kind import COMMON, GOLDEN, PUBLIC, WEIGHTS, AsPanel, Case, Float, Kind, Predictive, part_digest
from fhirtwin.packages.predictor import predictor
from fhirtwin.packages.schema import CaseForm, GoldenForm, Manifest, Number, PublicForm
from fhirtwin.predictors.model import Predictor

SPLITS: Final = "splits.json"
MOST_PARTS: Final = 16
"""Ciphertexts of one model, for everybody."""

MOST_TREES: Final = 2000
MOST_DEPTH: Final = 64
_NODES = 4096
_LARGEST_FEATURE = 1e30
"""Values are compared as 32-bit floats, which end at 3e38."""

Places = Annotated[tuple[Annotated[int, Meta(ge=-1, le=_NODES)], ...], Meta(max_length=_NODES)]


class TreeForm(Struct, frozen=True, forbid_unknown_fields=True):
    """One tree, as `fhirtwin.ckks.circuits.splits.Tree`; leaves have children -1. `row` is the place of its row."""

    row: Annotated[int, Meta(ge=0, le=255)]
    left: Places
    right: Places
    feature: Places
    threshold: Annotated[tuple[Annotated[float, Meta(ge=-3e38, le=3e38)], ...], Meta(max_length=_NODES)]
    missing_left: Annotated[tuple[bool, ...], Meta(max_length=_NODES)]


class SplitsForm(Struct, frozen=True, forbid_unknown_fields=True):
    """All trees, in the order of the model."""

    trees: Annotated[tuple[TreeForm, ...], Meta(min_length=1, max_length=MOST_TREES)]


class PartForm(Struct, frozen=True, forbid_unknown_fields=True):
    """Trees that go into one ciphertext, by their numbers, and what their centred sum lies between."""

    trees: Annotated[tuple[int, ...], Meta(min_length=1, max_length=MOST_TREES)]
    least: Number
    greatest: Number


class TreesForm(PublicForm, frozen=True):
    """The public half.

    Attributes:
        parts: all trees in order.
        constants: for each row, what is added to the sums of its parts.
    """

    parts: Annotated[tuple[PartForm, ...], Meta(min_length=1, max_length=MOST_PARTS)]
    constants: tuple[Number, ...]


class TreesCaseForm(CaseForm, frozen=True):
    """A golden case; its sums are margins, and `parts` has the sum of each part, without constants."""

    parts: Annotated[tuple[Number, ...], Meta(max_length=MOST_PARTS)] = ()


class TreesGoldenForm(GoldenForm, frozen=True):
    """The golden cases."""

    cases: Annotated[tuple[TreesCaseForm, ...], Meta(min_length=1, max_length=256)]


@dataclass(frozen=True, eq=False)
class TreesModel(Predictive):
    """Trees.

    Attributes:
        made: the predictor of the public half.
        golden: the cases; what is given of each is the leaves it reaches, part by part.
        public: what is sealed by.
        whole: with the leaf values; None in the public half.
    """

    made: Predictor
    golden: tuple[Case, ...]
    public: PublicTrees
    whole: Trees | None

    @property
    def predictor(self) -> Predictor:
        """Without leaf values; a feature of a fact that is absent is NaN."""
        return self.made

    @property
    def cases(self) -> tuple[Case, ...]:
        """Each has the margin of all rows."""
        return self.golden

    @cached_property
    def told(self) -> int:
        """The ranks of what the cases reach, part by part."""
        given = [self.parts_of(case.given) for case in self.golden]
        return sum(int(np.linalg.matrix_rank(np.array(hot))) for hot in zip(*given, strict=True))

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

    def parts_of(self, given: Float) -> tuple[Float, ...]:
        """What is given, part by part."""
        ends = np.cumsum([0, *(len(panel.features) for panel in self.public.panels)]).tolist()
        return tuple(given[start:end] for start, end in pairwise(ends))

    def served(self) -> tuple[AsPanel, ...]:
        """A panel for each part."""
        if self.whole is None:
            raise Fault("The public half of a model has no leaf values.")
        named = zip(self.whole.panels, self.public.panels, strict=True)
        return tuple(AsPanel(replace(panel, package=hidden.digest), MASKED) for panel, hidden in named)


class TreesKind(Kind):
    """Read as splits and leaf values, checked against bounds, overflow and error."""

    name = "trees"
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
        return TreesModel(made, cases, gateway, whole)


def splits_of(form: SplitsForm, made: Predictor, public: PublicForm) -> Splits:
    """The trees of a file.

    Raises:
        Incorrect: one is no tree, is too deep, or splits by what is no feature; the text names it.
    """
    trees = []
    for number, one in enumerate(form.trees):
        try:
            tree = Tree(
                np.array(one.left, dtype=np.int64),
                np.array(one.right, dtype=np.int64),
                np.array(one.feature, dtype=np.int64),
                np.array(one.threshold, dtype=np.float32),
                np.array(one.missing_left, dtype=np.bool_),
            )
        except Incorrect as error:
            raise Incorrect(f"{SPLITS}: tree {number}: {error}") from None
        if tree.depth > MOST_DEPTH:
            raise Incorrect(f"{SPLITS}: tree {number} is deeper than {MOST_DEPTH} splits.")
        trees.append(tree)
    features = tuple(feature.name for feature in made.features)
    rows = tuple(row.name for row in public.rows)
    try:
        return Splits(features, rows, tuple(trees), tuple(one.row for one in form.trees))
    except Incorrect as error:
        raise Incorrect(f"{SPLITS}: {error}") from None


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
