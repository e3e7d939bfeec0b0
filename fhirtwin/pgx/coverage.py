"""How much of a gene was tested: an allele whose positions nobody tested is neither there nor absent.

What is called is decided by the positions that a file shows. This says what the call leaves open, in one sentence that
is kept beside it and read again, and which alleles keep an otherwise usual result from being known.

*Source*: https://pharmcat.clinpgx.org/methods/NamedAlleleMatcher-101/ (missing positions).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fhirtwin.pgx.lowest import KNOWN_TO_BOTH

MOST_NAMED: Final = 20
"""Alleles that a text for people names; of more, their number is told."""
DECIDING: Final[Mapping[str, frozenset[str]]] = {"DPYD": KNOWN_TO_BOTH}
"""Alleles that decide, of a gene where not every one that would change the phenotype does."""
USUAL: Final = {
    "CFTR": "ivacaftor non-responsive in CF patients",
    "DPYD": "Normal Metabolizer",
    "G6PD": "Normal",
    "RYR1": "Uncertain Susceptibility",
}
"""Genes that are lists of variants, each with the phenotype of those who have none of them."""

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
        return self._with(_named(first))

    @property
    def only_if(self) -> str:
        """Under what condition a phenotype holds of which this is what would change it: `only if *3 is absent`."""
        are = "are" if len(self.alleles) > 1 else "is"
        return (
            f"only if {_named(self.alleles)} {are} absent: {self.missing} of {self.positions} positions were not tested"
        )

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


def decides(gene: str, allele: str) -> bool:
    """Whether an allele that is not excluded keeps a phenotype from being sure, where it would change it."""
    return gene not in DECIDING or allele in DECIDING[gene]


def keeps_open(gene: str, open_: Coverage | None, words: frozenset[str]) -> str:
    """Say why the usual result of a list of variants is not known; empty where it is, or is another one.

    Args:
        gene: its symbol.
        open_: what was not tested, with the alleles that would change the phenotype.
        words: every phenotype that the call allows.
    """
    if open_ is None or words != {USUAL.get(gene)}:
        return ""
    told = f"not known, because {open_.missing} of {open_.positions} positions were not tested"
    return f"{told}, among them those of {_named(open_.alleles)}"


def _named(alleles: Sequence[str]) -> str:
    """Alleles for people: of many, the number of the others is told."""
    more = len(alleles) - MOST_NAMED
    return "; ".join([*alleles[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])])
