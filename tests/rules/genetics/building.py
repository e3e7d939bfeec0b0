"""Results of genes, and what rules on genes find, in one line each."""

from __future__ import annotations

from fhirtwin.pgx import hgnc
from fhirtwin.rules.findings import Finding
from fhirtwin.rules.registry import judge
from fhirtwin.rules.situation import Order
from fhirtwin.twin.state import Fact, Source
from tests.rules.building import situation


def result(gene: str, value: str, name: str = "diplotype", id_: str = "") -> Fact:
    return Fact(
        name,
        value,
        (Source("", "Observation", id_ or f"{gene}-{name}", "1"),),
        time="2026-01-10",
        system=hgnc.SYSTEM,
        code=hgnc.IDS[gene],
        display=gene,
    )


def told(*orders: Order | str, facts: tuple[Fact, ...]) -> tuple[Finding, ...]:
    """What the rules on genes find."""
    return tuple(f for f in judge(situation(*orders, facts=facts)) if f.topic == "pharmacogenetics")


def one(*orders: Order | str, facts: tuple[Fact, ...]) -> Finding:
    (finding,) = told(*orders, facts=facts)
    return finding


def offered(finding: Finding) -> list[str]:
    """Names of the drugs that are offered instead."""
    return [r.code.display for r in finding.remedies if r.act.value == "replace" and r.code]
