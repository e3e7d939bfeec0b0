"""Whatever a trusted author signs, reading it ends in a package or in `Incorrect`, and soon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fhirtwin.ckks.circuits.network import Network
from fhirtwin.ckks.profiles import MASKED
from fhirtwin.packages import package
from fhirtwin.packages.kind import AsPanel
from fhirtwin.packages.package import Package
from fhirtwin.vault import Keyring, Shelf, asking
from tests.packages import lies
from tests.packages.builders import (
    packed,
    packed_network,
    packed_polygenic,
    packed_prevent,
    packed_trajectory,
    packed_trees,
    panel_of,
)
from tests.packages.reading import refuse_or_hold

PUBLIC, GOLDEN, SPLITS = "public.json", "golden.json", "splits.json"


@pytest.mark.parametrize("make", [packed, packed_prevent])
def test_two_thousand_mutations_of_what_was_signed(tmp_path: Path, make: Any) -> None:
    files = make(tmp_path).package.files

    def sane(found: Package) -> None:
        sums = np.abs(panel_of(found).panel().weights) @ panel_of(found).panel().largest()
        assert (sums <= 16.0).all() and np.isfinite(panel_of(found).hidden().answers).all()
        assert len(found.cases[0].given) == len(panel_of(found).predictor.features)
        assert MASKED.error > 0

    refuse_or_hold(files, lies.mutated([files], (PUBLIC, GOLDEN, PUBLIC), 1000, 11), sane)


def test_a_thousand_mutations_of_trees_that_were_signed(tmp_path: Path) -> None:
    files = packed_trees(tmp_path).package.files

    def sane(found: Package) -> None:
        for part in found.served():
            assert isinstance(part, AsPanel)
            sums = part.panel.added(np.abs(part.panel.weights) * part.panel.largest())
            assert (sums <= 16.0).all()
        assert all(np.isfinite(list(case.answers.values())).all() for case in found.cases)

    refuse_or_hold(files, lies.mutated([files], (SPLITS, SPLITS, PUBLIC, GOLDEN), 1000, 13), sane)


def test_mutations_of_a_network_that_was_signed(tmp_path: Path) -> None:
    files = packed_network(tmp_path).package.files

    def sane(found: Package) -> None:
        (network,) = found.served()
        assert isinstance(network, Network) and network.error <= 3e-4
        assert all(np.isfinite(list(case.answers.values())).all() for case in found.cases)

    refuse_or_hold(files, lies.mutated([files], (PUBLIC, PUBLIC, GOLDEN), 300, 14), sane)


def test_a_thousand_changed_bytes_of_what_was_signed(tmp_path: Path) -> None:
    files = packed(tmp_path).package.files

    def sane(found: Package) -> None:
        assert found.id == "kfre-packaged"

    refuse_or_hold(files, lies.damaged(files, 1000, 12), sane)


@pytest.mark.parametrize("make", [packed_polygenic, packed_trajectory])
def test_two_thousand_mutations_of_models_that_are_asked_alone(tmp_path: Path, make: Any) -> None:
    """Both halves: a gateway has no weights to hold the rest against."""
    files = make(tmp_path).package.files

    def sane(found: Package) -> None:
        assert all(
            np.isfinite(case.given).all() and np.isfinite([*case.answers.values()]).all() for case in found.cases
        )
        asking(found.model, Keyring(Shelf()))

    refuse_or_hold(files, lies.mutated([package.public_half(files), files], (PUBLIC, GOLDEN), 1000, 15), sane)
