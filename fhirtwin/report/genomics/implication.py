"""One row of a guideline, one prohibition of a label, and one phenoconversion, as a TherapeuticImplication.

*Source*: https://hl7.org/fhir/uv/genomics-reporting/STU3/StructureDefinition-therapeutic-implication.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fhirtwin.pgx import coverage, currency, phenotype
from fhirtwin.pgx.advice import compose
from fhirtwin.pgx.guideline import Drug, Recommendation
from fhirtwin.pgx.labels import Statement
from fhirtwin.pgx.phenoconversion import Effective
from fhirtwin.pgx.recommendations import DISCLAIMER, NO_RESULT
from fhirtwin.pgx.results import GenePhenotype
from fhirtwin.report.genomics import codes
from fhirtwin.report.genomics.made import Made, made
from fhirtwin.report.genomics.medicines import Medicine, named
from fhirtwin.report.genomics.weighed import Weighed
from fhirtwin.rules.genetics import wording
from fhirtwin.terms.systems import LOINC
from fhirtwin.twin.state import Source

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """What all resources of one report share.

    Attributes:
        subject: reference to the Patient.
        day: FHIR date that it is about.
        genotypes: by gene, also of genes that were not called.
        base: FHIR base that makes references absolute; empty where they stay relative.
    """

    subject: str
    day: str
    genotypes: Mapping[str, Made]
    base: str = ""

    def refer(self, source: Source) -> Json:
        """A Reference to a resource that something was read from."""
        text = source.reference
        stored_here = self.base and not source.origin
        return {"reference": f"{self.base}/{text}" if stored_here else text, "type": source.type}


def of_row(row: Recommendation, weighed: Weighed, about: About) -> Made:
    """What one row of a guideline says."""
    genes = [gene for gene, value in row.key if gene in about.genotypes]
    implied = dict(row.implications)
    meanings = [
        (gene, word_of(gene, value, weighed.phenotypes), value, implied.get(gene, "")) for gene, value in row.key
    ]
    converted = {one.genetic.gene for one in weighed.conversions if one.changed}
    open_ = {gene for gene, told in weighed.phenotypes.items() if told.open}
    components = [
        _assessed(weighed.medicine),
        *(_meaning(*one, converted=one[0] in converted, perhaps=one[0] in open_) for one in meanings),
        codes.loinc("93044-6", "Level of evidence", {"text": f"{row.strength} (CPIC)"}),
        codes.component(codes.TBD, "conclusion-string", conclusion(row, weighed)),
        codes.component(codes.TBD, "knowledge-base", {"text": f"CPIC {row.drug.date}"}),
        codes.component(codes.OURS, "population", {"text": row.population}),
    ]
    notes = [
        *_remarks(genes, about),
        *row.notices,
        *weighed.answer.notices,
        *(note for one in weighed.conversions for note in one.notices),
    ]
    resource = _implication(about, genes, components, [*notes, DISCLAIMER], citations(row.drug))
    alone = ["genes alone"] if weighed.is_by_genes else []
    return made(resource, about.subject, about.day, row.drug.name, row.population, *map(":".join, row.key), *alone)


def _remarks(genes: Iterable[str], about: About) -> Iterable[str]:
    """What stands beside the calls that a row rests on."""
    for gene in genes:
        for note in about.genotypes[gene].resource.get("note", ()):
            told = coverage.read(note["text"])
            yield f"{gene}: {told.short(gene) if told else note['text']}"


def conclusion(row: Recommendation, weighed: Weighed) -> str:
    """What to do, for whom, how sure the guideline is, and by what it was found."""
    whom = "" if row.population == "general" else f" ({row.population})"
    parts = [f"{row.drug.name}{whom}: {compose(row.steps)}", f"Strength: {row.strength}."]
    if now := currency.replaced(row.drug.name, row.key):
        parts.append(f"CPIC replaced this on 2024-03-20: {now}.")
    parts += _only_if(row, weighed)
    parts += [f"Found {row.by}."] if row.by else []
    parts += ["By the genes alone, whatever else is taken."] if weighed.is_by_genes else []
    parts += [converted(one) for one in weighed.conversions if one.changed]
    return " ".join(parts)


def _only_if(row: Recommendation, weighed: Weighed) -> Iterable[str]:
    """Under what condition the phenotypes that it was found by hold, where alleles that would change them are open."""
    for gene, value in row.key:
        told = weighed.phenotypes.get(gene)
        if told and told.open and value != NO_RESULT:
            yield f"Perhaps {gene} {word_of(gene, value, weighed.phenotypes)}, {told.open.only_if}."


def of_label(one: Statement, weighed: Weighed, about: About) -> Made | None:
    """What a label forbids; None where a diagnosis tells of the gene, so that there is no genotype it follows from."""
    genes = [gene for gene in one.genes if gene in about.genotypes]
    if not genes:
        return None
    forbids = wording.what_a_label_forbids(one)
    components = [
        _assessed(weighed.medicine),
        codes.component(codes.TBD, "therapeutic-implication", {"text": "contraindicated by the label"}),
        codes.loinc("93044-6", "Level of evidence", {"text": "contraindication (label)"}),
        codes.component(codes.TBD, "conclusion-string", f"{weighed.medicine.name}: {forbids}"),
        codes.component(codes.TBD, "knowledge-base", {"text": one.source}),
        codes.component(codes.OURS, "population", {"text": "general"}),
    ]
    page = {"type": "documentation", "display": one.source, "url": one.url}
    cited = [{"url": codes.CITATION, "valueRelatedArtifact": page}]
    resource = _implication(about, genes, components, [*_remarks(genes, about), wording.OF_LABELS], cited)
    return made(resource, about.subject, about.day, weighed.medicine.name, "label", one.when)


def of_conversion(one: Effective, weighed: Weighed, about: About) -> Made:
    """What other medicines do to an enzyme that this one needs."""
    gene, causes = one.genetic.gene, [inhibitor for _, inhibitor in one.causes]
    components = [
        _assessed(weighed.medicine),
        codes.component(codes.TBD, "therapeutic-implication", _spoken(one.effective, "with what else is taken", "")),
        codes.loinc("93044-6", "Level of evidence", {"text": f"{one.grade} (expert convention)"}),
        codes.component(codes.TBD, "conclusion-string", converted(one)),
        codes.component(codes.TBD, "knowledge-base", {"text": "; ".join(dict.fromkeys(c.source for c in causes))}),
        codes.component(
            codes.OURS, "genetic-phenotype", _spoken(one.genetic, "by the genes alone", _answer(one.genetic))
        ),
        *(codes.component(codes.OURS, "cause", _cause(inhibitor.drug, inhibitor.strength)) for inhibitor in causes),
        codes.component(codes.OURS, "rule", one.rule),
    ]
    notes = [*one.notices, *(cause.note for cause in causes if cause.note)]
    resource = _implication(about, [gene], components, notes, [])
    names = sorted(cause.drug for cause in causes)
    return made(resource, about.subject, about.day, weighed.medicine.name, gene, "phenoconversion", *names)


def word_of(gene: str, value: str, phenotypes: Mapping[str, GenePhenotype]) -> str:
    """Name the phenotype that a row was found by, where it was found by a score; else the value itself."""
    told = phenotypes.get(gene)
    for one in told.alternatives if told else ():
        if value == one.key or value in phenotype.scores(gene, one.word):
            return one.word
    return value


def citations(drug: Drug) -> list[Json]:
    """The guideline's page and its publications."""
    page = {"type": "documentation", "display": f"CPIC guideline: {drug.guideline}", "url": drug.url}
    papers = [
        {"type": "citation", "citation": f"PMID {pmid}", "url": f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"}
        for pmid in drug.pmids
        if pmid
    ]
    return [{"url": codes.CITATION, "valueRelatedArtifact": one} for one in (page, *papers)]


def _implication(
    about: About, genes: Iterable[str], components: list[Json], notes: Iterable[str], extensions: list[Json]
) -> Json:
    return {
        "resourceType": "Observation",
        "meta": {"profile": [codes.IMPLICATION]},
        **({"extension": extensions} if extensions else {}),
        "status": "final",
        "category": list(codes.CATEGORIES),
        "code": codes.concept(codes.TBD, "therapeutic-implication"),
        "subject": {"reference": about.subject},
        "effectiveDateTime": about.day,
        **({"note": [{"text": text} for text in unique]} if (unique := dict.fromkeys(notes)) else {}),
        "derivedFrom": [about.genotypes[gene].reference for gene in genes],
        "component": components,
    }


def _assessed(medicine: Medicine) -> Json:
    return codes.loinc("51963-7", "Medication assessed [ID]", codes.medicine(medicine.name, medicine.code))


def _meaning(gene: str, word: str, value: str, implied: str, *, converted: bool, perhaps: bool) -> Json:
    """What a gene means; a phenotype that is not sure, or that other medicines made, has no code, lest it be read."""
    answer = "" if converted or perhaps else codes.answer_of(gene, word)
    known = f"{gene} not known" if value == NO_RESULT else f"{'perhaps ' if perhaps else ''}{gene} {word}"
    score = f", activity score {value}" if value not in (word, NO_RESULT) else ""
    how = " with what else is taken" if converted else ""
    text = f"{known}{score}{how}{f': {implied}' if implied else ''}"
    return codes.component(codes.TBD, "therapeutic-implication", codes.concept(LOINC, answer, text=text))


def _spoken(told: GenePhenotype, how: str, answer: str) -> Json:
    return codes.concept(LOINC, answer, text=f"{told.gene} {_say(told)}, {how}")


def _answer(told: GenePhenotype) -> str:
    """LOINC's answer for the only phenotype; empty where there are several, or none."""
    words = {one.word for one in told.alternatives}
    return codes.answer_of(told.gene, words.pop()) if len(words) == 1 else ""


def _say(told: GenePhenotype) -> str:
    said = [f"{one.word}{f' (activity score {one.score})' if one.score else ''}" for one in told.alternatives]
    return " or ".join(said) or told.not_called or "not known"


def _cause(name: str, strength: str) -> Json:
    code = next((one.code for one in named(name)), "")
    return {**codes.medicine(name, code), "text": f"{name}, {strength} inhibitor"}


def converted(one: Effective) -> str:
    """Say what a gene is, what it shows beside other medicines, and how well that is known."""
    by = " and ".join(f"{cause.drug} ({cause.strength} inhibitor)" for _, cause in one.causes)
    return (
        f"{one.genetic.gene}: {_say(one.genetic)} by the genes, {_say(one.effective)} with {by}. "
        f"By an expert convention, grade of its evidence: {one.grade}."
    )
