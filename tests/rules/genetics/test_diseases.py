"""Diseases of genes on the list of problems, which forbid valproate though no gene was looked at."""

from __future__ import annotations

from fhirtwin.terms.systems import ICD10CM
from fhirtwin.twin.state import Fact, Source
from tests.rules.genetics.building import one, told


def test_valproate_in_a_disease_of_polg_is_critical_though_no_gene_was_looked_at() -> None:
    alpers = Fact("polg-disease", True, (Source("", "Condition", "c", "1"),), time="2020-01-01")
    finding = one("valproate", facts=(alpers,))
    assert (finding.rule, finding.severity.value) == ("genes.valproate", "critical")
    assert "fatal liver failure" in finding.summary
    assert finding.facts == (alpers,)
    assert [remedy.recommended for remedy in finding.remedies] == [True]
    assert told("valproate", facts=()) == ()


def test_valproate_in_a_urea_cycle_disorder_is_critical_and_says_what_else_the_code_stands_for() -> None:
    disorder = Fact(
        "urea-cycle-disorder",
        True,
        (Source("", "Condition", "c", "1"),),
        time="2020-01-01",
        system=ICD10CM,
        code="E72.4",
        display="Disorders of ornithine metabolism",
    )
    finding = one("valproate", facts=(disorder,))
    assert (finding.severity.value, finding.facts) == ("critical", (disorder,))
    assert "urea cycle disorder" in finding.summary
    said = "Diagnosis in the record: Disorders of ornithine metabolism (ICD-10-CM E72.4), 2020-01-01."
    assert finding.detail[0].startswith(said)
    assert "ornithinemia" in finding.detail[0]
