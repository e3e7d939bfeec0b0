"""What `_summary` and `_elements` leave of a resource."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fhirtwin.fhir import codec
from fhirtwin.fhir.search.query import Summary
from fhirtwin.fhir.search.subsetting import only, summarized
from fhirtwin.fhir.validator import validate

EXCUSED = {"ait-1", "bdl-12", "cpb-1", "cpb-2", "cpb-14", "cpb-15", "org-1", "ppc-1", "ppc-2", "prr-1"}
"""Rules that want an element that the part need not have; the tag SUBSETTED says that it is one."""


def order() -> dict[str, Any]:
    """A prescription that contains what it refers to, and what that refers to."""
    maker = {"resourceType": "Organization", "id": "maker", "name": "Maker"}
    drug = {"resourceType": "Medication", "id": "drug", "manufacturer": {"reference": "#maker"}}
    nurse = {"resourceType": "Practitioner", "id": "nurse", "active": True}
    return {
        "resourceType": "MedicationRequest",
        "id": "o",
        "contained": [maker, drug, nurse],
        "status": "active",
        "intent": "order",
        "medicationReference": {"reference": "#drug"},
        "subject": {"reference": "Patient/p"},
        "recorder": {"reference": "#nurse"},
        "note": [{"text": "With food."}],
    }


def ids(resource: dict[str, Any]) -> list[str]:
    return [one["id"] for one in resource.get("contained", ())]


@pytest.mark.parametrize("summary", ["true", "text"])
def test_a_summary_keeps_what_is_contained_and_still_referred_to(summary: Summary) -> None:
    left = summarized(order(), summary)
    assert ids(left) == ["maker", "drug"]
    assert "recorder" not in left and validate(left) == []


def test_data_is_everything_but_the_narrative() -> None:
    left = summarized({**order(), "text": {"status": "empty", "div": "<div/>"}}, "data")
    assert {**left, "meta": None} == {**order(), "meta": None}


def test_elements_come_with_what_they_refer_to() -> None:
    assert ids(only(order(), {"note"})) == ["maker", "drug"]
    assert ids(only(order(), {"recorder"})) == ["maker", "drug", "nurse"]
    without = {name: value for name, value in order().items() if name != "medicationReference"}
    concept = {**without, "contained": order()["contained"][2:], "medicationCodeableConcept": {"text": "A drug"}}
    assert "contained" not in only(concept, {"note"})


def test_contained_comes_with_what_refers_to_it() -> None:
    left = only(order(), {"contained"})
    assert ids(left) == ["maker", "drug", "nurse"]
    assert left["recorder"] == {"reference": "#nurse"} and "note" not in left
    assert validate(left) == []


def test_one_that_points_back_at_its_container_stays() -> None:
    pointing = {"resourceType": "Provenance", "id": "pv", "target": [{"reference": "#"}]}
    whole = {"resourceType": "Patient", "id": "p", "contained": [pointing], "active": True}
    assert ids(only(whole, {"active"})) == ["pv"]


def test_nothing_empty_is_left_of_nested_elements() -> None:
    rule = {"type": "deny", "action": [{"text": "copy"}], "provision": [{"data": []}]}
    consent = {"resourceType": "Consent", "id": "c", "status": "active", "provision": {"provision": [rule]}}
    assert "provision" not in summarized(consent, "true")


def test_parts_of_the_official_examples_are_valid(shared: Path) -> None:
    wrong = {}
    for file in sorted((shared / "data/fhir/dev/examples").glob("*.json")):
        whole = codec.decode(file.read_bytes())
        if validate(whole):
            continue
        parts = {how: summarized(whole, how) for how in ("true", "text", "data")}
        parts |= {name: only(whole, {name}) for name in whole}
        found = {(file.name, how): [issue.text for issue in validate(part)] for how, part in parts.items()}
        wrong |= {part: texts for part, texts in found.items() if any(_rule(text) not in EXCUSED for text in texts)}
    assert wrong == {}


def _rule(text: str) -> str:
    return text.partition(" (")[2].partition(")")[0]
