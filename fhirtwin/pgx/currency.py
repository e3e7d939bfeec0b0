"""What is known beside a guideline's rows: what changed since the snapshot, and what is said of drugs without rows.

*Source*: CPIC's change log to 2026-02-05 (cpic-data 1.56.0, CC0 1.0); the list of the FDA's Table of Pharmacogenetic
Associations (US public domain) as PharmCAT 3.1.0 shows it; titles of DPWG guidelines of 2024-04 (ClinPGx).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from fhirtwin.pgx import functions

_MHS = (
    "CPIC changed this table on 2023-08-29 (CACNA1S with RYR1) and on 2023-11-15 (a note on two pathogenic CACNA1S "
    "variants); the rows here are older: see the guideline"
)
_THIOPURINE = (
    "CPIC changed these rows on 2024-03-20 (intermediate metabolizers of both TPMT and NUDT15) and renewed the "
    "guideline on 2026-02-03; the rows here are older: see the guideline before acting on them"
)
CHANGED: Final = {
    "azathioprine": _THIOPURINE,
    "mercaptopurine": _THIOPURINE,
    "thioguanine": _THIOPURINE,
    "clopidogrel": (
        "CPIC took the words `standard dose (75 mg/day)` out of some rows on 2023-10-20 (poor metabolizers, "
        "cardiovascular); what to do did not change"
    ),
    **dict.fromkeys(
        ("desflurane", "enflurane", "halothane", "isoflurane", "methoxyflurane", "sevoflurane", "succinylcholine"), _MHS
    ),
}
_IM: Final = frozenset({"Intermediate Metabolizer", "Possible Intermediate Metabolizer"})
REPLACED: Final = "lower the starting dose to 20-50% of normal"
"""What CPIC says since 2024-03-20 of a thiopurine for intermediate metabolizers of both TPMT and NUDT15.

*Source*: https://cpicpgx.org/?p=578, "March 2024"; that it holds for possible ones too:
https://www.pharmgkb.org/guidelineAnnotation/PA166104945.
"""
SCOPE: Final = {
    "hydralazine": "CPIC's table is for oral doses in adults with resistant hypertension (2025-09)",
}
ELSEWHERE: Final = {"warfarin": "CPIC gives a dosing algorithm rather than rows: see the IWPC estimate"}
FDA_SECTIONS: Final = {
    "1": "its data support therapeutic management",
    "2": "its data indicate an effect on safety or response",
    "3": "its data show an effect on pharmacokinetics only",
}


@cache
def fda() -> dict[str, tuple[tuple[str, str], ...]]:
    """Name gene and section of the FDA's table, by drug."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for row in functions.rows("fda_associations.tsv"):
        found[row["drug"]] = (*found.get(row["drug"], ()), (row["gene"], row["section"]))
    return found


@cache
def dpwg() -> dict[str, tuple[str, ...]]:
    """Name the genes of which a DPWG guideline speaks, by drug."""
    return {row["drug"]: tuple(row["genes"].split(" | ")) for row in functions.rows("dpwg_guidelines.tsv")}


def is_named(drug: str) -> bool:
    """Tell whether any of the sources speaks of a drug."""
    return drug in ELSEWHERE or drug in dpwg() or drug in fda()


def of_row(drug: str) -> tuple[str, ...]:
    """Say what changed since a row was taken, and of whom it speaks where it does not tell itself."""
    return tuple(found[drug] for found in (CHANGED, SCOPE) if drug in found)


def replaced(drug: str, key: Iterable[tuple[str, str]]) -> str:
    """Say what the guideline says now in place of a row, where a text of that was read; nothing for all others."""
    both = {gene for gene, value in key if value in _IM} == {"TPMT", "NUDT15"}
    return REPLACED if both and CHANGED.get(drug) == _THIOPURINE else ""


def of_drug(drug: str) -> tuple[str, ...]:
    """Say which other sources speak of a drug."""
    found = []
    if drug in dpwg():
        found.append(f"DPWG has a guideline on {' and '.join(dpwg()[drug])}; its text is not shipped (CC BY-SA 4.0)")
    for gene, section in fda().get(drug, ()):
        found.append(f"FDA's Table of Pharmacogenetic Associations lists {gene}: {FDA_SECTIONS[section]}")
    return tuple(found)


def without_rows(drug: str) -> str:
    """Say why a drug has no rows; a drug without guidance is never called harmless."""
    if drug in ELSEWHERE:
        return ELSEWHERE[drug]
    if drug in dpwg():
        return f"no CPIC rows; DPWG has a guideline on {' and '.join(dpwg()[drug])}"
    return "no CPIC or DPWG guidance"
