"""What the facts about one gene come to together: contradictions are told, and nothing is chosen.

The rules are those of `fhirtwin.twin.genome`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from fhirtwin.pgx import functions, hla, known, naming, phenotype, places
from fhirtwin.pgx.calling import Rules, call_gene
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.genotype import Genotype, Sample
from fhirtwin.pgx.results import Known, Pair
from fhirtwin.pgx.variant_lists import LISTED
from fhirtwin.twin.genomics import listed_fits, remarks
from fhirtwin.twin.genomics.remarks import LABORATORY
from fhirtwin.twin.state import Fact
from fhirtwin.twin.times import overlap

Sex = Literal["male", "female"] | None

MOST_NAMED: Final = 10
"""Variants that a contradiction names."""
VARIANTS: Final = "variants that were reported one by one"


class Contradiction(Exception):
    """Sources cannot all be true; the text says how."""


def settled(gene: str, facts: Sequence[Fact], sex: Sex) -> Known:
    """Give what is known of a gene by all facts about it.

    Raises:
        Contradiction: they cannot all be true.
    """
    shown = _shown(gene, _named(facts, "variant"))
    pairs = _diplotypes(gene, _named(facts, "diplotype"))
    alleles = _named(facts, "haplotype")
    if not pairs:
        pairs = _of_alleles(gene, alleles, sex)
    elif alleles:
        pairs = _with_alleles(gene, pairs, alleles)
    notes = tuple(dict.fromkeys(line for fact in facts if fact.name != "diplotype" for line in _lines(fact)))
    if pairs:
        pairs = _fitting(gene, pairs, shown, _named(facts, "variant"))
        said = _statuses(gene, facts)
        told = remarks.of(_named(facts, "diplotype"))
        found = Known(gene, pairs, told.source, said, "", (*told.notes, *notes), told.coverage)
        return _checked(_beside(found, facts))
    if gene.startswith("HLA-") and (said := _statuses(gene, facts)):
        return Known(gene, (), LABORATORY, said, "", notes)
    if shown:
        return _of_variants(gene, shown, facts, sex, notes)
    if words := _words(gene, facts):
        return Known(gene, (), LABORATORY, words, "", notes)
    return Known(gene, (), LABORATORY, (), _why_not(facts), notes)


def _lines(fact: Fact) -> list[str]:
    return fact.note.split("\n") if fact.note else []


def _named(facts: Iterable[Fact], name: str) -> list[Fact]:
    return [fact for fact in facts if fact.name == name]


def _diplotypes(gene: str, facts: Sequence[Fact]) -> tuple[Pair, ...]:
    """What all of them allow."""
    left: tuple[Pair, ...] | None = None
    for fact in facts:
        these = naming.diplotypes(gene, str(fact.value))
        kept = (
            these
            if left is None
            else tuple(one for one in left if any(naming.same_pair(one, other) for other in these))
        )
        if not kept:
            raise Contradiction("diplotypes of it contradict one another: " + _listed(facts))
        left = kept
    return left or ()


def _listed(facts: Iterable[Fact]) -> str:
    return " and ".join(dict.fromkeys(str(fact.value) for fact in facts))


def _with_alleles(gene: str, pairs: tuple[Pair, ...], facts: Sequence[Fact]) -> tuple[Pair, ...]:
    names = [str(fact.value) for fact in facts]
    kept = tuple(p for p in pairs if all(any(naming.same(name, mine) for mine in p.alleles) for name in names))
    if not kept:
        said = " and ".join(dict.fromkeys(names))
        raise Contradiction(f"the diplotype {naming.text(pairs)} and the allele {said} contradict each other")
    return kept


def _of_alleles(gene: str, facts: Sequence[Fact], sex: Sex) -> tuple[Pair, ...]:
    """The diplotype that single alleles amount to, where they do."""
    names = list({functions.spelled(str(fact.value)): str(fact.value) for fact in facts}.values())
    one_copy = gene == "MT-RNR1" or (gene == "G6PD" and sex == "male")
    if len(names) > (1 if one_copy else 2) and gene != "CYP2D6":
        raise Contradiction("more different alleles were reported than a person has: " + " and ".join(names))
    if one_copy and names:
        return (Pair(names[0]),)
    together = all(overlap(fact.time, facts[0].time) for fact in facts)
    if len(names) == 2 and together and gene != "CYP2D6" and gene not in LISTED:
        return (Pair(*sorted(names)),)
    return ()


def _shown(gene: str, facts: Sequence[Fact]) -> dict[int, Genotype]:
    found: dict[int, Genotype] = {}
    for fact in facts:
        place = places.read(gene, str(fact.value))
        if place is None:
            continue
        index, shown = place
        together = places.together(found.get(index, shown), shown)
        if together is None:
            raise Contradiction("variants of it contradict one another at " + str(fact.value).partition(" ")[0])
        found[index] = together
    return found


def _fitting(
    gene: str, pairs: tuple[Pair, ...], shown: Mapping[int, Genotype], facts: Sequence[Fact]
) -> tuple[Pair, ...]:
    kept = tuple(pair for pair in pairs if _fits(gene, pair, shown))
    if not kept:
        said = [str(fact.value) for fact in facts]
        more = [f"{len(said) - MOST_NAMED} more"] if len(said) > MOST_NAMED else []
        named = ", ".join([*said[:MOST_NAMED], *more])
        raise Contradiction(f"the diplotype {naming.text(pairs)} and variants that were reported contradict: {named}")
    return kept


def _fits(gene: str, pair: Pair, shown: Mapping[int, Genotype]) -> bool:
    """Whether variants allow a diplotype; of names without a definition nothing is said."""
    defined = genes().get(gene)
    if defined is None or not all(name in defined.by_name for name in pair.alleles):
        return True
    if gene in LISTED:
        return listed_fits.fits(defined, pair.alleles, shown)
    return all(places.fits(defined, pair.alleles, index, one) for index, one in shown.items())


def _statuses(gene: str, facts: Sequence[Fact]) -> tuple[str, ...]:
    """What is said of single alleles of an HLA gene; an allele that is there is positive."""
    if not gene.startswith("HLA-"):
        return ()
    said = [str(fact.value) for fact in _named(facts, "allele-status")]
    said += [f"{fact.value} {hla.POSITIVE}" for fact in _named(facts, "haplotype")]
    told: dict[str, str] = {}
    for status in said:
        name, _, word = status.partition(" ")
        name = ":".join(name.split(":")[:2])
        if told.setdefault(name, word) != word:
            raise Contradiction(f"{name} was reported as positive and as negative")
    return tuple(f"{name} {word}" for name, word in sorted(told.items()))


def _checked(found: Known) -> Known:
    """See that the typing of an HLA gene and what is said of its alleles agree."""
    typed = hla.statuses(replace(found, reported=()))
    said = hla.statuses(replace(found, diplotypes=()))
    if wrong := [name for name, word in said.items() if typed.get(name, word) != word]:
        raise Contradiction(f"the diplotype {naming.text(found.diplotypes)} and a report on {wrong[0]} contradict")
    return found


def _of_variants(
    gene: str,
    shown: Mapping[int, Genotype],
    facts: Sequence[Fact],
    sex: Sex,
    notes: tuple[str, ...],
) -> Known:
    call = call_gene(genes()[gene], Sample({gene: shown}), Rules(sex=sex))
    found = replace(known.of(call), source=VARIANTS)
    return _beside(replace(found, notes=(*found.notes, *notes)), facts)


def _beside(found: Known, facts: Sequence[Fact]) -> Known:
    """Note what the laboratory said of the phenotype.

    Raises:
        Contradiction: it cannot be true with what was called.
    """
    words = dict.fromkeys(str(fact.value) for fact in _named(facts, "gene-phenotype"))
    if wrong := known.denied(found, words):
        raise Contradiction(wrong)
    return replace(found, notes=(*found.notes, *(f"the laboratory said {word}" for word in words)))


def _words(gene: str, facts: Sequence[Fact]) -> tuple[str, ...]:
    """The laboratory's words, or only its activity scores where it gave both; all must mean the same."""
    words = tuple(dict.fromkeys(str(fact.value) for fact in _named(facts, "gene-phenotype")))
    told = {word: phenotype.of_call(Known(gene, reported=(word,))).agreed for word in words}
    means = {one.word if one else "" for one in told.values()}
    if len(means) > 1:
        raise Contradiction("phenotypes of it contradict one another: " + " and ".join(words))
    scores = tuple(word for word, one in told.items() if one and one.score)
    if len({one.score for one in told.values() if one and one.score}) > 1:
        raise Contradiction("activity scores of it contradict one another: " + " and ".join(scores))
    return scores[:1] or words[:1]


def _why_not(facts: Sequence[Fact]) -> str:
    reasons = list(dict.fromkeys(str(fact.value) for fact in _named(facts, "gene-not-called")))
    if _named(facts, "haplotype"):
        reasons.append(f"only the allele {_listed(_named(facts, 'haplotype'))} was reported, not its diplotype")
    return "not called, because " + "; ".join(reasons or ["what was reported of it tells no diplotype"])
