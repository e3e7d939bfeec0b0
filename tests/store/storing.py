"""Stores and opens in one line."""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, text

from fhirtwin.interactions.context import Services
from fhirtwin.settings import Settings
from fhirtwin.store import Store, index
from fhirtwin.store.databases import engines
from fhirtwin.twin.state import StoredVersion
from tests import parts
from tests.small_disk import filled

NOW = "2026-01-01T00:00:00Z"


def put(store: Store, id_: str = "p", version: int = 1, data: bytes = b"{}") -> None:
    """One unit of work that stores one version of a Patient."""
    with store.write() as write:
        write.put(StoredVersion("Patient", id_, version, NOW, data), index.Rows(), None)


def run(settings: Settings, statement: str) -> None:
    """Carry out a statement past the store."""
    connection: Connection
    with engines.upkeep(settings) as connection:
        connection.execute(text(statement))


def takes_nothing_without_room(settings: Settings, disk: Path) -> None:
    """Fill the disk that the database lies on, and see over HTTP what becomes of writers and readers."""
    services = Services(replace(settings, open=True, base_url=parts.BASE), Store.open(settings))
    client = parts.application(services).test_client()
    headers = {"Content-Type": "application/fhir+json"}
    large = parts.body(
        {"resourceType": "Binary", "contentType": "a/b", "data": b64encode(os.urandom(3_000_000)).decode()}
    )
    assert client.put("/fhir/Patient/p", data=parts.body(parts.patient(id="p")), headers=headers).status_code == 201
    with filled(disk, 300_000):
        answer = client.post("/fhir/Binary", data=large, headers=headers)
        assert (answer.status_code, answer.json["issue"][0]["code"]) == (507, "no-store")
        assert answer.json["resourceType"] == "OperationOutcome"
        assert client.get("/fhir/Patient/p").status_code == 200
        assert client.get("/fhir/Binary?_count=0").json["total"] == 0
    assert client.post("/fhir/Binary", data=large, headers=headers).status_code == 201
    assert client.get("/fhir/Binary?_count=0").json["total"] == 1
    assert client.get("/fhir/Patient/p").json["meta"]["versionId"] == "1"
    services.store.close()
