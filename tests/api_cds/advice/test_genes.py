"""Genes through the door: FHIR genomics in a prefetch, and cards on the drafts."""

from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.api.cds.advice import genomics
from fhirtwin.api.cds.answers import response_rules
from fhirtwin.fhir import validator
from fhirtwin.intake.templates import LONGEST
from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.terms.systems import ATC, LOINC
from fhirtwin.twin.genomics import observation
from tests.api_cds.advice.test_order_safety import SUBJECT, bundle, call, cards, concept, draft, medicine
from tests.gateway_in_process import Gateway
from tests.twin.genomics.builders import DBSNP, coded, component, genotype, result, studied


def gene(name: str, said: str) -> dict[str, Any]:
    return {**genotype(name, said), "id": f"gene-{name}", "subject": SUBJECT}


def shown(twin: Gateway, *drafts: dict[str, Any], genes: tuple[dict[str, Any], ...], **more: Any) -> list[Any]:
    answer = call(twin, *drafts, observations=genes, **more)
    return [card for card in cards(answer) if card["source"].get("topic", {}).get("code") == "GEN"]


def test_genotype_of_a_prefetch_makes_a_card_with_a_suggestion_that_an_ehr_can_apply(twin: Gateway) -> None:
    genes = (gene("CYP2D6", "*1/*2x2"), gene("CYP2C19", "*1/*1"), gene("CYP2B6", "*1/*1"))
    (card,) = shown(twin, draft(CODES["paroxetine"]), genes=genes, statements=bundle())
    assert card["indicator"] == "warning"
    assert card["summary"].startswith("Paroxetine, CYP2D6 ultrarapid metabolizer (CPIC, moderate): choose")
    assert card["selectionBehavior"] == "at-most-one"
    remove, replace = card["suggestions"]
    assert [action["type"] for action in replace["actions"]] == ["delete", "create"]
    assert replace["actions"][0]["resourceId"] == "MedicationRequest/d1"
    made = replace["actions"][1]["resource"]
    assert validator.validate(made, type="MedicationRequest") == []
    assert made["medicationCodeableConcept"]["coding"][0]["code"] == CODES["sertraline"]
    assert (made["status"], made["intent"], made["subject"]) == ("draft", "proposal", SUBJECT)
    assert not {"dosageInstruction", "dispenseRequest"} & set(made)
    assert not any("isRecommended" in suggestion for suggestion in (remove, replace))


def test_clinical_drug_and_atc_code_lead_to_the_ingredient(twin: Gateway) -> None:
    named = concept("309362", "clopidogrel 75 MG Oral Tablet")
    by_atc = concept("B01AC04", system=ATC)
    for said in (named, by_atc):
        made = shown(twin, draft("0", medicationCodeableConcept=said), genes=(gene("CYP2C19", "*2/*2"),))
        assert [card["summary"].split(",")[0] for card in made] == ["Clopidogrel"]
    text = draft("0", medicationCodeableConcept={"text": "clopidogrel 75 mg"})
    assert shown(twin, text, genes=(gene("CYP2C19", "*2/*2"),)) == []
    name = draft("0", medicationCodeableConcept={"text": "Clopidogrel"})
    (card,) = shown(twin, name, genes=(gene("CYP2C19", "*2/*2"),))
    assert "The ordered medicine was read by its name" in card["detail"]


def test_draft_inhibitor_is_held_against_what_is_taken(twin: Gateway) -> None:
    (card,) = shown(
        twin,
        draft(CODES["paroxetine"]),
        genes=(gene("CYP2D6", "*1/*1"),),
        taken=(medicine(CODES["tamoxifen"], "m"),),
    )
    assert card["summary"].startswith(
        "Paroxetine slows CYP2D6, and tamoxifen is taken (conversion: moderate; CPIC: strong)"
    )


def test_moderate_inhibitor_takes_no_critical_card_away(twin: Gateway) -> None:
    said = gene("CYP2D6", "*1x3/*1")
    taken = (medicine(CODES["duloxetine"], "m"),)
    drafts = (draft(CODES["codeine"], "d1"), draft(CODES["duloxetine"], "d2"))
    for made in (
        shown(twin, drafts[0], genes=(said,)),
        shown(twin, drafts[0], genes=(said,), taken=taken),
        shown(twin, *drafts, genes=(said,)),
    ):
        (card,) = made
        assert card["indicator"] == "critical"
        assert "CYP2D6 ultrarapid metabolizer" in card["summary"]


NORMAL_NAME = "gene product metabolic activity interpretation in Blood or Tissue"


@pytest.mark.parametrize(
    ("ordered", "symbol", "normal", "code"),
    [
        ("clopidogrel", "CYP2C19", "*1/*1", "79714-2"),
        ("codeine", "CYP2D6", "*1/*1", "79715-9"),
        ("fluorouracil", "DPYD", "Reference/Reference", "79719-1"),
        ("azathioprine", "TPMT", "*1/*1", "79713-4"),
    ],
)
def test_diplotype_and_phenotype_that_cannot_both_be_true_are_told_on_the_order(
    twin: Gateway, ordered: str, symbol: str, normal: str, code: str
) -> None:
    word = {**result(code, {"text": "Poor metabolizer"}), "id": "word", "subject": SUBJECT}
    word["code"]["coding"][0]["display"] = f"{symbol} {NORMAL_NAME}"
    (card,) = shown(twin, draft(CODES[ordered]), genes=(gene(symbol, normal), word))
    assert card["indicator"] == "warning"
    assert card["summary"].startswith(f"{symbol} is not known, its results contradict one another")
    assert normal.split("/", maxsplit=1)[0].strip("*") in card["detail"] and "Poor metabolizer" in card["detail"]


def test_inhibitor_that_was_stopped_is_dated_and_does_not_count(twin: Gateway) -> None:
    statement = {
        "resourceType": "MedicationStatement",
        "id": "s",
        "status": "stopped",
        "subject": SUBJECT,
        "medicationCodeableConcept": concept(CODES["paroxetine"]),
        "effectivePeriod": {"start": "2026-01-01", "end": "2026-05-20"},
    }
    sent = {
        "patient": {"resourceType": "Patient", "id": "1", "gender": "female", "birthDate": "1960-01-01"},
        "medications": bundle(),
        "statements": bundle(statement),
        "allergies": bundle(),
        "conditions": bundle(),
        "observations": bundle(),
        "genomics": bundle(gene("CYP2D6", "*4/*4")),
    }
    (card,) = cards(call(twin, draft(CODES["codeine"]), prefetch=sent))
    assert card["summary"].startswith("Codeine, CYP2D6 poor metabolizer (CPIC, strong)")
    assert "Paroxetine was stopped on 2026-05-20: how long its effect lasts" in card["detail"]


def test_order_select_speaks_of_selected_drafts_and_of_their_inhibitors(twin: Gateway) -> None:
    drafts = (draft(CODES["codeine"], "d1"), draft(CODES["paroxetine"], "d2"), draft(CODES["metformin"], "d3"))
    for selected, number in (("d1", 1), ("d2", 1), ("d3", 0)):
        made = shown(
            twin,
            *drafts,
            genes=(gene("CYP2D6", "*1/*1"),),
            hook="order-select",
            selections=[f"MedicationRequest/{selected}"],
        )
        assert len(made) == number


def test_result_of_a_gene_that_cannot_be_used_is_named_where_a_guideline_asks_for_genes(twin: Gateway) -> None:
    preliminary = {**gene("CYP2C19", "*2/*2"), "status": "preliminary"}
    (card,) = cards(call(twin, draft(CODES["clopidogrel"]), observations=(preliminary,)))
    assert card["indicator"] == "info"
    assert "Observation/gene-CYP2C19" in card["detail"]
    assert cards(call(twin, draft(CODES["metformin"]), observations=(preliminary,))) == []
    odd = {**preliminary, "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "69548-6"}]}}
    assert cards(call(twin, draft(CODES["clopidogrel"]), observations=({**odd, "status": "preliminary"},))) == []


def test_hla_result_under_the_name_of_its_allele_is_read(twin: Gateway) -> None:
    said = {**result("50956-2", None), "code": {"text": "HLA-B*57:01"}, "valueString": "POSITIVE"}
    (card,) = cards(call(twin, draft(CODES["abacavir"]), observations=({**said, "id": "h", "subject": SUBJECT},)))
    assert card["indicator"] == "critical" and "HLA-B*57:01 positive" in card["summary"]


def test_copies_that_are_counted_beside_alleles_are_not_passed_over(twin: Gateway) -> None:
    counted = gene("CYP2D6", "*1/*2")
    counted["component"].append({"code": coded(LOINC, "82155-3"), "valueQuantity": {"value": 3}})
    (card,) = cards(call(twin, draft(CODES["codeine"]), observations=(counted,)))
    assert card["indicator"] == "warning" and card["summary"].startswith("CYP2D6 was looked at and is not known")
    assert "the number of copies that it counts (3) is not that of the alleles it names" in card["detail"]


def of_variant(*components: dict[str, Any]) -> dict[str, Any]:
    het = component("53034-5", coded(LOINC, "LA6706-1"))
    return {**result("69548-6", coded(LOINC, "LA9633-4"), *components, het), "id": "v", "subject": SUBJECT}


def test_variant_of_dpyd_is_read_by_the_names_that_laboratories_give_it_or_named_on_the_order(twin: Gateway) -> None:
    def hgvs(name: str) -> dict[str, Any]:
        return component("81290-9", coded("http://varnomen.hgvs.org", name))

    order = draft(CODES["fluorouracil"])
    (read,) = cards(call(twin, order, observations=(of_variant(hgvs("NM_000110.4:c.1905+1G>A")),)))
    assert read["summary"].startswith("Fluorouracil, perhaps DPYD intermediate metabolizer")
    (no_base,) = cards(call(twin, order, observations=(of_variant(component("81252-9", coded(DBSNP, "rs3918290"))),)))
    assert no_base["indicator"] == "warning" and no_base["summary"].startswith("DPYD was looked at and is not known")
    assert "it does not tell the alternate base" in no_base["detail"]
    (old,) = cards(call(twin, order, observations=(of_variant(hgvs("NC_000001.10:g.97915614C>T")),)))
    assert old["summary"].startswith("Orders not checked against 1 result") and "GRCh38" in old["detail"]
    (named,) = cards(call(twin, order, observations=(of_variant(hgvs("NC_000001.10:g.97915614C>T"), studied("DPYD")),)))
    assert named["summary"].startswith("DPYD was looked at and is not known")
    beside = (gene("DPYD", "Reference/Reference"), of_variant(hgvs("NC_000001.10:g.97915614C>T"), studied("DPYD")))
    (other,) = cards(call(twin, order, observations=beside))
    assert other["summary"].startswith("Orders not checked against 1 result")
    elsewhere = of_variant(component("81252-9", coded(DBSNP, "rs12345")), component("69551-0", "A"))
    assert cards(call(twin, order, observations=(elsewhere,))) == []


def test_result_of_a_gene_that_was_entered_in_error_is_no_gap(twin: Gateway) -> None:
    wrong = {**gene("CYP2C19", "*2/*2"), "status": "entered-in-error"}
    assert cards(call(twin, draft(CODES["clopidogrel"]), observations=(wrong,))) == []


def test_nobody_tested_has_no_card(twin: Gateway) -> None:
    assert shown(twin, draft(CODES["codeine"]), draft(CODES["abacavir"], "d2"), genes=()) == []


def test_prefetch_asks_for_every_code_that_is_read() -> None:
    (template,) = genomics.PREFETCH.values()
    assert set(dict(template.parameters())["code"].split(",")) == set(observation.CODES)
    assert len(template.query) <= LONGEST
    assert not template.required


def test_chart_has_one_line_on_what_matters(twin: Gateway, patient: str) -> None:
    sent = twin.prefetch(patient)
    of_them = {"reference": f"Patient/{patient}"}
    genes = [{**gene(name, said), "subject": of_them} for name, said in (("CYP2C19", "*2/*2"), ("CYP2D6", "*1/*1"))]
    before = cards_of(twin.call(patient, sent))
    after = cards_of(twin.call(patient, {**sent, "genomics": bundle(*genes)}))
    (card,) = [c for c in after if c["summary"].startswith("Pharmacogenomics")]
    assert card["summary"] == "Pharmacogenomics, 2 genes known: CYP2C19 poor metabolizer"
    assert len(after) == len(before) + 1


def cards_of(answer: Any) -> list[dict[str, Any]]:
    assert list(response_rules.broken(answer.json)) == []
    return list(answer.json["cards"])


def test_result_that_cannot_be_read_is_told_on_one_card(twin: Gateway) -> None:
    result = gene("CYP2C19", "rubbish")
    (card,) = cards(call(twin, draft(CODES["clopidogrel"]), observations=(result,)))
    assert "CYP2C19" in card["summary"]
    assert "not written as alleles of it" in card["detail"]
    assert "Observation/gene-CYP2C19" in card["detail"]
    # No guideline of codeine asks for that gene, so no card on genes names the result: the other card does.
    (other,) = cards(call(twin, draft(CODES["codeine"]), observations=(result,)))
    assert other["summary"].startswith("Orders not checked against 1 result")


def test_order_of_an_inhibitor_that_was_stopped_on_a_day_nobody_tells_is_named(twin: Gateway) -> None:
    for status in ("stopped", "on-hold"):
        past = medicine(CODES["paroxetine"], "m", status=status)
        (card,) = shown(twin, draft(CODES["tamoxifen"]), genes=(gene("CYP2D6", "*1/*1"),), taken=(past,))
        assert card["summary"] == "Tamoxifen: paroxetine was stopped or put on hold and may still slow CYP2D6"


def _named(text: str, value: str, status: str = "final") -> dict[str, Any]:
    """A result under no code, of which the name tells what it is of."""
    about = {"resourceType": "Observation", "id": "named", "status": status, "subject": SUBJECT}
    return {**about, "code": {"text": text}, "valueString": value}


def test_result_that_tells_its_gene_by_a_name_alone_is_named_where_the_gene_is_asked_for(twin: Gateway) -> None:
    result = _named("CYP2C19 genotype", "*2/*2")
    (card,) = cards(call(twin, draft(CODES["clopidogrel"]), observations=(result,)))
    assert card["indicator"] == "info"
    assert "Observation/named" in card["detail"]
    assert cards(call(twin, draft(CODES["codeine"]), observations=(result,))) == []
    wrong = _named("CYP2C19 genotype", "*2/*2", "entered-in-error")
    assert cards(call(twin, draft(CODES["clopidogrel"]), observations=(wrong,))) == []


def test_hla_result_by_name_is_read_and_not_told_as_unread_too(twin: Gateway) -> None:
    result = _named("HLA-B*57:01 genotype", "POSITIVE")
    (card,) = cards(call(twin, draft(CODES["abacavir"]), observations=(result,)))
    assert card["indicator"] == "critical"
    assert "Observation/named" in card["detail"]
