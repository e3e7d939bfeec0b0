"""$pharmacogenomic-report: `GET` or `POST [base]/Patient/[id]/$pharmacogenomic-report`: genes, and what they mean.

*Source*: `profiles/OperationDefinition-pharmacogenomic-report.json`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec
from fhirtwin.interactions import genomes
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.genomes import Known
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter
from fhirtwin.pgx.knowledge.holding import Genes
from fhirtwin.report.genomics import report, texts, warfarin
from fhirtwin.report.genomics.made import Made
from fhirtwin.report.genomics.medicines import Medicine, with_rows
from fhirtwin.report.genomics.report import Findings
from fhirtwin.report.genomics.weighed import taken
from fhirtwin.terms.systems import FHIRTWIN


def pharmacogenomic_report(call: Call) -> Answer:
    """Give a genomic report of a patient who is stored here.

    Args:
        call: `drug` (any number of names or RxNorm ingredients); `all` (true: every drug that a guideline has rows of
            for a gene that is known). Without either: the medicines taken now.

    Returns:
        200 with a Bundle: a DiagnosticReport, Genotypes, TherapeuticImplications, Tasks; of warfarin
        a RiskAssessment.

    Raises:
        Incorrect: both parameters, a drug that is not known, or too many.
        Forbidden: a part of the record is withheld from the caller.
        NotFound, Gone: no such Patient.
        Unprocessable: the Patient was replaced by another, whom the text names.
    """
    asked = genomes.medicines(call, "drug")
    if asked and call.one("all"):
        raise Incorrect("Say which drugs by `drug`, or `all=true`, not both.")
    known = genomes.known(call, call.id)
    found = known.findings(_medicines(known, asked, every=call.one("all") is True), call.services.base_url)
    risk, why = _warfarin(call, known, found)
    unread = [f"A medicine of the record was not looked at: {reason}." for reason in known.unread]
    more = [*unread, *([why] if why else []), *_texts(call, known, found)]
    return Answer(200, codec.encode(report.bundle(found, [risk] if risk else [], more)))


def _texts(call: Call, known: Known, found: Findings) -> Iterator[str]:
    """What the hospital's folder of guideline texts says of the medicines that were looked at."""
    genes = Genes(known.person.phenotypes, known.person.alleles, known.person.calls)
    beside = taken(known.whole, known.medicines, known.day)
    return texts.lines((one.medicine.name for one in found.weighed), call.services.pgx_knowledge, genes, beside)


def _warfarin(call: Call, known: Known, found: Findings) -> tuple[Made | None, str]:
    """The estimated dose, or why there is none; neither where warfarin was not looked at."""
    if not any(one.medicine.name == warfarin.NAME for one in found.weighed):
        return None, ""
    max_age = timedelta(days=call.services.settings.max_age_vitals_days)
    inputs = warfarin.Inputs(known.state, known.person, known.medicines, known.day, max_age, known.unread)
    return warfarin.estimate(inputs, found.about)


def _medicines(known: Known, asked: tuple[Medicine, ...], *, every: bool) -> tuple[Medicine, ...]:
    taken = {one.name: one for one in known.medicines}
    if asked:
        return tuple(dict.fromkeys(taken.get(one.name, one) for one in asked))
    if every:
        return tuple(taken.get(one.name, one) for one in with_rows(known.person))
    return tuple(taken.values())


OPERATION: Final = Operation(
    name="pharmacogenomic-report",
    definition=f"{FHIRTWIN}/OperationDefinition/pharmacogenomic-report",
    types=frozenset({"Patient"}),
    levels=frozenset({Level.INSTANCE}),
    run=pharmacogenomic_report,
    parameters=(Parameter("drug", "string", many=True), Parameter("all", "boolean")),
)
