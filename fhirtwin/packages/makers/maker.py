"""What all makers share: what an owner gives, what comes of it, and golden cases that get their answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from fhirtwin.errors import Incorrect
from fhirtwin.packages import predictor, strict_json, transforms
from fhirtwin.packages.forms.manifest import FORMAT, Manifest
from fhirtwin.packages.forms.predictive import CaseForm, FeatureForm, GoldenForm, PublicForm, SourceForm
from fhirtwin.packages.golden import features_of, percent_of
from fhirtwin.predictors.model import Predictor, Values
from fhirtwin.terms.facts import UNITS

LONGEST_BYTES: Final = 1_000_000
"""Of a description, and of golden cases."""

_BOUND_STEP: Final = 0.25
"""Bounds of sums are widened to multiples of it, so that they tell little of the weights."""

_PRINTED_DIGITS: Final = 12

Float = NDArray[np.float64]
Names = TypeVar("Names", bound="_Names")
Described = TypeVar("Described", bound=SourceForm)


class _Names(Protocol):
    """A description: it names its model."""

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Source:
    """What an owner gives.

    Attributes:
        description: JSON of the model, without what packing works out.
        weights: the file with the numbers that stay with the engine.
        golden: JSON of the golden cases, answers left out or to be compared.
        reference: FASTA of GRCh38, for a polygenic score; None takes the author's word for its alleles.
    """

    description: Path
    weights: Path
    golden: Path
    reference: Path | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a maker makes of it: everything but manifest and signature.

    Attributes:
        id, version: of the model.
        content: the files that its kind has.
    """

    id: str
    version: str
    content: Mapping[str, bytes]


Maker = Callable[[Source], Draft]
"""Raises `Incorrect` where something is not as it must be; the text names file, place and remedy."""


def named(path: Path, form: type[Names]) -> Names:
    """Read a description.

    Raises:
        Incorrect: it is not of that form, or names no id and version.
    """
    source = strict_json.of_file(path, form, LONGEST_BYTES)
    if not (source.id and source.version):
        raise Incorrect(f"{path}: it must name the model by id, and its version.")
    return source


def described(path: Path, form: type[Described]) -> Described:
    """Read the description of a predictor.

    Raises:
        Incorrect: it is not of that form, names no id and version, or does not say how old a quantity may be.
    """
    source = named(path, form)
    for one in source.inputs:
        if one.fact in UNITS and one.fact != "age" and not one.keep:
            raise Incorrect(
                f"{path}: inputs: {one.fact}: say how old it may be: keep, one of {', '.join(predictor.AGES)}, each "
                f'a setting of the hospital\'s, or "{predictor.ANY_AGE}" if a value of any age is right.'
            )
    return source


def bounded(source: SourceForm) -> tuple[FeatureForm, ...]:
    """The features of a description with the bounds that its transforms have over the ranges of inputs."""
    inputs = {one.fact: predictor.input_of(one) for one in source.inputs}
    ends = [transforms.bounds_of(feature, inputs) for feature in source.features]
    return tuple(
        structs.replace(feature, low=end[0], high=end[1]) for feature, end in zip(source.features, ends, strict=True)
    )


def widened(bound: float) -> float:
    """A bound that tells little of what it was made of."""
    return math.ceil(bound / _BOUND_STEP) * _BOUND_STEP + 0.0


def predictor_of(source: SourceForm, public: PublicForm, *, absent: float = 0.0) -> Predictor:
    """The predictor of a public half that is not signed yet."""
    unsigned = Manifest(FORMAT, "draft", source.id, source.version, "0" * 64, {})
    return predictor.predictor(public, unsigned, "", absent=absent)


def answered(golden: Path, made: Predictor, public: PublicForm, sums_of: Callable[[Float], Float]) -> GoldenForm:
    """Golden cases of a predictor with their sums and percentages.

    Args:
        golden: as the owner wrote them.
        made: of the public half.
        public: names the rows.
        sums_of: what the weights make of features in their order: a sum for each row.

    Raises:
        Incorrect: what the owner gave does not agree within half of the last digit given.
    """
    cases = strict_json.of_file(golden, GoldenForm, LONGEST_BYTES).cases
    for case in cases:
        _refuse_part_of_year(case, golden)
    given = [(case, *features_of(case, made)) for case in cases]
    return GoldenForm(tuple(_answered(case, values, sums_of(vector), public, made) for case, values, vector in given))


def _refuse_part_of_year(case: CaseForm, golden: Path) -> None:
    """A gateway gives completed years alone, so such a case would show what no patient is ever told."""
    age = case.values.get("age")
    if isinstance(age, float) and not age.is_integer():
        raise Incorrect(f"{golden}: {case.name}: age takes completed years, a whole number, as gateways give it.")


def _answered(case: CaseForm, values: Values, sums: Float, public: PublicForm, made: Predictor) -> CaseForm:
    by_row = {row.name: float(one) for row, one in zip(public.rows, sums, strict=True)}
    percent = {output.id: percent_of(output, values, by_row) for output in made.outputs}
    for what, given, right in (("sum of row", case.sums, by_row), ("percentage of", case.percent, percent)):
        for name, told in (given or {}).items():
            if name not in right:
                raise Incorrect(f"golden.json: {case.name}: there is no {what} {name}.")
            refuse_other(f"golden.json: {case.name}: the {what} {name}", right[name], told)
    return structs.replace(case, sums=by_row, percent=percent)


def refuse_other(what: str, right: float, told: float) -> None:
    """Refuse an answer that an owner gives otherwise than it comes out.

    Raises:
        Incorrect: it differs by more than half of the last digit given.
    """
    if not abs(right - told) <= half_digit(told):
        raise Incorrect(f"{what} does not come out as it is given: it is {right:.9g} and not {told:g}.")


def half_digit(number: float) -> float:
    """Half of the last digit that a number was written with."""
    digits = len(repr(number).partition(".")[2].rstrip("0")) if "e" not in repr(number) else _PRINTED_DIGITS
    return 0.5 * 10.0**-digits + 1e-12
