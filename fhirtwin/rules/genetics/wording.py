"""What findings on genes say, in words of ours: genes, rows, sources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from fhirtwin.pgx import advice, currency, guideline, phenotype
from fhirtwin.pgx.advice import Step
from fhirtwin.pgx.guideline import Drug, Recommendation
from fhirtwin.pgx.labels import Statement
from fhirtwin.pgx.phenoconversion import Effective
from fhirtwin.pgx.recommendations import DISCLAIMER, NO_RESULT
from fhirtwin.pgx.results import GenePhenotype, Known, Phenotype
from fhirtwin.rules.findings import SUMMARY_LENGTH, Citation
from fhirtwin.rules.genetics.person import Person
from fhirtwin.rules.saying import capital

POPULATIONS: Final = {
    "general": "everybody",
    "adults": "adults",
    "pediatrics": "children",
    "child >40kg_adult": "adults, and children over 40 kg",
    "<= 1g per day": "doses up to 1 g a day",
    "CBZ naive": "people who have not taken carbamazepine before",
    "CBZ use >3mos": "people who have taken carbamazepine for more than 3 months",
    "CBZ-no alternatives": "people who have not taken carbamazepine before, where there is no other drug",
    "OXC naive": "people who have not taken oxcarbazepine before",
    "OXC use >3 mos": "people who have taken oxcarbazepine for more than 3 months",
    "PHT naive": "people who have not taken phenytoin before",
    "PHT use >3mos": "people who have taken phenytoin for more than 3 months",
    "CVI ACS PCI": "acute coronary syndrome or percutaneous coronary intervention",
    "CVI non-ACS non-PCI": "other cardiovascular indications",
    "NVI": "neurovascular indications",
}
"""CPIC's names of populations to words."""

_LABELS_READ: Final = "2026-11-21"
"""The day the texts of `fhirtwin.pgx.labels` were read."""
OF_LABELS: Final = "Labels change, and they inform the judgement of those who treat rather than replace it."
_DISEASES: Final = {"cancer": "for cancer", "not cancer": "except for cancer"}
_TERM: Final = re.compile(r"\b[A-Z][a-z]+\b")


def small(text: str) -> str:
    """A term as it stands inside a sentence: `poor metabolizer`, but `-1639 AA`."""
    return _TERM.sub(lambda found: found[0].lower(), text)


def what_is_known(row: Recommendation, shown: Mapping[str, GenePhenotype] | None = None) -> str:
    """What of the genes a row is for: `CYP2C19 poor metabolizer`; genes that it has no result of are left out.

    Args:
        row: the row.
        shown: phenotypes by which it was found, to name those that it knows by a score, and to say "perhaps" where
            calls that fit equally well, or alleles that were not tested, lead to others too.
    """
    said = []
    for gene, value in row.key:
        told = shown.get(gene) if shown else None
        word = next((one.word for one in told.alternatives if _is(one, value)), "") if told else ""
        perhaps = "perhaps " if told and told.unsure and _may_differ(row, gene, told) else ""
        if value != NO_RESULT:
            said.append(f"{perhaps}{gene}{'' if value.startswith('*') else ' '}{small(word or _score(value))}")
    return ", ".join(said)


def _may_differ(row: Recommendation, gene: str, told: GenePhenotype) -> bool:
    """Whether what else a gene may be has another name, or another row: two scores may be neither."""
    if told.open or told.not_called or len({one.word for one in told.alternatives}) > 1:
        return True
    rows = guideline.table()[row.drug.name]
    for one in told.alternatives:
        for value in {one.key, *phenotype.scores(gene, one.word)} & guideline.values(row.drug.name, gene):
            key = tuple((name, value if name == gene else its) for name, its in row.key)
            other = rows.get((row.population, key))
            if _is(one, value) and (other is None or _says(other) != _says(row)):
                return True
    return False


def _says(row: Recommendation) -> tuple[object, ...]:
    return row.action, row.steps, row.strength


def _is(one: Phenotype, value: str) -> bool:
    """Whether a row's value is a phenotype: itself, or a score of a word that was reported without one."""
    return one.key == value or (not one.score and value in phenotype.scores(one.gene, one.word))


def _score(value: str) -> str:
    is_score = value == "n/a" or value.lstrip("≥").replace(".", "").isdigit()
    return f"activity score {value}" if is_score else value


def phenotypes(told: GenePhenotype) -> str:
    """Every phenotype that a gene may have, in words: `poor metabolizer`, or several with `or` between."""
    words = []
    for one in told.alternatives:
        score = f" (activity score {one.score})" if one.score else ""
        words.append(f"{small(one.word)}{score}")
    return " or ".join(dict.fromkeys(words))


def what_genes_say(gene: str, person: Person, acting: Effective | None) -> Iterator[str]:
    """The result of a gene: genetic, and beside it the effective phenotype where a medicine changes it."""
    yield f"{gene}: {_genetic(gene, person)}."
    yield from remarks(gene, person)
    if acting is None:
        return
    if acting.changed:
        causes = ", ".join(
            f"{taken.drug} ({found.strength} inhibitor, {'ordered' if taken.role == 'draft' else 'taken now'})"
            for taken, found in acting.causes
        )
        means = phenotypes(acting.effective) or "not known"
        yield f"{gene} beside {causes}: {means}. Rule: {acting.rule}. Grade of its evidence: {acting.grade}."
        yield from (f"{found.drug}: {found.source}. {found.note}".rstrip(" .") + "." for _, found in acting.causes)
    yield from (f"{capital(notice)}." for notice in acting.notices)


def remarks(gene: str, person: Person) -> Iterator[str]:
    """What must be known beside the call of a gene: what was not tested, what a laboratory said otherwise."""
    result = person.results.get(gene)
    yield from (f"{gene}: {one}{'' if one.endswith('.') else '.'}" for one in (result.known.remarks if result else ()))


def _genetic(gene: str, person: Person) -> str:
    result = person.results.get(gene)
    call = result.known if result else None
    told = person.phenotypes.get(gene)
    if call is None or told is None:
        return "no result"
    named = " or ".join(str(pair) for pair in call.diplotypes)
    means = phenotypes(told) or ", ".join(person.statuses(gene))
    if not means:
        return told.not_called or "not known"
    several = _several(told)
    partly = f"; {told.not_called}" if told.not_called and told.alternatives else ""
    only_if = f"; {told.open.only_if}" if told.open else ""
    return ": ".join(filter(None, (named, means))) + several + partly + only_if + _by(call)


def _several(told: GenePhenotype) -> str:
    """What differs among calls that fit equally well, and numbers of copies that nobody counted."""
    if len(told.alternatives) < 2:
        return ""
    differ = "phenotypes" if len({one.word for one in told.alternatives}) > 1 else "activity scores"
    return f"; calls that fit equally well lead to different {differ}"


def _by(call: Known) -> str:
    return f" ({call.source})" if call.source else ""


def what_to_do(row: Recommendation) -> str:
    """A row in one paragraph: for whom, what to do, how strongly, and what the genes mean."""
    means = "; ".join(f"{gene}: {words}" for gene, words in row.implications if words)
    by = f" Found {row.by}." if row.by else ""
    done = advice.compose(row.steps)
    strength = f"Strength: {row.strength}."
    population = f"For {POPULATIONS.get(row.population, row.population)}"
    if now := currency.replaced(row.drug.name, row.key):
        done = f"{capital(now)}, as CPIC says since 2024-03-20. The row here is older and replaced: {done}"
    return f"{population} ({what_is_known(row)}): {done} {strength} {capital(means)}{'.' if means else ''}{by}".strip()


def by_genes_alone(rows: Iterable[Recommendation], effects: Mapping[str, Effective]) -> Iterator[str]:
    """Rows that the genes alone lead to, and why they stand beside what other medicines leave."""
    for row in rows:
        changed = [effects[gene] for gene, _ in row.key if gene in effects and effects[gene].changed]
        drugs = ", ".join(sorted({taken.drug for one in changed for taken in one.deciding}))
        grades = " and ".join(sorted({one.grade for one in changed}))
        yield (
            f"By the genes alone. {what_to_do(row)} That {drugs} changes this is an expert convention, grade of its "
            f"evidence: {grades}; it does not make the genes safe to pass over."
        )


def how_firm(row: Recommendation, grade: str) -> str:
    """How firm a row is, for a headline: beside the guideline's strength the grade of what made the phenotype."""
    strength = row.strength.lower()
    return f"conversion: {grade}; CPIC: {strength}" if grade else f"CPIC, {strength}"


def what_a_label_forbids(one: Statement) -> str:
    """A contraindication in one paragraph: of what, for whom, how strongly."""
    return f"The label forbids it for everybody with: {one.when}. Strength: contraindication."


def headline(row: Recommendation, room: int = SUMMARY_LENGTH) -> str:
    """The beginning of a row's advice, for a summary: the step that its action is, and the drugs it names instead.

    Where the row says one thing for cancer and another for other diseases, each with its disease before it, in the
    row's order. What has no room is left out from the end, never cut within a step that would lose its condition; room
    is reckoned with the shorter words of `fitted`. Of a row that was replaced it is what the guideline says now.

    Args:
        row: the row.
        room: letters there are for it; the first step is given whole in any case.
    """
    if now := currency.replaced(row.drug.name, row.key):
        return f"{now} (changed 2024)"
    wanted = [one for one in row.steps if one.verb == row.action] or list(row.steps)
    named = [one for one in row.steps if one.verb == "alternative" and one.amount and one not in wanted]
    by_disease = [_for_whom(one) for one in row.steps if one.when in _DISEASES]
    parts = by_disease or [one.words for one in (wanted[0], *named[:1])]
    more = room + sum(len(_METABOLIZER) for _, value in row.key if value.endswith(_METABOLIZER.title()))
    texts = ("; ".join(parts[:n]) for n in range(len(parts), 1, -1))
    return next((text for text in texts if len(text) <= room or len(_shorter(text)) <= more), parts[0])


_METABOLIZER: Final = " metabolizer"
_SHORTER: Final = (
    (_METABOLIZER, ""),
    ("malignant hyperthermia susceptibility", "MH susceptibility"),
    ("uncertain susceptibility", "uncertain"),
    ("lower the starting dose to ", "start with "),
    ("consider a drug that is not a thiopurine", "consider a non-thiopurine"),
    ("except for cancer, ", "not cancer: "),
    ("choose a drug that is not broken down by ", "choose one not broken down by "),
)
"""Words of a summary that may be shorter without saying anything else, the first that are needed."""


def _shorter(text: str) -> str:
    for words, fewer in _SHORTER:
        text = text.replace(words, fewer)
    return text


def fitted(summary: str) -> str:
    """Make a summary fit a card: by shorter words where it must be, then without its last step, never within a step."""
    for words, fewer in _SHORTER:
        if len(summary) > SUMMARY_LENGTH:
            summary = summary.replace(words, fewer)
    for mark in ("; ", ", for example "):
        while len(summary) > SUMMARY_LENGTH and mark in summary.partition(": ")[2]:
            summary = summary.rpartition(mark)[0]
    return summary if len(summary) <= SUMMARY_LENGTH else f"{summary.partition(': ')[0]}: see the rows"


def _for_whom(one: Step) -> str:
    return f"{_DISEASES[one.when]}, {replace(one, when='').words}".replace("consider: choose", "consider")


def has_other_drug_for_some(row: Recommendation) -> bool:
    """Whether a row says to choose another drug for one kind of disease, and a dose for another."""
    return any(one.verb == "alternative" and one.when in _DISEASES for one in row.steps)


def cited(drug: Drug) -> Citation:
    """The guideline with its publications and the day of the snapshot that rows were taken from."""
    pmids = ", ".join(drug.pmids)
    return Citation(f"CPIC guideline {drug.guideline}, PMID {pmids}; rows of {drug.date}", drug.url)


def cited_label(one: Statement) -> Citation:
    """The label that a contraindication stands in, with the day on which it was read."""
    return Citation(f"{one.source}; read on {_LABELS_READ}", one.url)


def unknown(genes: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Genes of a table of which nothing is known, with the reason."""
    told = "; ".join(f"{gene}: {why}" for gene, why in genes)
    if told:
        yield f"Not known, of the genes that the guideline asks for: {told}."


def disclaimer(drug: Drug) -> str:
    """What every finding of a guideline ends with."""
    return f"{DISCLAIMER} Rows are of {drug.date}."
