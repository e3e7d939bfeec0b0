"""How much of a gene was tested: an allele whose positions nobody tested is neither there nor absent.

What is called is decided by the positions that a file shows. This says what the call leaves open, in one sentence that
is kept beside it and read again, and which alleles keep an otherwise usual result from being known.

*Source*: https://pharmcat.clinpgx.org/methods/NamedAlleleMatcher-101/ (missing positions); the four of DPYD that CPIC
and DPWG both know: `fhirtwin.pgx.lowest`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

MOST_NAMED: Final = 20
"""Alleles that a text for people names; of more, their number is told."""
DECIDING: Final[Mapping[str, frozenset[str]]] = {
    "DPYD": frozenset(
        {"c.1129-5923C>G, c.1236G>A (HapB3)", "c.2846A>T", "c.1905+1G>A (*2A)", "c.1679T>G (*13)"},
    ),
    "RYR1": frozenset(),
}
"""Genes of listed variants, and those without which nothing usual is said of them; all of them where none is named."""
USUAL: Final = {"DPYD": "Normal Metabolizer", "RYR1": "Uncertain Susceptibility"}
"""The phenotype by which their medicines are used as in everybody."""

_SENTENCE: Final = re.compile(r"(\d{1,5}) of (\d{1,5}) positions were not tested(?:; not excluded: (.+))?")


@dataclass(frozen=True, slots=True)
class Coverage:
    """What of a gene was not tested.

    Attributes:
        missing: positions that were not tested.
        positions: that define alleles of the gene.
        alleles: that may be there all the same: they fit all that was tested.
    """

    missing: int
    positions: int
    alleles: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self._with("; ".join(self.alleles))

    def short(self, gene: str) -> str:
        """It for people: those that decide come first, and of many alleles the number is told."""
        first = sorted(self.alleles, key=lambda name: name not in DECIDING.get(gene, ()))
        more = len(first) - MOST_NAMED
        return self._with("; ".join([*first[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])]))

    def _with(self, alleles: str) -> str:
        told = f"{self.missing} of {self.positions} positions were not tested"
        return f"{told}; not excluded: {alleles}" if alleles else told


def read(text: str) -> Coverage | None:
    """Read a sentence again; None when it is another one."""
    found = _SENTENCE.fullmatch(text)
    if found is None:
        return None
    return Coverage(int(found[1]), int(found[2]), tuple(found[3].split("; ")) if found[3] else ())


def together(every: list[Coverage | None]) -> Coverage | None:
    """What several results leave open: what each of them leaves open; nothing when one says nothing of it."""
    known = [one for one in every if one]
    if not known or len(known) < len(every):
        return None
    alleles = tuple(name for name in known[0].alleles if all(name in one.alleles for one in known))
    return Coverage(min(one.missing for one in known), known[0].positions, alleles)


def keeps_open(gene: str, coverage: Coverage | None, words: frozenset[str]) -> str:
    """Say why a result that would mean `as usual` is not known; empty where it is, or where it means something else.

    Args:
        gene: its symbol.
        coverage: what was not tested.
        words: every phenotype that the call allows.
    """
    if coverage is None or words != {USUAL.get(gene)}:
        return ""
    open_ = list(_deciding(gene, coverage))
    if not open_:
        return ""
    more = len(open_) - MOST_NAMED
    named = "; ".join([*open_[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])])
    return (
        f"not known, because {coverage.missing} of {coverage.positions} positions were not tested, "
        f"among them those of {named}"
    )


def _deciding(gene: str, coverage: Coverage) -> Iterator[str]:
    deciding = DECIDING[gene]
    return (name for name in coverage.alleles if not deciding or name in deciding)
