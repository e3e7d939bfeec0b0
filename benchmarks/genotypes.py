"""People at random for lookups of genes: all alleles of the tables, equal calls, laboratories' words, no calls."""

from __future__ import annotations

import random

from fhirtwin.pgx import functions, guideline, phenotype, warfarin
from fhirtwin.pgx.results import GENES, Known, Pair
from fhirtwin.pgx.warfarin import Person

SEED = 20261121


def drawing(seed: int = SEED) -> random.Random:
    """A generator that always draws the same."""
    return random.Random(seed)  # noqa: S311 - repeatable people, not a secret


def genes() -> tuple[str, ...]:
    """Every gene that has rules for pairs of functions."""
    return tuple(dict.fromkeys(gene for gene, _, _ in functions.pairs()))


def sure(draw: random.Random) -> list[Known]:
    """One diplotype of every gene that has rules."""
    return [Known(gene, (_diplotype(gene, draw),), "VCF") for gene in genes()]


def unsure(draw: random.Random) -> list[Known]:
    """All genes: one diplotype or several, copies not counted, alleles not known, words, nothing."""
    return [_unsure(gene, draw) for gene in GENES]


def _unsure(gene: str, draw: random.Random) -> Known:
    kind = draw.random()
    if kind < 0.1 or gene not in genes():
        return Known(gene, not_called="not called, because the file shows none of its positions")
    if kind < 0.2:
        return Known(gene, (), "laboratory report", (draw.choice([*sorted(phenotype.words(gene)), "curious"]),))
    if kind < 0.25:
        return Known(gene, (Pair("*0", _allele(gene, draw)), _diplotype(gene, draw)), "outside call")
    if kind < 0.3 and gene == "CYP2D6":
        return Known(gene, (Pair("*1xN", draw.choice(["*2xN", "*4", "*1x5"])),), "outside call")
    several = tuple(_diplotype(gene, draw) for _ in range(draw.choice([1, 1, 1, 2, 3, 5])))
    return Known(gene, several, "VCF", notes=("a position is missing",))


def _diplotype(gene: str, draw: random.Random) -> Pair:
    single = gene == "MT-RNR1" or (gene == "G6PD" and draw.random() < 0.5)
    return Pair(_allele(gene, draw), "" if single else _allele(gene, draw))


def _allele(gene: str, draw: random.Random) -> str:
    return draw.choice([one.allele for one in functions.alleles()[gene].values()])


def alleles(draw: random.Random) -> dict[str, dict[str, str]]:
    """What is known of the HLA genes."""
    wanted = {
        gene: sorted({value.split()[0] for value in guideline.values(drug, gene) if value.startswith("*")})
        for drug in guideline.table()
        for gene in guideline.genes(drug)
        if gene.startswith("HLA-")
    }
    return {
        gene: {allele: draw.choice(["positive", "negative"]) for allele in names if draw.random() < 0.8}
        for gene, names in wanted.items()
    }


def person(draw: random.Random) -> Person:
    """Somebody who takes warfarin; one of six at an end of every range."""

    def between(low: float, high: float) -> float:
        return draw.choice([low, high]) if extreme else round(draw.uniform(low, high), 1)

    extreme = draw.random() < 1 / 6
    return Person(
        age=int(between(*warfarin.AGE)),
        height=between(*warfarin.HEIGHT),
        weight=between(*warfarin.WEIGHT),
        vkorc1=draw.choice(warfarin.VKORC1),
        cyp2c9=draw.choice(warfarin.CYP2C9),
        race=draw.choice(warfarin.RACES),
        inducer=draw.random() < 0.5,
        amiodarone=draw.random() < 0.5,
    )
