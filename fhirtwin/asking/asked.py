"""One model is asked for the values of a file, or for a VCF, whatever its kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, BinaryIO, Final

from fhirtwin.asking import predicted, summed, traced
from fhirtwin.asking.answer import Answer
from fhirtwin.asking.question import Given, numbers
from fhirtwin.errors import Incorrect
from fhirtwin.packages import strict_json
from fhirtwin.packages.kind import Predictive
from fhirtwin.packages.kinds.polygenic import PolygenicModel
from fhirtwin.packages.kinds.trajectory import TrajectoryModel
from fhirtwin.packages.package import Package
from fhirtwin.pgx.vcf_rows import Reading
from fhirtwin.polygenic import copies
from fhirtwin.settings import Settings
from fhirtwin.vault import Golden, Send

LONGEST_VALUES: Final = 64_000_000
"""Bytes of a file of values: dosages of all variants of a score fit."""

_COPIES: Final = "Dosages were taken as copies of the allele that the model counts, 0 to 2."


def read_values(data: bytes, name: str) -> Given:
    """Read a JSON object of inputs, by their names.

    Raises:
        Incorrect: it is none; the text names file and place.
    """
    found = strict_json.read(data, dict[str, Any], name)
    for given, value in found.items():
        if not isinstance(value, (bool, int, float, str)):
            raise Incorrect(
                f"{name}: {given[:80]} is neither a number nor a word nor true or false; what is missing is left out."
            )
    return {given: float(value) if type(value) is int else value for given, value in found.items()}


def of_values(package: Package, values: Given, send: Send, settings: Settings, golden_share: float = 0.0) -> Answer:
    """Ask a model of any kind for values.

    Args:
        package: whole, or its public half.
        values: of all its inputs: facts for a predictor, states and inputs for a trajectory, dosages by the names of
            variants for a polygenic score.
        send: the way to the engine.
        settings: what links depend on.
        golden_share: how many of the calls are golden cases, where answers have no probe.

    Raises:
        Incorrect: a value is of no input, of another kind, or missing.
        Unprocessable: the model is not for such values; the text says why.
        EngineUnavailable, EngineAnswerRefused: as for a courier, or the answer is wrong.
    """
    model, golden = package.model, Golden(golden_share)
    if isinstance(model, Predictive):
        return predicted.ask(model, values, send, settings, golden)
    if isinstance(model, TrajectoryModel):
        return traced.ask(model, numbers(values), send, golden)
    if isinstance(model, PolygenicModel):
        answer = summed.ask(model, summed.dosages(model, numbers(values)), send, golden)
        return replace(answer, notes=(_COPIES, *answer.notes))
    raise Incorrect(f"Models of kind {package.kind} are not asked like this.")


def of_vcf(package: Package, stream: BinaryIO, reading: Reading, send: Send, golden_share: float = 0.0) -> Answer:
    """Ask a polygenic score for a person's VCF, which is read as a stream; golden cases beside as in `of_values`.

    Raises:
        Incorrect: the model is of another kind, or the file is damaged; the text names the line.
        TooLarge, Unprocessable: more than is read; another genome build, or too many variants are missing.
        EngineUnavailable, EngineAnswerRefused: as for a courier, or the answer is wrong.
    """
    model = package.model
    if not isinstance(model, PolygenicModel):
        raise Incorrect(f"Model {package.id} is no polygenic score; give its inputs with --values.")
    return summed.ask(model, copies.read(stream, model.variants, reading), send, Golden(golden_share))
