from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.config import Config
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from fhirtwin.cli import main
from fhirtwin.errors import Incorrect
from fhirtwin.fhir.search.folding import microseconds
from fhirtwin.fhir.search.parameters import PARAMETERS
from fhirtwin.settings import Settings
from fhirtwin.store import Store, index
from fhirtwin.store.databases import upkeep
from fhirtwin.store.schema import REVISION
from fhirtwin.twin.state import LOCAL, Mapped, PatientKey, Source, StoredVersion
from tests.parts import body, patient

NOW = "2026-01-01T00:00:00.000Z"
PATIENT = body(
    patient(id="p", birthDate="1961", generalPractitioner=[{"reference": "http://me.test/fhir/Organization/1"}])
)
BORN = f"SELECT resource, starts FROM search_date WHERE parameter = {PARAMETERS['Patient']['birthdate'].number}"  # noqa: S608
IN_1961 = microseconds(datetime(1961, 1, 1, tzinfo=UTC))


def sql(settings: Settings, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(settings.data / "fhirtwin.sqlite")) as connection:
        found = connection.execute(statement).fetchall()
        connection.commit()
        return found


def make_first_revision(settings: Settings) -> None:
    """A database as the first version of the program left it, with a patient and a deleted one."""
    engine = create_engine(f"sqlite:///{settings.data / 'fhirtwin.sqlite'}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "fhirtwin.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for id_, deleted, data in (("p", False, PATIENT), ("q", True, b"")):
            row = {"id": id_, "deleted": deleted, "data": data, "now": NOW}
            connection.execute(
                text("INSERT INTO resource_version VALUES ('Patient', :id, 1, :now, :deleted, :data)"), row
            )
            connection.execute(
                text("INSERT INTO resource (type, id, version, deleted) VALUES ('Patient', :id, 1, :deleted)"), row
            )
    engine.dispose()


def test_a_database_of_the_first_revision_is_indexed_anew(settings: Settings) -> None:
    make_first_revision(settings)
    told: list[tuple[int, int]] = []
    did = upkeep.upgrade(
        Settings(data=settings.data, base_url="http://me.test/fhir/"), lambda *how_far: told.append(how_far)
    )
    assert did == f"The database went from schema 0001 to {REVISION}. 2 resources were indexed anew."
    assert told == [(2, 2)]
    assert sql(settings, BORN) == [(1, IN_1961)]
    assert sql(settings, "SELECT target_id, target_base FROM search_reference") == [("1", "")]
    assert sql(settings, "SELECT DISTINCT last_updated FROM resource") == [(1_767_225_600_000_000,)]
    store = Store.open(settings)
    assert store.read("Patient", "p") == StoredVersion("Patient", "p", 1, NOW, PATIENT)
    store.close()


def test_the_upgrade_command_says_how_far_it_is(settings: Settings) -> None:
    make_first_revision(settings)
    done = CliRunner().invoke(main, ["db", "upgrade", "--data", str(settings.data)])
    assert done.exit_code == 0
    assert done.stderr == "indexed 2 of 2 resources\n"
    assert done.stdout.endswith("2 resources were indexed anew.\n")


def test_a_database_of_the_first_revision_is_not_opened_before_it_is_upgraded(settings: Settings) -> None:
    make_first_revision(settings)
    with pytest.raises(Incorrect, match="fhirtwin db upgrade"):
        Store.open(settings)


def test_an_index_made_by_other_rules_is_made_anew(settings: Settings, store: Store) -> None:
    with store.write() as write:
        write.put(StoredVersion("Patient", "p", 1, NOW, PATIENT), index.Rows(), None)
    store.close()
    sql(settings, "UPDATE search_index SET form = 'earlier'")
    with pytest.raises(Incorrect, match="fhirtwin db upgrade"):
        Store.open(settings)
    assert upkeep.upgrade(settings) == "1 resources were indexed anew."
    assert sql(settings, BORN) == [(1, IN_1961)]
    Store.open(settings).close()


def test_what_was_indexed_before_is_replaced(settings: Settings, store: Store) -> None:
    for version, year in ((1, "1960"), (2, "1961")):
        resource = {"resourceType": "Patient", "birthDate": year}
        with store.write() as write:
            write.put(StoredVersion("Patient", "p", version, NOW, b"{}"), index.rows(resource, ""), None)
    assert sql(settings, BORN) == [(1, IN_1961)]
    with store.write() as write:
        write.put(StoredVersion("Patient", "p", 3, NOW, b"", deleted=True), index.Rows(), None)
    assert sql(settings, BORN) == []


def test_what_one_transaction_wrote_is_indexed_when_it_looks(settings: Settings, store: Store) -> None:
    rows = index.rows({"resourceType": "Patient", "birthDate": "1961"}, "")
    with store.write() as write:
        for version in (1, 2, 3):
            write.put(StoredVersion("Patient", "p", version, NOW, b"{}"), rows, None)
            assert write._connection.exec_driver_sql(BORN).all() == [(1, IN_1961)]
    assert sql(settings, BORN) == [(1, IN_1961)]


def test_versions_that_follow_one_another_unlooked_at_are_indexed_once(settings: Settings, store: Store) -> None:
    rows = index.rows({"resourceType": "Patient", "birthDate": "1961"}, "")
    with store.write() as write:
        for version in (1, 2, 3):
            write.put(StoredVersion("Patient", "p", version, NOW, b"{}"), rows, None)
    assert sql(settings, BORN) == [(1, IN_1961)]


def test_a_large_transaction_does_not_keep_all_rows_in_memory(settings: Settings, store: Store) -> None:
    rows = index.rows({"resourceType": "Library", "description": "x" * 200_000}, "")
    with store.write() as write:
        for number in range(10):
            write.put(StoredVersion("Library", str(number), 1, NOW, b"{}"), rows, None)
            assert len(write._indexing._waiting[1]) <= 10_000
    assert sql(settings, "SELECT count(*) FROM search_string") == [(10 * len(rows.strings),)]


def test_a_failed_rebuild_leaves_the_index_as_it_was(settings: Settings, store: Store) -> None:
    with store.write() as write:
        write.put(StoredVersion("Patient", "p", 1, NOW, PATIENT), index.rows({"resourceType": "Patient"}, ""), None)
    store.close()
    sql(settings, "UPDATE search_index SET form = 'earlier'")

    def fail(_done: int, _total: int) -> None:
        raise ZeroDivisionError

    before = sql(settings, "SELECT * FROM search_token")
    with pytest.raises(ZeroDivisionError):
        upkeep.upgrade(settings, fail)
    assert sql(settings, "SELECT * FROM search_token") == before != []
    assert sql(settings, "SELECT form FROM search_index") == [("earlier",)]


def test_facts_made_by_other_mappers_are_made_anew_and_the_twin_gets_a_version(
    settings: Settings, store: Store
) -> None:
    whose = PatientKey(LOCAL, "p")
    measured = {
        "resourceType": "Observation",
        "id": "k",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-01-01",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
        "valueQuantity": {"value": 4, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
    }
    with store.write() as write:
        write.put(StoredVersion("Observation", "k", 1, NOW, body(measured)), index.Rows(), whose)
        write.replace_facts(Source(LOCAL, "Observation", "k", "1"), whose, Mapped())
    store.close()
    sql(settings, "UPDATE search_index SET form = 'earlier'")
    upkeep.upgrade(settings)
    upgraded = Store.open(settings)
    told = upgraded.twin(whose)
    upgraded.close()
    assert told is not None
    assert [(f.name, str(f.value), f.sources[0].reference) for f in told.facts] == [
        ("potassium", "4", "Observation/k/_history/1")
    ]
    assert told.version == 2
