"""Write the tables of recommendations as facts of our own: rows by key, actions, implications, sources.

    python build_support/pgx_recommendations.py CPIC_FOLDER [--review]

CPIC_FOLDER holds `recommendations_2023-08.jsonl` and `drugs.tsv`. Each text is read by `pgx_readings`; no sentence of
it is kept. Rows that are newer come from `pgx_newer_rows`. `--review`
prints every text beside what was read in it, for a person to compare.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from pgx_functions import CC0, read, write
from pgx_newer_rows import NEWER
from pgx_readings import imply, main_action
from pgx_readings import read as steps_of

SNAPSHOT = "2023-08"
Row = dict[str, Any]


class Numbers:
    """Gives each distinct thing a short name, in the order of arrival."""

    def __init__(self, letter: str) -> None:
        self.letter, self.found = letter, dict[tuple[str, ...], str]()

    def of(self, thing: tuple[str, ...]) -> str:
        """The name of a thing."""
        return self.found.setdefault(thing, f"{self.letter}{len(self.found) + 1}")

    def rows(self) -> list[tuple[str, ...]]:
        """Every thing with its name before it."""
        return [(name, *thing) for thing, name in self.found.items()]


def folded(cells: dict[tuple[str, ...], tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Join keys of one or two genes that lead to the same: `0.25 | 0.5` for one gene, a rectangle for two."""
    across: defaultdict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
    for key, facts in cells.items():
        across[facts, key[0]].append(key[1] if len(key) > 1 else "")
    down: defaultdict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for (facts, first), seconds in across.items():
        down[facts, tuple(seconds)].append(first)
    return [(" | ".join(firsts), " | ".join(seconds), *facts) for (facts, seconds), firsts in down.items()]


def main() -> None:
    """Read every row, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--review", action="store_true")
    asked = parser.parse_args()
    every: list[Row] = [
        json.loads(line) for line in (asked.folder / "recommendations_2023-08.jsonl").read_text().splitlines()
    ]
    if asked.review:
        for text in sorted({row["drugrecommendation"] for row in every}):
            print(f"{text}\n    {main_action(steps_of(text))}: {' ; '.join(steps_of(text))}\n")
        return
    advice, implied = Numbers("a"), Numbers("i")
    tables: defaultdict[tuple[str, ...], dict[tuple[str, ...], tuple[str, ...]]] = defaultdict(dict)
    guidelines: dict[str, Row] = {}
    for row in every:
        genes = tuple(sorted(row["lookupkey"]))
        steps = steps_of(row["drugrecommendation"])
        facts = [row["classification"], advice.of((main_action(steps), " ; ".join(steps)))]
        facts += [implied.of((imply(row["implications"].get(gene, "n/a")),)) for gene in genes]
        key = tuple(row["lookupkey"][gene] for gene in genes)
        tables[row["drug"], row["population"].strip(), *genes][key] = tuple(facts)
        guidelines.setdefault(row["drug"], row)
    rows = []
    for (drug, population, *genes), cells in tables.items():
        for firsts, seconds, strength, said, *what in folded(cells):
            both = (genes[0], firsts, genes[1] if len(genes) > 1 else "", seconds)
            rows.append((drug, population, *both, strength, said, *what, *([""] if len(what) == 1 else [])))
    for newer in NEWER:
        for keys, strength, action, steps, words in newer.rows:
            said = advice.of((action, steps)), implied.of((words,))
            rows.append((newer.drug, "general", newer.gene, keys, "", "", strength, *said, ""))
    header = ("drug", "population", "gene", "keys", "gene2", "keys2", "strength", "advice", "implies", "implies2")
    write(CC0 / "recommendations.tsv", header, rows)
    write(CC0 / "advice.tsv", ("id", "action", "steps"), advice.rows())
    write(CC0 / "implications.tsv", ("id", "words"), implied.rows())
    atc = {row["name"]: row["atcid"].strip("{}").replace('"', "") for row in read(asked.folder / "drugs.tsv")}
    drugs = [
        (drug, row["drug_id"].removeprefix("RxNorm:"), atc.get(drug, ""), row["guideline"], row["url"],
         " | ".join(row["pmids"]), SNAPSHOT)
        for drug, row in guidelines.items()
    ]  # fmt: skip
    drugs += [
        (one.drug, one.rxnorm, atc.get(one.drug, ""), one.guideline, one.url, one.pmids, one.date) for one in NEWER
    ]
    write(CC0 / "drugs.tsv", ("drug", "rxnorm", "atc", "guideline", "url", "pmids", "date"), drugs)


if __name__ == "__main__":
    main()
