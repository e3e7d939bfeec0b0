"""Linear panels: weights of a CSV or of safetensors, and the bounds that follow from them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
from msgspec import structs

from fhirtwin.ckks.panel import Panel
from fhirtwin.errors import Incorrect
from fhirtwin.files import read_file
from fhirtwin.packages import safetensors, strict_json
from fhirtwin.packages.forms.predictive import PublicForm, SourceForm
from fhirtwin.packages.kind import GOLDEN, PUBLIC, WEIGHTS
from fhirtwin.packages.kinds.panel import PanelKind, refuse_error, refuse_weighed
from fhirtwin.packages.makers.maker import (
    Draft,
    Float,
    Source,
    answered,
    bounded,
    described,
    predictor_of,
    widened,
)


def make(source: Source) -> Draft:
    """Make the content of a package of a panel.

    Weights are `.safetensors` with one tensor `weights`, rows by features; or `.csv` with a line for each feature.
    """
    form = described(source.description, SourceForm)
    weights = _weights(source.weights, form)
    public = _bounded(form, weights)
    golden = answered(source.golden, predictor_of(form, public), public, lambda features: weights @ features)
    content = {
        PUBLIC: strict_json.write(public),
        GOLDEN: strict_json.write(golden),
        WEIGHTS: safetensors.write(weights),
    }
    return Draft(form.id, form.version, content)


def _bounded(source: SourceForm, weights: Float) -> PublicForm:
    """The public half, with bounds of features from transforms, and of sums from the weights."""
    features = bounded(source)
    low, high = np.array([one.low for one in features]), np.array([one.high for one in features])
    names = tuple(row.name for row in source.rows)
    panel = Panel(tuple(one.name for one in features), low, high, names, weights, package="0" * 64)
    panel.check()
    refuse_error(panel)
    least, greatest = panel.range()
    rows = tuple(
        structs.replace(row, least=-widened(-low), greatest=widened(high))
        for row, low, high in zip(source.rows, least.tolist(), greatest.tolist(), strict=True)
    )
    public = PublicForm(source.title, source.source, source.inputs, source.rules, features, rows, source.outputs)
    refuse_weighed(public, weights)
    return public


def _weights(path: Path, source: SourceForm) -> Float:
    data = read_file(path, PanelKind.longest[WEIGHTS])
    rows, features = [row.name for row in source.rows], [feature.name for feature in source.features]
    if path.suffix == ".csv":
        return _table(path, data, rows, features)
    if path.suffix == ".safetensors":
        return safetensors.read(data, len(rows), len(features))
    raise Incorrect(f"{path}: weights come as .safetensors or .csv; a pickle is never read.")


def _table(path: Path, data: bytes, rows: list[str], features: list[str]) -> Float:
    """Weights of a CSV: a line for each feature, a column for each row of the model; an empty cell is 0."""
    try:
        table_of = csv.DictReader(io.StringIO(data.decode("utf-8")), strict=True)
        lines = list(table_of)
    except (UnicodeDecodeError, csv.Error):
        raise Incorrect(f"{path}: it is no CSV in UTF-8.") from None
    names = [str(line.get("feature")) for line in lines]
    if sorted(names) != sorted(features) or sorted(table_of.fieldnames or ()) != sorted(("feature", *rows)):
        raise Incorrect(
            f"{path}: it must have the columns feature, {', '.join(rows)}, and a line for each feature of the model."
        )
    for name, line in zip(names, lines, strict=True):
        if None in line or None in line.values():  # a cell too many, or too few
            raise Incorrect(f"{path}: the line of {name} does not have as many cells as there are columns.")
    try:
        by_name = {name: [float(line[row] or 0) for row in rows] for name, line in zip(names, lines, strict=True)}
    except ValueError:
        raise Incorrect(f"{path}: a weight is not a number.") from None
    table = np.array([by_name[feature] for feature in features]).T
    if not np.isfinite(table).all():
        raise Incorrect(f"{path}: a weight is not a finite number.")
    return np.ascontiguousarray(table)
