"""Whether variants that were reported one by one allow a diplotype of a gene whose variants are listed (DPYD, RYR1).

Such a diplotype names the variant of lowest function of each copy. So a variant that is there must stand on a copy of
which the named one does as little or less, and a named one must not be known to be absent.
"""

from __future__ import annotations

from collections.abc import Mapping

from fhirtwin.pgx.defined import Gene
from fhirtwin.pgx.genotype import Genotype
from fhirtwin.pgx.known import level
from fhirtwin.pgx.variant_lists import variants_of


def fits(gene: Gene, alleles: tuple[str, ...], shown: Mapping[int, Genotype]) -> bool:
    """Tell whether people with these alleles may have these bases."""
    return all(_has_room(gene, alleles, name, copies) for name, copies in _there(gene, shown).items()) and all(
        _is_allowed(gene, name, alleles.count(name), shown) for name in set(alleles) - {gene.reference}
    )


def _there(gene: Gene, shown: Mapping[int, Genotype]) -> dict[str, int]:
    """Each variant that is there, and on how many copies at least."""
    changed = {
        index: base
        for index, one in shown.items()
        for base in one.bases
        if base is not None and base != gene.positions[index].reference
    }
    names = variants_of(gene, dict(changed))
    return {name: min(_copies(gene, name, shown)) for name in names}


def _copies(gene: Gene, name: str, shown: Mapping[int, Genotype]) -> list[int]:
    wanted = gene.by_name[name].bases
    return [sum(base in wanted[i] for base in shown[i].bases if base) for i in wanted if i in shown]


def _has_room(gene: Gene, alleles: tuple[str, ...], name: str, copies: int) -> bool:
    """Whether as many copies as have a variant carry one that does as little or less."""
    does = level(gene.name, name)
    return sum(other == name or level(gene.name, other) <= does for other in alleles) >= copies


def _is_allowed(gene: Gene, name: str, wanted: int, shown: Mapping[int, Genotype]) -> bool:
    """Whether as many copies as a diplotype wants may have a variant: a base that was not read may be its own."""
    for index, bases in gene.by_name[name].bases.items():
        one = shown.get(index)
        if one and sum(base is None or base in bases for base in one.bases) < min(wanted, len(one.bases)):
            return False
    return True
