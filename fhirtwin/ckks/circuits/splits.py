"""Everything of boosted trees but the leaf values: which way a row goes at each node, and which leaf it reaches.

The rules are those of XGBoost: values are compared as 32-bit floats, a row goes left when its value is less than the
threshold, and where the value is missing (NaN) it goes the way that the node says.

*Source*: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html (the members of a saved tree).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.circuit import digest_of
from fhirtwin.errors import Incorrect

Float = NDArray[np.float64]
Numbers = NDArray[np.int64]

LEAF = -1
"""What stands for the children of a leaf."""


@dataclass(frozen=True, eq=False)
class Tree:
    """One tree, its nodes numbered from the root, which is 0; every array has an element for each node.

    Attributes:
        left, right: children, or `LEAF`.
        feature: by which a node splits.
        threshold: of 32 bits; a smaller value goes left.
        missing_left: whether a missing value goes left.

    Raises:
        Incorrect: it is no tree.
    """

    left: Numbers
    right: Numbers
    feature: Numbers
    threshold: NDArray[np.float32]
    missing_left: NDArray[np.bool_]

    def __post_init__(self) -> None:
        count = self.left.size
        arrays = (self.left, self.right, self.feature, self.threshold, self.missing_left)
        if not count or any(array.shape != (count,) for array in arrays):
            raise Incorrect("A tree must have a node, and as many of everything as nodes.")
        if ((self.left == LEAF) != (self.right == LEAF)).any():
            raise Incorrect("A node of a tree has one child alone.")
        children = np.concatenate([self.left[self.inner], self.right[self.inner]])
        # Every node but the root is a child once, and comes after its parent: so there is no loop.
        if not np.array_equal(np.sort(children), np.arange(1, count)):
            raise Incorrect("A node of a tree is nobody's child, or two nodes'.")
        parents = np.flatnonzero(self.inner)
        if (self.left[parents] <= parents).any() or (self.right[parents] <= parents).any():
            raise Incorrect("A node of a tree comes before its parent.")
        if not np.isfinite(self.threshold[self.inner]).all():
            raise Incorrect("A threshold of a tree is not finite.")

    @cached_property
    def inner(self) -> NDArray[np.bool_]:
        """Which nodes split."""
        return np.asarray(self.left != LEAF)

    @cached_property
    def leaves(self) -> int:
        """How many leaves it has."""
        return int(np.count_nonzero(~self.inner))

    @cached_property
    def depth(self) -> int:
        """The most splits on the way to a leaf."""
        depths = np.zeros(self.left.size, dtype=np.int64)
        for node in np.flatnonzero(self.inner).tolist():
            depths[[self.left[node], self.right[node]]] = depths[node] + 1
        return int(depths.max())


@dataclass(frozen=True, eq=False)
class Splits:
    """All trees of a model.

    Attributes:
        features, outputs: names.
        trees: in the order of the model.
        output_of: the number of the output that each tree adds to.

    Raises:
        Incorrect: a name is there twice, a tree splits by what is no feature, or an output has no tree.
    """

    features: tuple[str, ...]
    outputs: tuple[str, ...]
    trees: tuple[Tree, ...]
    output_of: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(set(self.features)) != len(self.features) or len(set(self.outputs)) != len(self.outputs):
            raise Incorrect("The model names a feature or an output twice.")
        every = set(range(len(self.outputs)))
        if not every or len(self.output_of) != len(self.trees) or set(self.output_of) != every:
            raise Incorrect("Every tree must add to an output, and every output must have a tree.")
        for tree in self.trees:
            if not ((tree.feature[tree.inner] >= 0) & (tree.feature[tree.inner] < len(self.features))).all():
                raise Incorrect("A tree splits by a feature that the model does not have.")

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of names and trees."""
        arrays = [
            np.concatenate([tree.left, tree.right, tree.feature, tree.missing_left, tree.threshold]).astype(np.float64)
            for tree in self.trees
        ]
        names = ("\x00".join(self.features), "\x00".join(self.outputs))
        return digest_of("splits", *names, np.array(self.output_of, dtype=np.float64), *arrays)

    def reached(self, rows: Float) -> Numbers:
        """The leaf that each row reaches in each tree, shape (rows, trees).

        Raises:
            Incorrect: a row has too many or too few values, or one that is infinite; the text never has a value.
        """
        if rows.ndim != 2 or rows.shape[1] != len(self.features):
            raise Incorrect(f"A row must have {len(self.features)} values, NaN where one is missing.")
        with np.errstate(over="ignore"):
            narrow = rows.astype(np.float32)
        if np.isinf(narrow).any():
            name = self.features[int(np.argmax(np.isinf(narrow).any(axis=0)))]
            raise Incorrect(f"Feature {name} is infinite, or too large for 32 bits.")
        forest, line = self._forest, np.arange(len(rows))[:, None]
        node = np.tile(forest.roots, (len(rows), 1))
        for _ in range(max(tree.depth for tree in self.trees)):
            value = narrow[line, forest.feature[node]]
            left = np.where(np.isnan(value), forest.missing_left[node], value < forest.threshold[node])
            node = np.where(left, forest.left[node], forest.right[node])
        return np.asarray(forest.leaf[node])

    def margins(self, rows: Float, values: Sequence[Float], base: Float) -> Float:
        """What leaf values come to for rows, shape (rows, outputs).

        Args:
            rows: of features.
            values: of the leaves of each tree.
            base: what each output has before any tree.
        """
        reached = self.reached(rows)
        told = np.tile(base, (len(rows), 1))
        for number, (value, output) in enumerate(zip(values, self.output_of, strict=True)):
            told[:, output] += value[reached[:, number]]
        return told

    def one_hot(self, rows: Float, parts: Sequence[Sequence[int]]) -> tuple[Float, ...]:
        """For each part, some trees: ones where rows reach a leaf, else zeros; shape (rows, leaves of the part)."""
        reached = self.reached(rows)
        return tuple(self._hot(reached[:, list(part)], part) for part in parts)

    def _hot(self, reached: Numbers, part: Sequence[int]) -> Float:
        sizes = np.array([self.trees[tree].leaves for tree in part])
        hot = np.zeros((len(reached), int(sizes.sum())))
        hot[np.arange(len(reached))[:, None], np.cumsum(sizes) - sizes + reached] = 1.0
        return hot

    @cached_property
    def _forest(self) -> _Forest:
        trees, sizes = self.trees, np.array([tree.left.size for tree in self.trees])
        roots = np.cumsum(sizes) - sizes
        own = [np.arange(tree.left.size) for tree in trees]
        return _Forest(
            roots,
            np.concatenate([np.where(t.inner, t.left, n) + r for t, n, r in zip(trees, own, roots, strict=True)]),
            np.concatenate([np.where(t.inner, t.right, n) + r for t, n, r in zip(trees, own, roots, strict=True)]),
            np.concatenate([np.where(tree.inner, tree.feature, 0) for tree in trees]),
            np.concatenate([tree.threshold for tree in trees]),
            np.concatenate([tree.missing_left for tree in trees]),
            np.concatenate([np.cumsum(~tree.inner) - 1 for tree in trees]),
        )


@dataclass(frozen=True, eq=False)
class _Forest:
    """All nodes of all trees in one row, so that they are walked at once; both children of a leaf are itself."""

    roots: Numbers
    left: Numbers
    right: Numbers
    feature: Numbers
    threshold: NDArray[np.float32]
    missing_left: NDArray[np.bool_]
    leaf: Numbers
