"""Write which other sources speak of a drug and a gene: names only, none of their texts.

    python build_support/pgx_associations.py CLINPGX_FOLDER

CLINPGX_FOLDER holds `fda_pgx_associations_index.tsv` and `guideline_annotations_2024-04.jsonl`.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

from pgx_functions import CC0, CC_BY_SA, read, write


def main() -> None:
    """Write both lists."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    sections = {"Therapeutic": "1", "Safety": "2", "Pharmacokinetic": "3"}
    fda = [
        (row["drug"], row["gene"], next(n for word, n in sections.items() if word in row["fda_section"]))
        for row in read(folder / "fda_pgx_associations_index.tsv")
    ]
    write(CC0 / "fda_associations.tsv", ("drug", "gene", "section"), fda)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for line in (folder / "guideline_annotations_2024-04.jsonl").read_text(encoding="utf-8").splitlines():
        guideline = json.loads(line)["guideline"]
        if guideline["source"] == "DPWG":
            for drug in guideline["relatedChemicals"]:
                found[drug["name"]] |= {gene["symbol"] for gene in guideline["relatedGenes"]}
    dpwg = [(drug, " | ".join(sorted(genes)), "2024-04") for drug, genes in sorted(found.items())]
    write(CC_BY_SA / "dpwg_guidelines.tsv", ("drug", "genes", "date"), dpwg)


if __name__ == "__main__":
    main()
