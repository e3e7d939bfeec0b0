"""A genomic report: genotypes, what they mean for medicines and what to change, as a Bundle of type collection.

*Source*: https://hl7.org/fhir/uv/genomics-reporting/STU3/StructureDefinition-genomic-report.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.pgx import coverage
from fhirtwin.pgx.recommendations import DISCLAIMER
from fhirtwin.report.genomics import action, codes, implication
from fhirtwin.report.genomics.implication import About
from fhirtwin.report.genomics.made import Made, made
from fhirtwin.report.genomics.weighed import Weighed
from fhirtwin.rules.genetics import wording
from fhirtwin.terms.systems import LOINC

Json = dict[str, Any]

NOTHING_CALLED: Final = "No gene was called."
BY_GENES: Final = (
    "what the genes alone lead to is told, too, since that other medicines change it is an expert convention"
)
NO_MEDICINE: Final = "No medicine was looked at: none that is taken now is known."


@dataclass(frozen=True, slots=True)
class Findings:
    """What is said of one person.

    Attributes:
        about: whom and which day, with all genotypes.
        weighed: each medicine.
        implications: rows of guidelines, prohibitions of labels, and phenoconversions.
        tasks: changes of medicines that are taken or were asked for.
    """

    about: About
    weighed: tuple[Weighed, ...]
    implications: tuple[Made, ...]
    tasks: tuple[Made, ...]


def find(weighed: Iterable[Weighed], about: About) -> Findings:
    """Say what each medicine's rows mean."""
    every, implications, tasks = tuple(weighed), dict[str, Made](), list[Made]()
    for one in every:
        found = [implication.of_conversion(each, one, about) for each in one.conversions if each.changed]
        rows = [(row, one) for row in one.answer.recommendations] + [(row, one.by_genes) for row in one.told.by_genes]
        for row, weighed_ in rows:
            told = implication.of_row(row, weighed_, about)
            found.append(told)
            if _is_wanted(one):
                tasks += action.of_row(row, one.medicine, told, about)
        for label in one.told.forbidden:
            if forbids := implication.of_label(label, one, about):
                found.append(forbids)
                tasks += [action.of_label(label, one.medicine, forbids, about)] if _is_wanted(one) else []
        implications |= {each.uuid: each for each in found}
    return Findings(about, every, tuple(implications.values()), tuple({one.uuid: one for one in tasks}.values()))


def _is_wanted(one: Weighed) -> bool:
    """Whether a medicine is taken or was asked for, so that a change of it is something to do."""
    return bool(one.medicine.sources) or one.medicine.asked


def bundle(found: Findings, risks: Sequence[Made] = (), more: Sequence[str] = ()) -> Json:
    """The report with all that it refers to.

    Args:
        found: what is said.
        risks: RiskAssessments that rest on genes.
        more: what else a reader must know.
    """
    report = _report(found, risks, more)
    genotypes = found.about.genotypes.values()
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [one.entry for one in (report, *genotypes, *found.implications, *found.tasks, *risks)],
    }


def _report(found: Findings, risks: Sequence[Made], more: Sequence[str]) -> Made:
    about = found.about
    linked = [(codes.RECOMMENDED_ACTION, one) for one in found.tasks] + [(codes.RISK, one) for one in risks]
    results = [one.reference for one in (*about.genotypes.values(), *found.implications)]
    resource = {
        "resourceType": "DiagnosticReport",
        "meta": {"profile": [codes.REPORT]},
        **({"extension": [{"url": url, "valueReference": one.reference} for url, one in linked]} if linked else {}),
        "status": "final",
        "category": [codes.CATEGORIES[1]],
        "code": codes.concept(LOINC, "51969-4", "Genetic analysis report", "Pharmacogenomic report"),
        "subject": {"reference": about.subject},
        "effectiveDateTime": about.day,
        **({"result": results} if results else {}),
        "conclusion": "\n".join(lines(found, more)),
    }
    return made(resource, about.subject, about.day, "report")


def lines(found: Findings, more: Sequence[str] = ()) -> Iterator[str]:
    """What a reader must know beside the implications: what is not known, what changed, who answers for it."""
    yield from _genes(found.about.genotypes)
    if not found.weighed:
        yield NO_MEDICINE
    for one in found.weighed:
        yield from of_medicine(one)
    yield from more
    yield "A gene or a medicine that is not named here was not looked at; nothing is said of it."
    yield DISCLAIMER


def of_medicine(one: Weighed) -> Iterator[str]:
    """What is not known of a medicine, and what else is to be known of it."""
    name, answer = one.medicine.name, one.answer
    yield from (f"{name}: {wording.what_a_label_forbids(each)}" for each in one.told.forbidden)
    yield from (f"{name}: {text}" for text in one.by_label)
    if one.told.by_genes:
        yield f"{name}: {BY_GENES}."
    elif not answer.recommendations:
        yield f"{name}: {answer.why}."
    for gene, why in answer.unknown:
        yield f"{name}: {gene}: {why}."
    notices = (*answer.notices, *(text for each in one.conversions for text in each.notices))
    changed = (text for row in one.told.spoken for text in row.notices)
    yield from (f"{name}: {text}." for text in dict.fromkeys((*changed, *notices)))


def _genes(genotypes: Mapping[str, Made]) -> Iterator[str]:
    called = {gene: one.resource["valueCodeableConcept"]["text"] for gene, one in genotypes.items() if _called(one)}
    yield f"Called: {'; '.join(called.values())}." if called else NOTHING_CALLED
    for gene, one in genotypes.items():
        if gene in called:
            yield from (_remark(gene, note["text"]) for note in one.resource.get("note", ()))
        else:
            yield f"{gene}: {one.resource['dataAbsentReason'].get('text', 'not called')}."


def _remark(gene: str, note: str) -> str:
    """What stands beside a call, for people."""
    told = coverage.read(note)
    said = told.short(gene) if told else note
    return f"{gene}: {said}{'' if said.endswith('.') else '.'}"


def _called(one: Made) -> bool:
    return "valueCodeableConcept" in one.resource
