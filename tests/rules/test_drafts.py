from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import Fault
from fhirtwin.rules import drafts, registry
from fhirtwin.terms import drugs
from fhirtwin.terms.systems import RXNORM

SUBJECT = {"reference": "Patient/1"}


def concept(code: str, display: str = "", text: str = "") -> dict[str, Any]:
    coding = {"system": RXNORM, "code": code, **({"display": display} if display else {})}
    return {"coding": [coding], **({"text": text} if text else {})}


def draft(id_: str | None = "d", **members: Any) -> dict[str, Any]:
    base = {
        "resourceType": "MedicationRequest",
        "id": id_,
        "status": "draft",
        "intent": "order",
        "subject": SUBJECT,
        "medicationCodeableConcept": concept("6809"),
    }
    return {name: v for name, v in (base | members).items() if v is not None}


def test_draft_is_read_by_its_codes() -> None:
    found = drafts.read([draft(medicationCodeableConcept=concept("214618"))])
    (order,) = found.orders
    assert order.reference == "MedicationRequest/d"
    assert order.medicine.display == "hydrochlorothiazide / lisinopril"
    assert found.unjudged == ()


def test_medication_beside_the_draft_or_inside_it_is_read() -> None:
    medication = {"resourceType": "Medication", "id": "m", "code": concept("6809")}
    beside = draft(medicationCodeableConcept=None, medicationReference={"reference": "Medication/m"})
    inside = draft(medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[medication])
    for given_ in ([medication, beside], [beside, medication], [inside]):
        (order,) = drafts.read(given_).orders
        assert order.medicine.ingredients == ("6809",)


def test_name_read_beside_an_unknown_code_is_noted() -> None:
    (order,) = drafts.read([draft(medicationCodeableConcept=concept("99999999", "warfarin 5 MG Oral Tablet"))]).orders
    assert order.medicine.note == drugs.FROM_DISPLAY


@pytest.mark.parametrize("words", ["clopidogrel", " Clopidogrel ", "CLOPIDOGREL"])
def test_text_that_is_the_name_of_one_ingredient_is_read_and_noted(words: str) -> None:
    found = drafts.read([draft(medicationCodeableConcept={"text": words})])
    (order,) = found.orders
    assert (order.medicine.display, order.medicine.note) == ("clopidogrel", drugs.FROM_TEXT)
    assert found.unjudged == ()


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"medicationCodeableConcept": concept("99999999", "Some syrup")}, "code not known"),
        ({"medicationCodeableConcept": {"text": "metformin 500 mg"}}, "no code"),
        ({"medicationCodeableConcept": {"text": "no metformin"}}, "no code"),
        ({"medicationCodeableConcept": {"text": "codeine / acetaminophen"}}, "no code"),
        ({"medicationCodeableConcept": {"text": "metformin", "coding": [{"display": "insulin"}]}}, "no code"),
        ({"medicationCodeableConcept": {"text": "metformin", **concept("99999999")}}, "code not known"),
        (
            {"medicationCodeableConcept": None, "medicationReference": {"reference": "#m", "display": "metformin"}},
            "not in the record",
        ),
        (
            {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/x"}},
            "not in the record",
        ),
        ({"modifierExtension": [{"url": "x"}]}, "modifier extension"),
        ({"doNotPerform": True}, "doNotPerform"),
        ({"status": "cancelled"}, "over"),
    ],
)
def test_draft_that_cannot_be_read_is_said(members: dict[str, Any], why: str) -> None:
    found = drafts.read([draft(**members)])
    assert found.orders == ()
    assert [why in one.reason for one in found.unjudged] == [True]


def test_draft_of_which_a_part_is_known_is_judged_and_said() -> None:
    parts = [{"itemCodeableConcept": concept(code)} for code in ("6809", "99999999")]
    medication = {"resourceType": "Medication", "id": "m", "ingredient": parts}
    found = drafts.read(
        [draft(medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[medication])]
    )
    assert len(found.orders) == 1
    assert [one.reason for one in found.unjudged] == ["code not known"]


def test_draft_without_an_id_has_a_place() -> None:
    found = drafts.read([{"resourceType": "ServiceRequest"}, draft(None)])
    assert [order.reference for order in found.orders] == ["draft 2"]


def test_other_orders_are_not_looked_at() -> None:
    assert drafts.read(
        [{"resourceType": "ServiceRequest", "id": "s"}, {"resourceType": "Medication"}]
    ) == drafts.Drafts((), ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["coding", "text", "code", "id"]), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(list(draft())), JSON), st.booleans())
def test_no_members_make_reading_fail(members: dict[str, Any], whole: bool) -> None:
    resource = {**(draft() if whole else {}), **members, "resourceType": "MedicationRequest"}
    found = drafts.read([resource])
    assert found.orders or found.unjudged


def test_gate_refuses_what_is_no_tuple_of_rules() -> None:
    with pytest.raises(Fault, match="must be a tuple of functions"):
        registry.gate("mine", ["not a rule"])
    assert len(registry.all_rules()) >= 4
