"""Polygenic scores: sums over the copies of many alleles, sealed chunk by chunk.

The variants are a file of their own, which gateways have as well: they count the copies. The weights are the engine's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from fhirtwin.ckks.circuits.hidden_polygenic import HiddenPolygenic
from fhirtwin.ckks.circuits.polygenic import Polygenic
from fhirtwin.errors import Incorrect
from fhirtwin.packages import safetensors, strict_json
from fhirtwin.packages.forms.manifest import Manifest
from fhirtwin.packages.forms.polygenic import DosagesForm, DosagesGoldenForm, PolygenicForm
from fhirtwin.packages.golden import refuse_twice
from fhirtwin.packages.kind import GOLDEN, PUBLIC, WEIGHTS, Case, Float, Kind, Model, needed, refuse_unsaid
from fhirtwin.polygenic import variants as variant_files
from fhirtwin.polygenic.variants import Variants

VARIANTS: Final = "variants.tsv"

TOLERANCE: Final = 1e-9
"""How far a score of a golden case may be from what is reckoned here, relative to the largest score there can be."""

_MOST_DOSAGES = 1 << 23
"""Of all golden cases together."""


@dataclass(frozen=True, eq=False)
class PolygenicModel(Model):
    """Scores.

    Attributes:
        cases: dosages of nobody, each with all scores, constants included.
        hash: of the model.
        public: as it was read.
        variants: in the order of dosages.
        weights: shape (scores, variants); None in the public half.
    """

    hash: str
    public: PolygenicForm
    variants: Variants
    weights: Float | None

    is_probed: ClassVar = False

    @property
    def told(self) -> int:
        """One for each case, and one for the sum of the weights."""
        return len(self.cases) + 1

    @property
    def secrets(self) -> int:
        """A weight of each variant."""
        return len(self.variants)

    @property
    def scores(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(one.name for one in self.public.scores)

    def served(self) -> tuple[Polygenic, ...]:
        """One circuit."""
        bits = self.public.gain_bits
        return (Polygenic(self.variants.names, self.scores, needed(self.weights), package=self.hash, gain_bits=bits),)

    def hidden(self) -> HiddenPolygenic:
        """The circuit as a gateway knows it."""
        sums, most = sums_and_bounds(self.public)
        return HiddenPolygenic(self.variants.names, self.scores, self.hash, self.public.gain_bits, sums, most)


class PolygenicKind(Kind):
    """Read as weights, checked against sums, bounds, overflow and error."""

    name = "polygenic"
    declared: ClassVar = Polygenic.declared
    longest: ClassVar = {PUBLIC: 1_000_000, GOLDEN: 2_000_000, VARIANTS: 48_000_000, WEIGHTS: 20_000_000}

    def read(self, files: Mapping[str, bytes], manifest: Manifest, model_hash: str) -> PolygenicModel:
        """Read scores."""
        public = strict_json.read(files[PUBLIC], PolygenicForm, PUBLIC)
        refuse_unsaid(public.source)
        variants = variant_files.read(files[VARIANTS], VARIANTS)
        if len(variants) != public.variants:
            raise Incorrect(f"{VARIANTS}: it has {len(variants)} variants, and public.json says {public.variants}.")
        weights = safetensors.read(files[WEIGHTS], len(public.scores), len(variants)) if WEIGHTS in files else None
        golden = strict_json.read(files[GOLDEN], DosagesGoldenForm, GOLDEN)
        found = PolygenicModel(cases_of(golden, public, variants, weights), model_hash, public, variants, weights)
        found.hidden()
        if weights is not None:
            _refuse_loose(found)
        return found


def sums_and_bounds(public: PolygenicForm) -> tuple[Float, Float]:
    """Sum of the weights of each score, and what their magnitudes add up to at most.

    Raises:
        Incorrect: one is not given.
    """
    if any(one.sum is None or one.most is None for one in public.scores):
        raise Incorrect(
            "public.json: a score has no sum or bound of its weights; `fhirtwin model pack` works them out."
        )
    return np.array([one.sum for one in public.scores]), np.array([one.most for one in public.scores])


def cases_of(
    golden: DosagesGoldenForm, public: PolygenicForm, variants: Variants, weights: Float | None
) -> tuple[Case, ...]:
    """Check all cases.

    Raises:
        Incorrect: a case is not of these variants, or comes out otherwise; the text names it.
    """
    refuse_twice([case.name for case in golden.cases])
    sums, most = sums_and_bounds(public)
    made = []
    for form, dosages in zip(golden.cases, dosages_of(golden, variants), strict=True):
        names = [one.name for one in public.scores]
        if form.scores is None or form.scores.keys() != set(names):
            raise Incorrect(f"golden.json: {form.name} must give every score.")
        told = np.array([form.scores[name] for name in names])
        room = TOLERANCE * (1.0 + most)
        # Written so that a NaN fails.
        if not (np.abs(told - sums) <= most + room).all():
            raise Incorrect(f"golden.json: a score of {form.name} leaves the bounds that public.json declares.")
        if weights is not None and not (np.abs(weights @ dosages - told) <= room).all():
            raise Incorrect(f"golden.json: the weights give other scores for {form.name} than it says.")
        made.append(Case(form.name, dosages, dict(form.scores)))
    return tuple(made)


def dosages_of(golden: DosagesGoldenForm, variants: Variants) -> tuple[Float, ...]:
    """Dosages of every case in the order of the variants.

    Raises:
        Incorrect: a case names a variant that is not there, or they are too many.
    """
    if len(golden.cases) * len(variants) > _MOST_DOSAGES:
        most = _MOST_DOSAGES // len(variants)
        raise Incorrect(f"golden.json: of {len(variants):,} variants there may be {most} cases at most.")
    places = (
        {name: place for place, name in enumerate(variants.names)} if any(one.dosages for one in golden.cases) else {}
    )
    return tuple(_dosages(form, len(variants), places) for form in golden.cases)


def _dosages(form: DosagesForm, count: int, places: Mapping[str, int]) -> Float:
    if form.drawn is None:
        dosages = np.full(count, form.everywhere)
    else:
        drawn = hashlib.shake_256(b"fhirtwin golden case\x00" + form.drawn.encode()).digest(count)
        dosages = (np.frombuffer(drawn, dtype=np.uint8) % 3).astype(np.float64)
    for name, dosage in form.dosages.items():
        if name not in places:
            raise Incorrect(f"golden.json: {form.name} names variant {name}, which is not among the variants.")
        dosages[places[name]] = dosage
    if (dosages == 1.0).all():
        raise Incorrect(
            f"golden.json: {form.name} has one copy of everything, which is sealed as zeros: it tells nothing."
        )
    return dosages


def _refuse_loose(found: PolygenicModel) -> None:
    """Refuse weights that could overflow, or whose sums are not what is declared for them."""
    (circuit,) = found.served()
    sums, most = sums_and_bounds(found.public)
    for name, right, told, largest, bound in zip(
        found.scores, circuit.constants, sums, circuit.largest, most, strict=True
    ):
        if not (abs(right - told) <= TOLERANCE * (1.0 + bound) and largest <= bound):
            raise Incorrect(f"The weights of score {name} do not have the sum, or leave the bound, that it declares.")
