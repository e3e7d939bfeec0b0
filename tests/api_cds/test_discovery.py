from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.api.cds.services import registry
from fhirtwin.errors import Incorrect
from fhirtwin.intake.templates import Template
from tests.api_cds.door import Door, body, door, service

TEMPLATES = {
    "patient": Template("Patient/{{context.patientId}}"),
    "encounter": Template("Encounter/{{context.encounterId}}", hooks=("encounter-start",)),
    "recent": Template(
        "Observation?patient={{context.patientId}}&date=ge{{today() - 90 days}}", hooks=("patient-view",)
    ),
}
BOTH = service(
    id="both",
    hooks=("patient-view", "encounter-start"),
    prefetch=TEMPLATES,
    usage_requirements="Speak to us first.",
    extension={"com.example.x": {"a": 1}},
)
OTHER = service(id="other", hooks=("patient-view", "com.example.lunch"))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Door]:
    opened = door(tmp_path, BOTH, OTHER)
    yield opened
    opened.parts.store.close()


def listed(made: Door) -> list[dict[str, Any]]:
    answer = made.http.get("/cds-services")
    assert answer.status_code == 200 and answer.content_type == "application/json"
    return list(answer.json["services"])  # type: ignore[index]


@pytest.mark.conforms(*(f"cds-hooks_2.0@{row}" for row in (1, 4, 5, 6, 7, 9, 10, 13, 29, 36)))
def test_every_member_is_told(made: Door) -> None:
    assert listed(made)[0] == {
        "hook": "patient-view",
        "title": "Service",
        "description": "Says what the test wants.",
        "id": "both",
        "prefetch": {
            "patient": "Patient/{{context.patientId}}",
            "recent": "Observation?patient={{context.patientId}}",
        },
        "usageRequirements": "Speak to us first.",
        "extension": {"com.example.x": {"a": 1}},
    }


@pytest.mark.conforms("cds-hooks_2.0@3", "cds-hooks_2.0@214")
def test_what_is_empty_is_left_out(made: Door) -> None:
    entry = next(each for each in listed(made) if each["id"] == "other")
    assert entry.keys() == {"hook", "title", "description", "id"}


@pytest.mark.conforms("cds-hooks_2.0@211")
def test_one_hook_has_several_services_and_one_service_several_hooks(made: Door) -> None:
    assert [(each["id"], each["hook"]) for each in listed(made)] == [
        ("both", "patient-view"),
        ("both", "encounter-start"),
        ("other", "patient-view"),
        ("other", "com.example.lunch"),
    ]


def test_a_hook_is_told_its_own_templates(made: Door) -> None:
    assert set(listed(made)[1]["prefetch"]) == {"patient", "encounter"}


def test_the_3_0_ballot_adds_versions_and_days(tmp_path: Path) -> None:
    newer = door(tmp_path, BOTH, OTHER, cds_hooks_version="3.0")
    entries = listed(newer)
    newer.parts.store.close()
    assert {each["version"] for each in entries} == {"3.0.0-ballot"}
    assert [each.get("hookVersion") for each in entries] == ["1.0", "1.0", "1.0", None]
    assert entries[0]["prefetch"]["recent"].endswith("&date=ge{{today() - 90 days}}")


@pytest.mark.conforms("cds-hooks_2.0@6")
def test_no_services_are_an_empty_array(tmp_path: Path) -> None:
    empty = door(tmp_path)
    assert empty.http.get("/cds-services").json == {"services": []}
    empty.parts.store.close()


@pytest.mark.conforms("cds-hooks_2.0@16")
def test_a_service_answers_at_the_address_of_its_id_and_nowhere_else(made: Door) -> None:
    assert made.call(body(), "other").status_code == 200
    assert made.call(body(), "another").status_code == 404
    assert made.http.get("/cds-services/other").status_code == 405


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"hooks": ()}, "at least one hook"),
        ({"hooks": ("patient-view", "patient-view")}, "each once"),
        ({"hooks": ("patient-views",)}, "no hook"),
        ({"title": " "}, "title"),
        ({"description": ""}, "description"),
        ({"budget": 0}, "budget"),
        ({"extension": {"a": None}}, "extension"),
        ({"prefetch": {"e": Template("Encounter/{{context.encounterId}}")}, "hooks": ("order-dispatch",)}, "token"),
        ({"prefetch": {"u": Template("{{context.userId}}")}, "hooks": ("order-sign", "order-dispatch")}, "resource"),
        ({"prefetch": {"p": Template("Patient/1", hooks=("order-sign",))}}, "not for"),
    ],
)
@pytest.mark.conforms("cds-hooks_2.0@57")
def test_what_breaks_the_rules_of_discovery_is_not_registered(change: dict[str, Any], says: str) -> None:
    with pytest.raises(Incorrect, match=says):
        registry.admit([service(**change)])
