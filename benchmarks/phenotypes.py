"""Every diplotype that CPIC lists becomes phenotype and score: how many come out otherwise, and what it costs.

    .venv/bin/python -m benchmarks.phenotypes FOLDER

FOLDER has CPIC's diplotypes, a table for each gene: `*.tsv.gz` with the columns gene, diplotype, phenotype,
activity_score and lookup_key. They are in memory before the clock starts; the program's own tables are not. Bars: none
wrong, 5 s of CPU. Exits 1 when one is missed, or nothing was there to be measured.
"""

from __future__ import annotations

import csv
import gzip
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import calibration
from fhirtwin.pgx import naming, phenotype

BAR_SECONDS = 5.0

Told = tuple[str, str, str]
"""Phenotype, activity score, key by which guidelines are looked up."""


def main() -> int:
    """Measure, print the table, and say by the exit code whether the bars were met."""
    rows = [row for folder in sys.argv[1:] for row in listed(Path(folder))]
    if not rows:
        print("no tables of CPIC's diplotypes (*.tsv.gz) in FOLDER: python -m benchmarks.phenotypes FOLDER")
        return 1
    print(f"calibration: {calibration.milliseconds():.3f} ms of CPU for a fixed piece of work")
    begun = time.process_time()
    wrong = sum(told(row) != as_listed(row) for row in rows)
    seconds = time.process_time() - begun
    print(f"rows: {len(rows):,} of {len({row['gene'] for row in rows})} genes")
    print(f"wrong: {wrong:,} (bar 0)")
    print(f"seconds of CPU: {seconds:.2f} (bar {BAR_SECONDS:.0f})")
    return int(wrong > 0 or seconds > BAR_SECONDS)


def listed(folder: Path) -> Iterator[dict[str, str]]:
    """Each row of the tables of a folder."""
    for path in sorted(folder.glob("*.tsv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines, delimiter="\t")


def told(row: dict[str, str]) -> list[Told]:
    """What the program makes of the diplotype of a row: one answer, where it is sure."""
    (diplotype,) = naming.diplotypes(row["gene"], row["diplotype"])
    found, _ = phenotype.of_diplotype(row["gene"], diplotype)
    return [(one.word, one.score, one.key) for one in found]


def as_listed(row: dict[str, str]) -> list[Told]:
    """What CPIC says of it."""
    return [(row["phenotype"], row["activity_score"], row["lookup_key"])]


if __name__ == "__main__":
    sys.exit(main())
