"""The forms of a package of trees: description with parts, splits, golden cases with the sum of each part."""

from __future__ import annotations

from typing import Annotated, Final

import numpy as np
from msgspec import Meta

from fhirtwin.ckks.circuits.splits import Splits, Tree
from fhirtwin.errors import Incorrect
from fhirtwin.packages.forms.form import Form, Number
from fhirtwin.packages.forms.predictive import CaseForm, GoldenForm, PublicForm
from fhirtwin.predictors.model import Predictor

SPLITS: Final = "splits.json"
MOST_PARTS: Final = 16
"""Ciphertexts of one model, for everybody."""

MOST_TREES: Final = 2000
MOST_DEPTH: Final = 64
_NODES = 4096
Places = Annotated[tuple[Annotated[int, Meta(ge=-1, le=_NODES)], ...], Meta(max_length=_NODES)]


class TreeForm(Form, frozen=True):
    """One tree, as `fhirtwin.ckks.circuits.splits.Tree`; leaves have children -1. `row` is the place of its row."""

    row: Annotated[int, Meta(ge=0, le=255)]
    left: Places
    right: Places
    feature: Places
    threshold: Annotated[tuple[Annotated[float, Meta(ge=-3e38, le=3e38)], ...], Meta(max_length=_NODES)]
    missing_left: Annotated[tuple[bool, ...], Meta(max_length=_NODES)]


class SplitsForm(Form, frozen=True):
    """All trees, in the order of the model."""

    trees: Annotated[tuple[TreeForm, ...], Meta(min_length=1, max_length=MOST_TREES)]


class PartForm(Form, frozen=True):
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
