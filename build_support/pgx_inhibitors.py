"""Write which drugs inhibit which enzyme, and how strongly: only rows of which a source was read.

    python build_support/pgx_inhibitors.py EVIDENCE_FOLDER

EVIDENCE_FOLDER holds `cyp_inhibitors_inducers.tsv` with a column `status`; rows that are not verified are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pgx_functions import CC0, read, write

FDA = "FDA table of inhibitors, as listed in UpToDate or in Cicali 2020 (10.1002/cpt.1768)"
NOTES = {
    "terbinafine": "UpToDate calls it moderate",
    "fluvoxamine": "observed weak unless other pathways are inhibited too (10.1002/cpt.1768)",
    "cimetidine": "the FDA lists it as weak and as moderate; observed weak (10.1002/cpt.1768)",
    "abiraterone": "weak in the FDA's list as of 2020 (10.1002/cpt.1768)",
}
OSP = "FDA index inhibitor, as stated by the Open Systems Pharmacology fluvoxamine model"


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    rows = [
        (row["drug"], row["enzyme"], row["strength"].split()[0], FDA, NOTES.get(row["drug"], ""))
        for row in read(folder / "cyp_inhibitors_inducers.tsv")
        if row["status"].startswith("verified") and row["role"] == "inhibitor"
    ]
    rows.append(("fluvoxamine", "CYP2C19", "strong", OSP, ""))
    write(CC0 / "inhibitors.tsv", ("drug", "enzyme", "strength", "source", "note"), sorted(rows))


if __name__ == "__main__":
    main()
