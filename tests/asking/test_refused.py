"""What is no question for a model is refused in words."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from fhirtwin import asking
from fhirtwin.errors import EngineLacksModel, FhirtwinError, Incorrect, Unprocessable
from fhirtwin.packages.kinds.polygenic import PolygenicModel
from fhirtwin.pgx.vcf_rows import Reading
from fhirtwin.settings import Settings
from tests.asking.place import VCF, Place, kidney, nobody
from tests.packages.builders import (
    packed_polygenic,
)


def test_a_vcf_that_lacks_too_much_is_refused_and_no_engine_is_asked(place: Place) -> None:
    lines = VCF.decode().splitlines(keepends=True)
    short = io.BytesIO("".join(lines[:-1]).encode())
    with pytest.raises(Unprocessable, match="3 of the 120 variants of this score are missing, and 2 may be: 3 not in"):
        asking.of_vcf(place.half("polygenic-illustration"), short, Reading(), nobody)
    other = io.BytesIO(VCF.replace(b"GRCh38", b"GRCh37"))
    with pytest.raises(Unprocessable, match="GRCh37"):
        asking.of_vcf(place.half("polygenic-illustration"), other, Reading(), nobody)
    with pytest.raises(Incorrect, match="no polygenic score"):
        asking.of_vcf(place.half("trajectory-illustration"), io.BytesIO(VCF), Reading(), nobody)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"level": 100}, "exactly given, level"),
        ({"level": 100, "given": 5, "x": 1}, "exactly given, level"),
        ({"level": 201, "given": 5}, "outside 0 to 200 mg/L"),
        ({"level": float("nan"), "given": 5}, "outside"),
        ({"level": True, "given": 5}, "takes a number"),
        ({"level": "100", "given": 5}, "takes a number"),
    ],
)
def test_values_that_are_not_of_the_trajectory_are_refused(place: Place, values: Any, text: str) -> None:
    with pytest.raises(FhirtwinError, match=text):
        asking.of_values(place.half("trajectory-illustration"), values, nobody, Settings())


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"1:1:A:G": 1.0}, "no variant"),
        ({}, "120 of the 120"),
    ],
)
def test_dosages_that_are_not_of_the_score_are_refused(place: Place, values: Any, text: str) -> None:
    with pytest.raises(FhirtwinError, match=text):
        asking.of_values(place.half("polygenic-illustration"), values, nobody, Settings())


def test_a_dosage_out_of_range_is_refused_by_its_variant(place: Place) -> None:
    half = place.half("polygenic-illustration")
    assert isinstance(half.model, PolygenicModel)
    name = half.model.variants.names[0]
    for dosage in (2.5, -1.0, float("nan")):
        with pytest.raises(Incorrect, match=f"dosage of {name}"):
            asking.of_values(half, {name: dosage}, nobody, Settings())


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"egfr": 5000.0}, "outside the published range"),
        ({"deceased": True}, "deceased"),
        ({"egfr": "30"}, "takes a number"),
        ({"age": 60.95}, "age takes completed years, a whole number"),
        ({"sex": True}, "takes a word"),
        ({"sex": "Female"}, "sex takes one of the words female, male"),
        ({"deceased": 0.0}, "takes true or false"),
        ({"ldl": 3.0}, "no input of this model"),
    ],
)
def test_values_that_are_not_for_the_predictor_are_refused(place: Place, changes: Any, text: str) -> None:
    half = place.half("kfre-packaged")
    with pytest.raises(FhirtwinError, match=text):
        asking.of_values(half, kidney(half, **changes), nobody, Settings())


@pytest.mark.parametrize("value", ["null", "[1]", "{}"])
def test_a_value_that_is_none_is_named(value: str) -> None:
    with pytest.raises(Incorrect, match=r"^v\.json: glucose is neither a number nor a word"):
        asking.read_values(f'{{"age": 60, "glucose": {value}}}'.encode(), "v.json")
    assert asking.read_values(b'{"age": 60, "deceased": false}', "v.json") == {"age": 60.0, "deceased": False}


def test_whom_a_model_is_not_for_must_be_said(place: Place) -> None:
    half = place.half("kfre-packaged")
    values = kidney(half)
    del values["deceased"]
    with pytest.raises(Incorrect, match="Say true or false of deceased"):
        asking.of_values(half, values, nobody, Settings())


def test_a_version_that_the_engine_does_not_serve_is_refused(place: Place, tmp_path: Path) -> None:
    other = packed_polygenic(tmp_path, version="1.1").package
    with pytest.raises(EngineLacksModel):
        asking.of_vcf(other, io.BytesIO(VCF), Reading(), place.courier.evaluate)
