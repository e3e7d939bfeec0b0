"""What a sample shows at the defined positions: the hand-over from the reader to the matching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

UNDOCUMENTED = "?"
"""Bases that no definition knows: a spanning deletion, a symbolic allele, a change of the surroundings."""


@dataclass(frozen=True, slots=True)
class Genotype:
    """The bases at one position, one for each copy of the chromosome.

    Attributes:
        bases: in the form of the definition; None where the file leaves one open.
        phased: whether the order of the bases tells the strand.
        phase_set: what this position is phased with; the empty name is the whole chromosome.
        other: how the file writes a base that no definition knows, for names such as `g.18143724C>T`.
    """

    bases: tuple[str | None, ...]
    phased: bool = False
    phase_set: str = ""
    other: str = ""

    @property
    def heterozygous(self) -> bool:
        """Says whether the copies differ."""
        return len(set(self.bases)) > 1


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything of one sample that bears on the defined genes.

    Attributes:
        genotypes: gene to number of position to genotype; what the file does not show is not there.
        refused: gene to number of position to the reason why what the file shows there is not used.
        contradicted: the same for places of which two rows say different things: their gene is not called.
    """

    genotypes: Mapping[str, Mapping[int, Genotype]]
    refused: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    contradicted: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
