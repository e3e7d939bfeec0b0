"""Reads boosted trees from the JSON that XGBoost saves, strictly and without XGBoost.

What would change a margin and is not reckoned with here is refused: other boosters, categorical splits, trees with
vectors in their leaves, linear parts, other objectives, and models that stopped early but have later trees.

*Source*: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html and the files of XGBoost 3.2.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.splits import Splits, Tree
from fhirtwin.ckks.circuits.trees import TOLERANCE, Trees
from fhirtwin.errors import Incorrect
from fhirtwin.files import read_file
from fhirtwin.packages import strict_json

LONGEST: Final = 20_000_000
"""Bytes of the largest file that is read."""

_NODES = 100_000
_TREES = 10_000
_NUMERIC = {"q", "float", "int", "i"}

Count = Annotated[str, Meta(pattern=r"^[0-9]{1,9}\Z")]
Numbers = Annotated[list[int], Meta(max_length=_NODES)]
Floats = Annotated[list[float], Meta(max_length=_NODES)]
Empty = Annotated[list[int], Meta(max_length=0)]
ObjectiveName = Literal["binary:logistic", "binary:logitraw", "reg:squarederror", "multi:softprob", "multi:softmax"]


class _Form(Struct, frozen=True, forbid_unknown_fields=True):
    """What all forms share."""


class _TreeSizes(_Form, frozen=True):
    num_nodes: Count
    num_feature: Count
    size_leaf_vector: Literal["0", "1"]
    num_deleted: Literal["0"] = "0"


class _Tree(_Form, frozen=True):
    left_children: Numbers
    right_children: Numbers
    split_indices: Numbers
    split_conditions: Floats
    default_left: Numbers
    split_type: Annotated[list[Literal[0]], Meta(max_length=_NODES)]
    tree_param: _TreeSizes
    categories: Empty
    categories_nodes: Empty
    categories_segments: Empty
    categories_sizes: Empty
    id: int
    parents: Numbers
    base_weights: Floats
    loss_changes: Floats
    sum_hessian: Floats


class _BoosterSizes(_Form, frozen=True):
    num_trees: Count
    num_parallel_tree: Count


class _Categories(_Form, frozen=True):
    enc: Annotated[list[int], Meta(max_length=0)]
    feature_segments: Empty
    sorted_idx: Empty


class _Model(_Form, frozen=True):
    trees: Annotated[list[_Tree], Meta(min_length=1, max_length=_TREES)]
    tree_info: Annotated[list[int], Meta(max_length=_TREES)]
    gbtree_model_param: _BoosterSizes
    iteration_indptr: Annotated[list[int], Meta(max_length=_TREES + 1)]
    cats: _Categories | None = None


class _Booster(_Form, frozen=True):
    name: Literal["gbtree"]
    model: _Model


class _LearnerSizes(_Form, frozen=True):
    base_score: Annotated[str, Meta(max_length=4000)]
    num_class: Count
    num_feature: Count
    num_target: Literal["1"]
    boost_from_average: Literal["0", "1"] = "1"


class _Objective(_Form, frozen=True):
    name: ObjectiveName
    reg_loss_param: dict[str, str] = {}
    softmax_multiclass_param: dict[str, str] = {}


class _Learner(_Form, frozen=True):
    attributes: dict[str, str]
    feature_names: list[str]
    feature_types: list[str]
    gradient_booster: _Booster
    learner_model_param: _LearnerSizes
    objective: _Objective


class _File(_Form, frozen=True):
    version: Annotated[list[int], Meta(min_length=3, max_length=3)]
    learner: _Learner


def read(path: Path, tolerance: float = TOLERANCE) -> Trees:
    """The trees of a file that `Booster.save_model("....json")` or that of XGBoost's scikit-learn classes wrote.

    Args:
        path: of the file.
        tolerance: how far a margin may be off under encryption, before rounding.

    Raises:
        Incorrect: it is no such file, has something that is not reckoned with, or could not be evaluated safely; the
            text names the place.
    """
    return Trees(*_parts(path)[1:], tolerance)


def read_probability(path: Path) -> Trees:
    """The trees of a file whose margin is the log odds of a probability.

    Raises:
        Incorrect: as for `read`, or its objective is another one; the text says what to do.
    """
    objective, splits, values, base = _parts(path)
    if objective not in ("binary:logistic", "binary:logitraw"):
        raise Incorrect(
            f"{path.name}: its objective is {objective}, and a risk needs log odds: train with binary:logistic, one "
            "model for each outcome."
        )
    return Trees(splits, values, base)


def margins(path: Path, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the trees of a file say of rows in clear, whether or not they could be sealed; shape (rows, outputs).

    Raises:
        Incorrect: it is no such file, or has something that is not reckoned with; the text names the place.
    """
    _, splits, values, base = _parts(path)
    if not np.isfinite(np.concatenate([*values, base])).all():
        raise Incorrect(f"{path.name}: a leaf has no finite value.")
    return splits.margins(rows, values, base)


def _parts(path: Path) -> tuple[str, Splits, tuple[NDArray[np.float64], ...], NDArray[np.float64]]:
    name = path.name
    found = strict_json.read(read_file(path, LONGEST), _File, name)
    learner = found.learner
    model = learner.gradient_booster.model
    if found.version[0] != 3:
        raise Incorrect(f"{name}: it is of XGBoost {found.version[0]}; load it with XGBoost 3 and save it again.")
    sizes = learner.learner_model_param
    features, outputs = int(sizes.num_feature), max(1, int(sizes.num_class))
    if not len(model.trees) == len(model.tree_info) == int(model.gbtree_model_param.num_trees):
        raise Incorrect(f"{name}: it does not have as many trees as it says.")
    _refuse_stopped_early(learner, name)
    if not set(learner.feature_types) <= _NUMERIC:
        raise Incorrect(f"{name}: it has a feature that is no number; encode categories as numbers before training.")
    names = learner.feature_names or [f"f{place}" for place in range(features)]
    if len(names) != features:
        raise Incorrect(f"{name}: it does not have as many names as features.")
    told = ("margin",) if outputs == 1 else tuple(f"margin-{place}" for place in range(outputs))
    trees, values = zip(*(_tree(one, f"{name}: tree {place}") for place, one in enumerate(model.trees)), strict=True)
    base = np.array(
        [_margin(score, learner.objective.name, name) for score in _scores(sizes.base_score, outputs, name)]
    )
    return learner.objective.name, Splits(tuple(names), told, trees, tuple(model.tree_info)), values, base


def _tree(form: _Tree, name: str) -> tuple[Tree, NDArray[np.float64]]:
    with np.errstate(over="ignore"):  # what is too large becomes infinite and is refused
        conditions = np.array(form.split_conditions).astype(np.float32)
    missing = np.array(form.default_left)
    if int(form.tree_param.num_nodes) != len(form.left_children) or not set(form.default_left) <= {0, 1}:
        raise Incorrect(f"{name}: it does not have as many nodes as it says, or a way that is neither left nor right.")
    try:
        tree = Tree(
            np.array(form.left_children, dtype=np.int64),
            np.array(form.right_children, dtype=np.int64),
            np.array(form.split_indices, dtype=np.int64),
            conditions,
            missing.astype(np.bool_),
        )
    except (Incorrect, OverflowError) as error:
        raise Incorrect(f"{name}: {error}") from None
    return tree, conditions[~tree.inner].astype(np.float64)


def _refuse_stopped_early(learner: _Learner, name: str) -> None:
    """XGBoost's own classes would leave later trees out, and its boosters would not: two answers from one file."""
    best = learner.attributes.get("best_iteration")
    rounds = len(learner.gradient_booster.model.iteration_indptr) - 1
    if best is not None and best != str(rounds - 1):
        raise Incorrect(
            f"{name}: training stopped early, and later trees are still there; "
            "save `booster[: booster.best_iteration + 1]`."
        )


def _scores(text: str, outputs: int, name: str) -> list[float]:
    """The base score, one number or a list of them in brackets, for each output."""
    try:
        scores = [float(part) for part in text.removeprefix("[").removesuffix("]").split(",")]
    except ValueError:
        raise Incorrect(f"{name}: base_score is not a list of numbers.") from None
    if len(scores) not in (1, outputs) or not all(map(math.isfinite, scores)):
        raise Incorrect(f"{name}: base_score must have a finite number for each output.")
    return scores if len(scores) == outputs else scores * outputs


def _margin(score: float, objective: str, name: str) -> float:
    """What a base score is before the link: that of logistic objectives is a probability."""
    if objective not in ("binary:logistic", "binary:logitraw"):
        return score
    if not 0 < score < 1:
        raise Incorrect(f"{name}: base_score of a logistic objective must be a probability between 0 and 1.")
    return math.log(score / (1 - score))
