"""The gate: what is found, what is let in, and what is not."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest

from fhirtwin.errors import Fault
from fhirtwin.predictors import registry
from fhirtwin.predictors.kidney.kfre import PREDICTOR as KFRE
from fhirtwin.predictors.model import Feature, Predictor, Row
from fhirtwin.predictors.registry import admit, all_predictors, largest_sum, panel


def changed(**changes: object) -> Predictor:
    return dataclasses.replace(KFRE, **changes)


def test_finds_the_built_in_predictors_in_the_order_of_their_ids() -> None:
    assert [p.id for p in all_predictors()] == ["kfre-4-variable", "prevent-base"]


def test_refuses_two_predictors_of_one_name() -> None:
    with pytest.raises(Fault, match="kfre-4-variable"):
        admit([KFRE, changed(version="other")])


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"rows": (*KFRE.rows, *KFRE.rows)}, "two rows"),
        ({"features": (*KFRE.features, KFRE.features[0])}, "two features"),
        ({"outputs": (*KFRE.outputs, KFRE.outputs[0])}, "two outputs"),
        ({"inputs": (*KFRE.inputs, KFRE.inputs[0])}, "two inputs"),
        ({"outputs": ()}, "no output"),
        ({"id": "a:b"}, "colon"),
        ({"id": ""}, "empty"),
        ({"features": (Feature("age", 1.0, 2.0), *KFRE.features[1:])}, "not centred"),
        ({"features": (Feature("age", float("-inf"), 2.0), *KFRE.features[1:])}, "not centred"),
        ({"rows": (Row("kidney-failure", {"weight": 1.0}),)}, "no feature"),
        ({"rows": (Row("kidney-failure", {"age": 4.0}),)}, "can pass 16"),
        ({"rows": (Row("kidney-failure", {"age": float("nan")}),)}, "can pass 16"),
    ],
)
def test_refuses_a_predictor_that_is_not_well_made(part: dict[str, object], says: str) -> None:
    with pytest.raises(Fault, match=says):
        admit([changed(**part)])


def test_largest_sum_is_reached_at_the_worst_corner() -> None:
    worst = {f.name: max((f.low, f.high), key=abs) for f in KFRE.features}
    by_hand = sum(abs(weight * worst[name]) for name, weight in KFRE.rows[0].weights.items())
    assert largest_sum(KFRE, KFRE.rows[0]) == pytest.approx(by_hand, abs=1e-12)


def test_panel_lays_predictors_side_by_side() -> None:
    laid = panel(all_predictors())
    assert laid.weights.shape == (len(laid.rows), len(laid.features)) == (13, 27)
    for predictor in all_predictors():
        for row in predictor.rows:
            line = dict(zip(laid.features, laid.weights[laid.rows.index(f"{predictor.id}:{row.name}")], strict=True))
            weights = {f"{predictor.id}:{name}": weight for name, weight in row.weights.items()}
            assert {name: weight for name, weight in line.items() if weight} == weights
    assert np.all(laid.low <= 0)
    assert np.all(laid.high >= 0)


def test_panel_does_not_depend_on_the_order_of_predictors() -> None:
    assert panel(all_predictors()).digest == panel(reversed(all_predictors())).digest


def test_an_outsider_passes_the_same_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = metadata.EntryPoint("kidney", "fhirtwin.predictors.kidney.kfre:PREDICTOR", registry.GROUP)
    monkeypatch.setattr(metadata, "entry_points", lambda group: [entry] if group == registry.GROUP else [])
    with pytest.raises(Fault, match="two predictors have the name kfre-4-variable"):
        all_predictors.__wrapped__()


@pytest.mark.parametrize(
    ("value", "says"),
    [("fhirtwin.no_such_module:PREDICTOR", "cannot be loaded"), ("fhirtwin.predictors:__doc__", "not a Predictor")],
)
def test_an_entry_point_that_gives_no_predictor_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str, says: str
) -> None:
    entry = metadata.EntryPoint("broken", value, registry.GROUP)
    monkeypatch.setattr(metadata, "entry_points", lambda group: [entry])
    with pytest.raises(Fault, match=f"broken.*{says}"):
        all_predictors.__wrapped__()


def test_finding_predictors_loads_neither_patients_nor_keys() -> None:
    code = (
        "import sys; from fhirtwin.predictors.registry import all_predictors, panel; panel(all_predictors()); "
        "print([m for m in sys.modules if m.startswith(('fhirtwin.twin', 'fhirtwin.features', 'fhirtwin.fhir', "
        "'fhirtwin.vault', 'fhirtwin.store', 'fhirtwin.intake'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
