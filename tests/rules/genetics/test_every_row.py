"""Every row of the guidelines as a card: all that calls for something, and nothing else, and each of it legal."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from fhirtwin.api.cds.answers import response_rules
from fhirtwin.pgx import guideline
from fhirtwin.pgx.guideline import Recommendation
from fhirtwin.pgx.recommendations import DISCLAIMER, NO_RESULT
from fhirtwin.pgx.results import GenePhenotype, Known, Phenotype
from fhirtwin.report.order_cards import finding_cards
from fhirtwin.report.wording import escape
from fhirtwin.rules.findings import SUMMARY_LENGTH, Severity
from fhirtwin.rules.genetics import advising, alternatives, naming, screening, severity, wording
from fhirtwin.rules.genetics.person import Person
from fhirtwin.rules.situation import Medicine, Order, Situation
from fhirtwin.twin.genome import GeneResult
from tests.rules.building import WHO, situation
from tests.rules.genetics.building import result

DRUGS = sorted(set(guideline.drugs()) - naming.UNKNOWN)


def ordered(drug: str) -> Order:
    codes = next(codes for codes, name in naming.by_ingredients().items() if name == drug)
    return Order("MedicationRequest/d1", Medicine(tuple(sorted(codes)), drug))


def with_key(row: Recommendation) -> Person:
    """Somebody of whom exactly the key of a row is known."""
    known = {gene: value for gene, value in row.key if value != NO_RESULT}
    phenotypes, alleles = {}, {}
    for gene, value in known.items():
        if gene.startswith("HLA-"):
            allele, status = value.split()
            alleles[gene] = {allele: status}
            phenotypes[gene] = GenePhenotype(gene, (), "no phenotype")
        else:
            scored = value == "n/a" or value.lstrip("≥").replace(".", "").isdigit()
            phenotypes[gene] = GenePhenotype(gene, (Phenotype(gene, "A word" if scored else value, value * scored),))
    calls = {gene: Known(gene, (), "laboratory report", (value,)) for gene, value in known.items()}
    results = {gene: GeneResult(call, (), "") for gene, call in calls.items()}
    return Person(results, phenotypes, alleles, {gene: (result(gene, value),) for gene, value in known.items()})


def test_drugs_that_no_order_is_known_by_are_those_named() -> None:
    assert set(guideline.drugs()) - set(naming.by_ingredients().values()) == naming.UNKNOWN


@pytest.mark.parametrize("drug", DRUGS)
def test_row_that_calls_for_something_is_a_legal_card_with_source_date_strength_population_and_disclaimer(
    drug: str,
) -> None:
    order = ordered(drug)
    stage: Situation = situation(order)
    for row in guideline.table()[drug].values():
        person = with_key(row)
        found = [f for f in advising.findings(order, person, stage, None) if f.rule == f"genes.{naming.slug(drug)}"]
        same = [r for (_, key), r in guideline.table()[drug].items() if key == row.key]
        wanted = severity.worst(tuple(same))
        if wanted is None:
            assert found == []
            continue
        (finding,) = found
        (card,) = finding_cards([finding], stage, WHO)
        assert list(response_rules.broken({"cards": [card]})) == []
        assert severity.rank(finding.severity) >= severity.rank(wanted)
        assert len(finding.summary) <= SUMMARY_LENGTH and not card["summary"].endswith("…")
        detail = card["detail"]
        assert escape(wording.what_to_do(row)) in detail
        assert f"Strength: {row.strength}." in detail
        assert escape(wording.POPULATIONS[row.population]) in detail
        assert escape(DISCLAIMER) in detail
        assert card["source"]["url"] == row.drug.url
        assert all(pmid in card["source"]["label"] for pmid in row.drug.pmids)
        assert row.drug.date in card["source"]["label"]
        assert f"CPIC, {finding_strength(finding.summary)}" in card["summary"]
        assert len(card["overrideReasons"]) > 5


REST = {
    "CYP2B6": ("Normal Metabolizer", ""),
    "CYP2C19": ("Normal Metabolizer", ""),
    "CYP2C9": ("Normal Metabolizer", "2.0"),
    "CYP2D6": ("Normal Metabolizer", "2.0"),
    "SLCO1B1": ("Normal Function", ""),
    "ABCG2": ("Normal Function", ""),
}


def test_what_rows_lead_to_instead_is_legal_has_no_dose_and_is_never_recommended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(screening, "why_not", lambda *_: "")
    monkeypatch.setattr(screening, "COVERED", defaultdict(lambda: severity.GRAVE[0].source))
    seen: set[tuple[str, str]] = set()
    for drug in DRUGS:
        for row in guideline.table()[drug].values():
            if not (severity.of_row(row) and list(alternatives.candidates(row))):
                continue
            known = with_key(row)
            rest = {g: GenePhenotype(g, (Phenotype(g, *w),)) for g, w in REST.items()}
            person = replace(known, phenotypes=rest | dict(known.phenotypes))
            (card,) = finding_cards(
                list(advising.findings(ordered(drug), person, situation(ordered(drug)), lambda _: ())),
                situation(ordered(drug)),
                WHO,
            )
            assert list(response_rules.broken({"cards": [card]})) == []
            for suggestion in card["suggestions"][1:]:
                assert "isRecommended" not in suggestion
                delete, create = suggestion["actions"]
                assert delete["resourceId"] == "MedicationRequest/d1"
                assert not {"dosageInstruction", "dispenseRequest"} & set(create["resource"])
                seen.add((drug, create["resource"]["medicationCodeableConcept"]["text"]))
    assert {drug: {name for of, name in seen if of == drug} for drug, _ in seen} == OFFERED


def test_a_second_gene_does_not_quieten_the_first() -> None:
    """Each row that asks for something, beside the rows for each of its genes with the others unknown."""
    raised = set()
    for table in guideline.table().values():
        for (population, key), row in table.items():
            known = [gene for gene, value in key if value != NO_RESULT]
            for one in known if severity.of_row(row) else ():
                alone = table.get((population, tuple((g, v if g == one else NO_RESULT) for g, v in key)))
                urgent = severity.of_row(alone) if alone else None
                assert severity.rank(severity.of_row(row)) >= severity.rank(urgent), (row.drug.name, key)
            if above := severity.raised_by(row):
                raised.add(row.drug.name)
                assert severity.grave(above) is None  # else the card would have to cite who says that it may kill
    assert raised == {"amitriptyline", "fosphenytoin", "phenytoin", "sertraline"}


def finding_strength(summary: str) -> str:
    return next(word for word in ("strong", "moderate", "optional") if f"CPIC, {word}" in summary)


def test_severity_of_all_rows_is_what_the_page_says() -> None:
    rows = [row for table in guideline.table().values() for row in table.values()]
    counted = Counter((severity.of_row(row) or "none") for row in rows)
    assert counted == COUNTED
    assert {row.drug.name for row in rows if severity.of_row(row) is Severity.CRITICAL} == CRITICAL
    quiet = {(row.action, row.strength) for row in rows if severity.of_row(row) is None}
    assert {action for action, _ in quiet if action not in ("use", "none", "judge")} <= {"test"}
    assert not any(severity.of_row(row) for row in rows if row.action in ("use", "none", "judge"))


COUNTED = {"none": 686, "info": 939, "warning": 446, "critical": 53}
_TRICYCLICS = ("amitriptyline", "clomipramine", "doxepin", "imipramine", "trimipramine")
OFFERED = {key: {"desipramine", "nortriptyline"} for key in _TRICYCLICS} | {
    **{key: {"fluvoxamine", "paroxetine"} for key in ("citalopram", "escitalopram", "sertraline")},
    **{key: {"fluvastatin", "pravastatin", "rosuvastatin"} for key in ("lovastatin", "simvastatin")},
    "clopidogrel": {"ticagrelor"},
    "fluvastatin": {"pravastatin", "rosuvastatin"},
    "paroxetine": {"citalopram", "escitalopram", "sertraline"},
    "voriconazole": {"posaconazole"},
}
CRITICAL = {
    *("carbamazepine", "oxcarbazepine", "phenytoin", "fosphenytoin", "allopurinol"),
    *("capecitabine", "fluorouracil", "codeine", "succinylcholine"),
    *("desflurane", "enflurane", "halothane", "isoflurane", "methoxyflurane", "sevoflurane"),
}
