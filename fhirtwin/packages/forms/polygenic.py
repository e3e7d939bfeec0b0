"""The forms of a package of polygenic scores."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from fhirtwin.packages.forms.form import Form, Name, Number, Version, Words
from fhirtwin.polygenic.variants import MOST_VARIANTS

MOST_SCORES = 16
MOST_CASES = 8
MOST_NAMED = 10_000

Share = Annotated[float, Meta(ge=0, le=0.5)]
VariantName = Annotated[str, Meta(pattern=r"^[0-9]{1,2}:[0-9]{1,9}:[ACGT]{1,255}:[ACGT]{1,255}\Z")]
Dosage = Annotated[float, Meta(ge=0, le=2)]


class ScoreForm(Form, frozen=True):
    """One score.

    Attributes:
        unit: what its weights are, for example `log odds ratio`.
        sum: of the weights, which packing works out; it is what the score is when every dosage is 1.
        most: what the magnitudes of the weights add up to, at most; packing works it out.
    """

    name: Name
    label: Words
    unit: Words
    sum: Number | None = None
    most: Number | None = None


class DescribedForm(Form, frozen=True):
    """What the owner says, and who asks is told.

    Attributes:
        source: where the model is described, with a link.
        population: of whom it was made, and in whom it was looked at.
        terms: on which the weights may be used.
        most_missing: share of the variants that may be missing of a person; they count as twice the frequency.
        on_forward_strand: the owner states that all alleles are those of the forward strand of GRCh38.
    """

    title: Words
    source: Words
    population: Words
    terms: Words
    scores: Annotated[tuple[ScoreForm, ...], Meta(min_length=1, max_length=MOST_SCORES)]
    most_missing: Share = 0.0
    on_forward_strand: bool = False


class PolygenicSourceForm(DescribedForm, frozen=True):
    """What an owner writes and packs.

    Attributes:
        most_left_out: share of the variants of the scoring file that may be left out because they cannot be used.
    """

    id: Name = ""
    version: Version = ""
    most_left_out: Share = 0.0


class PolygenicForm(DescribedForm, frozen=True, kw_only=True):
    """The public half beside the variants.

    Attributes:
        build: of the positions.
        variants: how many there are.
        gain_bits: how dosages are scaled, as a power of two.
        left_out: how many variants of the scoring file are not among them, by reason.
    """

    build: Literal["GRCh38"]
    variants: Annotated[int, Meta(ge=1, le=MOST_VARIANTS)]
    gain_bits: Annotated[int, Meta(ge=-10, le=10)]
    left_out: dict[Words, Annotated[int, Meta(ge=1, le=MOST_VARIANTS)]] = field(default_factory=dict)


class DosagesForm(Form, frozen=True):
    """A case whose answer is known, of nobody.

    Attributes:
        everywhere: dosage of the variants that are not named.
        drawn: a text that they are drawn from instead, 0, 1 or 2 each.
        dosages: by the name of the variant.
        scores: by name; packing works them out when they are not given.
        source: where it is from.
    """

    name: Words
    everywhere: Dosage = 0.0
    drawn: Words | None = None
    dosages: Annotated[dict[VariantName, Dosage], Meta(max_length=MOST_NAMED)] = field(default_factory=dict)
    scores: dict[Name, Number] | None = None
    source: Words = ""


class DosagesGoldenForm(Form, frozen=True):
    """The golden cases of polygenic scores."""

    cases: Annotated[tuple[DosagesForm, ...], Meta(min_length=1, max_length=MOST_CASES)]
