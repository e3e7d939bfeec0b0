"""Which reader an Observation about genes goes to, by its code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from fhirtwin.terms.concepts import Code
from fhirtwin.terms.systems import LOINC
from fhirtwin.twin.genomics import alleles, implication, laboratory, variant
from fhirtwin.twin.genomics.elements import TBD, NotRead, not_called, refusal
from fhirtwin.twin.mapper import Resource
from fhirtwin.twin.reading import unused
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

_READERS: Final = {Code(LOINC, code): by for code, by in _BY_LOINC.items()} | {
    Code(system, code): by for code, by in _BY_TBD.items() for system in TBD
}
_OTHERS_OF_LOINC: Final = ("53041-0", "51968-6", "82120-7", "51961-1", "83009-1")
"""Region studied, overall interpretation, phase between variants, and implications for a medicine."""
_OTHERS_OF_TBD: Final = ("diagnostic-implication", "molecular-consequence", "molec-consequence")
_OTHERS: Final = frozenset(
    (
        *(Code(LOINC, code) for code in _OTHERS_OF_LOINC),
        *(Code(system, code) for code in _OTHERS_OF_TBD for system in TBD),
    )
)


def reader(resource: Resource, known: Sequence[Code]) -> Reader | None:
    """Give who reads an Observation, or None when it is not about genes.

    Args:
        resource: the Observation.
        known: the codings of its code.
    """
    for code in known:
        if found := _READERS.get(code):
            return found
    if not _OTHERS.isdisjoint(known):
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
