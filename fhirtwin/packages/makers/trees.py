"""Boosted trees: the JSON that XGBoost saves, and a description that says what its columns are made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from msgspec import Meta, structs

from fhirtwin.ckks.circuits.splits import Splits, Tree
from fhirtwin.ckks.circuits.trees import Trees
from fhirtwin.errors import Incorrect
from fhirtwin.packages import safetensors, strict_json, xgboost_json
from fhirtwin.packages.forms.predictive import CaseForm, SourceForm
from fhirtwin.packages.forms.trees import (
    MOST_PARTS,
    SPLITS,
    PartForm,
    TreeForm,
    TreesCaseForm,
    TreesForm,
    TreesGoldenForm,
)
from fhirtwin.packages.golden import features_of
from fhirtwin.packages.kind import GOLDEN, PUBLIC, WEIGHTS
from fhirtwin.packages.makers.maker import Draft, Float, Source, answered, bounded, described, predictor_of, widened
from fhirtwin.predictors.model import Predictor


class TreesSourceForm(SourceForm, frozen=True):
    """A description; `columns` names, for each feature, the column of the file, where these have other names."""

    columns: Annotated[tuple[Annotated[str, Meta(max_length=300)], ...], Meta(max_length=2000)] = ()


def make(source: Source) -> Draft:
    """Make the content of a package of trees."""
    form = described(source.description, TreesSourceForm)
    trees = _named(xgboost_json.read_probability(source.weights), form)
    public = _public(form, trees)
    made = predictor_of(form, public, absent=float("nan"))
    golden = answered(source.golden, made, public, lambda features: trees.evaluate_plain(features[None])[0])
    content = {
        PUBLIC: strict_json.write(public),
        SPLITS: _splits(trees),
        GOLDEN: strict_json.write(TreesGoldenForm(tuple(_with_parts(case, made, trees) for case in golden.cases))),
        WEIGHTS: safetensors.write(np.concatenate(trees.values)[None]),
    }
    return Draft(form.id, form.version, content)


def _named(trees: Trees, form: TreesSourceForm) -> Trees:
    """The same trees with the features and the row of the description."""
    features = tuple(feature.name for feature in form.features)
    columns = form.columns or features
    if len(columns) != len(features) or len(set(columns)) != len(columns):
        raise Incorrect("columns: there must be one for each feature, and no column twice.")
    splits = trees.splits
    if unknown := set(columns) - set(splits.features):
        raise Incorrect(f"columns: the trees have no column {min(unknown)}; they have {', '.join(splits.features)}.")
    if len(form.rows) != 1:
        raise Incorrect("rows: trees of one outcome have one row.")
    place = {column: number for number, column in enumerate(columns)}
    used = {splits.features[number] for tree in splits.trees for number in tree.feature[tree.inner].tolist()}
    if left_out := used - place.keys():
        raise Incorrect(f"columns: the trees split by column {min(left_out)}, of which no feature is made.")
    to = np.array([place.get(column, 0) for column in splits.features])
    moved = tuple(replace(tree, feature=np.where(tree.inner, to[tree.feature], 0)) for tree in splits.trees)
    return replace(trees, splits=Splits(features, (form.rows[0].name,), moved, splits.output_of))


def _public(form: TreesSourceForm, trees: Trees) -> TreesForm:
    if len(trees.parts) > MOST_PARTS:
        raise Incorrect(f"These trees take {len(trees.parts)} ciphertexts, and {MOST_PARTS} are the most; grow fewer.")
    ends = [(float(low[0]), float(high[0])) for low, high in (panel.range() for panel in trees.panels)]
    parts = tuple(
        PartForm(part, -widened(-low), widened(high)) for part, (low, high) in zip(trees.parts, ends, strict=True)
    )
    constants = tuple(trees.constants.tolist())
    return TreesForm(
        form.title, form.source, form.inputs, form.rules, bounded(form), form.rows, form.outputs, parts, constants
    )


def _splits(trees: Trees) -> bytes:
    named = zip(trees.splits.trees, trees.splits.output_of, strict=True)
    return strict_json.write_lines("trees", (_form(tree, row) for tree, row in named))


def _form(tree: Tree, row: int) -> TreeForm:
    """Nothing is said of leaves but that they are such: where XGBoost keeps thresholds it keeps their values."""
    threshold = [float(str(one)) if inner else 0.0 for one, inner in zip(tree.threshold, tree.inner, strict=True)]
    return TreeForm(
        row,
        tuple(tree.left.tolist()),
        tuple(tree.right.tolist()),
        tuple(np.where(tree.inner, tree.feature, 0).tolist()),
        tuple(threshold),
        tuple((tree.missing_left & tree.inner).tolist()),
    )


def _with_parts(case: CaseForm, made: Predictor, trees: Trees) -> TreesCaseForm:
    _, features = features_of(case, made)
    hot = trees.splits.one_hot(features[None], trees.parts)
    sums: list[Float] = [of_part[0] @ panel.weights[0] for of_part, panel in zip(hot, trees.panels, strict=True)]
    return TreesCaseForm(**structs.asdict(case), parts=tuple(map(float, sums)))
