"""How a model that came as a package is asked: sealed, evaluated by whoever `send` leads to, opened. One way a kind.

What opens has the names that the package gives its answers, and is rounded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.trees import TOLERANCE
from fhirtwin.ckks.profiles import MASKED, NETWORK, POLYGENIC, Profile
from fhirtwin.errors import Fault
from fhirtwin.packages.kind import Model
from fhirtwin.packages.kinds.network import NetworkModel
from fhirtwin.packages.kinds.panel import PanelModel
from fhirtwin.packages.kinds.polygenic import PolygenicModel
from fhirtwin.packages.kinds.trajectory import TrajectoryModel
from fhirtwin.packages.kinds.trees import TreesModel
from fhirtwin.vault.keeping import Shelf
from fhirtwin.vault.keys import LastingKeys
from fhirtwin.vault.network import NetworkVault, network_keys
from fhirtwin.vault.polygenic import PolygenicVault
from fhirtwin.vault.sending import Send, answered
from fhirtwin.vault.vault import Vault

Float = NDArray[np.float64]


class Asking(ABC):
    """Asks one model. Threads may share it.

    Attributes:
        profile: the parameters it is sealed under.
        what: is computed, in words.
    """

    profile: Profile
    what: str

    @abstractmethod
    def ask(self, given: Float, send: Send) -> Mapping[str, Decimal]:
        """Have the model evaluated on what its kind takes.

        Raises:
            EngineAnswerWrong: an answer fails a check.
            Fault: that must not be sealed.
        """

    def most_off(self, answer: str) -> Decimal:
        """How far an opened answer may be from the plain one, rounding included."""
        return self.profile.step / 2 + Decimal(repr(self.profile.error))

    def wrong_beyond(self, answer: str) -> Decimal:
        """How far from the plain one an opened answer shows that the engine computes wrongly: no noise comes near."""
        return self.most_off(answer) + Decimal(repr(self.profile.tolerance))


class _Panel(Asking):
    """In one ciphertext, with a probe."""

    profile, what = MASKED, "weighted sum"

    def __init__(self, model: PanelModel) -> None:
        self._vault = Vault(model.hidden(), mode="masked")

    def ask(self, given: Float, send: Send) -> Mapping[str, Decimal]:
        return answered(self._vault, given, send).values


class _Trees(Asking):
    """Part after part, each with a probe."""

    profile, what = MASKED, "sum of leaf values"

    def __init__(self, model: TreesModel) -> None:
        self._model = model
        self._vaults = [Vault(panel, mode="masked") for panel in model.public.panels]

    def ask(self, given: Float, send: Send) -> Mapping[str, Decimal]:
        parts = self._model.parts_of(given)
        return self._model.public.read([answered(*one, send) for one in zip(self._vaults, parts, strict=True)])

    def most_off(self, answer: str) -> Decimal:
        """Rounded part by part."""
        trees = self._model.public
        place = trees.splits.outputs.index(answer)
        parts = sum(trees.splits.output_of[part[0]] == place for part in trees.parts)
        return parts * self.profile.step / 2 + Decimal(repr(TOLERANCE)) + Decimal("1e-6")


class _Polygenic(Asking):
    """In a ciphertext for every chunk of the variants. Check slots tell damage, not a lie."""

    profile, what = POLYGENIC, "weighted sum"

    def __init__(self, model: PolygenicModel) -> None:
        self._vault = PolygenicVault(model.hidden())

    def ask(self, given: Float, send: Send) -> Mapping[str, Decimal]:
        return answered(self._vault, [given], send).values


class _Trajectory(Asking):
    """In a ciphertext for every part, each with a probe."""

    profile, what = MASKED, "trajectory"

    def __init__(self, model: TrajectoryModel) -> None:
        self._vaults = [Vault(panel, mode="masked") for panel in model.hidden()]
        self._scales = dict(zip(model.rows, _exactly(model.scales), strict=True))
        self._middles = dict(zip(model.rows, _exactly(model.middles), strict=True))

    def ask(self, given: Float, send: Send) -> Mapping[str, Decimal]:
        opened: dict[str, Decimal] = {}
        for vault in self._vaults:
            opened |= answered(vault, given, send).values
        return {row: value * self._scales[row] + self._middles[row] for row, value in opened.items()}

    def most_off(self, answer: str) -> Decimal:
        return super().most_off(answer) * self._scales[answer]


class _Network(Asking):
    """Under a key that lasts, with canaries and no probe."""

    profile, what = NETWORK, "network"

    def __init__(self, model: NetworkModel, keys: LastingKeys) -> None:
        self._vault = NetworkVault(model.hidden, keys=keys)

    def ask(self, given: Float, send: Send) -> Mapping[str, Decimal]:
        return answered(self._vault, given, send).values


class Keyring:
    """Keys of many requests for models of packages: made, or taken from the shelf, when a model first needs one."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    @cached_property
    def of_networks(self) -> LastingKeys:
        """One key for all networks."""
        return network_keys(self._shelf, "packages")


def asking(model: Model, keyring: Keyring) -> Asking:
    """What asks a model, whatever its kind.

    Args:
        model: with or without its weights.
        keyring: where keys of many requests come from.

    Raises:
        Incorrect: it cannot be sealed.
    """
    if isinstance(model, PanelModel):
        return _Panel(model)
    if isinstance(model, PolygenicModel):
        return _Polygenic(model)
    if isinstance(model, TrajectoryModel):
        return _Trajectory(model)
    if isinstance(model, TreesModel):
        return _Trees(model)
    if isinstance(model, NetworkModel):
        return _Network(model, keyring.of_networks)
    raise Fault("Nothing here asks models of this kind.")


def _exactly(numbers: Float) -> list[Decimal]:
    return [Decimal(one) for one in numbers.tolist()]
