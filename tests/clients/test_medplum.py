"""A CDS Hooks client that nobody here wrote discovers, resolves the templates and calls, over HTTP."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.api.cds.services import registry
from tests.clients import nodejs
from tests.roads.gateway import Running, maria, ready, running

HERE = Path(__file__).parent / "medplum"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    nodejs.require(HERE, "@medplum/core")
    with running(tmp_path_factory.mktemp("medplum") / "data") as gateway:
        ready(gateway)
        yield gateway


@pytest.fixture(scope="module")
def patient(gateway: Running) -> str:
    return gateway.post_record(maria())


@pytest.fixture(scope="module")
def seen(gateway: Running, patient: str) -> dict[str, Any]:
    """What the client got."""
    command = ["node", str(HERE / "client.mjs"), gateway.host, "twin-patient-view", patient]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return dict(json.loads(run.stdout))


def test_the_client_discovers_every_service(seen: dict[str, Any]) -> None:
    found = {(each["id"], each["hook"]) for each in seen["discovery"]["services"]}
    assert found == {(service.id, hook) for service in registry.all_services().values() for hook in service.hooks}


def test_the_client_resolves_every_token_of_our_templates(seen: dict[str, Any], patient: str) -> None:
    service = registry.all_services()["twin-patient-view"]
    assert seen["queries"].keys() == service.prefetch.keys()
    assert seen["queries"]["patient"] == f"Patient/{patient}"
    assert all(query and "{{" not in query and patient in query for query in seen["queries"].values())


def test_the_client_gets_the_same_advice_as_any_other(seen: dict[str, Any], gateway: Running, patient: str) -> None:
    ours = gateway.call(patient, gateway.prefetch(patient)).json()
    assert len(seen["answer"]["cards"]) == 2
    assert [card["summary"] for card in seen["answer"]["cards"]] == [card["summary"] for card in ours["cards"]]


def test_a_refusal_reaches_the_client_as_an_outcome_that_names_the_place(seen: dict[str, Any]) -> None:
    assert "prefetch.observations" in seen["refused"]


def test_the_client_talked_to_the_gateway_alone(seen: dict[str, Any], gateway: Running) -> None:
    assert seen["hosts"] == [gateway.host]
