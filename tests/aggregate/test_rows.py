from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fhirtwin.aggregate import rows
from fhirtwin.aggregate.rows import Tally
from fhirtwin.errors import Incorrect
from tests.studies.builders import AGE, BMI, plan

PLAN = plan("mean", columns=(AGE, BMI), least_rows=1, most_rows=300)


def read(path: Path, text: str | bytes, name: str = "rows.csv") -> list[list[int]]:
    (path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    blocks = list(rows.blocks(path / name, PLAN, Tally()))
    return [] if not blocks else np.concatenate(blocks).tolist()


def test_csv_and_ndjson_are_read_alike(tmp_path: Path) -> None:
    found = read(tmp_path, "\ufeffid,bmi,age\nP1, 27.5 ,63\n\nP2,10,18\n")
    assert found == [[63 * 2 - 128, 2 * 275 - 900], [-92, -700]]
    text = '{"age": 63, "bmi": "27.5", "id": "P1"}\n\n{"bmi": 10.0, "age": 18}\n'
    assert read(tmp_path, text, "rows.ndjson") == found


SECRET = "93.123"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"age,bmi\n63,27\n64,{SECRET}\n", "Row 2: a value of bmi lies outside"),
        ("age,bmi\n63,27.55\n", "Row 1: a value of bmi is finer"),
        ("age,bmi\n63,\n", "Row 1: a value of bmi is missing"),
        ("age,bmi\n63,NA\n", "Row 1: a value of bmi is no number"),
        ("age,bmi\n63,nan\n", "no number"),
        ("age,bmi\n63,inf\n", "no number"),
        ("age,bmi\n6_3,27\n", "no number"),
        ("age,bmi\n٦٣,27\n", "no number"),
        ("age,bmi\n0x3f,27\n", "no number"),
        ("age,bmi\n63,27e99999999\n", "no number"),
        ("age,bmi\n63\n", "Row 1 has not as many values"),
        ("age\n63\n", "must name the column bmi"),
        ("age,bmi,age\n63,27,64\n", "must name the column age, once"),
        ('age,bmi\n"63,27\n', "not well-formed"),
        (b"age,bmi\n63,27\xff\n", "not UTF-8"),
        ("age,bmi\n", "has 0 complete rows"),
        ("age,bmi\n" + "63,27\n" * 301, "more than 300 rows"),
    ],
)
def test_what_is_not_declared_is_refused_with_row_and_column_and_without_the_value(
    tmp_path: Path, text: str | bytes, told: str
) -> None:
    with pytest.raises(Incorrect, match=told) as refused:
        read(tmp_path, text)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"age": 63, "bmi": 27, "age": 64}', "a member twice"),
        ("[63, 27]", "no JSON object"),
        ('{"age": 63, "bmi": true}', "no number"),
        ('{"age": 63, "bmi": {"value": 27}}', "no number"),
        ('{"age": 63, "bmi": NaN}', "no number"),
        ('{"age": 63, "bmi": null}', "missing"),
        ('{"age": 63}', "missing"),
        ("[" * 100_000, "no JSON object"),
    ],
)
def test_a_line_that_is_not_such_is_refused(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(Incorrect, match=told):
        read(tmp_path, line + "\n", "rows.ndjson")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Incorrect, match="must end in"):
        read(tmp_path, "age,bmi\n63,27\n", "rows.xlsx")
