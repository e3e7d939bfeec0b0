"""What the rows of a file say of each position, put together into one genotype.

Several rows can bear on one position: a site with several alternates split into one row each, a deletion over it, a
reference block around it. Rows that add up are added; rows that contradict one another leave the gene uncalled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.genotype import Genotype, Sample
from fhirtwin.pgx.loci import Locus


@dataclass(frozen=True, slots=True)
class Observation:
    """What one row says of one position.

    Attributes:
        bases: in the form of the definition, one for each copy.
        phased: whether their order tells the strand.
        phase_set: what they are phased with.
        other: the alternates as the row writes them.
        of_alternates: whether the row has alternates; one without says that there is none.
        is_block: whether it is a reference block, over which any other row prevails.
        start: of the row.
    """

    bases: tuple[str | None, ...]
    phased: bool
    phase_set: str
    other: str
    of_alternates: bool
    is_block: bool
    start: int = field(default=0, compare=False)


class Observations:
    """All that a file says."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, int], list[Observation]] = {}
        self._refused: dict[tuple[str, int], str] = {}
        self._refused_blocks: dict[tuple[str, int], str] = {}
        self._chromosomes: set[str] = set()

    def seen(self, chromosome: str) -> None:
        """Notes that the file has rows of this chromosome."""
        self._chromosomes.add(chromosome if chromosome.startswith("chr") else f"chr{chromosome}")

    def add(self, locus: Locus, observation: Observation, reason: str) -> None:
        """Notes what a row says; with a reason, that it is not used."""
        place = (locus.gene, locus.position.index)
        if reason and observation.is_block:
            self._refused_blocks.setdefault(place, reason)
        elif reason:
            self._refused.setdefault(place, reason)
        else:
            self._of.setdefault(place, []).append(observation)

    def sample(self, *, absent_is_reference: bool) -> Sample:
        """Puts it all together."""
        shown: dict[str, dict[int, Genotype]] = {}
        contradicted: dict[str, dict[int, str]] = {}
        for (gene, index), observations in self._of.items():
            together = _together(genes()[gene].positions[index].reference, observations)
            if together is None:
                where = f"{genes()[gene].chromosome}:{genes()[gene].positions[index].start}"
                contradicted.setdefault(gene, {})[index] = f"rows of the VCF contradict one another at {where}"
            else:
                shown.setdefault(gene, {})[index] = together
        refused: dict[str, dict[int, str]] = {}
        blocks = ((place, reason) for place, reason in self._refused_blocks.items() if not self._has_row(place))
        for (gene, index), reason in (*self._refused.items(), *blocks):
            refused.setdefault(gene, {})[index] = reason
            shown.get(gene, {}).pop(index, None)
        if absent_is_reference:
            self._fill(shown, refused)
        return Sample(shown, refused, contradicted)

    def _has_row(self, place: tuple[str, int]) -> bool:
        """Whether a row of its own, used or not, says something of a position that a block spans."""
        return place in self._refused or any(not one.is_block for one in self._of.get(place, ()))

    def _fill(self, shown: dict[str, dict[int, Genotype]], refused: dict[str, dict[int, str]]) -> None:
        """Takes positions that no row shows as the reference, on chromosomes of which there are rows."""
        for gene in genes().values():
            if gene.chromosome not in self._chromosomes:
                continue
            mine = shown.setdefault(gene.name, {})
            copies = min((len(one.bases) for one in mine.values()), default=2)
            for position in gene.positions:
                if position.index not in mine and position.index not in refused.get(gene.name, {}):
                    mine[position.index] = Genotype((position.reference,) * copies)


def _together(reference: str, observations: Sequence[Observation]) -> Genotype | None:
    """Gives the one genotype that all rows add up to; None when they contradict one another."""
    rows = list(dict.fromkeys(one for one in observations if not one.is_block))
    if not rows:
        first = observations[0]
        return _genotype(first) if all(one.bases == first.bases for one in observations) else None
    if len(rows) == 1:
        return _genotype(rows[0])
    if _of_one_change(rows):
        return None
    if len({len(one.bases) for one in rows}) > 1:
        return None
    changing = [one for one in rows if any(base != reference for base in one.bases)]
    if not changing:
        return _genotype(rows[0])
    if any(not one.of_alternates for one in rows):
        return None
    return _genotype(changing[0]) if len(changing) == 1 else _added(reference, changing)


def _of_one_change(rows: Sequence[Observation]) -> bool:
    """Whether rows of one place and the same alternates count different copies of them."""
    counted: dict[tuple[int, str], set[tuple[str, ...]]] = {}
    for one in rows:
        counted.setdefault((one.start, one.other), set()).add(tuple(sorted(base or "" for base in one.bases)))
    return any(len(counts) > 1 for counts in counted.values())


def _added(reference: str, rows: Sequence[Observation]) -> Genotype | None:
    """Adds up rows of one alternate each, or of one base each of a place that has several."""
    if len(reference) > 1 and all(one.bases.count(None) == 0 and _same_length(reference, one) for one in rows):
        return _joined(reference, rows)
    if all(one.phased for one in rows) and len({one.phase_set for one in rows}) == 1:
        strands = [
            {base for base in strand if base != reference} for strand in zip(*(r.bases for r in rows), strict=True)
        ]
        if any(len(strand) > 1 for strand in strands):
            return None
        bases = tuple(strand.pop() if strand else reference for strand in strands)
        return Genotype(bases, phased=True, phase_set=rows[0].phase_set)
    counts = [Counter(base for base in one.bases if base not in {reference, None}) for one in rows]
    together: Counter[str | None] = Counter()
    for count in counts:
        if any(together[base] not in {0, n} for base, n in count.items()):
            return None
        together |= count
    changed = sorted(base for base in together.elements() if base is not None)
    copies = len(rows[0].bases)
    if len(changed) > copies:
        return None
    return Genotype((*[reference] * (copies - len(changed)), *changed))


def _same_length(reference: str, one: Observation) -> bool:
    return all(base is not None and len(base) == len(reference) for base in one.bases)


def _joined(reference: str, rows: Sequence[Observation]) -> Genotype | None:
    """Joins neighbours that changed in rows of their own; their strands must be known."""
    known = all(one.phased for one in rows) and len({one.phase_set for one in rows}) == 1
    if not known and any(len(set(one.bases)) > 1 for one in rows):
        return None
    joined = []
    for strand in zip(*(one.bases for one in rows), strict=True):
        changed = [{made[at] for made in strand if made} - {was} for at, was in enumerate(reference)]
        if any(len(bases) > 1 for bases in changed):
            return None
        joined.append("".join(bases.pop() if bases else was for was, bases in zip(reference, changed, strict=True)))
    return Genotype(tuple(joined), known, rows[0].phase_set if known else "")


def _genotype(one: Observation) -> Genotype:
    return Genotype(one.bases, one.phased, one.phase_set if one.phased else "", one.other)
