"""A gateway and an engine that serve models of every kind, which tests ask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.cli import main
from fhirtwin.courier import Courier
from fhirtwin.packages import published
from fhirtwin.packages.package import Package
from tests.engine.process import RunningEngine
from tests.packages.builders import AUTHORS, POLYGENIC

VCF = (POLYGENIC / "nobody.vcf").read_bytes()


@dataclass(frozen=True)
class Place:
    """A gateway's data folder, an engine that serves the same models, and the way between."""

    data: Path
    engine: RunningEngine
    courier: Courier
    wholes: dict[str, Package]

    def half(self, name: str) -> Package:
        (found,) = (one for one in published.current(self.data / "models", AUTHORS) if one.id == name)
        assert not found.is_whole
        return found

    def typed(self, *words: object, command: str = "ask") -> Any:
        way = ("--data", self.data, "--engine", self.engine.url, "--engine-key", self.engine.key_file)
        return CliRunner().invoke(main, ["model", command, *map(str, (*words, *way))])


def nobody(_features: SealedFeatures) -> SealedScores:
    raise AssertionError("the engine was asked")


def kidney(half: Package, **changes: Any) -> dict[str, Any]:
    return values_of(half, {"age": 60.0, "sex": "male", "egfr": 30.0, "uacr": 100.0} | changes)


def values_of(half: Package, given: dict[str, Any]) -> dict[str, Any]:
    """What is given, of somebody whom the rules let in."""
    assert half.predictor is not None
    return {rule.fact: rule.must_be for rule in half.predictor.rules} | given
