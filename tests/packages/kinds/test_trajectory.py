"""Packages of trajectories: what packing makes of matrices, parts, and lies of an author that are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.packages import package, safetensors
from fhirtwin.packages.kind import AsPanel
from fhirtwin.packages.kinds.trajectory import TrajectoryModel
from fhirtwin.packages.package import Package
from tests.packages import lies
from tests.packages.builders import AUTHORS, large_trajectory, packed_trajectory
from tests.packages.reading import refuse_or_hold


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return packed_trajectory(tmp_path_factory.mktemp("trajectory")).package


def model(found: Package) -> TrajectoryModel:
    assert isinstance(found.model, TrajectoryModel)
    return found.model


def test_the_case_comes_out_as_powers_say(whole: Package) -> None:
    (case,) = whole.cases
    for step in range(1, 25):
        assert case.answers[f"{step}:level"] == pytest.approx(150 * 0.9**step)


def test_a_model_takes_as_many_parts_as_it_needs_each_bound_to_the_hash(tmp_path: Path, whole: Package) -> None:
    assert [part.digest for part in whole.served()] == [whole.hash]
    two = large_trajectory(tmp_path).package
    half = package.of_files(package.public_half(two.files), AUTHORS)
    parts = two.served()
    assert len(parts) == 2 and parts[0].digest == two.hash != parts[1].digest
    assert [panel.digest for panel in model(half).hidden()] == [part.digest for part in parts]
    assert all(isinstance(part, AsPanel) and len(part.panel.rows) <= 128 for part in parts)
    assert sum(len(part.panel.rows) for part in parts if isinstance(part, AsPanel)) == 24 * 8


def test_what_a_range_has_in_its_middle_is_not_sealed(tmp_path: Path) -> None:
    """Ranges far from nought cost no precision."""
    found = model(large_trajectory(tmp_path).package)
    np.testing.assert_array_equal(found.given({name.name: 110 for name in found.public.quantities}), np.zeros(16))
    assert found.weights is not None
    sums = np.abs(found.weights).sum(axis=1).reshape(24, 8).max(axis=0)
    assert ((sums > 8) & (sums <= 16)).all()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"version": ""}, "version"),
        ({"steps": 0}, "steps"),
        ({"steps": 1001}, "steps"),
        ({"states": []}, "states"),
        ({"source": "somewhere"}, "https://"),
        ({"states": [{"name": "level", "label": "x", "unit": "1", "low": 5, "high": 5}]}, "range|no weight|Nothing"),
        ({"outputs": [{"name": "level", "label": "x", "unit": "1", "tolerance": 1e-9}]}, "could be off"),
        ({"outputs": [{"name": "level", "label": "x", "unit": "1", "tolerance": 1}] * 2}, "readout"),
        ({"more": 1}, "more"),
    ],
)
def test_a_description_that_does_not_say_what_it_must_is_refused(tmp_path: Path, changes: Any, text: str) -> None:
    with pytest.raises(Incorrect, match=text):
        packed_trajectory(tmp_path, **changes)


@pytest.mark.parametrize(
    ("matrices", "text"),
    [
        ({"transition": [[3.0]], "drive": [[1.0]], "readout": [[1.0]]}, "middles"),
        ({"transition": [[1e9]], "drive": [[1.0]], "readout": [[1.0]]}, "grows"),
        ({"transition": [[0.9, 1]], "drive": [[1.0]], "readout": [[1.0]]}, "transition"),
        ({"transition": [[0.9]], "drive": [[1.0], [1.0]], "readout": [[1.0]]}, "drive"),
        ({"transition": [[0.9]], "readout": [[1.0]]}, "drive"),
        ({"transition": [[0.9]], "drive": [[1.0]], "readout": [[0.0]]}, "Nothing weighs"),
        ({"transition": [["x"]], "drive": [[1.0]], "readout": [[1.0]]}, "transition"),
        ({"transition": [[0.9]], "drive": [[1.0]], "readout": [[1.0]], "pickle": "x"}, "pickle"),
    ],
)
def test_matrices_that_do_not_fit_or_grow_are_refused(tmp_path: Path, matrices: Any, text: str) -> None:
    with pytest.raises(Incorrect, match=text):
        packed_trajectory(tmp_path, matrices)


def test_a_trajectory_of_too_many_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Incorrect, match="ciphertexts"):
        large_trajectory(tmp_path, steps=300)


def _output(member: str, value: Any) -> Any:
    return lambda public: public["outputs"][0].update({member: value})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_output("scale", 4.0), "other outputs|bounds"),
        (_output("scale", 3.0), "power of two"),
        (_output("scale", 2.0**41), "scale"),
        (_output("scale", None), "scale"),
        (_output("tolerance", 1e-6), "could be off"),
        (_output("middles", [0.0] * 24), "other outputs|bounds|outside"),
        (_output("middles", [0.0]), "middles and bounds"),
        (_output("least", [1.0] * 24), "bounds|outside"),
        (_output("greatest", [1e9] * 23), "middles and bounds"),
        (lambda public: public.update(steps=25), "weights.safetensors"),
        (lambda public: public.update(steps=1000), "weights.safetensors"),
        (lambda public: public["states"][0].update(high=300), "other outputs|bounds"),
        (lambda public: public["states"][0].update(high=0), "range"),
        (lambda public: public["states"][0].update(name="given"), "twice"),
        (lambda public: public["states"].append(dict(public["states"][0], name="x")), "weights.safetensors"),
        (lambda public: public.update(step="<b>"), "step"),
    ],
)
def test_a_public_half_that_lies_about_the_whole_is_refused(whole: Package, change: Any, text: str) -> None:
    with pytest.raises(Incorrect, match=text):
        package.of_files(lies.changed(whole.files, "public.json", change), AUTHORS)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda golden: golden["cases"][0]["outputs"]["level"].__setitem__(3, 66.0), "other outputs"),
        (lambda golden: golden["cases"][0]["outputs"]["level"].pop(), "all 24 steps"),
        (lambda golden: golden["cases"][0]["outputs"].update(other=[1.0]), "every output"),
        (lambda golden: golden["cases"][0].pop("outputs"), "every output"),
        (lambda golden: golden["cases"][0]["values"].update(level=201), "out of its range"),
        (lambda golden: golden["cases"][0]["values"].update(x=1), "every state and input"),
        (lambda golden: golden["cases"][0]["values"].update(level=100, given=10), "tells nothing"),
        (lambda golden: golden["cases"][0]["values"].pop("given"), "every state and input"),
        (lambda golden: golden["cases"].append(golden["cases"][0]), "one name"),
        (lambda golden: golden.update(cases=[]), "cases"),
    ],
)
def test_golden_cases_that_cannot_be_are_refused(whole: Package, change: Any, text: str) -> None:
    with pytest.raises(Incorrect, match=text):
        package.of_files(lies.changed(whole.files, "golden.json", change), AUTHORS)


def test_weights_of_another_shape_or_that_are_none_are_refused(whole: Package) -> None:
    weights = model(whole).weights
    assert weights is not None
    for table in (weights[:-1], weights.T):
        with pytest.raises(Incorrect, match=r"weights\.safetensors"):
            lies.read(whole.files, weights=safetensors.write(table))
    for number in (np.nan, np.inf, 15.9, 1e300):
        table = weights.copy()
        table[3, 0] = number
        with pytest.raises(Incorrect):
            lies.read(whole.files, weights=safetensors.write(table))
    table = weights.copy()
    table[3] = 0.0
    with pytest.raises(Incorrect):
        lies.read(whole.files, weights=safetensors.write(table))


def test_five_hundred_damaged_packages_are_read_as_trajectories_or_refused_in_words(whole: Package) -> None:
    def sane(found: Package) -> None:
        assert np.isfinite(model(found).weights).all()  # type: ignore[arg-type]

    refuse_or_hold(whole.files, lies.damaged(whole.files, 500, 4), sane)
