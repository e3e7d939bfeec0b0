"""Rows of CPIC that are newer than the snapshot, as facts that were read; `pgx_recommendations` writes them behind it.

Read in PharmCAT's `prescribing_guidance.json` (annotations of CPIC's guidelines, CPIC content CC0 1.0): metoprolol
version 2 (PA166341321), hydralazine version 5 (PA166416341); all keys that CPIC's database has of them (22 and 4).
"""

from __future__ import annotations

from typing import NamedTuple


class Newer(NamedTuple):
    """One drug: what `drugs.tsv` says of it, and its rows: keys, strength, action, steps, implication."""

    drug: str
    rxnorm: str
    guideline: str
    url: str
    pmids: str
    date: str
    gene: str
    rows: tuple[tuple[str, str, str, str, str], ...]


NEWER = (
    Newer(
        "metoprolol",
        "6918",
        "CYP2D6, ADRB1, ADRB2, ADRA2C, GRK4, GRK5 and Beta-Blockers",
        "https://www.clinpgx.org/guidelineAnnotation/PA166341321",
        "38951961",
        "2024-07",
        "CYP2D6",
        (
            (
                "0.0",
                "Moderate",
                "limit",
                "limit:start=the lowest recommended dose ; titrate:with caution ; monitor:bradycardia ; "
                "or ~alternative:another beta-blocker",
                "broken down much more slowly; heart rate and blood pressure fall more",
            ),
            (
                "0.25 | 0.5 | 0.75 | 1.0",
                "Moderate",
                "use",
                "use:standard start",
                "broken down more slowly; no clear difference in effect",
            ),
            ("1.25 | 1.5 | 1.75 | 2.0 | 2.25", "Strong", "use", "use:standard start", "broken down as usual"),
            (
                "2.5 | 2.75 | 3.0 | 4.0 | ≥3.0 | ≥3.25 | ≥3.5 | ≥3.75 | ≥4.0 | ≥5.0 | ≥6.0",
                "No Recommendation",
                "none",
                "none:insufficient evidence",
                "broken down faster; little evidence",
            ),
            ("n/a", "No Recommendation", "none", "none:no recommendation", ""),
        ),
    ),
    Newer(
        "hydralazine",
        "5470",
        "NAT2 and Hydralazine",
        "https://cpicpgx.org/guidelines/cpic-guideline-for-hydralazine-and-nat2",
        "40974042",
        "2025-09",
        "NAT2",
        (
            (
                "Poor Metabolizer",
                "Moderate",
                "limit",
                "limit:start=75 mg a day (from 40) ; titrate:with caution ; caution:use@200 mg a day and more",
                "levels higher; effect and side effects, drug-induced lupus among them, more likely",
            ),
            (
                "Intermediate Metabolizer | Rapid Metabolizer",
                "Moderate",
                "titrate",
                "~use:start=at least 75 mg a day ; titrate:to 300 mg a day at most, as tolerated ; "
                "note:maintenance dose=typically 50-100% above that of poor metabolizers",
                "levels lower; benefit less likely than in poor metabolizers",
            ),
            ("Indeterminate", "No Recommendation", "none", "none:no recommendation", ""),
        ),
    ),
)
