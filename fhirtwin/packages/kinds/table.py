"""The kinds there are, by the names that manifests call them."""

from __future__ import annotations

from typing import Final

from fhirtwin.errors import Incorrect
from fhirtwin.packages.kind import Kind
from fhirtwin.packages.kinds.network import NetworkKind
from fhirtwin.packages.kinds.panel import PanelKind
from fhirtwin.packages.kinds.polygenic import PolygenicKind
from fhirtwin.packages.kinds.trajectory import TrajectoryKind
from fhirtwin.packages.kinds.trees import TreesKind

_ALL = (PanelKind(), TreesKind(), NetworkKind(), PolygenicKind(), TrajectoryKind())

KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in _ALL}


def kind_of(name: str) -> Kind:
    """The kind of that name.

    Raises:
        Incorrect: there is none here.
    """
    try:
        return KINDS[name]
    except KeyError:
        known = ", ".join(KINDS)
        raise Incorrect(f"manifest.json: this version knows models of kind {known}, and no other.") from None
