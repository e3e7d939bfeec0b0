"""The form of what the owner of a model signs."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from fhirtwin.packages.forms.form import Form, Hash, Name, Version

FORMAT: Final = "fhirtwin model 1"


class FileEntry(Form, frozen=True):
    """A file of the package: its exact length and its SHA-256."""

    bytes: Annotated[int, Meta(ge=1, le=64_000_000)]
    sha256: Hash


class Manifest(Form, frozen=True):
    """What the owner signs. Its own SHA-256 is the hash of the model."""

    format: Literal["fhirtwin model 1"]
    kind: Name
    id: Name
    version: Version
    author: Hash
    files: dict[str, FileEntry]
