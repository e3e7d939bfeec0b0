"""Asks an engine the golden cases of a model, sealed as patients are, and holds its answers against the package's."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from fhirtwin import keyfile
from fhirtwin.courier import Courier
from fhirtwin.errors import EngineAnswerWrong
from fhirtwin.packages.package import Package
from fhirtwin.vault import Keyring, Shelf, asking

_TIMEOUT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of it.

    Attributes:
        cases: how many were asked.
        off: how far a sum was from the package's, at most; rounding included.
    """

    cases: int
    off: Decimal


def ask(package: Package, url: str, key_file: Path, ca_file: str | None = None) -> Asked:
    """Seal every golden case, have the engine evaluate it, and compare.

    Args:
        package: whole, or its public half.
        url: of the engine.
        key_file: of the secret shared with it.
        ca_file: authority of its certificate.

    Raises:
        EngineUnavailable: it does not answer, or does not serve this model.
        EngineAnswerRefused: an answer is not right; the text names the case.
    """
    courier = Courier(url, bytes.fromhex(keyfile.read(key_file)), timeout=_TIMEOUT_SECONDS, ca_file=ca_file)
    try:
        return ask_by(courier, package)
    finally:
        courier.close()


def ask_by(courier: Courier, package: Package) -> Asked:
    """Do what `ask` does, by a courier that is there."""
    asks = asking(package.model, Keyring(Shelf()))
    off = Decimal(0)
    for case in package.cases:
        wrong = f"The engine's answer to golden case {case.name} of {package.id} {package.version} is wrong."
        try:
            opened = asks.ask(case.given, courier.evaluate)
        except EngineAnswerWrong:
            raise EngineAnswerWrong(wrong) from None
        for name, right in case.answers.items():
            by = abs(opened[name] - Decimal(repr(right)))
            if by > asks.most_off(name):
                raise EngineAnswerWrong(wrong)
            off = max(off, by)
    return Asked(len(package.cases), off.quantize(Decimal("0.00001")))
