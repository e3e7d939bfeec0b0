"""$find-subject-specific-haplotypes: `GET` or `POST [base]/$find-subject-specific-haplotypes`: whether they are there.

*Source*: https://hl7.org/fhir/uv/genomics-reporting/STU3/OperationDefinition-find-subject-specific-haplotypes.html.
"""

from __future__ import annotations

from typing import Any, Final

from fhirtwin.errors import Issue
from fhirtwin.interactions import genomes
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.genomes import Known
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter
from fhirtwin.pgx import presence
from fhirtwin.report.genomics.genotypes import genotypes
from fhirtwin.report.genomics.made import Made
from fhirtwin.terms.systems import FHIRTWIN

NOT_TOLD: Final = "Whether {} has what was asked for is not known; an absent value of `presence` is no `false`."
UNNAMED: Final = (
    "A name asked for of {} is of no allele that the tables here have, so whether it is there is not known: ask by the "
    "full name, as $find-subject-haplotypes writes it."
)


def find_subject_specific_haplotypes(call: Call) -> Answer:
    """Tell of each haplotype or genotype asked for whether it is there.

    `presence` is false only where the gene was called and has other alleles. Where that is not known, it has the
    extension data-absent-reason instead of a value, and `outcome` says so.

    Args:
        call: `subject`; `haplotypes` (`CYP2C19 *17`, `CYP2C19 *1/*17`, `HLA-B*57:01`, or a gene alone, with or without
            a system before it); `genomicSourceClass`.

    Raises:
        Incorrect: the subject cannot be read, or haplotypes are too many or none.
        Unsupported: somatic results are asked for.
        Forbidden: a part of the record is withheld from the caller.
        NotFound, Gone: no such Patient.
        Unprocessable: the Patient was replaced by another.
    """
    genomes.germline_only(call)
    asked, id_ = genomes.haplotypes(call, "haplotypes"), genomes.subject(call)
    known = genomes.known(call, id_)
    written = genotypes(known.results, f"Patient/{id_}")
    found = [("haplotypes", "part", _parts(text, known, written)) for text in asked]
    open_ = {presence.split(text)[0] or "a gene that is not read here" for text in asked if _there(text, known) is None}
    issues = [Issue("incomplete", NOT_TOLD.format(gene), severity="warning") for gene in sorted(open_)]
    unnamed = {gene for gene, alleles in map(presence.split, asked) if gene and not presence.is_named(gene, alleles)}
    issues += [Issue("not-found", UNNAMED.format(gene), severity="warning") for gene in sorted(unnamed)]
    return genomes.told(found, issues)


def _there(text: str, known: Known) -> bool | None:
    gene, alleles = presence.split(text)
    result = known.results.get(gene)
    return presence.present(result.known, alleles) if result else None


def _parts(text: str, known: Known, written: dict[str, Made]) -> list[dict[str, Any]]:
    there = _there(text, known)
    found = [{"name": "haplotypeItem", "valueString": text.rpartition("|")[2].strip()}, genomes.presence_part(there)]
    gene = presence.split(text)[0]
    return [*found, *([{"name": "genotype", "resource": written[gene].alone}] if there else [])]


OPERATION: Final = Operation(
    name="find-subject-specific-haplotypes",
    definition=f"{FHIRTWIN}/OperationDefinition/find-subject-specific-haplotypes",
    types=frozenset(),
    levels=frozenset({Level.SYSTEM}),
    run=find_subject_specific_haplotypes,
    parameters=(
        Parameter("subject", "string", required=True),
        Parameter("haplotypes", "string", required=True, many=True),
        Parameter("genomicSourceClass", "string"),
    ),
)
