"""What an owner does: weights, a description and golden cases become a signed package and its public half."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import structs
from numpy.typing import NDArray

from fhirtwin.ckks.panel import Panel
from fhirtwin.errors import Incorrect
from fhirtwin.files import read_file, write_folder
from fhirtwin.packages import package, predictor, safetensors, signing, strict_json, transforms
from fhirtwin.packages.golden import features_of, percent_of
from fhirtwin.packages.package import GOLDEN, LONGEST, MANIFEST, PUBLIC, SIGNATURE, WEIGHTS, Package
from fhirtwin.packages.schema import FORMAT, CaseForm, FileEntry, GoldenForm, Manifest, PublicForm, SourceForm
from fhirtwin.predictors.model import Predictor, Values

_BOUND_STEP: Final = 0.25
"""Bounds of sums are widened to multiples of it, so that they tell little of the weights."""

_PRINTED_DIGITS: Final = 12

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Made:
    """What came of packing.

    Attributes:
        whole, public: the two folders.
        told: how many independent equations about the weights the golden cases give, at most one a feature.
    """

    package: Package
    whole: Path
    public: Path
    told: int


def pack(model: Path, weights: Path, golden: Path, key: Ed25519PrivateKey, out: Path) -> Made:
    """Make a package and its public half, and check both as their readers will.

    Args:
        model: JSON of the form `SourceForm`, bounds left out.
        weights: `.safetensors` with one tensor `weights`, rows by features; or `.csv` with a line for each feature.
        golden: JSON of the form `GoldenForm`, sums and percentages left out or to be compared.
        key: the owner's.
        out: folder in which the two folders are made.

    Raises:
        Incorrect: something is not as it must be; the text names file, place and remedy.
    """
    source = strict_json.read(read_file(model, LONGEST[PUBLIC]), SourceForm, str(model))
    if not (source.id and source.version):
        raise Incorrect(f"{model}: it must name the model by id, and its version.")
    table = _weights(weights, source)
    public = _bounded(source, table)
    unsigned = Manifest(FORMAT, "panel", source.id, source.version, signing.public_hex(key), {})
    cases, told = _cases(golden, table, public, predictor.predictor(public, unsigned, ""))
    files = _signed(unsigned, public, cases, table, key)
    whole = package.of_files(files, None)
    folder, beside = (out / f"{source.id}-{source.version}{ending}" for ending in ("", ".public"))
    for path in (folder, beside):
        if path.exists():
            raise Incorrect(f"{path} is there already; give the model another version, or remove it.")
    write_folder(beside, public_half(files))
    write_folder(folder, files)
    return Made(whole, folder, beside, told)


def _signed(
    unsigned: Manifest, public: PublicForm, cases: GoldenForm, weights: Float, key: Ed25519PrivateKey
) -> dict[str, bytes]:
    content = {
        PUBLIC: strict_json.write(public),
        GOLDEN: strict_json.write(cases),
        WEIGHTS: safetensors.write(weights),
    }
    entries = {name: FileEntry(len(data), hashlib.sha256(data).hexdigest()) for name, data in content.items()}
    manifest = strict_json.write(structs.replace(unsigned, files=entries))
    files = {**content, MANIFEST: manifest, SIGNATURE: signing.sign(key, manifest)}
    for name, data in files.items():
        if len(data) > LONGEST[name]:
            raise Incorrect(f"{name} would be larger than the {LONGEST[name]:,} bytes that are read; split the model.")
    return files


def _cases(golden: Path, weights: Float, public: PublicForm, made: Predictor) -> tuple[GoldenForm, int]:
    """The golden cases with their answers, and how many of them are independent."""
    cases = strict_json.read(read_file(golden, LONGEST[GOLDEN]), GoldenForm, str(golden)).cases
    given = [(case, *features_of(case, made)) for case in cases]
    answered = tuple(_answered(case, values, weights @ vector, public, made) for case, values, vector in given)
    return GoldenForm(answered), int(np.linalg.matrix_rank(np.array([vector for *_, vector in given])))


def public_half(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a package without the weights: what a gateway gets."""
    return {name: data for name, data in files.items() if name != WEIGHTS}


def _weights(path: Path, source: SourceForm) -> Float:
    data = read_file(path, LONGEST[WEIGHTS])
    rows, features = [row.name for row in source.rows], [feature.name for feature in source.features]
    if path.suffix == ".csv":
        return _table(path, data, rows, features)
    if path.suffix == ".safetensors":
        return safetensors.read(data, len(rows), len(features))
    raise Incorrect(f"{path}: weights come as .safetensors or .csv; a pickle is never read.")


def _table(path: Path, data: bytes, rows: list[str], features: list[str]) -> Float:
    """Weights of a CSV: a line for each feature, a column for each row of the model; an empty cell is 0."""
    try:
        lines = list(csv.DictReader(io.StringIO(data.decode("utf-8")), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise Incorrect(f"{path}: it is no CSV in UTF-8.") from None
    names = [str(line.get("feature")) for line in lines]
    if sorted(names) != sorted(features) or any(set(line) != {"feature", *rows} for line in lines):
        raise Incorrect(
            f"{path}: it must have the columns feature, {', '.join(rows)}, and a line for each feature of the model."
        )
    try:
        by_name = {name: [float(line[row] or 0) for row in rows] for name, line in zip(names, lines, strict=True)}
    except ValueError:
        raise Incorrect(f"{path}: a weight is not a number.") from None
    table = np.array([by_name[feature] for feature in features]).T
    if not np.isfinite(table).all():
        raise Incorrect(f"{path}: a weight is not a finite number.")
    return np.ascontiguousarray(table)


def _bounded(source: SourceForm, weights: Float) -> PublicForm:
    """The public half, with bounds of features from transforms, and of sums from the weights."""
    inputs = {one.fact: predictor.input_of(one) for one in source.inputs}
    ends = [transforms.bounds_of(feature, inputs) for feature in source.features]
    low, high = np.array([end[0] for end in ends]), np.array([end[1] for end in ends])
    names = tuple(row.name for row in source.rows)
    panel = Panel(tuple(one.name for one in source.features), low, high, names, weights, package="0" * 64)
    panel.check()
    package.refuse_error(panel)
    least, greatest = panel.range()
    features = tuple(
        structs.replace(feature, low=end[0], high=end[1]) for feature, end in zip(source.features, ends, strict=True)
    )
    rows = tuple(
        structs.replace(row, least=-_widened(-low), greatest=_widened(high))
        for row, low, high in zip(source.rows, least.tolist(), greatest.tolist(), strict=True)
    )
    public = PublicForm(source.title, source.source, source.inputs, source.rules, features, rows, source.outputs)
    package.refuse_weighed(public, weights)
    return public


def _widened(bound: float) -> float:
    return math.ceil(bound / _BOUND_STEP) * _BOUND_STEP + 0.0


def _answered(case: CaseForm, values: Values, sums: Float, public: PublicForm, made: Predictor) -> CaseForm:
    """A case with its sums and percentages; what the owner gave must agree within half of the last digit given."""
    by_row = {row.name: float(one) for row, one in zip(public.rows, sums, strict=True)}
    percent = {output.id: percent_of(output, values, by_row) for output in made.outputs}
    for what, given, right in (("sum of row", case.sums, by_row), ("percentage of", case.percent, percent)):
        for name, told in (given or {}).items():
            if name not in right or abs(right[name] - told) > _half_digit(told):
                raise Incorrect(f"golden.json: {case.name}: the {what} {name} does not come out as it is given.")
    return structs.replace(case, sums=by_row, percent=percent)


def _half_digit(number: float) -> float:
    """Half of the last digit that a number was written with."""
    digits = len(repr(number).partition(".")[2].rstrip("0")) if "e" not in repr(number) else _PRINTED_DIGITS
    return 0.5 * 10.0**-digits + 1e-12
