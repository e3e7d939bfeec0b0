"""A package as it is read from its folder: every file against the manifest, the manifest against its author.

The *whole* package is for engines. Without the file of weights it is the *public half*, which gateways get.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks import noise, packing
from fhirtwin.ckks.hidden import HiddenPanel
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import MASKED
from fhirtwin.errors import Incorrect
from fhirtwin.files import read_folder
from fhirtwin.packages import safetensors, signing, strict_json, transforms
from fhirtwin.packages.golden import Case, cases_of
from fhirtwin.packages.predictor import predictor, rows_of
from fhirtwin.packages.schema import FORMAT, GoldenForm, Manifest, PublicForm
from fhirtwin.packages.signing import Authors
from fhirtwin.predictors.model import Predictor

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
PUBLIC: Final = "public.json"
GOLDEN: Final = "golden.json"
WEIGHTS: Final = "weights.safetensors"

LONGEST: Final = {MANIFEST: 16_384, SIGNATURE: 256, PUBLIC: 1_000_000, GOLDEN: 1_000_000, WEIGHTS: 2_000_000}
"""The files of a package, and most bytes of each."""

CONTENT: Final = frozenset({PUBLIC, GOLDEN, WEIGHTS})

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Package:
    """A package that passed every check.

    Attributes:
        hash: SHA-256, in hex, of the manifest, and so of everything: results are bound to it.
        author: what we call whoever signed it; empty when nobody said whom to trust.
        predictor: without weights.
        cases: the golden cases, each checked against transforms, links and, where they are here, weights.
        weights: shape (rows, features); None in the public half.
        files: as they were read.
    """

    manifest: Manifest
    hash: str
    author: str
    public: PublicForm
    predictor: Predictor
    cases: tuple[Case, ...]
    weights: Float | None
    files: Mapping[str, bytes]

    @property
    def id(self) -> str:
        """What the model is called, in all its versions."""
        return self.manifest.id

    @property
    def version(self) -> str:
        """Which one of them it is."""
        return self.manifest.version

    def panel(self) -> Panel:
        """The panel with its weights, for an engine.

        Raises:
            Incorrect: the weights are not here, or could overflow.
        """
        if self.weights is None:
            raise Incorrect(f"Model {self.id} {self.version} has no weights here; this is its public half.")
        return Panel(*self._names_and_bounds(), self.weights, package=self.hash)

    def hidden(self) -> HiddenPanel:
        """The panel as a gateway knows it."""
        features, low, high, rows = self._names_and_bounds()
        return HiddenPanel(
            features=features,
            low=low,
            high=high,
            rows=rows,
            digest=self.hash,
            least=np.array([_given(row.least) for row in self.public.rows]),
            greatest=np.array([_given(row.greatest) for row in self.public.rows]),
            cases=np.array([case.features for case in self.cases]),
            answers=np.array([case.sums for case in self.cases]),
        )

    def _names_and_bounds(self) -> tuple[tuple[str, ...], Float, Float, tuple[str, ...]]:
        features = self.predictor.features
        return (
            tuple(f"{self.id}:{feature.name}" for feature in features),
            np.array([feature.low for feature in features]),
            np.array([feature.high for feature in features]),
            tuple(f"{self.id}:{row.name}" for row in self.public.rows),
        )


def read(folder: Path, authors: Authors | None) -> Package:
    """Read a package, whole or its public half.

    Args:
        folder: of the package.
        authors: who is trusted; None checks the signature and not whose it is.

    Raises:
        Incorrect: it is not exactly what a trusted author signed, or what it says cannot be; the text names folder,
            file and place.
    """
    try:
        return of_files(read_folder(folder, LONGEST), authors)
    except Incorrect as error:
        text = str(error)
        raise Incorrect(text if text.startswith(str(folder)) else f"{folder}: {text}") from None


def of_files(files: Mapping[str, bytes], authors: Authors | None) -> Package:
    """Check the files of a package, and put them together.

    Raises:
        Incorrect: as for `read`, without the folder.
    """
    for name in (MANIFEST, SIGNATURE, PUBLIC, GOLDEN):
        if name not in files:
            raise Incorrect(f"{name} is missing, so this is no model package.")
    manifest = _manifest(files)
    author = _author(manifest, authors)
    signing.verify(manifest.author, files[MANIFEST], files[SIGNATURE])
    for name in sorted(CONTENT & files.keys()):
        _refuse_changed(name, files[name], manifest)
    model_hash = hashlib.sha256(files[MANIFEST]).hexdigest()
    public = strict_json.read(files[PUBLIC], PublicForm, PUBLIC)
    made = predictor(public, manifest, model_hash)
    weights = None
    if WEIGHTS in files:
        weights = safetensors.read(files[WEIGHTS], len(public.rows), len(public.features))
        refuse_weighed(public, weights)
    golden = strict_json.read(files[GOLDEN], GoldenForm, GOLDEN)
    cases = cases_of(golden, public, made, weights)
    package = Package(manifest, model_hash, author, public, made, cases, weights, dict(files))
    packing.layout(package.hidden(), MASKED)
    if weights is not None:
        refuse_loose(package)
    return package


def refuse_weighed(public: PublicForm, weights: Float) -> None:
    """Refuse weights of inputs that an output says it does without: they would count as 0 for who has no value.

    Raises:
        Incorrect: an output weighs such an input.
    """
    places = {row.name: place for place, row in enumerate(public.rows)}
    for output in public.outputs:
        if output.inputs is None:
            continue
        left_out = [
            place
            for place, feature in enumerate(public.features)
            if not transforms.facts_of(feature) <= set(output.inputs)
        ]
        for row in rows_of(output):
            if weights[places[row], left_out].any():
                raise Incorrect(f"Row {row} weighs an input that output {output.id} says it does without.")


def refuse_loose(package: Package) -> None:
    """Refuse weights that could overflow, or whose sums leave the bounds that are declared for them.

    Raises:
        Incorrect: they do; the text names the row.
    """
    panel = package.panel()
    packing.layout(panel, MASKED)
    refuse_error(panel)
    least, greatest = panel.range()
    for row, low, high in zip(package.public.rows, least, greatest, strict=True):
        if low < _given(row.least) or high > _given(row.greatest):
            raise Incorrect(f"The sum of row {row.name} can leave the bounds that it declares.")


def refuse_error(panel: Panel) -> None:
    """Refuse weights for which the noise of ciphertexts would move a sum by more than the profile allows.

    Raises:
        Incorrect: they are such; the text names the row.
    """
    errors = noise.error_of(panel, MASKED)
    worst = int(np.argmax(errors))
    if not errors[worst] <= MASKED.error:
        raise Incorrect(
            f"The sum of row {panel.rows[worst]} could be off by {errors[worst]:.1e} under encryption, and "
            f"{MASKED.error:g} is the most; bring its features to about 1 (`over`), or spread its weight over more."
        )


def _given(bound: float | None) -> float:
    if bound is None:
        raise Incorrect("public.json: a row has no bounds; `fhirtwin model pack` works them out.")
    return bound


def _manifest(files: Mapping[str, bytes]) -> Manifest:
    manifest = strict_json.read(files[MANIFEST], Manifest, MANIFEST)
    if manifest.format != FORMAT or manifest.files.keys() != CONTENT:
        raise Incorrect(f"{MANIFEST}: it must list {', '.join(sorted(CONTENT))}, and no other file.")
    return manifest


def _author(manifest: Manifest, authors: Authors | None) -> str:
    if authors is None:
        return ""
    if manifest.author not in authors:
        raise Incorrect(
            f"Model {manifest.id} {manifest.version} is of the author {manifest.author}, who is not trusted here; "
            "`fhirtwin model trust` says whom to trust."
        )
    return authors[manifest.author]


def _refuse_changed(name: str, data: bytes, manifest: Manifest) -> None:
    entry = manifest.files[name]
    if len(data) != entry.bytes or hashlib.sha256(data).hexdigest() != entry.sha256:
        raise Incorrect(f"{name}: it was changed since model {manifest.id} {manifest.version} was signed.")
