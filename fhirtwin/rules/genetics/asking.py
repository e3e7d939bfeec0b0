"""Every key of the tables that judging a call may come to, told before anything is looked up.

So all is asked at once, and how much is asked does not follow from what the answers are: drugs that a guideline might
offer instead count whether it does or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product

from fhirtwin.pgx import guideline, phenoconversion, recommendations
from fhirtwin.pgx.guideline import Key
from fhirtwin.pgx.phenoconversion import Taken
from fhirtwin.pgx.results import GenePhenotype
from fhirtwin.rules.genetics import alternatives, naming
from fhirtwin.rules.genetics.judging import UNTESTED, genes_of
from fhirtwin.rules.genetics.person import Person
from fhirtwin.rules.situation import Situation


def of_call(situation: Situation, person: Person) -> Iterator[Key]:
    """Name the keys of the drafts, of what is taken beside them, and of what could be offered instead.

    Args:
        situation: with the drafts.
        person: whose genes.
    """
    ordered = [drug for order in situation.orders for drug in naming.named(order.medicine.ingredients)]
    taken = [naming.name_of(str(fact.value)) for fact in situation.state.named("medicine")]
    others = [drug for ordered_ in ordered for drug in candidates(ordered_)]
    every = tuple(dict.fromkeys((*ordered, *taken, *others)))
    past = [naming.name_of(str(fact.value)) for fact in (*situation.ended, *situation.undated)]
    yield from of_drugs(every, person, [Taken(drug) for drug in dict.fromkeys((*every, *past))])


def of_drugs(drugs: Iterable[str], person: Person, beside: Iterable[Taken], *, untested: bool = False) -> Iterator[Key]:
    """Name the keys of some drugs, with whichever of what is beside them.

    Args:
        drugs: by their names in the tables.
        person: whose genes.
        beside: medicines; how many of them act on a drug does not matter, each is thought of alone and not at all.
        untested: as for `judging.judged`.
    """
    found = {gene: _shown(gene, person, tuple(beside)) for gene in phenoconversion.GRADE}
    shown = {gene: each for gene, each in found.items() if untested or gene in person.phenotypes}
    for drug in drugs:
        genes = [gene for gene in genes_of(drug) if gene in shown]
        for chosen in product(*(shown[gene] for gene in genes)):
            known = {**person.phenotypes, **dict(zip(genes, chosen, strict=True))}
            yield from recommendations.asked(drug, known, person.alleles)


def _shown(gene: str, person: Person, beside: tuple[Taken, ...]) -> list[GenePhenotype]:
    """The genetic phenotype, and each that an inhibitor makes of it; the strongest of several is one of them."""
    genetic = person.phenotypes.get(gene) or GenePhenotype(gene, (), UNTESTED)
    found = [genetic]
    for one in beside:
        effective = phenoconversion.of(gene, genetic, [one]).effective
        if effective not in found:
            found.append(effective)
    return found


@cache
def candidates(drug: str) -> tuple[str, ...]:
    """Name every drug that some row of a drug's guideline leads to."""
    rows = guideline.table()[drug].values() if drug in guideline.drugs() else ()
    return tuple(dict.fromkeys(name for row in rows for name in alternatives.candidates(row)))
