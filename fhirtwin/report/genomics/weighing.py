"""What the genes of a person say of each of several medicines, with what the other medicines do to the enzymes.

The guideline is asked with the effective phenotype; the genetic one stays beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from fhirtwin.pgx import currency, guideline, phenoconversion
from fhirtwin.pgx.phenoconversion import Effective, Taken
from fhirtwin.pgx.recommendations import NO_RESULT, Answer, advise
from fhirtwin.pgx.results import GenePhenotype
from fhirtwin.terms import drugs
from fhirtwin.terms.concepts import Code
from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.terms.systems import RXNORM
from fhirtwin.twin.state import Source, TwinState
from fhirtwin.twin.times import last_day


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine that is looked at.

    Attributes:
        name: as guidelines call the ingredient, else as RxNorm does.
        code: RxNorm ingredient; `ATC:...` where that has none; empty where neither is known.
        sources: what says that it is taken now; empty where nothing does.
        asked: whether somebody asked for it by name.
    """

    name: str
    code: str = ""
    sources: tuple[Source, ...] = ()
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Genome:
    """What the genes say.

    Attributes:
        phenotypes: by gene.
        alleles: by HLA gene: allele, and `positive` or `negative`.
    """

    phenotypes: Mapping[str, GenePhenotype]
    alleles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is known of one medicine.

    Attributes:
        medicine: which.
        answer: rows of the guideline, found by the effective phenotypes; without those that rest on no gene.
        phenotypes: the effective ones, by which they were found.
        conversions: what other medicines do to the enzymes that matter to this one.
    """

    medicine: Medicine
    answer: Answer
    phenotypes: Mapping[str, GenePhenotype]
    conversions: tuple[Effective, ...] = ()


def medicine_of(code: str, sources: tuple[Source, ...] = ()) -> Medicine:
    """Name an ingredient by its RxNorm code."""
    return Medicine(_names().get(code) or drugs.name_of(code), code, sources)


def named(text: str) -> tuple[Medicine, ...]:
    """Give the medicine that somebody asks for by its name or RxNorm code; each ingredient of a fixed combination.

    Returns:
        Nothing where it is not known: then it must not be said that there is no guidance on it.
    """
    name = " ".join(text.split()).casefold()
    if not name.isdigit():
        known = guideline.drugs().get(name)
        code = known.rxnorm if known else CODES.get(name, "")
        return (Medicine(name, code, asked=True),) if code or currency.is_named(name) else ()
    if name in _names():
        return (Medicine(_names()[name], name, asked=True),)
    return tuple(replace(medicine_of(one), asked=True) for one in drugs.read([(Code(RXNORM, name), "")]).ingredients)


def current(state: TwinState) -> tuple[Medicine, ...]:
    """The medicines taken on a day, by name.

    Args:
        state: the twin as of that day (`fhirtwin.twin.derived.as_of`).
    """
    found: dict[str, set[Source]] = {}
    for fact in state.named("medicine"):
        if fact.active:
            found.setdefault(str(fact.value), set()).update(fact.sources)
    medicines = (medicine_of(code, tuple(sorted(sources))) for code, sources in found.items())
    return tuple(sorted(medicines, key=lambda one: one.name))


def taken(state: TwinState, now: Iterable[Medicine], day: date) -> tuple[Taken, ...]:
    """What acts on enzymes: medicines of today, and those that were stopped, with the day.

    Args:
        state: the twin with all its facts.
        now: what is taken on the day.
        day: after which nothing counts as stopped.
    """
    today = tuple(now)
    codes, stopped = {one.code for one in today}, dict[str, date]()
    for fact in state.named("medicine"):
        end = last_day(fact.end) if fact.end else None
        if str(fact.value) not in codes and end and end <= day:
            stopped[str(fact.value)] = max(end, stopped.get(str(fact.value), end))
    past = (Taken(medicine_of(code).name, stopped=end) for code, end in sorted(stopped.items()))
    return (*(Taken(one.name) for one in today), *past)


def with_rows(genome: Genome) -> tuple[Medicine, ...]:
    """All medicines that a guideline has rows of for a gene that is known."""
    known = {gene for gene, told in genome.phenotypes.items() if told.alternatives} | {*genome.alleles}
    found = (one for name, one in guideline.drugs().items() if known & set(guideline.genes(name)))
    return tuple(Medicine(one.name, one.rxnorm) for one in found)


def weigh(medicine: Medicine, genome: Genome, others: Iterable[Taken]) -> Weighed:
    """Look one medicine up.

    Args:
        medicine: which.
        genome: what the genes say.
        others: what is taken; the medicine's own inhibition is left out.
    """
    name, beside = medicine.name, tuple(others)
    genes = guideline.genes(name) if name in guideline.table() else ()
    conversions = tuple(
        phenoconversion.of(gene, _genetic(gene, genome), beside, drug=name)
        for gene in genes
        if gene in phenoconversion.GRADE
    )
    phenotypes = {**genome.phenotypes, **{one.genetic.gene: one.effective for one in conversions if one.changed}}
    answer = advise(name, phenotypes, genome.alleles)
    acting = tuple(one for one in conversions if one.causes or one.notices)
    return Weighed(medicine, _resting_on_genes(answer), phenotypes, acting)


def _genetic(gene: str, genome: Genome) -> GenePhenotype:
    return genome.phenotypes.get(gene) or GenePhenotype(gene, (), "not looked at")


def _resting_on_genes(answer: Answer) -> Answer:
    """Without rows of which no gene is known: they speak of anybody."""
    rows = tuple(row for row in answer.recommendations if any(value != NO_RESULT for _, value in row.key))
    if rows == answer.recommendations:
        return answer
    why = answer.why or ("" if rows else "nothing is known of the genes that its guideline asks for")
    return Answer(answer.drug, rows, why, answer.unknown, answer.notices)


def _names() -> Mapping[str, str]:
    return {one.rxnorm: name for name, one in guideline.drugs().items() if one.rxnorm.isdigit()}
