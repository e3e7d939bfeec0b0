"""The makers there are, by the kinds that they make."""

from __future__ import annotations

from typing import Final

from fhirtwin.packages.makers import network, panel, polygenic, trajectory, trees
from fhirtwin.packages.makers.maker import Maker

MAKERS: Final[dict[str, Maker]] = {
    "panel": panel.make,
    "trees": trees.make,
    "network": network.make,
    "polygenic": polygenic.make,
    "trajectory": trajectory.make,
}
