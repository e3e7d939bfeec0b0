"""Compiles the allele definitions into the one table that this package reads at run time.

Run as `python -m fhirtwin.pgx.compile_definitions FOLDER`, where FOLDER holds `positions_GRCh38.tsv`,
`named_alleles.tsv` and `exemptions.json`. The result, `definitions/alleles.json`, is committed, with one gene a line;
the same input always gives the same bytes. The data are CC BY-SA 4.0, see `definitions/LICENSE`.

A gene is `{gene, chromosome, reference, positions, alleles, required?, ignored?, unphased?}`:

    positions   [start, reference bases, alternate bases..., rsid or "", context?]
    alleles     name -> {index of position: bases}; those of the reference allele are the reference bases
    required    positions without which the gene is not called
    ignored     alleles that are not called
    unphased    [pick, other...]: which of several diplotypes that unphased data cannot tell apart is reported

`context` is the stretch of the reference within which an insertion or deletion can be written at another place with the
same meaning. It follows from the HGVS name, which puts the change at the right end, and the VCF form, at the left.

*Source*: https://www.ncbi.nlm.nih.gov/pmc/articles/PMC4481842/ (one form for each variant).
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).parent / "definitions" / "alleles.json"


def compiled(folder: Path) -> str:
    """Gives the table as text."""
    exempt = json.loads((folder / "exemptions.json").read_text())
    genes: dict[str, dict[str, Any]] = {}
    for row in _rows(folder / "positions_GRCh38.tsv"):
        gene = genes.setdefault(row["gene"], {"gene": row["gene"], "chromosome": row["chrom"], "positions": []})
        if int(row["idx"]) != len(gene["positions"]):
            raise ValueError(f"positions of {row['gene']} are not in the order of their numbers")
        gene["positions"].append(_position(row))
    for row in _rows(folder / "named_alleles.tsv"):
        gene = genes[row["gene"]]
        if row["is_reference"]:
            gene["reference"] = row["allele"]
        gene.setdefault("alleles", {})[row["allele"]] = _bases(row["defining(idx=vcfAllele)"])
    for name, gene in genes.items():
        gene.update(_exemptions(exempt.get(name, {}), gene))
    lines = (json.dumps(gene, ensure_ascii=False, separators=(",", ":")) for gene in genes.values())
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _rows(path: Path) -> list[dict[str, str]]:
    head, *lines = path.read_text().splitlines()
    names = head.split("\t")
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines]


def _bases(defining: str) -> dict[str, str]:
    return {} if defining == "*" else dict(part.split("=") for part in defining.split(";"))


def _position(row: dict[str, str]) -> list[int | str | list[str]]:
    start, alts = int(row["pos"]), row["alts"].split(",")
    found: list[int | str | list[str]] = [start, row["ref"], alts, row["rsid"]]
    context = _context(start, row["ref"], alts, row["hgvs"])
    return found if context == row["ref"] else [*found, context]


def _context(start: int, ref: str, alts: list[str], hgvs: str) -> str:
    """Gives the reference from the anchor to the last base to which the change can be shifted."""
    units = [(alt if len(alt) > len(ref) else ref).removeprefix(min(alt, ref, key=len)) for alt in alts]
    if all(len(alt) == len(ref) for alt in alts):
        return ref
    unit = min(units, key=len)
    end = _reach(hgvs, (min(map(len, alts)) - len(ref)) // len(unit), (max(map(len, alts)) - len(ref)) // len(unit))
    anchor = ref[0]
    rolled = (unit * (1 + (end - start) // len(unit)))[: end - start]
    context = anchor + rolled
    if not (context.startswith(ref) or ref.startswith(context)):
        raise ValueError(f"{hgvs}: the HGVS name and the VCF form do not agree")
    return max(context, ref, key=len)


def _reach(hgvs: str, least: int, most: int) -> int:
    """Gives the last coordinate of a change of so many units, which HGVS shifts to the right as far as it goes."""
    if repeat := re.search(r"g\.(\d+)([ACGT]+)\[\d+\]", hgvs):
        copies = [int(n) for n in re.findall(r"\[(\d+)\]", hgvs)]
        of_reference = min(copies) - least if least < 0 else max(copies) - most
        return int(repeat[1]) + len(repeat[2]) * of_reference - 1
    if inserted := re.search(r"g\.(\d+)_\d+ins", hgvs):
        return int(inserted[1])
    places = re.search(r"g\.(\d+)(?:_(\d+))?(?:del|dup)", hgvs)
    if places is None:
        raise ValueError(f"{hgvs}: a form of HGVS that is not read here")
    return int(places[2] or places[1])


def _exemptions(exempt: dict[str, Any], gene: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    starts = {place[0]: index for index, place in enumerate(gene["positions"])}
    if required := exempt.get("requiredPositions"):
        found["required"] = [starts[place] for place in required]
    if ignored := [name for name in exempt.get("ignoredAlleles", ()) if name in gene["alleles"]]:
        found["ignored"] = ignored
    if picks := exempt.get("unphasedDiplotypePriorities"):
        found["unphased"] = [[row["pick"], *sorted(set(row["list"]) - {row["pick"]})] for row in picks]
    return found


if __name__ == "__main__":
    TABLE.write_text(compiled(Path(sys.argv[1])))
