"""The page on calling the CDS service, held against what runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fhirtwin.api.cds.services import registry
from tests.conftest import ROOT
from tests.gateway_in_process import gateway

PAGE = (ROOT / "docs" / "how-to" / "call-cds-hooks.md").read_text()


def test_the_page_lists_every_prefetch_key_and_whether_it_is_required() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| (yes|no) \|$", PAGE, re.M))
    service = registry.all_services()["twin-patient-view"]
    assert rows == {key: "yes" if template.required else "no" for key, template in service.prefetch.items()}


@pytest.mark.parametrize("service_id", registry.all_services())
def test_every_service_has_its_page(service_id: str) -> None:
    pages = (ROOT / "docs" / "how-to").glob("*.md")
    assert any(f"`{service_id}`" in page.read_text() for page in pages)


def test_the_calls_on_the_page_are_answered_as_the_page_says(tmp_path: Path) -> None:
    asked, said = re.findall(r"```json\n(.*?)```", PAGE, re.S)
    twin = gateway(tmp_path)
    answer = twin.http.post("/cds-services/twin-patient-view", json=json.loads(asked))
    feedback = json.loads(said)
    feedback["feedback"][0]["card"] = answer.json["cards"][0]["uuid"]  # type: ignore[index]
    taken = twin.http.post("/cds-services/twin-patient-view/feedback", json=feedback)
    again = twin.http.post("/cds-services/twin-patient-view", json=json.loads(asked)).json
    twin.parts.store.close()
    assert (taken.status_code, taken.json) == (200, {})
    assert again is not None
    assert (again["cards"], list(again["extension"])) == ([], ["org.fhirtwin.quietened"])
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    (card,) = answer.json["cards"]
    assert "not calculated" in card["summary"]
    assert "systolic blood pressure is missing" in card["detail"]
    assert "Measure blood pressure" in [one["label"] for one in card["suggestions"]]
