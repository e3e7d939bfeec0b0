"""Candidate medicines side by side, from a twin to valid FHIR."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from fhirtwin.fhir import validator
from fhirtwin.pgx.response import compare, evidence, linear
from fhirtwin.report.genomics.implication import About
from fhirtwin.report.genomics.medicines import Medicine, current, named
from fhirtwin.report.genomics.weighed import taken
from fhirtwin.report.treatment_response import findings, overview, person
from fhirtwin.report.treatment_response.findings import Patient
from fhirtwin.rules.genetics import person as genes
from fhirtwin.terms.systems import SNOMED
from fhirtwin.twin import derived, genome
from fhirtwin.twin.state import Fact, Source
from tests.report.genomics.builders import BASE, DAY, gene, medicine, state

Json = dict[str, Any]
ABOUT = About(f"{BASE}/Patient/p", DAY.isoformat(), {}, BASE)


def patient(*facts: Fact) -> Patient:
    whole = state(*facts)
    now = derived.as_of(whole, DAY)
    results = genome.of(now)
    medicines = current(now)
    sex = derived.newest(now, "sex")
    return Patient(
        genome.phenotypes(results),
        results,
        medicines,
        taken(whole, medicines, DAY),
        person.conditions(whole, now),
        person=genes.of(now),
        sex=str(sex.value) if sex else "",
    )


def bundle(*drugs: str, facts: tuple[Fact, ...] = (), setting: str = "depression", step: int = 1) -> Json:
    candidates = [one for name in drugs for one in named(name) or (Medicine(name),)]
    found = overview.bundle(findings.find(candidates, setting, step, patient(*facts)), ABOUT)
    assert validator.validate(found, type="Bundle") == []
    return found


def of(made: Json, drug: str) -> Json:
    listed = made["entry"][0]["resource"]
    (reference,) = [one["item"]["reference"] for one in listed["entry"] if one["item"]["display"] == drug]
    (resource,) = [entry["resource"] for entry in made["entry"] if entry["fullUrl"] == reference]
    return resource


def notes(resource: Json) -> str:
    return " ".join(one["text"] for one in resource["note"])


def heart_failure(code: str, *, active: bool = True) -> Fact:
    source = Source("", "Condition", "c", "1")
    return Fact("heart-failure", True, (source,), time="2024-01-01", active=active, system=SNOMED, code=code)


@pytest.mark.parametrize("setting", evidence.SETTINGS)
@pytest.mark.parametrize("step", evidence.STEPS)
def test_every_drug_is_in_the_list_in_order_and_valid(setting: str, step: int) -> None:
    drugs = (*evidence.known(setting), "lithium")
    told = compare.compare(drugs, setting, step)
    made = bundle(*drugs, setting=setting, step=step)
    listed = made["entry"][0]["resource"]
    shown = [one["item"]["display"].removesuffix(": no evidence") for one in listed["entry"]]
    assert shown == [one.drug for one in (*told.ranked, *told.without)]
    with_evidence = [one for one in (*told.ranked, *told.without) if one.response or one.discontinuation]
    assert len(made["entry"]) == 1 + len(with_evidence)
    assert "lithium" in notes(listed)


def test_numbers_are_the_models_with_interval_terms_and_publications() -> None:
    resource = of(bundle("sertraline", step=2), "sertraline")
    (told,) = compare.compare(["sertraline"], step=2).ranked
    response, stopping = resource["prediction"]
    (row,) = linear.linear_rows(["sertraline"], "depression", "response")
    expected = linear.evaluate(row, linear.features("depression", "response", 2))
    assert float(response["probabilityDecimal"]) == pytest.approx(100 * expected, abs=0.05)
    assert told.discontinuation is not None
    assert float(stopping["probabilityDecimal"]) == pytest.approx(100 * told.discontinuation.probability, abs=0.05)
    (interval,) = response["extension"]
    low, high = (float(interval["valueRange"][end]["value"]) for end in ("low", "high"))
    assert low < float(response["probabilityDecimal"]) < high
    assert told.response is not None
    for term in told.response.terms:
        assert f"doi {term.doi}" in response["rationale"]
        assert f"https://doi.org/{term.doi}" in notes(resource)
    assert "treatment step" in response["rationale"]
    assert "Not added: exposure, because" in response["rationale"]
    assert resource["reasonCode"][0]["coding"][0]["code"] == named("sertraline")[0].code


def test_it_never_claims_an_accuracy_or_a_dose() -> None:
    made = bundle("sertraline", "bupropion")
    for entry in made["entry"]:
        assert compare.STATEMENT in notes(entry["resource"])


def test_genes_change_side_effects_and_not_the_probability() -> None:
    poor = of(bundle("sertraline", facts=(gene("CYP2C19", "*2/*2"),)), "sertraline")
    plain = of(bundle("sertraline"), "sertraline")
    assert [one["probabilityDecimal"] for one in poor["prediction"]] == [
        one["probabilityDecimal"] for one in plain["prediction"]
    ]
    assert "CYP2C19 Poor Metabolizer: exposure 2.68 times" in notes(poor)
    assert "convention, not measured" in notes(poor)
    assert "CYP2C19 is not known" in notes(plain)
    assert [one["reference"] for one in poor["basis"]] == [f"{BASE}/Observation/o-CYP2C19/_history/1"]
    assert "basis" not in plain


def test_a_medicine_taken_makes_the_phenotype_and_a_candidate_does_not_act_on_itself() -> None:
    facts = (gene("CYP2D6", "*1/*1"), medicine("paroxetine"))
    made = bundle("aripiprazole", "haloperidol", facts=facts, setting="schizophrenia")
    beside = of(made, "aripiprazole")
    assert "CYP2D6 Poor Metabolizer: exposure 1.48 times" in notes(beside)
    assert "CYP2D6: Normal Metabolizer (activity score 2.0) by the genes" in notes(beside)
    assert {one["reference"].split("/")[-3] for one in beside["basis"]} == {"o-CYP2D6", "m-paroxetine"}
    assert person.shown("paroxetine", {}, patient(*facts).taken).conversions == ()


def test_a_condition_is_met_by_its_code_and_only_while_it_stands() -> None:
    def flagged(*facts: Fact) -> list[str]:
        listed = bundle("ziprasidone", "haloperidol", facts=facts, setting="schizophrenia")["entry"][0]["resource"]
        return [one["flag"]["text"] for one in listed["entry"] if "flag" in one]

    assert flagged(heart_failure("424404003")) == ["contraindicated: uncompensated heart failure"]
    assert flagged(heart_failure("424404003", active=False)) == []
    assert flagged(heart_failure("84114007")) == []
    made = bundle("ziprasidone", "haloperidol", facts=(heart_failure("195111005"),), setting="schizophrenia")
    assert made["entry"][0]["resource"]["entry"][-1]["item"]["display"] == "ziprasidone"
    assert [one["reference"] for one in of(made, "ziprasidone")["basis"]] == [f"{BASE}/Condition/c/_history/1"]


def test_what_nobody_knows_is_said_with_its_source() -> None:
    said = notes(of(bundle("bupropion"), "bupropion"))
    assert "Not known whether there is: seizure disorder, contraindicated" in said
    assert "http" in said


def test_the_table_is_xhtml_and_holds_every_row_escaped() -> None:
    made = bundle("bupropion", "sertraline", "<b>x & y</b>")
    div = ET.fromstring(made["entry"][0]["resource"]["text"]["div"])  # noqa: S314
    cells = [["".join(cell.itertext()) for cell in row] for row in div.iter("{http://www.w3.org/1999/xhtml}tr")]
    assert [row[0] for row in cells] == ["drug", "bupropion", "sertraline", "<b>x & y</b>"]
    assert cells[3][1] == "no evidence here"
    assert "%" in cells[1][1]


def test_saying_the_same_gives_the_same() -> None:
    assert bundle("sertraline") == bundle("sertraline")
    assert bundle("sertraline")["entry"][0]["fullUrl"] != bundle("sertraline", step=2)["entry"][0]["fullUrl"]


def test_what_the_guideline_says_against_a_candidate_is_flagged_where_it_stands() -> None:
    poor = (gene("CYP2D6", "*4/*4"), gene("CYP2C19", "*2/*2"))
    made = bundle("amitriptyline", "sertraline", "bupropion", facts=poor)
    listed = made["entry"][0]["resource"]
    flags = {one["item"]["display"]: one.get("flag", {}).get("text", "") for one in listed["entry"]}
    assert flags["amitriptyline"].startswith(
        "CYP2C19 poor metabolizer, CYP2D6 poor metabolizer (CPIC, optional): avoid"
    )
    assert "CPIC" in flags["sertraline"]
    assert flags["bupropion"] == ""
    assert "By the genes, and no part of the numbers: CYP2C19 poor" in notes(of(made, "amitriptyline"))
    assert "avoid it" in listed["text"]["div"]
    assert {one["reference"].split("/")[-3] for one in of(made, "amitriptyline")["basis"]} == {"o-CYP2C19", "o-CYP2D6"}
    plain = bundle("amitriptyline", facts=(gene("CYP2D6", "*1/*1"), gene("CYP2C19", "*1/*1")))
    assert "flag" not in plain["entry"][0]["resource"]["entry"][0]


def test_side_effects_of_men_are_left_out_for_a_woman_and_that_is_said() -> None:
    woman = Fact("sex", "female", (Source("", "Patient", "p", "1"),))
    made, other = bundle("sertraline", facts=(woman,)), bundle("sertraline")
    assert "male sexual" not in notes(of(made, "sertraline"))
    assert "male sexual" in notes(of(other, "sertraline"))
    assert overview.OF_WOMEN in notes(made["entry"][0]["resource"])
    assert overview.OF_WOMEN not in notes(other["entry"][0]["resource"])


def test_scaling_that_stops_at_twice_has_no_interval_of_one_number() -> None:
    said = notes(of(bundle("escitalopram", facts=(gene("CYP2C19", "*2/*2"),)), "escitalopram"))
    assert "30 % by exposure, at the most that is told" in said
    assert "(30 to 30 %)" not in said
