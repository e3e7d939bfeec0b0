"""A round of a study: what is added up now. Only logistic regression has more than one."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature

from fhirtwin.errors import Incorrect
from fhirtwin.studies.statistics import LARGEST_PREDICTOR
from fhirtwin.studies.study import Study, verifier

MOST_BYTES: Final = 64 * 1024
_LABEL: Final = b"fhirtwin aggregate round\x00"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    study: str
    number: int
    coefficients: tuple[float, ...]
    signature: str


@dataclass(frozen=True, slots=True)
class Round:
    """What every contribution of one total is bound to.

    Attributes:
        study: digest of the study.
        number: from 1.
        coefficients: at which gradients are taken, the constant first, of columns scaled to -1 .. 1; none in a study of
            one round.
    """

    study: bytes
    number: int = 1
    coefficients: tuple[float, ...] = ()

    @property
    def content(self) -> bytes:
        """What is signed."""
        told = msgspec.json.encode([self.study.hex(), self.number, self.coefficients])
        return _LABEL + told

    @property
    def binding(self) -> bytes:
        """SHA-256 of study, number and coefficients."""
        return hashlib.sha256(self.content).digest()


def first(study: Study) -> Round:
    """The round that every study begins with: of a logistic regression, at coefficients of zero."""
    logistic = study.plan.kind == "logistic"
    return Round(study.digest, 1, (0.0,) * (len(study.plan.columns) + 1) if logistic else ())


def write(one: Round, signature: bytes) -> bytes:
    """A round as a file."""
    return msgspec.json.encode(_File(one.study.hex(), one.number, one.coefficients, signature.hex())) + b"\n"


def read(data: bytes, study: Study) -> Round:
    """Read and check a round after the first.

    Raises:
        Incorrect: it is none, of another study, not signed by the coordinator, or not such as may be answered.
    """
    try:
        file = msgspec.json.decode(data[:MOST_BYTES], type=_File)
        one = Round(bytes.fromhex(file.study), file.number, file.coefficients)
        signature = bytes.fromhex(file.signature)
    except (msgspec.DecodeError, ValueError):
        raise Incorrect("This is no round of a study; `fhirtwin aggregate open` writes one when it needs it.") from None
    if one.study != study.digest:
        raise Incorrect("The round belongs to another study.")
    try:
        verifier(study.coordinator).verify(signature, one.content)
    except InvalidSignature:
        raise Incorrect("The round was not signed by the coordinator of the study.") from None
    check(one, study)
    return one


def check(one: Round, study: Study) -> None:
    """Refuse coefficients at which statistics could leave their bounds.

    Raises:
        Incorrect: they do.
    """
    if not 1 <= one.number <= study.plan.rounds:
        raise Incorrect(f"The study {study.plan.name} has no more than {study.plan.rounds} rounds.")
    if len(one.coefficients) != len(first(study).coefficients):
        raise Incorrect("The round has not the coefficients that the study needs.")
    if not math.fsum(map(abs, one.coefficients)) <= LARGEST_PREDICTOR:
        raise Incorrect(
            "The coefficients have grown out of bounds: the columns seem to tell the outcome perfectly. A penalty, or "
            "fewer columns, mend that; make a new study."
        )
