"""A record moves from one database to another, and nothing is lost on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from fhirtwin.cli import main
from fhirtwin.errors import Incorrect, NotFound
from fhirtwin.interactions.context import Services
from fhirtwin.serving.gateway import claimed
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.store.advice import CallCount, OutcomeCount
from fhirtwin.store.databases import copying, engines
from fhirtwin.store.schema import metadata
from tests import gateway_in_process, parts, postgresql
from tests.conftest import DATABASES
from tests.store.storing import put, run
from tests.store.test_advice import CARD, SAID

JSON = {"Content-Type": "application/fhir+json"}


@pytest.fixture(params=DATABASES)
def target(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    if request.param == "sqlite":
        (tmp_path / "target").mkdir()
        yield replace(settings, database_url=f"sqlite:///{tmp_path / 'target' / 'fhirtwin.sqlite'}")
        return
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    with server.database() as url:
        yield replace(settings, database_url=url)


def _rows(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    found = {}
    with engines.upkeep(settings) as connection:
        for table in metadata.sorted_tables:
            ordered = select(table).order_by(*table.primary_key.columns)
            found[table.name] = [tuple(row) for row in connection.execute(ordered)]
    return found


def _fill(settings: Settings) -> None:
    services = Services(replace(settings, open=True, base_url=parts.BASE), Store.open(settings))
    client = parts.application(services).test_client()
    answer = client.post("/fhir", data=gateway_in_process.maria(), headers=JSON)
    assert answer.status_code == 200
    sent = parts.patient(id="p", name=[{"family": "Ünal"}])
    for version in range(1, 3):
        answer = client.put("/fhir/Patient/p", data=parts.body({**sent, "active": version == 1}), headers=JSON)
        assert answer.json["meta"]["versionId"] == str(version)
    client.delete("/fhir/Patient/p")
    with services.store.write() as write:
        write.advice.give([CARD])
        write.advice.keep([SAID])
        write.advice.count_call(CallCount("a", "2026-06-01", answered=1))
        write.advice.count_outcomes([OutcomeCount("a", "2026-06-01", "overridden", CARD.reasons[0], 1)])
    services.store.close()


@pytest.mark.databases
def test_everything_arrives_and_the_gateway_goes_on_there(settings: Settings, target: Settings) -> None:
    _fill(settings)
    before = _rows(settings)
    told: list[tuple[int, int]] = []
    counts = copying.copy(settings, target, lambda done, total: told.append((done, total)))
    assert _rows(target) == before == _rows(settings)
    assert counts == {name: len(rows) for name, rows in before.items()}
    assert told[-1] == (sum(counts.values()), sum(counts.values()))
    assert all(counts[name] for name in ("resource_version", "resource", "twin", "twin_source"))

    services = Services(replace(target, open=True, base_url=parts.BASE), Store.open(target))
    client = parts.application(services).test_client()
    assert client.get("/fhir/Patient/p").status_code == 410
    assert client.get("/fhir/Patient/p/_history").json["total"] == 3
    assert client.put("/fhir/Patient/p", data=parts.body(parts.patient(id="p")), headers=JSON).status_code == 201
    assert client.post("/fhir/Patient", data=parts.body(parts.patient()), headers=JSON).status_code == 201
    assert client.get("/fhir/Patient?_count=0").json["total"] == 3
    services.store.close()


@pytest.mark.databases
def test_a_target_that_holds_something_is_left_as_it_is(settings: Settings, store: Store, target: Settings) -> None:
    put(store)
    there = Store.open(target)
    put(there, "theirs")
    there.close()
    before = _rows(target)
    with pytest.raises(Incorrect, match="empty"):
        copying.copy(settings, target, lambda *_: None)
    assert _rows(target) == before


def test_a_database_of_another_program_or_version_is_left_as_it_is(settings: Settings, target: Settings) -> None:
    Store.open(settings).close()
    run(target, "CREATE TABLE theirs (x INTEGER)")
    with pytest.raises(Incorrect, match="unknown"):
        copying.copy(settings, target, lambda *_: None)
    run(settings, "UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(Incorrect, match="source has schema 0000"):
        copying.copy(settings, target, lambda *_: None)


def test_what_breaks_off_leaves_nothing(settings: Settings, store: Store, target: Settings) -> None:
    put(store)

    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copying.copy(settings, target, interrupt)
    assert copying.copy(settings, target, lambda *_: None)["resource_version"] == 1


def test_there_must_be_a_source_and_none_is_made(settings: Settings, target: Settings) -> None:
    with pytest.raises(NotFound):
        copying.copy(settings, target, lambda *_: None)
    assert not (settings.data / "fhirtwin.sqlite").exists()


def test_the_command_copies_and_tells_what(settings: Settings, store: Store, target: Settings) -> None:
    put(store)
    command = ["db", "copy", "--to", target.database_url, "--data", str(settings.data)]
    done = CliRunner().invoke(main, command, env={})
    assert done.exit_code == 0, done.output
    assert "1  resource_version\n" in done.stdout
    filled = Store.open(target)
    assert filled.read("Patient", "p") is not None
    filled.close()


def test_the_command_is_refused_while_a_gateway_runs(settings: Settings, store: Store, target: Settings) -> None:
    with claimed(settings.data, "http://127.0.0.1:1/fhir"):
        assert json.loads((settings.data / "running.json").read_text())["base_url"]
        command = ["db", "copy", "--to", target.database_url, "--data", str(settings.data)]
        refused = CliRunner().invoke(main, command, env={})
    assert refused.exit_code == 1
    assert "A gateway runs" in refused.stderr
