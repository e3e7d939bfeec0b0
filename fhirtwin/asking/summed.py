"""A polygenic score is asked: what the copies of its alleles sum to that a person has."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fhirtwin.asking.answer import Answer, Told
from fhirtwin.asking.question import opened
from fhirtwin.errors import Incorrect
from fhirtwin.packages.kinds.polygenic import PolygenicModel
from fhirtwin.polygenic import filling
from fhirtwin.polygenic.copies import ABSENT, Copies
from fhirtwin.polygenic.filling import Filled
from fhirtwin.vault import Golden, Send


def dosages(model: PolygenicModel, values: Mapping[str, float]) -> Copies:
    """Dosages by the names of variants, as if they were counted in a file.

    Raises:
        Incorrect: one is of no variant of the model, or not from 0 to 2.
    """
    if strangers := sorted(values.keys() - set(model.variants.names)):
        raise Incorrect(f"{strangers[0][:80]} is no variant of this model.")
    for name, value in values.items():
        if not 0.0 <= value <= 2.0:
            raise Incorrect(f"The dosage of {name} is not from 0 to 2.")
    counted = np.array([values.get(name, np.nan) for name in model.variants.names])
    missing = int(np.isnan(counted).sum())
    return Copies(counted, {ABSENT: missing} if missing else {})


def ask(model: PolygenicModel, shown: Copies, send: Send, golden: Golden) -> Answer:
    """The scores of what a file shows.

    Raises:
        Unprocessable: too many variants are missing.
    """
    filled = filling.filled(shown, model.variants, model.public.most_missing)
    profile, sums = opened(model, filled.dosages, send, golden)
    told = tuple(
        Told(one.name, one.label, (sums[one.name],), one.unit, f"to {profile.step}") for one in model.public.scores
    )
    return Answer(profile.name, told, _notes(model, filled))


def _notes(model: PolygenicModel, filled: Filled) -> tuple[str, ...]:
    public, count = model.public, sum(filled.missing.values())
    notes = [f"All {public.variants:,} variants are of the person."] if not count else [
        f"{count:,} of the {public.variants:,} variants are missing and stand at the mean of a population: "
        f"{filling.why(filled.missing)}."
    ]  # fmt: skip
    if public.left_out:
        notes.append(f"The author left out variants of the scoring file: {filling.why(public.left_out)}.")
    if public.on_forward_strand:
        notes.append("The author states that all alleles are those of the forward strand; nothing here can check that.")
    notes.append(f"Made of: {public.population}. Terms: {public.terms}.")
    return tuple(notes)
