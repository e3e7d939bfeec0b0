"""Texts of the hospital's folder on findings of drafts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.pgx.knowledge import folder, showing
from fhirtwin.pgx.knowledge.entries import Knowledge
from fhirtwin.report.order_cards import finding_cards
from fhirtwin.rules.findings import Finding
from fhirtwin.rules.registry import judge
from fhirtwin.rules.situation import Order
from fhirtwin.twin.state import Fact
from tests.pgx.knowledge.files import annotation, put, view_row
from tests.rules.building import situation, taken
from tests.rules.genetics.building import FAST_2C19, NORMAL_2D6, POOR_2C19, POOR_2D6, fits

HOSTILE = "<p>Give **less** [now](http://evil.example) &lt;img src=x&gt; | `x`</p>"


def knowledge(path: Path, *annotations: dict[str, Any], rows: tuple[dict[str, Any], ...] = ()) -> Knowledge:
    for number, one in enumerate(annotations):
        put(path, f"{number}.jsonl", one)
    if rows:
        put(path, "view.json", list(rows))
    return folder.load(path)


def of(drug: str, gene: str, value: str, html: str = "<p>Read me.</p>", **more: Any) -> dict[str, Any]:
    about = {"relatedChemicals": [{"name": drug}], "relatedGenes": [{"symbol": gene}]}
    return annotation(
        guideline={**about, **more.pop("guideline", {})},
        relatedChemicals=[{"name": drug}],
        text={"html": html},
        lookupKey={gene: value},
        **more,
    )


def told(texts: Knowledge, *orders: Order | str, facts: tuple[Fact, ...]) -> tuple[Finding, ...]:
    at = replace(situation(*orders, facts=facts), texts=texts)
    return tuple(finding for finding in judge(at) if finding.topic == "pharmacogenetics")


def test_a_text_stands_beside_the_tables_with_source_version_and_licence(tmp_path: Path) -> None:
    texts = knowledge(tmp_path, of("clopidogrel", "CYP2C19", "Poor Metabolizer"))
    (plain,) = told(Knowledge(), "clopidogrel", facts=(POOR_2C19,))
    (finding,) = told(texts, "clopidogrel", facts=(POOR_2C19,))
    assert (finding.summary, finding.severity, finding.remedies) == (plain.summary, plain.severity, plain.remedies)
    added = [line for line in finding.detail if line not in plain.detail]
    assert added == [
        showing.HEADER,
        "DPWG (version 42; 2024-03-25, CC BY-SA 4.0 (ClinPGx)). For CYP2C19 Poor Metabolizer; strength: N/A: Read me.",
    ]
    assert finding.detail[-1] == plain.detail[-1]  # the disclaimer stays the last
    assert finding.sources[: len(plain.sources)] == plain.sources
    assert finding.sources[-1].url == "https://www.clinpgx.org/guidelineAnnotation/PA1"


def test_a_drug_without_rows_gets_a_remark_with_the_text(tmp_path: Path) -> None:
    texts = knowledge(tmp_path, of("aripiprazole", "CYP2D6", "0.0"))
    assert told(Knowledge(), "aripiprazole", facts=(POOR_2D6,)) == ()
    (finding,) = told(texts, "aripiprazole", facts=(POOR_2D6,))
    assert (finding.severity.value, finding.remedies) == ("info", ())
    assert finding.summary == "Aripiprazole and CYP2D6: DPWG has a text on it, and CPIC no row"
    assert any(line.startswith("CYP2D6: *4/*4: poor metabolizer") for line in finding.detail)
    assert any("Read me." in line for line in finding.detail)
    assert finding.facts == (POOR_2D6,)


@pytest.mark.parametrize(
    ("annotated", "facts"),
    [
        (of("aripiprazole", "CYP2D6", "2.0"), (NORMAL_2D6,)),  # the usual value
        (of("aripiprazole", "CYP2D6", "2.0"), (POOR_2D6,)),  # another value
        (of("aripiprazole", "CYP2D6", "0.0"), (POOR_2C19,)),  # the gene is not known
        (of("aripiprazole", "CYP2D6", "0.0"), ()),
        (
            of("aripiprazole", "CYP2D6", "0.0", "<p>NO action is needed for this gene-drug interaction.</p>"),
            (POOR_2D6,),
        ),
        (of("aripiprazole", "CYP2D6", "0.0", classification={"term": "No recommendation"}), (POOR_2D6,)),
        (of("haloperidol", "CYP2D6", "0.0"), (POOR_2D6,)),  # another drug
    ],
)
def test_there_is_no_remark_where_there_is_nothing_to_say(
    tmp_path: Path, annotated: dict[str, Any], facts: tuple[Fact, ...]
) -> None:
    assert told(knowledge(tmp_path, annotated), "aripiprazole", facts=facts) == ()


def test_a_drug_whose_row_says_as_usual_gets_none_for_the_gene_that_the_row_asks_for(tmp_path: Path) -> None:
    texts = knowledge(tmp_path, of("clopidogrel", "CYP2C19", "Ultrarapid Metabolizer"))
    assert told(texts, "clopidogrel", facts=(FAST_2C19,)) == ()
    other = knowledge(tmp_path / "other", of("clopidogrel", "CYP2D6", "0.0"))
    (finding,) = told(other, "clopidogrel", facts=(FAST_2C19, POOR_2D6))
    assert "CYP2D6" in finding.summary


def test_an_inhibitor_that_is_taken_counts_and_is_named(tmp_path: Path) -> None:
    texts = knowledge(tmp_path, of("aripiprazole", "CYP2D6", "0.0"))
    assert told(texts, "aripiprazole", facts=(NORMAL_2D6,)) == ()
    fact = taken("paroxetine")
    (finding,) = told(texts, "aripiprazole", facts=(NORMAL_2D6, fact))
    assert finding.facts == (NORMAL_2D6, fact)
    assert any("paroxetine (strong inhibitor, taken now)" in line for line in finding.detail)


def test_a_drug_of_which_a_text_speaks_is_not_offered_instead(tmp_path: Path) -> None:
    facts = (POOR_2C19, POOR_2D6)
    (plain,) = told(Knowledge(), "clopidogrel", facts=facts)
    assert fits(plain) == ["ticagrelor"]
    (finding,) = told(knowledge(tmp_path, of("ticagrelor", "CYP2D6", "0.0")), "clopidogrel", facts=facts)
    assert fits(finding) == []


def test_texts_of_the_hospital_are_escaped_on_a_card(tmp_path: Path) -> None:
    texts = knowledge(tmp_path, of("aripiprazole", "CYP2D6", "0.0", HOSTILE))
    at = replace(situation("aripiprazole", facts=(POOR_2D6,)), texts=texts)
    (card,) = finding_cards(told(texts, "aripiprazole", facts=(POOR_2D6,)), at, at.state.patient)
    assert "[now]" not in card["detail"]
    assert "Give \\*\\*less\\*\\*" in card["detail"]
    assert "<img" not in card["detail"]
    assert card["source"]["label"].startswith("DPWG (version 42")
    assert len(card["summary"]) < 140


def test_a_text_without_an_address_is_a_source_without_one(tmp_path: Path) -> None:
    texts = knowledge(tmp_path, rows=(view_row(drugname="aripiprazole", guidelineurl=None),))
    at = replace(situation("aripiprazole", facts=(POOR_2D6,)), texts=texts)
    (card,) = finding_cards(told(texts, "aripiprazole", facts=(POOR_2D6,)), at, at.state.patient)
    assert "url" not in card["source"]
    assert "<>" not in card["detail"]
    assert "CC0 1.0 (CPIC)" in card["detail"].replace("\\", "")


def test_the_list_of_the_fda_names_no_values_and_speaks_of_the_gene(tmp_path: Path) -> None:
    put(
        tmp_path,
        "fda_pgx_associations_index.tsv",
        "drug\tgene\tfda_section\tclinpgx_url\nAripiprazole\tCYP2D6\tSection 1\thttps://www.clinpgx.org/x\n",
    )
    texts = folder.load(tmp_path)
    (finding,) = told(texts, "aripiprazole", facts=(POOR_2D6,))
    assert "FDA has a text on it" in finding.summary
    assert told(texts, "metoclopramide", facts=(NORMAL_2D6,)) == ()
