"""Orders judged with genes that an engine looks up: findings as by the plain tables, or a failure that is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirtwin.api.cds.answers import response_rules
from fhirtwin.assess_genes import SealedGenes
from fhirtwin.errors import EngineAnswerRefused, EngineUnavailable, FhirtwinError
from fhirtwin.report.order_cards import finding_cards
from fhirtwin.rules.findings import Finding, Severity
from fhirtwin.rules.genetics import not_looked_up
from fhirtwin.rules.registry import judge
from fhirtwin.rules.situation import Situation
from fhirtwin.terms.systems import SNOMED
from fhirtwin.twin.state import Fact
from tests.api_cds.advice.test_anna_brandt import REQUEST
from tests.api_cds.advice.test_genes import gene
from tests.api_cds.advice.test_order_safety import allergy, bundle, call, cards, draft
from tests.api_cds.advising import overridden
from tests.gateway_in_process import FHIR, Gateway, gateway, maria
from tests.rules.building import WHO, situation, taken
from tests.rules.genetics.building import result
from tests.rules.genetics.test_anything import NAMES, genes
from tests.test_assess_genes import Way

QUESTION = 1 + 4
"""Ciphertexts of a call: phenotypes, and rows."""


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Gateway]:
    folder = tmp_path / "sealed"
    folder.mkdir()
    made = gateway(folder, genes="sealed")
    yield made
    made.parts.store.close()


def by_engine(stage: Situation) -> tuple[tuple[Finding, ...], int]:
    """Findings, and how many ciphertexts went."""
    way = Way()
    return judge(replace(stage, genes=SealedGenes(way))), len(way.sent)


@settings(max_examples=60, deadline=None)
@given(
    facts=st.lists(genes(), max_size=8),
    ordered=st.lists(st.sampled_from(NAMES), min_size=1, max_size=5),
    beside=st.lists(st.sampled_from(NAMES), max_size=3, unique=True),
)
def test_whatever_is_known_and_ordered_the_findings_are_the_same_and_the_question_has_one_size(
    facts: list[Fact], ordered: list[str], beside: list[str]
) -> None:
    medicines = tuple(taken(name, f"m-{number}") for number, name in enumerate(beside))
    stage = situation(*ordered, facts=(*facts, *medicines))
    found, sent = by_engine(stage)
    assert found == judge(stage)
    assert sent in (0, QUESTION)


def test_nobody_tested_asks_nothing() -> None:
    assert by_engine(situation("codeine"))[1] == 0


@pytest.mark.parametrize("ordered", ["citalopram", "codeine", "metformin"])
@pytest.mark.parametrize("diplotype", ["*1/*1", "*2/*2"])
def test_how_much_is_asked_does_not_follow_from_genes_or_orders(ordered: str, diplotype: str) -> None:
    assert by_engine(situation(ordered, facts=(result("CYP2C19", diplotype),)))[1] == QUESTION


def test_more_than_there_is_room_for_is_told_and_other_rules_still_judge() -> None:
    many = " | ".join(f"*{n}/*{m}" for n in (1, 2, 9, 17) for m in (1, 2, 9, 17))
    words = " | ".join(f"*{n}/*{m}" for n in (1, 4, 9, 10) for m in ("1x2", 4, 9, 10))
    stage = situation(
        *("amitriptyline", "fluvoxamine", "fluoxetine"),
        facts=(result("CYP2C19", many), result("CYP2D6", words), taken("amitriptyline")),
    )
    found, _ = by_engine(stage)
    (one,) = [f for f in found if f.topic == "pharmacogenetics"]
    assert (one.rule, one.severity) == (not_looked_up.RULE, Severity.WARNING)
    assert "one sealed question has room for" in one.summary
    assert {f.rule for f in found} - {one.rule} == {f.rule for f in judge(stage) if f.topic != "pharmacogenetics"}
    assert list(response_rules.broken({"cards": finding_cards(found, stage, WHO)})) == []


def test_anna_brandt_gets_the_same_cards(twin: Gateway, sealed: Gateway) -> None:
    plain, by_sealed = (each.http.post("/cds-services/twin-order-sign", json=REQUEST) for each in (twin, sealed))
    assert by_sealed.json == plain.json
    assert len(cards(by_sealed)) >= 2
    assert (len(twin.courier.sent), len(sealed.courier.sent)) == (0, QUESTION)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (EngineUnavailable("The engine is down."), "did not answer in time or was not there"),
        (EngineAnswerRefused("The answer is wrong."), "failed a check"),
    ],
)
def test_failure_is_one_warning_that_an_override_does_not_silence(
    sealed: Gateway, error: FhirtwinError, words: str
) -> None:
    sealed.courier.fails = error
    for instance in (REQUEST["hookInstance"], "0d1577c6-9dfb-44ad-ba6d-3e05e953b2eb"):
        made = cards(sealed.http.post("/cds-services/twin-order-sign", json={**REQUEST, "hookInstance": instance}))
        (card,) = [card for card in made if card["source"].get("topic", {}).get("code") == "GEN"]
        assert card["indicator"] == "warning"
        assert card["summary"].startswith("Genes not looked up: ")
        assert words in card["summary"]
        assert "does not mean that the genes allow them" in card["detail"]
        feedback = {"feedback": [overridden(card["uuid"])]}
        assert sealed.http.post("/cds-services/twin-order-sign/feedback", json=feedback).status_code == 200


def test_wrong_answer_is_a_failure_too_and_the_last(sealed: Gateway) -> None:
    sealed.courier.spoil = lambda scores: replace(scores, request_id=bytes(16))
    made = cards(sealed.http.post("/cds-services/twin-order-sign", json=REQUEST))
    (card,) = [card for card in made if card["source"].get("topic", {}).get("code") == "GEN"]
    assert "gave a wrong answer and is asked no more" in card["summary"]


def test_allergy_is_told_while_the_engine_is_down(sealed: Gateway) -> None:
    sealed.courier.fails = EngineUnavailable("down")
    answer = call(
        sealed,
        draft("723"),
        allergies=(allergy("373270004", system=SNOMED),),
        observations=(gene("CYP2C19", "*2/*2"),),
    )
    assert [card["summary"].split(":")[0] for card in cards(answer)] == ["Amoxicillin", "Genes not looked up"]


def test_chart_says_that_genes_were_not_looked_up(sealed: Gateway) -> None:
    patient = sealed.load(maria())
    sent = sealed.prefetch(patient)
    of_them = {**gene("CYP2C19", "*2/*2"), "subject": {"reference": f"Patient/{patient}"}}
    with_genes = {**sent, "genomics": bundle(of_them)}
    told = cards(sealed.call(patient, with_genes))
    assert [c["summary"] for c in told if "genes" in c["summary"] or "Pharmaco" in c["summary"]] == [
        "Pharmacogenomics, 1 gene known: CYP2C19 poor metabolizer"
    ]
    sealed.courier.fails = EngineUnavailable("down")
    other = {**with_genes, "patient": sent["patient"]}
    made = cards(sealed.call(patient, other, hookInstance="0d1577c6-9dfb-44ad-ba6d-3e05e953b2eb"))
    assert [c["summary"].split(":")[0] for c in made] == ["Risks not calculated", "Genes not looked up"]


def test_report_asks_the_same_way_and_fails_rather_than_say_nothing(sealed: Gateway, tmp_path: Path) -> None:
    patient = sealed.load(maria())
    of_them = {**gene("CYP2C19", "*2/*2"), "subject": {"reference": f"Patient/{patient}"}}
    assert sealed.http.post("/fhir/Observation", json=of_them, content_type=FHIR).status_code == 201
    url = f"/fhir/Patient/{patient}/$pharmacogenomic-report?drug=clopidogrel&drug=citalopram"
    before = len(sealed.courier.sent)
    by_sealed = sealed.http.get(url)
    assert by_sealed.status_code == 200, by_sealed.text
    assert len(sealed.courier.sent) - before == QUESTION
    plain = gateway(tmp_path / "sealed")
    assert plain.http.get(url).json == by_sealed.json
    sealed.courier.fails = EngineUnavailable("down")
    assert sealed.http.get(url).status_code == 503
