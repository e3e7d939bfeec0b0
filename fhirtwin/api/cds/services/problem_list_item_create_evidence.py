"""`twin-problem-list-item-create`: what the record says for or against a problem that is put on the list."""

from __future__ import annotations

from typing import Final

from fhirtwin import timing
from fhirtwin.api.cds.advice import follow_up
from fhirtwin.api.cds.contexts import ProblemListItemCreate
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.errors import Fault
from fhirtwin.intake.prefetch import Template
from fhirtwin.report import order_cards
from fhirtwin.rules.problems import evidence, problem_of
from fhirtwin.terms.concepts.observations import codes_of

FACTS: Final = ("hba1c", "glucose", "creatinine", "egfr", "uacr")
"""What criteria are looked up in, of what is measured."""


def create(call: Call) -> Response:
    """Answer one call."""
    context = call.context
    if not isinstance(context, ProblemListItemCreate):
        raise Fault("twin-problem-list-item-create was called without the context of problem-list-item-create")
    problems = tuple(problem_of(condition) for condition in context.conditions)
    situation = follow_up.situation(call, ())
    with timing.stage("report"):
        findings = evidence(problems, situation.state)
        return Response(order_cards.finding_cards(findings, situation, call.patient))


SERVICE: Final = Service(
    id="twin-problem-list-item-create",
    hooks=("problem-list-item-create",),
    title="Evidence for a new problem",
    description=(
        "Shows the results that speak for or against diabetes, chronic kidney disease and acute kidney injury by "
        "published criteria, with their dates."
    ),
    prefetch={
        "patient": Template("Patient/{{context.patientId}}"),
        "conditions": Template("Condition?patient={{context.patientId}}&_count=1000"),
        "observations": Template(
            f"Observation?patient={{{{context.patientId}}}}&code={','.join(codes_of(FACTS))}&_count=1000"
        ),
    },
    handler=create,
)
