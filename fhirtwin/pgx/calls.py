"""What is called of a gene: diplotypes, or a list of variants, or the reason why neither."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

MAY_BE = "what was reported may mean: "
"""How a note names what a gene that is not called may be; it is read again from there, and never as a call."""
_SUBALLELE = re.compile(r"(\*\d+)\.\d+")


def in_order(name: str) -> tuple[tuple[int, str], ...]:
    """Gives a key by which `*2` comes before `*10`, and `c.85T>C` before `c.1129-5923C>G`."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)


@dataclass(frozen=True, slots=True)
class Strand:
    """What one copy of a gene carries: one named allele, or several variants together."""

    parts: tuple[str, ...]

    @property
    def label(self) -> str:
        """Gives the name; several parts stand in brackets: `[*2 + *3]`."""
        return self.parts[0] if len(self.parts) == 1 else f"[{' + '.join(self.parts)}]"


@dataclass(frozen=True, slots=True)
class Diplotype:
    """The two copies of a gene, or the one copy of a haploid one, in the order of their names."""

    strands: tuple[Strand, ...]
    score: int = 0

    @classmethod
    def of(cls, *strands: Strand, score: int = 0) -> Diplotype:
        """Puts the strands in order; names of suballeles (`*45.001`) become those of their allele."""
        named = (Strand(tuple(_SUBALLELE.sub(r"\1", part) for part in strand.parts)) for strand in strands)
        ordered = sorted(named, key=lambda strand: (len(strand.parts), [in_order(part) for part in strand.parts]))
        return cls(tuple(ordered), score)

    @property
    def label(self) -> str:
        """Gives the usual way to write it: `*1/*2`."""
        return "/".join(strand.label for strand in self.strands)


@dataclass(frozen=True, slots=True)
class GeneCall:
    """What is known of one gene of one sample.

    Attributes:
        gene: its symbol.
        diplotypes: every diplotype that explains the data equally well; more than one is not a choice made.
        variants: of unphased data of genes whose variants are listed: each variant once for each copy that has it.
        because: why nothing was called; empty when something was.
        notes: what a reader must know of the call.
        candidates: diplotypes that explain the data less well, and were left aside.
        stand_in: the diplotype that may be looked up although none was called, and what it rests on in `notes`.
        missing: numbers of positions that the file does not show.
        untested: alleles that cannot be seen without those positions.
        not_excluded: alleles that fit all that the file shows, and of which positions are missing; not those called.
        or_else: of listed variants, the calls that fit equally well, where it is open whether a copy has a variant.
        looked_at: whether the file shows anything of the gene.
        source: `vcf` or `outside`.
        phenotype: what an outside laboratory said beside or instead of a diplotype.
        activity: the activity score that it said.
    """

    gene: str
    diplotypes: tuple[Diplotype, ...] = ()
    variants: tuple[str, ...] = ()
    because: str = ""
    notes: tuple[str, ...] = ()
    candidates: tuple[Diplotype, ...] = ()
    stand_in: Diplotype | None = None
    missing: tuple[int, ...] = ()
    untested: tuple[str, ...] = ()
    not_excluded: tuple[str, ...] = ()
    or_else: tuple[GeneCall, ...] = ()
    looked_at: bool = True
    source: str = "vcf"
    phenotype: str = ""
    activity: str = ""

    @property
    def called(self) -> bool:
        """Says whether there is anything that a phenotype can be looked up from."""
        return not self.because

    @property
    def labels(self) -> tuple[str, ...]:
        """Gives the diplotypes, or the listed variants, as they are written."""
        mine = tuple(diplotype.label for diplotype in self.diplotypes) or self.variants
        return tuple(dict.fromkeys((*mine, *(label for one in self.or_else for label in one.labels))))

    def noting(self, *notes: str) -> GeneCall:
        """Gives the same call with notes added."""
        return replace(self, notes=(*self.notes, *(note for note in notes if note)))
