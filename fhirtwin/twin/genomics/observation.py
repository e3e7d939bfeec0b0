"""Which reader an Observation about genes goes to, by its code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from fhirtwin.terms.systems import LOINC
from fhirtwin.twin.genomics import alleles, implication, laboratory, variant
from fhirtwin.twin.genomics.elements import TBD, NotRead, not_called, refusal
from fhirtwin.twin.mapper import Resource
from fhirtwin.twin.reading import codings, unused
from fhirtwin.twin.state import Mapped, Source

Reader = Callable[[Resource, Source, str], Mapped]

FACTS: Final = frozenset({"diplotype", "haplotype", "allele-status", "gene-phenotype", "variant", "gene-not-called"})

_BY_LOINC: Final[dict[str, Reader]] = {
    "84413-4": alleles.read,
    "84414-2": alleles.read,
    "69548-6": variant.read,
    "53040-2": implication.read,
    "51971-0": implication.read,
    **{code: partial(laboratory.read, row) for code, row in laboratory.ROWS.items()},
    **dict.fromkeys(laboratory.NAMED, laboratory.read_named),
}
_BY_TBD: Final[dict[str, Reader]] = {"therapeutic-implication": implication.read}
CODES: Final = (*_BY_LOINC, *_BY_TBD)
"""Codes of Observations that are read: what a query has to ask for."""

_OTHERS: Final = frozenset({"53041-0", "51968-6", "82120-7", "51961-1", "83009-1"})
"""Region studied, overall interpretation, phase between variants, and implications for a medicine."""
_OTHERS_OF_TBD: Final = frozenset({"diagnostic-implication", "molecular-consequence", "molec-consequence"})


def reader(resource: Resource) -> Reader | None:
    """Give who reads an Observation, or None when it is not about genes."""
    known = list(codings(resource.get("code")))
    for code in known:
        found = _BY_LOINC.get(code.code) if code.system == LOINC else None
        found = _BY_TBD.get(code.code) if code.system in TBD else found
        if found:
            return found
    others = (c.code in _OTHERS if c.system == LOINC else c.system in TBD and c.code in _OTHERS_OF_TBD for c in known)
    if any(others):
        return _other
    if any(code.system == LOINC for code in known):
        return None  # a code of LOINC that is not known here may be about a donor, whatever its name
    named = laboratory.by_name(resource)
    return partial(laboratory.read, named) if named else None


def read(by: Reader, resource: Resource, source: Source, time: str) -> Mapped:
    """Read an Observation about genes: facts, or the reason why not."""
    reason = refusal(resource)
    if reason:
        return unused(source, reason)
    try:
        return by(resource, source, time)
    except NotRead as finding:
        return not_called(finding, source, time)


def _other(resource: Resource, source: Source, time: str) -> Mapped:
    raise NotRead("it is a genomics result of a kind from which no genotype or phenotype is read")
