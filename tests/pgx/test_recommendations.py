"""Recommendations: every row by its own key, and what a person's genes lead to."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.pgx import advice, currency, functions, guideline, hla, naming, phenotype, recommendations
from fhirtwin.pgx.results import GenePhenotype, Known, Pair
from tests.conftest import ROOT

EVERY = [row for rows in guideline.table().values() for row in rows.values()]


def _cpic(shared: Path) -> list[dict[str, Any]]:
    text = (shared / "data/pgx/cpic/recommendations_2023-08.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _row(given: dict[str, Any]) -> guideline.Recommendation:
    key = tuple(sorted(given["lookupkey"].items()))
    return guideline.table()[given["drug"]][given["population"].strip(), key]


def _newer() -> list[guideline.Recommendation]:
    """The rows that are not of the snapshot."""
    return [row for row in EVERY if row.drug.date > "2023-08"]


# An independent reading: which words must, and must not, stand in a text of that action.
NEEDED = {
    "avoid": r"avoid|not recommended|contraindicated|do not use|should not be used",
    "alternative": r"alternative|consider hormonal|antidepressant not predominantly",
    "reduce": r"reduc|lower|less than typical|decreased dose|50% of the lowest|10 mg/m2|50% of starting",
    "increase": r"increase starting",
    "limit": r"≤|lowest recommended starting dose",
    "titrate": r"initiate with a dose of (?:40 mg|0\.5 mg/kg)|titrate up to",
    "caution": r"cautio|increased frequency",
    "test": r"must be measured|erythrocyte",
    "judge": r"should guide",
    "use": r"standard|recommended (?:starting )?dose|label|no reason to avoid|desired starting dose"
    r"|normal starting dose|no adjustments|no need to avoid|usual",
    "none": r"no recommendation|n/a|no action recommended",
}
NOT_IN_USE = r"^(?:avoid (?!moderate)|select|choose)|do not use|contraindicated|\bis not recommended"


def test_every_row_is_found_by_its_own_key_with_its_strength_and_action(shared: Path) -> None:
    given = _cpic(shared)
    assert len(given) == 2098 == len(EVERY) - len(_newer())
    for one in given:
        row, text = _row(one), one["drugrecommendation"].lower()
        assert row.strength == one["classification"]
        assert re.search(NEEDED[row.action], text), (row.action, text)
        assert row.action != "use" or not re.search(NOT_IN_USE, text), text
        assert (row.drug.pmids, row.drug.url) == (tuple(one["pmids"]), one["url"])
        assert dict(row.implications).keys() == one["lookupkey"].keys()


def test_every_amount_that_is_told_stands_in_the_text(shared: Path) -> None:
    for one in _cpic(shared):
        text = " ".join(one["drugrecommendation"].split()).lower()
        for step in _row(one).steps:
            for number in re.findall(r"\d+(?:\.\d+)?", step.amount):
                assert number in text, (step, text)


def test_every_percentage_in_the_text_is_told(shared: Path) -> None:
    for one in _cpic(shared):
        text = re.sub(r"\(at least 20% .*\)|>50% reduction", "", one["drugrecommendation"])
        told = " ".join(step.amount for step in _row(one).steps)
        for number in re.findall(r"(\d+) ?%", text):
            assert number in told, (number, told, text)


# Rows in which another opioid is offered only when there is no response; the curators do not mark those.
CURATED_OTHERWISE = {"codeine use": 4, "hydrocodone use": 5, "tramadol use": 4}


def test_the_curators_of_clinpgx_saw_the_same_alternatives(shared: Path) -> None:
    """ClinPGx marks whether a row offers another drug: a reading that is not ours."""
    marked: dict[tuple[str, str, str], bool] = {}
    path = shared / "data/pgx/clinpgx/guideline_annotations_2024-04.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        given = json.loads(line)
        if given["guideline"]["source"] != "CPIC":
            continue
        for row in given["recommendations"]:
            for drug in row["relatedChemicals"] or given["guideline"]["relatedChemicals"]:
                key = (drug["name"], (row["population"] or "general").strip(), _key(row["lookupKey"]))
                marked[key] = row["alternateDrugAvailable"]
    same, differ = 0, Counter[str]()
    for one in _cpic(shared):
        mark = marked.get((one["drug"], one["population"].strip(), _key(one["lookupkey"])))
        offers = any(step.verb in ("alternative", "avoid") for step in _row(one).steps)
        same += mark is offers
        if mark is not None and mark is not offers:
            differ[f"{one['drug']} {_row(one).action}"] += 1
    assert (same, dict(differ)) == (1948, CURATED_OTHERWISE)


def _key(key: dict[str, str]) -> str:
    return json.dumps(key, sort_keys=True)


def _person(shared: Path) -> tuple[dict[str, GenePhenotype], dict[str, dict[str, str]], list[dict[str, Any]]]:
    report = json.loads((shared / "data/pgx/testcases/dev/end_to_end_example1.json").read_text(encoding="utf-8"))
    told, alleles = {}, {}
    for gene, called in report["genes"].items():
        diplotypes = tuple(pair for one in called["recommendation"] for pair in naming.diplotypes(gene, one["label"]))
        call = Known(gene, diplotypes)
        told[gene] = phenotype.of_call(call)
        if gene.startswith("HLA-"):
            parts = [one["label"].split("/") for one in called["recommendation"]]
            alleles[gene] = hla.statuses(Known(gene, tuple(Pair(*pair) for pair in parts)))
    return told, alleles, report["recommendations"]


def test_the_recorded_report_has_the_same_classifications(shared: Path) -> None:
    told, alleles, expected = _person(shared)
    wanted: dict[str, set[tuple[str, str]]] = {}
    for one in expected:
        if one["source"] == "CPIC_GUIDELINE" and one["drug"] in guideline.drugs():
            who = (one["population"] or "general").strip()
            wanted.setdefault(one["drug"], set()).add((who, one["classification"].title()))
    assert (len(wanted), sum(map(len, wanted.values()))) == (73, 82)
    for drug, rows in wanted.items():
        answer = recommendations.advise(drug, told, alleles)
        assert {(row.population, row.strength.title()) for row in answer.recommendations} == rows, drug


def test_drugs_of_the_report_without_rows_are_said_to_be_elsewhere(shared: Path) -> None:
    *_, expected = _person(shared)
    missing = {one["drug"] for one in expected if one["source"] == "CPIC_GUIDELINE"} - set(guideline.drugs())
    assert missing == set(currency.ELSEWHERE)


def _genes(**words: str) -> dict[str, GenePhenotype]:
    return {gene: phenotype.of_call(Known(gene, reported=(word,))) for gene, word in words.items()}


def _actions(drug: str, **words: str) -> set[tuple[str, str]]:
    rows = recommendations.advise(drug, _genes(**words)).recommendations
    return {(row.population, row.action) for row in rows}


def _golden() -> list[dict[str, str]]:
    with (ROOT / "tests/pgx/actions.tsv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


@pytest.mark.parametrize("row", _golden(), ids=lambda row: f"{row['drug']}-{row['key']}-{row['population']}")
def test_actions_are_those_that_were_read_in_the_guidelines(row: dict[str, str]) -> None:
    words = dict(part.split("=") for part in row["key"].split("; "))
    rows = [
        one
        for one in recommendations.advise(row["drug"], _genes(**words)).recommendations
        if one.population == row["population"]
    ]
    assert [(one.action, one.strength) for one in rows] == [(row["action"], row["strength"])]


def test_slow_is_not_simply_less_and_fast_is_not_simply_more() -> None:
    poor, ultra = "Poor Metabolizer", "Ultrarapid Metabolizer"
    assert _actions("clopidogrel", CYP2C19=poor) == {
        (who, "avoid") for who in ("CVI ACS PCI", "CVI non-ACS non-PCI", "NVI")
    }
    assert {action for _, action in _actions("clopidogrel", CYP2C19=ultra)} <= {"use", "none"}
    assert _actions("codeine", CYP2D6="0.0") == {("general", "avoid")} == _actions("codeine", CYP2D6="≥3.0")
    assert _actions("citalopram", CYP2C19=poor) == {("general", "alternative")} == _actions("citalopram", CYP2C19=ultra)
    assert not any(step.verb == "increase" for row in EVERY if row.drug.name == "codeine" for step in row.steps)


def test_a_phenotype_without_its_score_gives_every_row_that_it_may_mean() -> None:
    rows = recommendations.advise("paroxetine", _genes(CYP2D6="Poor Metabolizer")).recommendations
    assert [(row.action, dict(row.key)["CYP2D6"]) for row in rows] == [("reduce", "0.0")]
    assert "by the phenotype" in rows[0].by
    rows = recommendations.advise("amitriptyline", _genes(CYP2D6="Poor Metabolizer")).recommendations
    assert rows and all(dict(row.key)["CYP2C19"] == recommendations.NO_RESULT for row in rows)


def test_every_score_of_the_rules_is_a_key_of_the_guidelines() -> None:
    for gene, drug in (("CYP2D6", "codeine"), ("CYP2C9", "ibuprofen"), ("DPYD", "capecitabine")):
        scores = {score for word in phenotype.words(gene) for score in phenotype.scores(gene, word)}
        assert scores <= guideline.values(drug, gene)


@pytest.mark.parametrize("drug", ["fluoxetine", "bupropion", "mirtazapine", "olanzapine", "lithium", "duloxetine"])
def test_drugs_without_guidance_say_so_and_are_never_called_safe(drug: str) -> None:
    answer = recommendations.advise(drug, {})
    assert (answer.recommendations, answer.why) == ((), "no CPIC or DPWG guidance")


def test_nothing_that_is_said_calls_anything_safe() -> None:
    said = [advice.compose(row.steps) for row in EVERY] + [w for row in EVERY for _, w in row.implications]
    assert not [text for text in said if re.search(r"\bsafe", text)]


def test_genes_of_which_nothing_is_known_are_named() -> None:
    answer = recommendations.advise("escitalopram", {})
    assert answer.recommendations == () and answer.unknown == (("CYP2C19", "no result"),)
    assert answer.why == "nothing is known of CYP2C19, for which its guideline asks"
    answer = recommendations.advise("abacavir", {})
    assert answer.unknown == (("HLA-B", "whether *57:01 is there is not known"),)


def test_equal_calls_that_lead_to_different_rows_give_them_all() -> None:
    told = phenotype.of_call(Known("CYP2C19", (Pair("*1", "*1"), Pair("*2", "*2"))))
    rows = recommendations.advise("citalopram", {"CYP2C19": told}).recommendations
    assert {row.action for row in rows} == {"use", "alternative"}


@pytest.mark.parametrize("drug", sorted(currency.CHANGED))
def test_rows_that_cpic_has_changed_since_say_so(drug: str) -> None:
    assert all(row.notices == (currency.CHANGED[drug],) for row in guideline.table()[drug].values())


def test_what_cpic_changed_since_the_snapshot_is_all_marked(shared: Path) -> None:
    with (shared / "data/pgx/cpic/changelog_to_2026-02.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    late = {
        row["Subject"]
        for row in rows
        if row["Type of Data"] == "RECOMMENDATION" and row["Date of Change"] > "2023-08-15"
    }
    assert late == set(currency.CHANGED) | {row.drug.name for row in _newer()}


def test_newer_rows_have_every_key_of_their_gene() -> None:
    by_drug = {row.drug.name for row in _newer()}
    assert by_drug == {"metoprolol", "hydralazine"} and len(_newer()) == 22 + 4
    assert guideline.values("metoprolol", "CYP2D6") == guideline.values("codeine", "CYP2D6")
    assert guideline.values("hydralazine", "NAT2") == set(phenotype.words("NAT2"))
    (row,) = recommendations.advise("hydralazine", _genes(NAT2="Poor Metabolizer")).recommendations
    assert row.notices == (currency.SCOPE["hydralazine"],) and row.drug.pmids == ("40974042",)
    assert advice.compose(row.steps) == (
        "Start with at most 75 mg a day (from 40); titrate with caution; use with caution (200 mg a day and more)."
    )


def test_newer_rows_say_what_the_recorded_report_says(shared: Path) -> None:
    told, alleles, expected = _person(shared)
    for drug in ("metoprolol", "hydralazine"):
        texts = [one["text"] for one in expected if one["drug"] == drug and one["source"] == "CPIC_GUIDELINE"]
        rows = recommendations.advise(drug, told, alleles).recommendations
        for row, text in zip(rows, texts, strict=True):
            assert re.search(NEEDED[row.action], text.lower()), (drug, text)
            numbers = [number for step in row.steps for number in re.findall(r"\d+", step.amount + step.what)]
            assert all(number in text for number in numbers), (drug, text)


def test_hla_alleles_are_positive_negative_or_unknown() -> None:
    def told(*names: str) -> dict[str, str]:
        return hla.statuses(Known("HLA-B", (Pair(*names),)))

    assert told("*57:01:01", "HLA-B*07:02") == {"*57:01": "positive", "*15:02": "negative", "*58:01": "negative"}
    assert told("*57", "*15:02") == {"*15:02": "positive"}
    assert hla.statuses(Known("HLA-B", reported=("HLA-B*57:01 Positive", "rubbish"))) == {"*57:01": "positive"}
    assert hla.statuses(Known("HLA-B")) == {}


def test_steps_are_said_in_words() -> None:
    steps = tuple(map(advice.step, ("~reduce:start=50%@if still used", "or ~alternative:not by CYP2D6")))
    assert advice.compose(steps) == (
        "Consider: lower the starting dose by 50% (if still used); "
        "or consider: choose a drug that is not broken down by CYP2D6."
    )
    with pytest.raises(ValueError, match="cannot be read"):
        advice.step("obey:me")


def test_no_sentence_of_the_guideline_is_kept(shared: Path) -> None:
    kept = " ".join(path.read_text() for folder in functions.FOLDERS for path in folder.glob("*.tsv")).lower()
    for text in {one["drugrecommendation"] for one in _cpic(shared)}:
        for sentence in re.split(r"(?<=[.;]) ", text.lower()):
            assert len(sentence) < 30 or sentence.rstrip(".") not in kept, sentence
