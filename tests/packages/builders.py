"""Packs models for tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fhirtwin.packages import making, signing
from fhirtwin.packages.kinds.network import NetworkModel
from fhirtwin.packages.kinds.panel import PanelModel
from fhirtwin.packages.kinds.trees import TreesModel
from fhirtwin.packages.makers.maker import Source
from fhirtwin.packages.making import Made
from fhirtwin.packages.package import Package
from tests.conftest import ROOT
from tests.packages import prevent

KFRE = ROOT / "fixtures" / "models" / "kfre"
DECAY = ROOT / "fixtures" / "models" / "trajectory-illustration"
POLYGENIC = ROOT / "fixtures" / "models" / "polygenic-illustration"
TREES = ROOT / "fixtures" / "models" / "trees-illustration"
NETWORK = ROOT / "fixtures" / "models" / "network-illustration"
BOOSTER = ROOT / "fixtures" / "trees" / "binary.json"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
AUTHORS = {signing.public_hex(KEY): "kidney-group"}


def description(**changes: Any) -> dict[str, Any]:
    return json.loads((KFRE / "model.json").read_text()) | changes


def packed(
    folder: Path,
    *,
    key: Ed25519PrivateKey = KEY,
    weights: str | None = None,
    golden: dict[str, Any] | None = None,
    given: dict[str, Any] | None = None,
    **changes: Any,
) -> Made:
    """The packaged KFRE, or what is given, in `folder`/out, some members of its description changed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(json.dumps((given or description()) | changes))
    (folder / "weights.csv").write_text(weights if weights is not None else (KFRE / "weights.csv").read_text())
    (folder / "golden.json").write_text(json.dumps(golden) if golden else (KFRE / "golden.json").read_text())
    source = Source(folder / "model.json", folder / "weights.csv", folder / "golden.json")
    return making.pack("panel", source, key, folder / "out")


def panel_of(package: Package) -> PanelModel:
    assert isinstance(package.model, PanelModel)
    return package.model


def packed_trees(
    folder: Path,
    *,
    stretched: float = 1.0,
    booster: Callable[[dict[str, Any]], object] = lambda _: None,
    golden: dict[str, Any] | None = None,
    **changes: Any,
) -> Made:
    """The trees that mean nothing, their leaf values multiplied, the booster and members of the description changed."""
    folder.mkdir(parents=True, exist_ok=True)
    content = json.loads(BOOSTER.read_text())
    for tree in content["learner"]["gradient_booster"]["model"]["trees"]:
        leaves = [place for place, child in enumerate(tree["left_children"]) if child == -1]
        for place in leaves:
            tree["split_conditions"][place] *= stretched
    booster(content)
    (folder / "booster.json").write_text(json.dumps(content))
    (folder / "model.json").write_text(json.dumps(json.loads((TREES / "model.json").read_text()) | changes))
    cases = golden or json.loads((TREES / "golden.json").read_text())
    for case in cases["cases"] if stretched != 1.0 else ():
        case.pop("sums", None)  # which are of the trees as they are
    (folder / "golden.json").write_text(json.dumps(cases))
    source = Source(folder / "model.json", folder / "booster.json", folder / "golden.json")
    return making.pack("trees", source, KEY, folder / "out")


def packed_network(
    folder: Path,
    *,
    student: Callable[[dict[str, Any]], object] = lambda _: None,
    golden: dict[str, Any] | None = None,
    **changes: Any,
) -> Made:
    """The network that means nothing, the file that training wrote and members of the description changed."""
    folder.mkdir(parents=True, exist_ok=True)
    content = json.loads((NETWORK / "student.json").read_text())
    student(content)
    (folder / "student.json").write_text(json.dumps(content))
    (folder / "model.json").write_text(json.dumps(json.loads((NETWORK / "model.json").read_text()) | changes))
    (folder / "golden.json").write_text(json.dumps(golden) if golden else (NETWORK / "golden.json").read_text())
    source = Source(folder / "model.json", folder / "student.json", folder / "golden.json")
    return making.pack("network", source, KEY, folder / "out")


def network_of(package: Package) -> NetworkModel:
    assert isinstance(package.model, NetworkModel)
    return package.model


def trees_of(package: Package) -> TreesModel:
    assert isinstance(package.model, TreesModel)
    return package.model


def packed_prevent(folder: Path, **changes: Any) -> Made:
    return packed(folder, given=prevent.description(), weights=prevent.table(), golden=prevent.golden(), **changes)


def authors_file(path: Path) -> Path:
    for public, name in AUTHORS.items():
        signing.trust(path, name, public)
    return path


def resigned(files: dict[str, bytes], key: Ed25519PrivateKey = KEY) -> dict[str, bytes]:
    """The same files with a manifest that fits them: what an author can sign who does not use our packing."""
    import hashlib

    manifest = json.loads(files["manifest.json"])
    for name in manifest["files"]:
        if name in files:
            data = files[name]
            manifest["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest["author"] = signing.public_hex(key)
    data = json.dumps(manifest).encode()
    return files | {"manifest.json": data, "manifest.sig": signing.sign(key, data)}


def packed_polygenic(
    folder: Path, scoring: Path | None = None, golden: Any = None, reference: Path | None = None, **changes: Any
) -> Made:
    """The illustration of a polygenic score, or of another scoring file, some members of its description changed."""
    source = _source(POLYGENIC, scoring or POLYGENIC / "scoring.txt", folder, golden, changes)
    return making.pack("polygenic", replace(source, reference=reference), KEY, folder / "out")


def packed_trajectory(folder: Path, matrices: Any = None, golden: Any = None, **changes: Any) -> Made:
    """The illustration of a trajectory, or of other matrices, some members of its description changed."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = folder / "matrices.json"
    numbers.write_text(json.dumps(matrices) if matrices else (DECAY / "matrices.json").read_text())
    return making.pack("trajectory", _source(DECAY, numbers, folder, golden, changes), KEY, folder / "out")


PACKED: Final = (packed, packed_trees, packed_network, packed_polygenic, packed_trajectory)
"""One of every kind."""


def _source(example: Path, numbers: Path, folder: Path, golden: Any, changes: dict[str, Any]) -> Source:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(json.dumps(json.loads((example / "model.json").read_text()) | changes))
    (folder / "golden.json").write_text(json.dumps(golden) if golden else (example / "golden.json").read_text())
    return Source(folder / "model.json", numbers, folder / "golden.json")
