"""Whether a certain HLA allele is there: what guidelines on hypersensitivity ask, instead of a phenotype."""

from __future__ import annotations

import re

from fhirtwin.pgx.results import Known

POSITIVE, NEGATIVE = "positive", "negative"
ASKED = {"HLA-A": ("*31:01",), "HLA-B": ("*15:02", "*57:01", "*58:01")}
"""Alleles whose presence or absence guidelines look up."""
_TWO_FIELDS = re.compile(r"\*?(\d{2,3}):(\d{2,4})")
_STATUS = re.compile(r"(?:HLA-[AB])?\*?(\d{2,3}):?(\d{2}) (positive|negative)", re.IGNORECASE)


def statuses(call: Known) -> dict[str, str]:
    """Tell each allele that guidelines ask for as there or not; one that is not known is left out.

    One carrier is enough for `positive`; `negative` needs both alleles of every diplotype at two fields.
    """
    found: dict[str, str] = {}
    names = [name for one in call.diplotypes for name in (one.first, one.second)]
    typed = [_TWO_FIELDS.match(name.removeprefix(call.gene)) for name in names]
    have = {f"*{match[1]}:{match[2]}" for match in typed if match}
    for allele in ASKED.get(call.gene, ()):
        if allele in have and all(allele in _pair(one.first, one.second, call.gene) for one in call.diplotypes):
            found[allele] = POSITIVE
        elif names and all(typed) and allele not in have:
            found[allele] = NEGATIVE
    return found | _reported(call)


def _pair(first: str, second: str, gene: str) -> set[str]:
    matches = (_TWO_FIELDS.match(name.removeprefix(gene)) for name in (first, second))
    return {f"*{match[1]}:{match[2]}" for match in matches if match}


def _reported(call: Known) -> dict[str, str]:
    found: dict[str, str] = {}
    for said in call.reported:
        match = _STATUS.fullmatch(" ".join(said.split()))
        if match:
            found[f"*{match[1]}:{match[2]}"] = match[3].casefold()
    return found
