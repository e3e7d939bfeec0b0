"""A package as it is read from its folder: every file against the manifest, the manifest against its author.

The *whole* package is for engines. Without the file of weights it is the *public half*, which gateways get. What is in
the files, its kind says (`fhirtwin.packages.kinds`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fhirtwin.errors import Incorrect
from fhirtwin.files import read_file, read_folder
from fhirtwin.packages import signing, strict_json
from fhirtwin.packages.forms.manifest import FORMAT, Manifest
from fhirtwin.packages.kind import WEIGHTS, Case, Kind, Model, Predictive, Served
from fhirtwin.packages.kinds.table import kind_of
from fhirtwin.packages.signing import Authors
from fhirtwin.predictors.model import Predictor

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
LONGEST: Final = {MANIFEST: 16_384, SIGNATURE: 256}
"""The files that every package has, and most bytes of each; its kind says which others."""


@dataclass(frozen=True, eq=False)
class Package:
    """A package that passed every check.

    Attributes:
        hash: SHA-256, in hex, of the manifest, and so of everything: results are bound to it.
        author: what we call whoever signed it; empty when nobody said whom to trust.
        model: what is in it.
        files: as they were read.
    """

    manifest: Manifest
    hash: str
    author: str
    model: Model
    files: Mapping[str, bytes]

    @property
    def id(self) -> str:
        """What the model is called, in all its versions."""
        return self.manifest.id

    @property
    def version(self) -> str:
        """Which one of them it is."""
        return self.manifest.version

    @property
    def kind(self) -> str:
        """What kind of model it is."""
        return self.manifest.kind

    @property
    def is_whole(self) -> bool:
        """Whether the weights are here."""
        return WEIGHTS in self.files

    @property
    def cases(self) -> tuple[Case, ...]:
        """The golden cases, each checked against transforms, links and, where they are here, weights."""
        return self.model.cases

    @property
    def predictor(self) -> Predictor | None:
        """What gives a patient's risk, if it is such a model."""
        return self.model.predictor if isinstance(self.model, Predictive) else None

    def served(self) -> tuple[Served, ...]:
        """What an engine evaluates, part by part.

        Raises:
            Incorrect: the weights are not here.
        """
        if not self.is_whole:
            raise Incorrect(f"Model {self.id} {self.version} has no weights here; this is its public half.")
        return self.model.served()


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
        if folder.is_symlink() or not folder.is_dir():
            raise Incorrect(f"{folder} is not a folder.")
        if not (folder / MANIFEST).exists():
            raise Incorrect(f"{MANIFEST} is missing, so this is no model package.")
        about = _manifest(read_file(folder / MANIFEST, LONGEST[MANIFEST]))[0]
        return of_files(read_folder(folder, {**LONGEST, **kind_of(about.kind).longest}), authors)
    except Incorrect as error:
        text = str(error)
        raise Incorrect(text if text.startswith(str(folder)) else f"{folder}: {text}") from None


def of_files(files: Mapping[str, bytes], authors: Authors | None) -> Package:
    """Check the files of a package, and put them together.

    Raises:
        Incorrect: as for `read`, without the folder.
    """
    if MANIFEST not in files:
        raise Incorrect(f"{MANIFEST} is missing, so this is no model package.")
    manifest, kind = _manifest(files[MANIFEST])
    content = sorted(kind.longest)
    for name in (SIGNATURE, *content):
        if name not in files and name != WEIGHTS:
            raise Incorrect(f"{name} is missing, so this is no model package.")
    author = _author(manifest, authors)
    signing.verify(manifest.author, files[MANIFEST], files[SIGNATURE])
    for name in content:
        if name in files:
            _refuse_changed(name, files[name], manifest)
    model_hash = hashlib.sha256(files[MANIFEST]).hexdigest()
    model = kind.read({name: files[name] for name in content if name in files}, manifest, model_hash)
    return Package(manifest, model_hash, author, model, dict(files))


def public_half(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a package without the weights: what a gateway gets."""
    return {name: data for name, data in files.items() if name != WEIGHTS}


def _manifest(data: bytes) -> tuple[Manifest, Kind]:
    manifest = strict_json.read(data, Manifest, MANIFEST)
    kind = kind_of(manifest.kind)
    if manifest.format != FORMAT or manifest.files.keys() != kind.longest.keys():
        raise Incorrect(f"{MANIFEST}: it must list {', '.join(sorted(kind.longest))}, and no other file.")
    return manifest, kind


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
