from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.api.cds.answers import response
from fhirtwin.report import order_cards
from fhirtwin.report.order_cards import finding_cards, not_judged_card
from fhirtwin.rules.drafts import Unjudged
from fhirtwin.rules.findings import Act, Citation, Finding, Remedy, Severity
from fhirtwin.rules.registry import judge
from fhirtwin.terms.coding import Coding
from fhirtwin.twin.state import PatientKey
from tests.rules.building import WHO, allergic, measured, order, situation, taken

BASE = "https://twin.example/fhir"
PLAIN = Finding("r", Severity.INFO, (), "s", ("d",), (), (Citation("l", "https://example.org/l"),))


def cards_of(*orders: str, facts: tuple[object, ...] = ()) -> list[order_cards.Card]:
    judged = situation(*orders, facts=facts)  # type: ignore[arg-type]
    return finding_cards(judge(judged), judged, WHO)


def legal(*cards: order_cards.Card) -> None:
    assert list(response.broken({"cards": list(cards)})) == []


def test_cards_of_all_kinds_are_legal() -> None:
    facts = (
        taken("lithium"),
        taken("itraconazole", "i"),
        allergic("penicillins"),
        measured("lithium-level", Decimal(1)),
    )
    made = cards_of("amoxicillin", "ibuprofen", "simvastatin", "lithium", facts=facts)
    legal(*made)
    assert [card["indicator"] for card in made][:2] == ["critical", "critical"]


def test_a_request_that_several_cards_offer_is_recommended_on_the_first_only() -> None:
    both = Coding("http://loinc.org", "2160-0", "creatinine")
    alone = Coding("http://loinc.org", "2823-3", "potassium")
    asked = tuple(Remedy("Order it", Act.REQUEST, code=code, recommended=True) for code in (both, alone))
    made = finding_cards(
        [replace(PLAIN, remedies=asked[:1]), replace(PLAIN, rule="r2", remedies=asked)], situation("lithium"), WHO
    )
    legal(*made)
    assert [["isRecommended" in s for s in card["suggestions"]] for card in made] == [[True], [False, True]]


def test_uuid_changes_with_patient_rule_medicine_and_facts_and_with_nothing_else() -> None:
    judged = situation("ibuprofen", facts=(taken("lithium"),))
    (finding,) = judge(judged)

    def key(finding: Finding = finding, who: PatientKey = WHO, names: str = "ibuprofen", id_: str = "d1") -> str:
        (card,) = finding_cards([finding], situation(order(names, id_)), who)
        return str(card["uuid"])

    assert key() == key(replace(finding, summary="other words", detail=("more",)))
    assert key() == key(replace(finding, orders=("MedicationRequest/x",)), id_="x")
    changed = {
        key(who=PatientKey("", WHO.id)),
        key(who=PatientKey(WHO.origin, "2")),
        key(replace(finding, rule="other")),
        key(names="naproxen"),
        key(replace(finding, facts=(taken("metformin"),))),
    }
    assert len(changed | {key()}) == 6


def test_two_drafts_of_one_medicine_have_cards_of_their_own() -> None:
    made = [c for c in cards_of("ibuprofen", "ibuprofen", facts=(taken("lithium"),)) if "lithium" in c["summary"]]
    assert len({card["uuid"] for card in made}) == 2
    assert [s["actions"][0].get("resourceId") for c in made for s in c["suggestions"][:1]] == [
        "MedicationRequest/d1",
        "MedicationRequest/d2",
    ]


def test_draft_without_an_id_is_not_offered_for_removal() -> None:
    judged = situation(replace(order("ibuprofen"), reference="draft 1"), facts=(taken("lithium"),))
    (card,) = finding_cards(judge(judged), judged, WHO)
    assert [s["actions"][0]["type"] for s in card["suggestions"]] == ["create"]
    legal(card)


def test_finding_without_remedies_has_no_suggestions() -> None:
    (card,) = finding_cards([PLAIN], situation(), WHO)
    assert {"suggestions", "selectionBehavior"}.isdisjoint(card)
    assert "topic" not in card["source"]
    legal(card)


def test_facts_are_shown_with_date_and_version_and_escaped() -> None:
    fact = taken("lithium", note="*loud*")
    (card,) = finding_cards([replace(PLAIN, facts=(fact,))], situation(), WHO)
    assert "medicine: lithium, 2026-05-01 (\\*loud\\*) \\[MedicationRequest/r version 1\\]" in card["detail"]


def test_results_are_named_and_written_as_clinicians_do() -> None:
    card = cards_of("ketoconazole", facts=(taken("warfarin"), measured("inr", Decimal("2.4"))))[0]
    assert "* INR: 2.4, 2026-05-20" in card["detail"]


@pytest.mark.parametrize(("judged", "words"), [(0, "No ordered medicine was"), (1, "1 ordered medicine was")])
def test_card_of_what_was_not_judged_names_all(judged: int, words: str) -> None:
    left = [Unjudged("MedicationRequest/a", "Syrup", "code not known"), Unjudged("draft 2", "", "it has no code")]
    entry = Unjudged("https://ehr.example/fhir/AllergyIntolerance/b/_history/1", "**Sulfa**", "it has no code")
    card = not_judged_card(left, [entry], WHO, BASE, judged)
    assert card["summary"] == "Not checked: Syrup; draft 2"
    for said in ("Syrup", "draft 2", "it has no code", "\\*\\*Sulfa\\*\\*", "neither safe nor unsafe", words):
        assert said in card["detail"]
    legal(card)


@pytest.mark.parametrize(
    ("judged", "types", "summary", "said"),
    [
        (
            1,
            ["AllergyIntolerance"],
            "Orders not checked against 1 allergy of the record that could not be used",
            "The ordered medicine was checked, but not against these entries.",
        ),
        (
            2,
            ["MedicationRequest", "MedicationStatement", "Observation", "Basic"],
            "Orders not checked against 1 entry and 2 medicines and 1 result of the record that could not be used",
            "All 2 ordered medicines were checked, but not against these entries.",
        ),
    ],
)
def test_card_of_the_record_alone_says_what_orders_were_not_checked_against(
    judged: int, types: list[str], summary: str, said: str
) -> None:
    card = not_judged_card([], [Unjudged(f"{t}/{n}", "", "why") for n, t in enumerate(types)], WHO, BASE, judged)
    assert card["summary"] == summary
    assert said in card["detail"]
    assert "neither safe nor unsafe" not in card["detail"]
    legal(card)


def test_long_record_is_cut_and_says_so() -> None:
    many = [Unjudged(f"AllergyIntolerance/{n}", "x" * 400, "it has no code") for n in range(order_cards.LISTED + 3)]
    card = not_judged_card([], many, WHO, BASE, 1)
    assert card["detail"].count("it has no code") == order_cards.LISTED
    assert "and 3 more" in card["detail"]
    assert "23 allergies" in card["summary"]


@given(st.text(max_size=400), st.text(max_size=80))
def test_any_text_of_a_draft_makes_a_legal_card(display: str, reference: str) -> None:
    card = not_judged_card([Unjudged(f"M/{reference}", display, "code not known")], [], WHO, BASE, 0)
    legal(card)
    assert "\n<" not in card["detail"]
