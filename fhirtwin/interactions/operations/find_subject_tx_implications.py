"""$find-subject-tx-implications: `GET` or `POST [base]/$find-subject-tx-implications`: what genes mean for treatments.

*Source*: https://hl7.org/fhir/uv/genomics-reporting/STU3/OperationDefinition-find-subject-tx-implications.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fhirtwin.errors import Incorrect, Issue
from fhirtwin.interactions import genomes
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.genomes import Known
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter
from fhirtwin.pgx import guideline, presence
from fhirtwin.report.genomics import report
from fhirtwin.report.genomics.made import Made
from fhirtwin.report.genomics.medicines import with_rows
from fhirtwin.report.genomics.report import Findings
from fhirtwin.terms.systems import FHIRTWIN


def find_subject_tx_implications(call: Call) -> Answer:
    """Give the TherapeuticImplications of a patient's genotypes, and the Genotypes they follow from.

    What other medicines do to the enzymes (phenoconversion) counts, and is an implication of its own. `outcome` says
    what is not known: treatments without a guideline, genes without a result, what changed since the snapshot.

    Args:
        call: `subject`; `treatments` (RxNorm ingredients, with or without their system, or names), `haplotypes` (those
            of the genes by which implications are looked for), or both; `genomicSourceClass`.

    Raises:
        Incorrect: neither treatments nor haplotypes; the subject, or a treatment, cannot be read.
        Unsupported: somatic results are asked for.
        Forbidden: a part of the record is withheld from the caller.
        NotFound, Gone: no such Patient.
        Unprocessable: the Patient was replaced by another.
    """
    genomes.germline_only(call)
    medicines, haplotypes = genomes.medicines(call, "treatments"), genomes.haplotypes(call, "haplotypes")
    if not (medicines or haplotypes):
        raise Incorrect("Say what implications are looked for: `treatments`, `haplotypes`, or both.")
    id_ = genomes.subject(call)
    known = genomes.known(call, id_)
    genes = _genes(known, haplotypes)
    chosen = medicines or tuple(one for one in with_rows(known.person) if genes & {*guideline.genes(one.name)})
    found = known.findings(chosen)
    told = [one for one in found.implications if not haplotypes or _rests_on(one, found, genes)]
    issues = [*_absent(known, haplotypes), *_reasons(found)]
    implications = [("implication", "resource", one.alone) for one in told]
    return genomes.told(
        [*implications, *(("genotype", "resource", one.alone) for one in _followed_from(told, found))], issues
    )


def _genes(known: Known, haplotypes: tuple[str, ...]) -> set[str]:
    """The genes of which the patient has a haplotype that was asked for."""
    found = (presence.split(text) for text in haplotypes)
    return {gene for gene, alleles in found if gene in known.results and _has(known, gene, alleles)}


def _has(known: Known, gene: str, alleles: str) -> bool:
    return presence.present(known.results[gene].known, alleles) is True


def _absent(known: Known, haplotypes: tuple[str, ...]) -> Iterator[Issue]:
    for gene, alleles in map(presence.split, haplotypes):
        if gene not in known.results or not _has(known, gene, alleles):
            text = f"Nothing is told by a haplotype of {gene or 'a gene that is not read here'}: it is not known there."
            yield Issue("not-found", text, severity="information")


def _reasons(found: Findings) -> Iterator[Issue]:
    for one in found.weighed:
        for text in report.of_medicine(one):
            severity = "information" if one.answer.recommendations else "warning"
            yield Issue("incomplete", text, severity=severity)


def _rests_on(one: Made, found: Findings, genes: set[str]) -> bool:
    mine = {found.about.genotypes[gene].reference["reference"] for gene in genes}
    return any(each["reference"] in mine for each in one.resource["derivedFrom"])


def _followed_from(told: list[Made], found: Findings) -> list[Made]:
    used: set[Any] = {each["reference"] for one in told for each in one.resource["derivedFrom"]}
    return [one for one in found.about.genotypes.values() if one.reference["reference"] in used]


OPERATION: Final = Operation(
    name="find-subject-tx-implications",
    definition=f"{FHIRTWIN}/OperationDefinition/find-subject-tx-implications",
    types=frozenset(),
    levels=frozenset({Level.SYSTEM}),
    run=find_subject_tx_implications,
    parameters=(
        Parameter("subject", "string", required=True),
        Parameter("treatments", "string", many=True),
        Parameter("haplotypes", "string", many=True),
        Parameter("genomicSourceClass", "string"),
    ),
)
