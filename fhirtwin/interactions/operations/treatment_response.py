"""$treatment-response: `GET` or `POST [base]/Patient/[id]/$treatment-response`: candidate medicines side by side.

*Source*: `profiles/OperationDefinition-treatment-response.json`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec
from fhirtwin.interactions import genomes
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.genomes import Known
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter
from fhirtwin.pgx.response import evidence
from fhirtwin.report.genomics.implication import About
from fhirtwin.report.genomics.medicines import Medicine
from fhirtwin.report.genomics.weighed import taken
from fhirtwin.report.treatment_response import findings, overview, person
from fhirtwin.report.treatment_response.findings import Patient
from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.terms.systems import FHIRTWIN
from fhirtwin.twin import gaps

STEP_SUPPOSED: Final = "Which treatment of this episode it would be was not said; the first was supposed."


def treatment_response(call: Call) -> Answer:
    """Tell what is expected of candidate medicines for a patient who is stored here.

    Args:
        call: `setting` (one of those there is evidence of), `drug` (any number of names or RxNorm ingredients; every
            drug with evidence of the setting when absent), `step` (1 when absent).

    Returns:
        200 with a Bundle: a List in order of expected response, and a RiskAssessment of each candidate.

    Raises:
        Incorrect: the setting, the step or a drug is not known.
        Forbidden: a part of the record is withheld from the caller.
        NotFound, Gone: no such Patient.
        Unprocessable: too many drugs; or the Patient was replaced by another, whom the text names.
        EngineUnavailable, EngineAnswerRefused: genes are looked up by the engine, and it did not tell.
    """
    setting, step = _setting(call), _step(call)
    candidates = genomes.medicines(call, "drug") or _with_evidence(setting)
    known = genomes.known(call, call.id)
    found = findings.find(candidates, setting, step, _patient(known))
    about = About(f"{call.services.base_url}/Patient/{known.id}", known.day.isoformat(), {}, call.services.base_url)
    supposed = () if call.one("step") else (STEP_SUPPOSED,)
    return Answer(200, codec.encode(overview.bundle(found, about, supposed)))


def _setting(call: Call) -> str:
    setting = str(call.one("setting"))
    if setting not in evidence.SETTINGS:
        raise Incorrect(f"`setting` must be one of: {', '.join(evidence.SETTINGS)}.")
    return setting


def _step(call: Call) -> int:
    step = int(call.one("step") or 1)
    if step not in evidence.STEPS:
        raise Incorrect("`step` must be a number from 1 to 4: which treatment of this episode it would be.")
    return step


def _with_evidence(setting: str) -> tuple[Medicine, ...]:
    return tuple(Medicine(name, CODES.get(name, "")) for name in evidence.known(setting))


def _patient(known: Known) -> Patient:
    return Patient(
        genetic=known.person.phenotypes,
        results=known.results,
        medicines=known.medicines,
        taken=taken(known.whole, known.medicines, known.day),
        conditions=person.conditions(known.whole, known.state),
        gaps=tuple(_gaps(known)),
    )


def _gaps(known: Known) -> Iterator[str]:
    """What of the record could not be looked at, though it may act on an enzyme."""
    if not known.state.lists & gaps.MEDICINES and not known.medicines:
        yield "It is not known which medicines are taken, so nothing is told of what they do to enzymes."
    yield from (f"A medicine of the record was not looked at: {reason}." for reason in known.unread)


OPERATION: Final = Operation(
    name="treatment-response",
    definition=f"{FHIRTWIN}/OperationDefinition/treatment-response",
    types=frozenset({"Patient"}),
    levels=frozenset({Level.INSTANCE}),
    run=treatment_response,
    parameters=(
        Parameter("setting", "code", required=True),
        Parameter("drug", "string", many=True),
        Parameter("step", "positiveInt"),
    ),
)
