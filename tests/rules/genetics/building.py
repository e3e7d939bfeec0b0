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


POOR_2C19 = result("CYP2C19", "*2/*2")
FAST_2C19 = result("CYP2C19", "*17/*17")
NORMAL_2D6 = result("CYP2D6", "*1/*1")
POOR_2D6 = result("CYP2D6", "*4/*4")
FAST_2D6 = result("CYP2D6", "*1/*2x2")


def told(*orders: Order | str, facts: tuple[Fact, ...]) -> tuple[Finding, ...]:
    """What the rules on genes find."""
    return tuple(f for f in judge(situation(*orders, facts=facts)) if f.topic == "pharmacogenetics")


def one(*orders: Order | str, facts: tuple[Fact, ...]) -> Finding:
    (finding,) = told(*orders, facts=facts)
    return finding


def offered(finding: Finding) -> list[str]:
    """Names of the drugs that are offered instead."""
    return [r.code.display for r in finding.remedies if r.act.value == "replace" and r.code]


NAMED = "To be checked by you, and not offered here, of what the guideline leads to: "


def named(finding: Finding) -> dict[str, str]:
    """Drugs that are named and not offered, with the reason."""
    line = next((text.removeprefix(NAMED) for text in finding.detail if text.startswith(NAMED)), "")
    each = (one.partition(" (") for one in line.removesuffix(".").split("); ") if one)
    return {name: why.removesuffix(")") for name, _, why in each}


def fits(finding: Finding) -> list[str]:
    """Drugs that no rule speaks of and the genes allow, offered or named."""
    return [*offered(finding), *named(finding)]
