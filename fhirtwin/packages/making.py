"""What an owner does: a description, weights and golden cases become a signed package and its public half."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fhirtwin.errors import Incorrect
from fhirtwin.files import write_folder
from fhirtwin.packages import package, signing, strict_json
from fhirtwin.packages.forms.manifest import FORMAT, FileEntry, Manifest
from fhirtwin.packages.kind import GOLDEN
from fhirtwin.packages.kinds.table import kind_of
from fhirtwin.packages.makers.maker import Draft, Source
from fhirtwin.packages.makers.table import MAKERS
from fhirtwin.packages.package import LONGEST, MANIFEST, SIGNATURE, Package, public_half
from fhirtwin.predictors import registry


@dataclass(frozen=True, slots=True)
class Made:
    """What came of packing: the two folders."""

    package: Package
    whole: Path
    public: Path


def pack(kind: str, source: Source, key: Ed25519PrivateKey, out: Path) -> Made:
    """Make a package and its public half, and check both as their readers will.

    Args:
        kind: of the model.
        source: the owner's files.
        key: the owner's.
        out: folder in which the two folders are made.

    Raises:
        Incorrect: something is not as it must be; the text names file, place and remedy.
    """
    draft = _draft(kind, source)
    if draft.id in {one.id for one in registry.all_predictors()}:
        raise Incorrect(
            f"{draft.id} is a predictor of this program; give the model another id, which hospitals can take."
        )
    files = _signed(kind, draft, key)
    package.of_files(public_half(files), None)
    whole = package.of_files(files, None)
    folder, beside = (out / f"{draft.id}-{draft.version}{ending}" for ending in ("", ".public"))
    for path in (folder, beside):
        if path.exists():
            raise Incorrect(f"{path} is there already; give the model another version, or remove it.")
    write_folder(beside, public_half(files))
    write_folder(folder, files)
    return Made(whole, folder, beside)


def _draft(kind: str, source: Source) -> Draft:
    """What a maker makes; where that is refused for its golden cases, the text names the owner's file."""
    try:
        return MAKERS[kind](source)
    except Incorrect as error:
        raise Incorrect(re.sub(f"^{re.escape(GOLDEN)}: ", lambda _: f"{source.golden}: ", str(error))) from None


def _signed(kind: str, draft: Draft, key: Ed25519PrivateKey) -> dict[str, bytes]:
    entries = {name: FileEntry(len(data), hashlib.sha256(data).hexdigest()) for name, data in draft.content.items()}
    unsigned = Manifest(FORMAT, kind, draft.id, draft.version, signing.public_hex(key), entries)
    manifest = strict_json.write(unsigned)
    files: Mapping[str, bytes] = {**draft.content, MANIFEST: manifest, SIGNATURE: signing.sign(key, manifest)}
    longest = {**LONGEST, **kind_of(kind).longest}
    for name, data in files.items():
        if len(data) > longest[name]:
            raise Incorrect(f"{name} would be larger than the {longest[name]:,} bytes that are read; split the model.")
    return dict(files)
