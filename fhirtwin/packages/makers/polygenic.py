"""Polygenic scores: a scoring file of the PGS Catalog, and the sums and bounds that follow from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from msgspec import structs

from fhirtwin.ckks.circuits.polygenic import Polygenic
from fhirtwin.errors import Incorrect
from fhirtwin.packages import safetensors, strict_json
from fhirtwin.packages.forms.polygenic import (
    DosagesForm,
    DosagesGoldenForm,
    PolygenicForm,
    PolygenicSourceForm,
)
from fhirtwin.packages.kind import GOLDEN, PUBLIC, WEIGHTS
from fhirtwin.packages.kinds.polygenic import VARIANTS, PolygenicKind, dosages_of
from fhirtwin.packages.makers.maker import Draft, Float, Source, named, refuse_other, widened
from fhirtwin.polygenic import reference, scoring_file, variants
from fhirtwin.polygenic.filling import why
from fhirtwin.polygenic.reference import OTHER_REFERENCE
from fhirtwin.polygenic.scoring_file import Scoring
from fhirtwin.polygenic.variants import Variants


def make(source: Source) -> Draft:
    """Make the content of a package of a polygenic score.

    Weights are a scoring file of the PGS Catalog, format 2.0, plain or gzipped, with positions on GRCh38.
    """
    form = named(source.description, PolygenicSourceForm)
    if len(form.scores) != 1:
        raise Incorrect(f"{source.description}: a scoring file has one score.")
    scoring = _scoring(source, form)
    table = scoring.weights[None]
    public = _public(form, scoring, table)
    golden = _answered(source.golden, scoring.variants, form, table)
    content = {
        PUBLIC: strict_json.write(public),
        GOLDEN: strict_json.write(golden),
        VARIANTS: variants.write(scoring.variants),
        WEIGHTS: safetensors.write(table),
    }
    return Draft(form.id, form.version, content)


def _scoring(source: Source, form: PolygenicSourceForm) -> Scoring:
    path = source.weights
    try:
        with path.open("rb") as stream:
            found = scoring_file.read(stream, on_forward_strand=form.on_forward_strand)
    except Incorrect as error:
        raise Incorrect(f"{path}: {error}") from None
    if source.reference is not None:
        found = _looked_up(found, source.reference)
    left_out = sum(found.left_out.values())
    total = left_out + len(found.variants)
    if left_out > form.most_left_out * total:
        raise Incorrect(
            f"{path}: {left_out:,} of its {total:,} variants cannot be used: {why(found.left_out)}. Without them it is "
            "another score; `most_left_out` of the description says how many may be left out, and "
            "`on_forward_strand` that its alleles are those of the forward strand."
        )
    return found


def _looked_up(found: Scoring, path: Path) -> Scoring:
    """The same with what the genome has, without the variants of which it has neither allele."""
    try:
        with path.open("rb") as stream:
            looked = reference.look_up(stream, found.variants)
    except Incorrect as error:
        raise Incorrect(f"{path}: {error}") from None
    if looked.agree.all():
        return replace(found, variants=looked.variants)
    if not looked.agree.any():
        raise Incorrect(f"{path}: the genome has no allele of this score at its place; the build is not the same.")
    kept = variants.of(looked.variants[place] for place in np.flatnonzero(looked.agree).tolist())
    left_out = {**found.left_out, OTHER_REFERENCE: int((~looked.agree).sum())}
    return replace(found, variants=kept, weights=found.weights[looked.agree], left_out=left_out)


def _public(form: PolygenicSourceForm, scoring: Scoring, table: Float) -> PolygenicForm:
    (score,) = form.scores
    circuit = Polygenic(scoring.variants.names, (score.name,), table, package="0" * 64)
    made = structs.replace(score, sum=float(circuit.constants[0]), most=widened(float(circuit.largest[0])))
    return PolygenicForm(
        title=form.title,
        source=form.source,
        population=form.population,
        terms=form.terms,
        scores=(made,),
        most_missing=form.most_missing,
        on_forward_strand=form.on_forward_strand,
        build="GRCh38",
        variants=len(scoring.variants),
        gain_bits=circuit.best_gain_bits,
        left_out=dict(scoring.left_out),
    )


def _answered(path: Path, over: Variants, form: PolygenicSourceForm, table: Float) -> DosagesGoldenForm:
    golden = strict_json.of_file(path, DosagesGoldenForm, PolygenicKind.longest[GOLDEN])
    names = [one.name for one in form.scores]
    answers = [table @ dosages for dosages in dosages_of(golden, over)]
    cases = zip(golden.cases, answers, strict=True)
    return DosagesGoldenForm(tuple(_case(case, dict(zip(names, told.tolist(), strict=True))) for case, told in cases))


def _case(case: DosagesForm, right: dict[str, float]) -> DosagesForm:
    for name, told in (case.scores or {}).items():
        if name not in right:
            raise Incorrect(f"golden.json: {case.name}: there is no score {name}.")
        refuse_other(f"golden.json: {case.name}: score {name}", right[name], told)
    return structs.replace(case, scores=right)
