"""What one model tells through a real engine, whatever its kind: the numbers that it gives in clear."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from fhirtwin import asking, golden
from fhirtwin.packages.kinds.polygenic import PolygenicModel
from fhirtwin.pgx.vcf_rows import Reading
from fhirtwin.polygenic import copies, filling
from fhirtwin.settings import Settings
from tests.asking.place import VCF, Place, values_of


def test_the_public_half_of_every_kind_gets_its_golden_cases_right_from_a_running_engine(place: Place) -> None:
    for name in {*place.wholes} - {"large"}:
        told = golden.ask_by(place.courier, place.half(name))
        assert told.cases == len(place.wholes[name].cases) and told.off > 0
    told = golden.ask_by(place.courier, place.wholes["large"])  # two parts
    assert told.cases == 4


def test_a_vcf_is_scored_as_in_clear(place: Place) -> None:
    model = place.wholes["polygenic-illustration"].model
    assert isinstance(model, PolygenicModel) and model.weights is not None
    shown = filling.filled(copies.read(io.BytesIO(VCF), model.variants), model.variants, 0.02)
    right = float(model.weights[0] @ shown.dosages)
    answer = asking.of_vcf(place.half("polygenic-illustration"), io.BytesIO(VCF), Reading(), place.courier.evaluate)
    (told,) = answer.told
    assert abs(float(told.values[0]) - right) <= 0.0006 and told.unit == "made-up units"
    assert told.values[0] == told.values[0].quantize(Decimal("0.001")) and told.rounded_to == "to 0.001"
    assert "2 of the 120 variants are missing and stand at the mean of a population: 2 not in the file." in answer.notes
    assert answer.profile == "P1-poly"


def test_dosages_of_a_file_of_values_give_the_same_as_the_vcf(place: Place) -> None:
    half = place.half("polygenic-illustration")
    assert isinstance(half.model, PolygenicModel)
    shown = copies.read(io.BytesIO(VCF), half.model.variants)
    names = zip(half.model.variants.names, shown.counted.tolist(), strict=True)
    values = {name: dosage for name, dosage in names if not np.isnan(dosage)}
    by_values = asking.of_values(half, values, place.courier.evaluate, Settings())
    assert by_values.notes[0] == "Dosages were taken as copies of the allele that the model counts, 0 to 2."
    by_vcf = asking.of_vcf(half, io.BytesIO(VCF), Reading(), place.courier.evaluate)
    assert abs(by_values.told[0].values[0] - by_vcf.told[0].values[0]) <= Decimal("0.001")


@pytest.mark.parametrize("start", [{"level": 100, "given": 5}, {"level": 0, "given": 20}, {"level": 200, "given": 20}])
def test_a_trajectory_is_that_of_the_matrices(place: Place, start: dict[str, float]) -> None:
    answer = asking.of_values(place.half("trajectory-illustration"), start, place.courier.evaluate, Settings())
    (told,) = answer.told
    level = start["level"]
    for value in told.values:
        level = 0.9 * level + start["given"]
        assert abs(float(value) - level) <= 0.004 + 0.0008
    assert len(told.values) == 24 and (told.unit, told.rounded_to) == ("mg/L", "to 0.008")
    assert answer.notes[0] == "24 steps of 1 h; the first is one step after the start, and inputs are held."


@pytest.mark.parametrize(
    ("name", "compared"), [("kfre-packaged", 3), ("trees-illustration", 4), ("network-illustration", 3)]
)
def test_a_predictor_tells_the_percentages_that_its_golden_cases_print(place: Place, name: str, compared: int) -> None:
    half = place.half(name)
    for case in json.loads(half.files["golden.json"])["cases"]:
        values = values_of(half, {fact: _as_read(value) for fact, value in case["values"].items()})
        answer = asking.of_values(half, values, place.courier.evaluate, Settings())
        assert {one.name for one in answer.told} <= case["percent"].keys() and answer.told
        assert all(one.unit == "%" and 0 < one.values[0] < 100 for one in answer.told)
        compared -= 1
        for one in answer.told:
            assert abs(float(one.values[0]) - case["percent"][one.name]) <= 0.06
    assert compared == 0


def _as_read(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_what_trees_were_calculated_without_is_said_beside_the_number(place: Place) -> None:
    half = place.half("trees-illustration")
    values = values_of(half, {"age": 46.0, "systolic-bp": 160.7, "egfr": 73.4, "glucose": 99.09, "bmi": 22.5})
    assert not asking.of_values(half, values, place.courier.evaluate, Settings()).notes
    del values["glucose"]
    (note,) = asking.of_values(half, values, place.courier.evaluate, Settings()).notes
    assert note == "Calculated without glucose, for which the model has ways of its own."
