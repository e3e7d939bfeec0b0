"""Packs models for tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
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
    **changes: Any,
) -> Made:
    """The packaged KFRE, in `folder`/out, some members of its description changed."""
    table = weights if weights is not None else (KFRE / "weights.csv").read_text()
    return _packed("panel", KFRE, folder, _written(folder / "weights.csv", table), golden, changes, key=key)


def packed_prevent(folder: Path, **changes: Any) -> Made:
    return packed(folder, weights=prevent.table(), golden=prevent.golden(), **(prevent.description() | changes))


def packed_trees(
    folder: Path,
    *,
    stretched: float = 1.0,
    booster: Callable[[dict[str, Any]], object] = lambda _: None,
    golden: dict[str, Any] | None = None,
    **changes: Any,
) -> Made:
    """The trees that mean nothing, their leaf values multiplied, the booster and members of the description changed."""
    content = json.loads(BOOSTER.read_text())
    for tree in content["learner"]["gradient_booster"]["model"]["trees"]:
        leaves = [place for place, child in enumerate(tree["left_children"]) if child == -1]
        for place in leaves:
            tree["split_conditions"][place] *= stretched
    booster(content)
    cases = golden or json.loads((TREES / "golden.json").read_text())
    for case in cases["cases"] if stretched != 1.0 else ():
        case.pop("sums", None)  # which are of the trees as they are
    numbers = _written(folder / "booster.json", json.dumps(content))
    return _packed("trees", TREES, folder, numbers, cases, changes)


def packed_network(
    folder: Path,
    *,
    student: Callable[[dict[str, Any]], object] = lambda _: None,
    golden: dict[str, Any] | None = None,
    **changes: Any,
) -> Made:
    """The network that means nothing, the file that training wrote and members of the description changed."""
    content = json.loads((NETWORK / "student.json").read_text())
    student(content)
    numbers = _written(folder / "student.json", json.dumps(content))
    return _packed("network", NETWORK, folder, numbers, golden, changes)


def packed_polygenic(
    folder: Path, scoring: Path | None = None, golden: Any = None, reference: Path | None = None, **changes: Any
) -> Made:
    """The illustration of a polygenic score, or of another scoring file, some members of its description changed."""
    numbers = scoring or POLYGENIC / "scoring.txt"
    return _packed("polygenic", POLYGENIC, folder, numbers, golden, changes, reference=reference)


def packed_trajectory(folder: Path, matrices: Any = None, golden: Any = None, **changes: Any) -> Made:
    """The illustration of a trajectory, or of other matrices, some members of its description changed."""
    text = json.dumps(matrices) if matrices else (DECAY / "matrices.json").read_text()
    return _packed("trajectory", DECAY, folder, _written(folder / "matrices.json", text), golden, changes)


def large_trajectory(folder: Path, states: int = 12, inputs: int = 4, outputs: int = 8, steps: int = 24) -> Made:
    """A stable model with this many of everything, in ranges far from nought."""
    draw = np.random.default_rng(5)
    transition = draw.normal(size=(states, states)) * 0.5 / np.sqrt(states)
    quantity = {"label": "x", "unit": "1", "low": 90, "high": 130}
    golden = {"cases": [{"name": "low", "values": {f"s{i}": 95 for i in range(states)}}]}
    golden["cases"] += [
        {"name": f"case {at}", "values": {f"s{i}": 90 + float(draw.integers(0, 41)) for i in range(states)}}
        for at in range(3)
    ]
    for case in golden["cases"]:
        case["values"] |= {f"u{i}": 100 for i in range(inputs)}  # type: ignore[operator]
    return packed_trajectory(
        folder,
        {
            "transition": transition.tolist(),
            "drive": draw.normal(size=(states, inputs)).tolist(),
            "readout": draw.normal(size=(outputs, states)).tolist(),
        },
        golden,
        id="large",
        steps=steps,
        states=[{"name": f"s{i}"} | quantity for i in range(states)],
        inputs=[{"name": f"u{i}"} | quantity for i in range(inputs)],
        outputs=[{"name": f"y{i}", "label": "y", "unit": "1", "tolerance": 0.1} for i in range(outputs)],
    )


PACKED: Final[dict[str, Callable[..., Made]]] = {
    "panel": packed,
    "trees": packed_trees,
    "network": packed_network,
    "polygenic": packed_polygenic,
    "trajectory": packed_trajectory,
}
"""What packs the example of a kind."""


def one_of_each_kind(folder: Path) -> dict[str, Package]:
    """The example of every kind, whole."""
    return {kind: make(folder / kind).package for kind, make in PACKED.items()}


def panel_of(package: Package) -> PanelModel:
    assert isinstance(package.model, PanelModel)
    return package.model


def network_of(package: Package) -> NetworkModel:
    assert isinstance(package.model, NetworkModel)
    return package.model


def trees_of(package: Package) -> TreesModel:
    assert isinstance(package.model, TreesModel)
    return package.model


def authors_file(path: Path) -> Path:
    for public, name in AUTHORS.items():
        signing.trust(path, name, public)
    return path


def resigned(files: dict[str, bytes], key: Ed25519PrivateKey = KEY) -> dict[str, bytes]:
    """The same files with a manifest that fits them: what an author can sign who does not use our packing."""
    manifest = json.loads(files["manifest.json"])
    for name in manifest["files"]:
        if name in files:
            data = files[name]
            manifest["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest["author"] = signing.public_hex(key)
    data = json.dumps(manifest).encode()
    return files | {"manifest.json": data, "manifest.sig": signing.sign(key, data)}


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _packed(
    kind: str,
    example: Path,
    folder: Path,
    numbers: Path,
    golden: Any,
    changes: dict[str, Any],
    key: Ed25519PrivateKey = KEY,
    reference: Path | None = None,
) -> Made:
    """The example, in `folder`/out, with these numbers, golden cases of its own or others, some members changed."""
    described = json.loads((example / "model.json").read_text()) | changes
    cases = json.dumps(golden) if golden else (example / "golden.json").read_text()
    source = Source(
        _written(folder / "model.json", json.dumps(described)),
        numbers,
        _written(folder / "golden.json", cases),
        reference=reference,
    )
    return making.pack(kind, source, key, folder / "out")
