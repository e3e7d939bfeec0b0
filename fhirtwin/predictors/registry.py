"""Finds the predictors and lets them in.

Built-ins are found by listing the families of this package; others register under the entry-point group
`fhirtwin.predictors`. Both pass the same gate. The engine imports this module for the weights, so nothing here knows a
patient.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from math import isfinite
from types import ModuleType
from typing import Final

import numpy as np

from fhirtwin import predictors as package
from fhirtwin.ckks.panel import Panel
from fhirtwin.errors import Fault
from fhirtwin.predictors.model import Predictor, Row

GROUP: Final = "fhirtwin.predictors"
"""Entry-point group; each entry names a `Predictor`."""

SUM_BOUND: Final = 16.0
"""Largest sum of |weight| × largest |feature| of a row. A sealed sum beyond what the parameters hold wraps round to a
small one without a word, so a row that could get there is not let in."""


@cache
def all_predictors() -> tuple[Predictor, ...]:
    """Every predictor of this installation, in the order of their ids.

    Raises:
        Fault: one of them does not pass the gate; the text names it.
    """
    return admit([*_built_in(), *_registered()])


def admit(predictors: Iterable[Predictor]) -> tuple[Predictor, ...]:
    """Pass predictors through the gate; they come out in the order of their ids.

    Raises:
        Fault: a name given twice, a row without its feature, an output without its row, a feature that is not
            centred, or a row whose sum could leave the bound.
    """
    admitted = tuple(sorted(predictors, key=lambda p: p.id))
    _refuse_twice("two predictors have", (p.id for p in admitted))
    for predictor in admitted:
        _check_names(predictor)
        _check_features(predictor)
        for row in predictor.rows:
            _check_row(predictor, row)
    return admitted


def largest_sum(predictor: Predictor, row: Row) -> float:
    """The largest absolute value that the row's sum can take while the features are in their ranges."""
    ends = {f.name: max(abs(f.low), abs(f.high)) for f in predictor.features}
    return sum(abs(weight) * ends[name] for name, weight in row.weights.items())


def panel(predictors: Iterable[Predictor]) -> Panel:
    """Lay predictors side by side: features and rows are named `<predictor>:<name>`, weights are 0 between them."""
    chosen = admit(predictors)
    features = [(p, f) for p in chosen for f in p.features]
    rows = [(p, r) for p in chosen for r in p.rows]
    place = {(p.id, f.name): column for column, (p, f) in enumerate(features)}
    weights = np.zeros((len(rows), len(features)))
    for line, (predictor, row) in enumerate(rows):
        for name, weight in row.weights.items():
            weights[line, place[predictor.id, name]] = weight
    return Panel(
        features=tuple(f"{p.id}:{f.name}" for p, f in features),
        low=np.array([f.low for _, f in features]),
        high=np.array([f.high for _, f in features]),
        rows=tuple(f"{p.id}:{r.name}" for p, r in rows),
        weights=weights,
    )


def _built_in() -> Iterator[Predictor]:
    for family in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if family.ispkg:
            folder = importlib.import_module(family.name)
            for entry in pkgutil.iter_modules(folder.__path__, f"{family.name}."):
                yield _exported(importlib.import_module(entry.name))


def _exported(module: ModuleType) -> Predictor:
    found = getattr(module, "PREDICTOR", None)
    if not isinstance(found, Predictor):
        raise Fault(f"{module.__name__} lies in a predictor family and exports no PREDICTOR.")
    return found


def _registered() -> Iterator[Predictor]:
    for entry in metadata.entry_points(group=GROUP):
        try:
            found = entry.load()
        except (ImportError, AttributeError) as error:
            raise Fault(f"Entry point {entry.name} of {GROUP} ({entry.value}) cannot be loaded.") from error
        if not isinstance(found, Predictor):
            raise Fault(f"Entry point {entry.name} of {GROUP} ({entry.value}) is not a Predictor.")
        yield found


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise Fault(f"Predictors refused: {what} the name {twice[0]}.")


def _check_names(predictor: Predictor) -> None:
    _refuse_twice(f"two inputs of {predictor.id} have", (i.fact for i in predictor.inputs))
    _refuse_twice(f"two features of {predictor.id} have", (f.name for f in predictor.features))
    _refuse_twice(f"two rows of {predictor.id} have", (r.name for r in predictor.rows))
    _refuse_twice(f"two outputs of {predictor.id} have", (o.id for o in predictor.outputs))
    named = [predictor.id, *(f.name for f in predictor.features), *(r.name for r in predictor.rows)]
    for name in named:
        if not name or ":" in name:
            raise Fault(f"Predictor {predictor.id} refused: the name {name!r} is empty or has a colon.")
    if not predictor.outputs:
        raise Fault(f"Predictor {predictor.id} refused: it has no output.")


def _check_features(predictor: Predictor) -> None:
    for feature in predictor.features:
        # 0 stands for "not asked" in the panel, so it must be a value that the feature can take.
        if not (isfinite(feature.low) and isfinite(feature.high) and feature.low <= 0 <= feature.high):
            raise Fault(
                f"Predictor {predictor.id} refused: feature {feature.name} is not centred, its range leaves out 0."
            )


def _check_row(predictor: Predictor, row: Row) -> None:
    unknown = row.weights.keys() - {f.name for f in predictor.features}
    if unknown:
        raise Fault(f"Predictor {predictor.id} refused: row {row.name} weighs {min(unknown)}, which is no feature.")
    if not largest_sum(predictor, row) <= SUM_BOUND:
        raise Fault(f"Predictor {predictor.id} refused: the sum of row {row.name} can pass {SUM_BOUND:g}.")
