"""Rows of four sites as files, and all of them together as arrays."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.studies.builders import SITES

NAMES = ("age", "bmi", "sbp", "ill")
Float = NDArray[np.float64]


def rows(seed: int = 1, sizes: tuple[int, ...] = (300, 50, 700, 123)) -> list[Float]:
    """Of each site: age, bmi, blood pressure, illness; values lie on the steps of `tests.studies.builders`."""
    draw = np.random.default_rng(seed)
    found = []
    for size in sizes:
        age = draw.integers(18, 111, size).astype(np.float64)
        bmi = np.round(np.clip(draw.normal(27, 5, size), 10, 80), 1)
        sbp = np.clip(np.rint(90 + 0.5 * age + 1.1 * bmi + draw.normal(0, 15, size)), 60, 260)
        ill = (draw.random(size) < 1 / (1 + np.exp(6 - 0.06 * age - 0.05 * bmi))).astype(np.float64)
        found.append(np.column_stack([age, bmi, sbp, ill]))
    return found


def write(folder: Path, sites: list[Float]) -> list[Path]:
    """A file for each site, every second one NDJSON."""
    paths = []
    for number, (site, values) in enumerate(zip(SITES, sites, strict=True)):
        path = folder / f"{site}.{'ndjson' if number % 2 else 'csv'}"
        with path.open("w", newline="") as file:
            if number % 2:
                file.writelines(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in values.tolist())
            else:
                writer = csv.writer(file)
                writer.writerow(NAMES)
                writer.writerows(values.tolist())
        paths.append(path)
    return paths


def write_as(path: Path, other: Path) -> None:
    """Write what `other` holds in the form that the name of `path` says."""
    if other.suffix == ".csv":
        with other.open(newline="") as file:
            path.write_text("".join(json.dumps(row) + "\n" for row in csv.DictReader(file)))
        return
    rows = [json.loads(line) for line in other.read_text().splitlines()]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, NAMES)
        writer.writeheader()
        writer.writerows(rows)
