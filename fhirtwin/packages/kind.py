"""What every kind of package says of itself: its files, how they are read, and what of them an engine evaluates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.circuit import Circuit, Cost, digest_of
from fhirtwin.ckks.declared import OF_PANELS, Declared
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import Profile
from fhirtwin.errors import Fault, Incorrect
from fhirtwin.packages.forms.manifest import Manifest
from fhirtwin.predictors.model import Predictor, Values

PUBLIC: Final = "public.json"
GOLDEN: Final = "golden.json"
WEIGHTS: Final = "weights.safetensors"
"""In every kind: the file that gateways do not get."""

COMMON: Final = {PUBLIC: 1_000_000, GOLDEN: 1_000_000, WEIGHTS: 2_000_000}
"""Files that a kind has, and most bytes of each, unless it says otherwise."""

_LAYOUT_BYTES = 16

Float = NDArray[np.float64]
Weights = TypeVar("Weights")


@dataclass(frozen=True, slots=True, eq=False)
class AsPanel:
    """A part of a model that the engine evaluates as it does panels.

    Attributes:
        panel: its digest is the part's.
        profile: masked, or sparse as tables.
    """

    panel: Panel
    profile: Profile

    @property
    def digest(self) -> str:
        """What requests name it by."""
        return self.panel.digest

    @property
    def declared(self) -> Declared:
        """Depth and packing."""
        return OF_PANELS[self.profile.name]

    @property
    def cost(self) -> Cost:
        """One ciphertext each way and one product, whatever the panel."""
        return Cost(1, 1, products=1, plaintexts=1)

    @property
    def memory_bytes(self) -> int:
        """What one worker of an engine holds of it."""
        return self.panel.weights.nbytes + _LAYOUT_BYTES * self.profile.degree


Served = AsPanel | Circuit
"""A part of a model, as an engine evaluates it."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A golden case: values of nobody, and what a right engine and a right gateway make of them.

    Attributes:
        given: what is sealed of it, as its kind takes it.
        answers: what opens, by name, before rounding.
    """

    name: str
    given: Float
    answers: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Model(ABC):
    """What a package holds, checked. The weights are in it where the package is whole.

    Attributes:
        cases: the golden cases, at least one, each checked against all that is here.
        is_probed: whether an answer that opens says that the engine computes rightly (`docs/probes.md`); if not, only
            one that does not open says something, and golden cases are asked beside.
    """

    cases: tuple[Case, ...]
    is_probed: ClassVar[bool] = True

    @property
    @abstractmethod
    def told(self) -> int:
        """How many independent equations about the secret numbers the golden cases give."""

    @property
    @abstractmethod
    def secrets(self) -> int:
        """How many such equations tell all of them."""

    @abstractmethod
    def served(self) -> tuple[Served, ...]:
        """What an engine evaluates, part by part. The weights must be here."""


@dataclass(frozen=True, eq=False)
class Predictive(Model):
    """A model of facts of a twin.

    Attributes:
        predictor: of the public half, without weights: it asks, refuses and links as any other.
        needs_lasting_keys: whether it is sealed under a key of many requests, whose evaluation keys the engine keeps.
    """

    predictor: Predictor
    needs_lasting_keys: ClassVar[bool] = False

    @property
    @abstractmethod
    def nothing(self) -> Float:
        """What is sealed when the model is not asked, so that asking tells nothing."""

    @abstractmethod
    def given(self, features: Mapping[str, float]) -> Float:
        """What is sealed of the features of its predictor."""

    def told_of(self, _values: Values) -> str:
        """What a result must say beside of how it was calculated for these values of inputs; usually nothing."""
        return ""

    def refuses(self, given: Float) -> str:
        """Why something must not be sealed, in words for who waits for a risk; empty when it may."""
        return ""


class Kind(ABC):
    """A kind of model.

    Attributes:
        name: `kind` of the manifest.
        declared: what is known of how an engine evaluates it, the same for every model of the kind.
        longest: its files beside manifest and signature, and most bytes of each. The public half lacks `WEIGHTS`.
    """

    name: ClassVar[str]
    declared: ClassVar[Declared]
    longest: ClassVar[Mapping[str, int]]

    @abstractmethod
    def read(self, files: Mapping[str, bytes], manifest: Manifest, model_hash: str) -> Model:
        """Read a model strictly, and check everything that can be checked with the files that are here.

        Args:
            files: all of `longest`, or all but the weights.
            manifest: names the model.
            model_hash: SHA-256, in hex, of the manifest.

        Raises:
            Incorrect: it is not as it must be, or could not be evaluated safely; the text names file and place.
        """


def part_digest(model_hash: str, number: int) -> str:
    """What requests name a part of a model by: the hash of the model, and for all but the first one made of it."""
    return model_hash if number == 0 else digest_of("part of a package", model_hash, str(number))


def needed(weights: Weights | None) -> Weights:
    """The weights of a whole package, or what was made of them: `Package.served` lets nobody ask a public half."""
    if weights is None:
        raise Fault("The public half of a model has no weights.")
    return weights


def refuse_unsaid(source: str) -> None:
    """Refuse a model that does not say where it is described.

    Raises:
        Incorrect: it does not.
    """
    if "https://" not in source:
        raise Incorrect("source: name where the model is described, with an https:// link.")
