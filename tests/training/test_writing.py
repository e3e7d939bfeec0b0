"""What training writes is packed to the network that was trained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fhirtwin.training.distilling import distil
from fhirtwin.training.teachers import told_by
from fhirtwin.training.writing import write
from tests.packages.builders import BOOSTER, network_of, packed_network

COLUMNS = ("age", "sbp", "egfr", "bmi")


def test_a_student_is_written_and_packed_and_says_the_same(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    rows = draw.normal(size=(1500, 5)) * [15, 18, 20, 2, 5] + [60, 135, 75, 6, 27]
    told = told_by(BOOSTER, rows)
    student = distil(rows[:, [0, 1, 2, 4]], told, COLUMNS, ("log-odds",), epochs=5)
    write(student, tmp_path / "student.json")
    assert (tmp_path / "student.json").stat().st_mode & 0o077 == 0  # it has the weights
    content = json.loads((tmp_path / "student.json").read_text())
    made = packed_network(tmp_path / "made", student=lambda given: (given.clear(), given.update(content)))
    model = network_of(made.package)
    person = {"age": 66.0, "systolic-bp": 141.0, "egfr": 64.0, "bmi": 28.5}
    given = model.given(model.predictor.prepare(person))  # type: ignore[arg-type]
    right = student.inputs(np.array([list(person.values())]))[0]
    assert given == pytest.approx(right) and model.whole is not None
    assert model.whole.evaluate_plain(given) == pytest.approx(student.network.evaluate_plain(right), abs=1e-9)
