"""$pharmacogenomic-report: `GET` or `POST [base]/Patient/[id]/$pharmacogenomic-report`: genes, and what they mean.

*Source*: `profiles/OperationDefinition-pharmacogenomic-report.json`.
"""

from __future__ import annotations

from typing import Final

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec
from fhirtwin.interactions import genomes
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.genomes import Known
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter
from fhirtwin.report.genomics import report
from fhirtwin.report.genomics.weighing import Medicine, named, with_rows
from fhirtwin.terms.systems import FHIRTWIN


def pharmacogenomic_report(call: Call) -> Answer:
    """Give a genomic report of a patient who is stored here.

    Args:
        call: `drug` (any number of names or RxNorm ingredients); `all` (true: every drug that a guideline has rows of
            for a gene that is known). Without either: the medicines taken now.

    Returns:
        200 with a Bundle: a DiagnosticReport, Genotypes, TherapeuticImplications and Tasks.

    Raises:
        Incorrect: both parameters, or too many drugs.
        Forbidden: a part of the record is withheld from the caller.
        NotFound, Gone: no such Patient.
        Unprocessable: the Patient was replaced by another, whom the text names.
    """
    asked = genomes.listed(call, "drug")
    if asked and call.one("all"):
        raise Incorrect("Say which drugs by `drug`, or `all=true`, not both.")
    known = genomes.known(call, call.id)
    found = known.findings(_medicines(known, asked, every=call.one("all") is True), call.services.base_url)
    unread = () if asked or call.one("all") else known.unread
    return Answer(200, codec.encode(report.bundle(found, (), unread)))


def _medicines(known: Known, asked: tuple[str, ...], *, every: bool) -> tuple[Medicine, ...]:
    taken = {one.name: one for one in known.medicines}
    if asked:
        return tuple(dict.fromkeys(taken.get(one.name, one) for one in map(named, asked)))
    if every:
        return tuple(taken.get(one.name, one) for one in with_rows(known.genome))
    return tuple(taken.values())


OPERATION: Final = Operation(
    name="pharmacogenomic-report",
    definition=f"{FHIRTWIN}/OperationDefinition/pharmacogenomic-report",
    types=frozenset({"Patient"}),
    levels=frozenset({Level.INSTANCE}),
    run=pharmacogenomic_report,
    parameters=(Parameter("drug", "string", many=True), Parameter("all", "boolean")),
)
