"""Write the compact tables of allele functions and of pairs of them, from CPIC's long ones.

    python build_support/pgx_functions.py CPIC_FOLDER

CPIC_FOLDER holds `alleles.tsv` and `pair_rules.tsv`. Alleles of one gene, function and activity become one line. Genes
of which the source is ClinPGx (CC BY-SA 4.0) go to a folder of their own.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

PGX = Path(__file__).resolve().parent.parent / "fhirtwin" / "pgx"
CC0, CC_BY_SA = PGX / "tables", PGX / "tables_cc_by_sa"
CLINPGX = frozenset({"CYP3A4", "VKORC1"})

# CYP2D6 tandems that PharmCAT 3.1.1 (2025-11-05) knows and CPIC's table of 2024-08-27 does not.
TANDEMS = {
    "1.0": ("*13 + *1", "*13 + *2", "*68 + *2"),
    "2.0": ("*13 + *1x2",),
    "0.0": ("*13 + *68x2 + *4", "*68 + *4", "*68x2"),
    "0.25": ("*36 + *10", "*36x2 + *10"),
    "0.5": ("*36 + *10x2", "*36x2 + *10x2"),
}
TANDEM_FUNCTION = {"1.0": "Normal function", "2.0": "Increased function", "0.0": "No function"}


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a table with tabs between its columns."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def source_and_date(text: str) -> tuple[str, str]:
    """`PharmCAT v3.1.1 (CPIC snapshot 2025-11-05)` as the source and the day of its data."""
    name, _, rest = text.partition(" (")
    return f"CPIC, by way of {name}", rest.rstrip(")").removeprefix("CPIC snapshot ")


def write(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Write rows with tabs between, in their order."""
    path.parent.mkdir(exist_ok=True)
    text = "\n".join("\t".join(row) for row in [header, *rows])
    path.write_text(text + "\n", encoding="utf-8")
    print(f"{path.name}: {len(rows)} rows, {len(text.encode())} bytes")


def functions(folder: Path) -> None:
    """Write `functions.tsv`, once for each licence."""
    grouped: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for row in read(folder / "alleles.tsv"):
        source, date = source_and_date(row["source"])
        grouped[row["gene"], row["function"], row["activity_value"], source, date].append(row["allele"])
    grouped["G6PD", "I/Deficient with CNSHA", "", "CPIC, by way of PharmCAT v2.6.0", "2023-08"].append("Telti, Kobe")
    # What PharmCAT 3 calls a CFTR gene in which none of the listed variants was found.
    grouped["CFTR", "ivacaftor non-responsive", "", "CPIC, by way of PharmCAT v3.1.1", "2025-11-05"].append("Reference")
    kept: dict[Path, list[tuple[str, ...]]] = {CC0: [], CC_BY_SA: []}
    for (gene, function, activity, source, date), alleles in sorted(grouped.items()):
        where = CC_BY_SA if gene in CLINPGX else CC0
        said = source.replace("CPIC,", "ClinPGx,") if gene in CLINPGX else source
        kept[where].append((gene, function, activity, " | ".join(alleles), said, date))
    for activity, tandems in TANDEMS.items():
        function = TANDEM_FUNCTION.get(activity, "Decreased function")
        said = ("ClinPGx, by way of PharmCAT v3.1.1", "2025-11-05")
        kept[CC_BY_SA].append(("CYP2D6", function, activity, " | ".join(tandems), *said))
    for where, rows in kept.items():
        write(where / "functions.tsv", ("gene", "function", "activity", "alleles", "source", "date"), rows)


def pairs(folder: Path) -> None:
    """Write `pairs.tsv`, once for each licence."""
    said = {row["gene"]: source_and_date(row["source"]) for row in read(folder / "gene_summary.tsv")}
    kept: dict[Path, list[tuple[str, ...]]] = {CC0: [], CC_BY_SA: []}
    for row in read(folder / "pair_rules.tsv"):
        gene = row["gene"]
        where = CC_BY_SA if gene in CLINPGX else CC0
        kept[where].append((gene, row["key_a"], row["key_b"], row["phenotype"], said[gene][1]))
    for where, rows in kept.items():
        write(where / "pairs.tsv", ("gene", "first", "second", "phenotype", "date"), rows)


def main() -> None:
    """Write both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    functions(folder)
    pairs(folder)


if __name__ == "__main__":
    main()
