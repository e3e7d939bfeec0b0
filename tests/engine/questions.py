"""One question of every kind that an engine answers: what seals it, and opens what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.packages import published
from fhirtwin.packages.package import Package
from fhirtwin.vault import BatchVault, Keyring, Shelf, Vault, asking
from tests.engine.process import serving
from tests.packages.builders import authors_file, one_of_each_kind

Send = Callable[[SealedFeatures], SealedScores]
Question = Callable[[Send], object]
"""Seals, sends, opens; what it gives was accepted."""

KEYED: Final = ("rotating", "package: network")
"""Whose evaluation keys travel."""


class Sealed(Exception):
    """Holds what was sent, and keeps it from being sent."""

    def __init__(self, features: SealedFeatures) -> None:
        super().__init__("caught")
        self.features = features


@dataclass(frozen=True)
class Served:
    """What an engine holds: a panel, also as a batch, a table, and a package of every kind in `folder`."""

    panel: Panel
    table: Panel
    folder: Path
    packages: Mapping[str, Package]

    @property
    def options(self) -> tuple[str, ...]:
        """With which it is started."""
        return "--batch", *serving(self.folder)

    def questions(self) -> dict[str, Question]:
        """All kinds, with vaults of their own: those of one gateway."""
        panel, keyring = self.panel, Keyring(Shelf())
        lookup = np.zeros(len(self.table.features))
        lookup[[choice[0] for choice in self.table.choices]] = 1.0
        found: dict[str, Question] = {
            "masked": partial(_ask, Vault(panel), panel.high),
            "rotating": partial(_ask, Vault(panel, mode="rotating"), panel.high),
            "table": partial(_ask, Vault(self.table, mode="sparse"), lookup),
            "batch": partial(
                _ask, BatchVault(Batch(panel)), np.stack([panel.high, np.where(panel.low > 0, panel.low, 0)])
            ),
        }
        for kind, one in self.packages.items():
            found[f"package: {kind}"] = partial(asking(one.model, keyring).ask, one.cases[0].given)
        return found


def served(panel: Panel, table: Panel, folder: Path) -> Served:
    """Publish a package of every kind in `folder`."""
    packages = one_of_each_kind(folder)
    for one in packages.values():
        published.publish(one, folder / "models", with_weights=True)
    authors_file(folder / "authors.json")
    return Served(panel, table, folder, packages)


def sealed_by(question: Question) -> SealedFeatures:
    """What a question sends first."""

    def catch(features: SealedFeatures) -> SealedScores:
        raise Sealed(features)

    try:
        question(catch)
    except Sealed as caught:
        return caught.features
    raise AssertionError("nothing was sent")


def _ask(vault: Any, values: object, send: Send) -> object:
    features, opening = vault.seal(values)
    return vault.open(send(features), opening)
