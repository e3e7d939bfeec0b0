"""An assessor that asks the models of a folder, and an engine that serves them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from fhirtwin.assess import Assessor, SealedModel
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.models import Models
from fhirtwin.errors import EngineLacksModel, Unprocessable
from fhirtwin.packages import published
from fhirtwin.packages.kind import Predictive
from fhirtwin.predictors import registry
from fhirtwin.vault import Keyring, Shelf, Vault, asking
from tests.packages.builders import (
    AUTHORS,
)
from tests.report.builders import SETTINGS

OURS = replace(SETTINGS, kfre_region="non-north-american")
KEYRING = Keyring(Shelf())


class Sends(Protocol):
    """A courier, or what stands in for one."""

    def evaluate(self, features: SealedFeatures) -> SealedScores: ...


class Engine:
    """Stands in for courier and engine; `fails` is raised at every call but the first."""

    def __init__(self, folder: Path) -> None:
        models = Models(folder / "models", folder / "authors.json")
        self.evaluator = Evaluator(registry.panel(registry.all_predictors()), models=models)
        self.sent: list[SealedFeatures] = []
        self.fails: Exception | None = None

    def evaluate(self, features: SealedFeatures) -> SealedScores:
        self.sent.append(features)
        if self.fails and len(self.sent) > 1:
            raise self.fails
        try:
            return self.evaluator.evaluate(features, wire.keys_digest(features.evaluation_keys))
        except Unprocessable:
            raise EngineLacksModel("not served") from None


def assessor(folder: Path, engine: Sends) -> Assessor:
    models = [
        SealedModel(one.model, one.author, asking(one.model, KEYRING))
        for one in published.current(folder / "models", AUTHORS)
        if isinstance(one.model, Predictive)
    ]
    predictors = registry.all_predictors()
    panel = registry.panel(predictors)
    return Assessor(predictors, panel, Vault(panel), engine.evaluate, OURS, models=models)
