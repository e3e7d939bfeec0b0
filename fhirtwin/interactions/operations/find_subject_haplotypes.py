"""$find-subject-haplotypes: `GET` or `POST [base]/$find-subject-haplotypes`: the genotypes of a patient's genes.

*Source*: https://hl7.org/fhir/uv/genomics-reporting/STU3/OperationDefinition-find-subject-haplotypes.html.
"""

from __future__ import annotations

from typing import Any, Final

from fhirtwin.errors import Issue
from fhirtwin.interactions import genomes
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter
from fhirtwin.pgx import hgnc
from fhirtwin.report.genomics.genotypes import genotypes
from fhirtwin.report.genomics.made import Made
from fhirtwin.terms.systems import FHIRTWIN

NOT_KNOWN: Final = "{} is no gene that is read here; those are {}."
NOT_LOOKED_AT: Final = "{} was not looked at; nothing is said of it."


def find_subject_haplotypes(call: Call) -> Answer:
    """Give the Genotype of each gene asked for, one `haplotypes` a gene.

    A gene that was not called has a Genotype with the reason instead of a value. One that nobody looked at, or that
    is not read here, has none, and `outcome` says so.

    Args:
        call: `subject`; `genes` (HGNC ids, with or without their system, or symbols); `genomicSourceClass`.

    Raises:
        Incorrect: the subject cannot be read, or too many genes.
        Unsupported: somatic results are asked for.
        Forbidden: a part of the record is withheld from the caller.
        NotFound, Gone: no such Patient.
        Unprocessable: the Patient was replaced by another.
    """
    genomes.germline_only(call)
    asked, id_ = genomes.listed(call, "genes"), genomes.subject(call)
    known = genomes.known(call, id_)
    written = genotypes(known.results, f"Patient/{id_}")
    found = [("haplotypes", "part", _parts(text, written)) for text in asked]
    issues = [issue for text in asked if (issue := _issue(text, written))]
    return genomes.told(found, issues)


def symbol(text: str) -> str:
    """The gene that a token names; empty where it is none that is read here."""
    code = text.rpartition("|")[2].strip()
    return hgnc.SYMBOLS.get(code.upper(), "") or (code.upper() if code.upper() in hgnc.IDS else "")


def _parts(text: str, written: dict[str, Made]) -> list[dict[str, Any]]:
    found = written.get(symbol(text))
    item = {"name": "geneItem", "valueString": text.rpartition("|")[2].strip()}
    return [item, *([{"name": "genotype", "resource": found.alone}] if found else [])]


def _issue(text: str, written: dict[str, Made]) -> Issue | None:
    gene = symbol(text)
    if not gene:
        why = NOT_KNOWN.format("One that was asked for", ", ".join(hgnc.IDS))
        return Issue("not-supported", why, severity="warning")
    return None if gene in written else Issue("not-found", NOT_LOOKED_AT.format(gene), severity="information")


OPERATION: Final = Operation(
    name="find-subject-haplotypes",
    definition=f"{FHIRTWIN}/OperationDefinition/find-subject-haplotypes",
    types=frozenset(),
    levels=frozenset({Level.SYSTEM}),
    run=find_subject_haplotypes,
    parameters=(
        Parameter("subject", "string", required=True),
        Parameter("genes", "string", required=True, many=True),
        Parameter("genomicSourceClass", "string"),
    ),
)
