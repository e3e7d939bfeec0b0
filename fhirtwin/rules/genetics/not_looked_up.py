"""Results of genes that could not be looked up: said, for silence would look like "nothing to say"."""

from __future__ import annotations

from typing import Final

from fhirtwin.errors import EngineQuarantined, EngineUnavailable, FhirtwinError, Unprocessable
from fhirtwin.rules.findings import Finding, Severity
from fhirtwin.rules.genetics.advising import TOPIC
from fhirtwin.rules.genetics.not_called import SOURCE
from fhirtwin.rules.situation import Situation
from fhirtwin.terms.facts import GENES

RULE: Final = "genes.not-looked-up"


def finding(situation: Situation, error: FhirtwinError) -> Finding:
    """Say that no draft was judged by genes, and why."""
    names = ", ".join(dict.fromkeys(order.medicine.display for order in situation.orders))
    return Finding(
        rule=RULE,
        severity=Severity.WARNING,
        orders=tuple(order.reference for order in situation.orders),
        summary=f"Genes not looked up: {why(error)}",
        detail=(
            f"There are results of genes, and {why(error)}: nothing was judged by them, of what is ordered ({names}) "
            "and of what is taken.",
            "This says nothing about the orders: it does not mean that the genes allow them. What other cards say "
            "holds. Call again; if it stays so, tell those who run this server.",
        ),
        facts=situation.state.named(*GENES),
        sources=(SOURCE,),
        topic=TOPIC,
        of_failure=True,
    )


def why(error: FhirtwinError) -> str:
    """Say what failed, in words for clinicians."""
    if isinstance(error, Unprocessable):
        return "more fits equally well than one sealed question has room for"
    if isinstance(error, EngineUnavailable):
        return "the engine that looks genes up did not answer in time or was not there"
    if isinstance(error, EngineQuarantined):
        return "the engine that looks genes up gave a wrong answer and is asked no more"
    return "what the engine that looks genes up answered failed a check"
