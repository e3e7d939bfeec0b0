"""The forms of a model of facts of a twin: what an owner describes, its public half and its golden cases."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from fhirtwin.packages.forms.form import Code, Form, Name, Number, Version, Words

Age = Annotated[int, Meta(ge=0, le=150)]


class CodingForm(Form, frozen=True):
    """A code of a code system."""

    system: Code
    code: Code
    display: Words = ""


class InputForm(Form, frozen=True):
    """A fact that the model needs: `fhirtwin.predictors.model.Input`."""

    fact: Name
    label: Words
    unit: str = ""
    low: Number | None = None
    high: Number | None = None
    high_excluded: bool = False
    keep: Annotated[str, Meta(pattern=r"^[a-z]{0,32}\Z")] = ""
    none_recorded_is_no: bool = False
    code: CodingForm | None = None


class RuleForm(Form, frozen=True):
    """When the model does not apply: `fhirtwin.predictors.model.Rule`."""

    fact: Name
    must_be: bool
    reason: Words
    label: Words = ""


class FactorForm(Form, frozen=True):
    """One number made of a fact, in this order: limited, logarithm taken, centred, scaled, raised.

    Attributes:
        fact: an input. A flag counts as 0 or 1.
        less: another input of the same unit, which is taken away first (total less HDL cholesterol).
        equals: for a fact that is a word: 1 where it is this word, else 0.
        at_least, at_most: ends of a spline; only here is a value limited, and only because the model says so.
        log: whether the natural logarithm is taken.
        minus, over: what is taken away, and what the rest is divided by.
        power: what it is raised to; -1, -0.5 and 0.5 where it is above 0 over the whole range.
    """

    fact: Name
    less: Name | None = None
    equals: Name | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    log: bool = False
    minus: Number = 0.0
    over: Number = 1.0
    power: float = 1


class FeatureForm(Form, frozen=True):
    """One number of the sealed vector, a product of factors, and its bounds, which packing works out."""

    name: Name
    product: Annotated[tuple[FactorForm, ...], Meta(min_length=1, max_length=4)]
    low: Number | None = None
    high: Number | None = None


class RowForm(Form, frozen=True):
    """A weighted sum that the engine computes, and what it lies between, which packing works out."""

    name: Name
    least: Number | None = None
    greatest: Number | None = None


class BySex(Form, frozen=True):
    """A number or a name that depends on sex."""

    female: float | Name
    male: float | Name


class LinkForm(Form, frozen=True):
    """From the linear predictor, constant included, to a probability.

    Attributes:
        kind: `logistic`: 1 / (1 + exp(-x)); `survival`: 1 - baseline ** exp(x).
        baseline: probability of no event at x = 0, for `survival`.
    """

    kind: Literal["logistic", "survival"]
    baseline: Annotated[float, Meta(gt=0, lt=1)] | None = None


class CategoryForm(Form, frozen=True):
    """What a guideline calls a probability from so many percent on."""

    from_percent: Annotated[float, Meta(ge=0, le=100)]
    code: Name
    text: Words
    indicator: Literal["info", "warning", "critical"]
    guideline: Words


class OutputForm(Form, frozen=True):
    """One probability that the model gives: `fhirtwin.predictors.model.Output`."""

    id: Name
    outcome: CodingForm
    horizon_years: Annotated[int, Meta(ge=1, le=100)]
    low_age_years: Age
    high_age_years: Age
    row: Name | BySex
    link: LinkForm
    constant: Number | BySex = 0.0
    also: CodingForm | None = None
    categories: Annotated[tuple[CategoryForm, ...], Meta(max_length=16)] = ()
    inputs: tuple[Name, ...] | None = None


class PublicForm(Form, frozen=True):
    """The public half of a model: all that a gateway needs, and no weight."""

    title: Words
    source: Words
    inputs: Annotated[tuple[InputForm, ...], Meta(min_length=1, max_length=200)]
    rules: Annotated[tuple[RuleForm, ...], Meta(max_length=100)]
    features: Annotated[tuple[FeatureForm, ...], Meta(min_length=1, max_length=2000)]
    rows: Annotated[tuple[RowForm, ...], Meta(min_length=1, max_length=256)]
    outputs: Annotated[tuple[OutputForm, ...], Meta(min_length=1, max_length=64)]


class SourceForm(PublicForm, frozen=True):
    """What an owner writes and packs: the public half with the model's name and version."""

    id: Name = ""
    version: Version = ""


class CaseForm(Form, frozen=True):
    """A case whose answer is known, of nobody.

    Attributes:
        values: by fact.
        sums: of every row, without constants; packing works them out when they are not given.
        percent: by output, as a publication may print it; packing works them out as well.
        source: where it is from.
    """

    name: Words
    values: Annotated[dict[Name, bool | float | str], Meta(max_length=200)]
    sums: dict[Name, Number] | None = None
    percent: dict[Name, Number] | None = None
    source: Words = ""


class GoldenForm(Form, frozen=True):
    """The golden cases of a model."""

    cases: Annotated[tuple[CaseForm, ...], Meta(min_length=1, max_length=256)]
