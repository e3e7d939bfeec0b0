from __future__ import annotations

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from fhirtwin.errors import Busy, Conflict, Incorrect, TooCostly
from fhirtwin.settings import Settings
from fhirtwin.store import Store, index
from fhirtwin.store.databases import engines, limits
from fhirtwin.store.databases.limits import Use
from fhirtwin.store.schema import metadata
from fhirtwin.twin.state import StoredVersion
from tests.store.storing import NOW, put, run

pytestmark = pytest.mark.databases


def test_migrations_make_the_schema_that_the_program_uses(store: Store) -> None:
    with store._reading.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_what_was_written_is_there_after_opening_again(settings: Settings, store: Store) -> None:
    put(store, data=b'{"a": 0.010}')
    store.close()
    again = Store.open(settings)
    stored = again.read("Patient", "p")
    again.close()
    assert stored == StoredVersion("Patient", "p", 1, NOW, b'{"a": 0.010}')


def test_another_schema_version_is_refused_in_words(settings: Settings, store: Store) -> None:
    run(settings, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Incorrect, match="fhirtwin db upgrade"):
        Store.open(settings)


def test_a_database_that_is_not_ours_is_left_alone(settings: Settings) -> None:
    run(settings, "CREATE TABLE theirs (x INTEGER)")
    with pytest.raises(Incorrect, match="unknown"):
        Store.open(settings)
    with engines.upkeep(settings) as connection:
        assert inspect(connection).get_table_names() == ["theirs"]


def test_several_openers_of_a_new_database_all_get_one(settings: Settings) -> None:
    opened: list[Store] = []
    threads = [threading.Thread(target=lambda: opened.append(Store.open(settings))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 6
    for store in opened:
        store.ready()
        store.close()


def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write() as write:
            write.put(StoredVersion("Patient", "p", 1, NOW, b"{}"), index.Rows(), None)
            assert write.read("Patient", "p") is not None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.read("Patient", "p") is None


@pytest.mark.parametrize("version", [1, 3])
def test_a_version_that_does_not_follow_the_current_one_is_a_conflict(store: Store, version: int) -> None:
    put(store)
    with pytest.raises(Conflict):
        put(store, version=version)
    current = store.read("Patient", "p")
    assert current is not None
    assert current.version == 1


def test_readers_see_one_moment(store: Store) -> None:
    put(store)
    with store.snapshot() as reader:
        assert reader.read("Patient", "q") is None
        put(store, "q")
        assert reader.read("Patient", "q") is None
    assert store.read("Patient", "q") is not None


def test_a_reader_does_not_wait_for_a_writer(store: Store) -> None:
    put(store)
    with store.write() as write:
        write.put(StoredVersion("Patient", "p", 2, NOW, b"{}"), index.Rows(), None)
        current = store.read("Patient", "p")
    assert current is not None
    assert current.version == 1


@pytest.mark.parametrize("same_process", [True, False])
def test_a_writer_that_waits_too_long_is_told_to_come_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, same_process: bool
) -> None:
    monkeypatch.setattr(limits, "BUSY_SECONDS", 0.05)
    store = Store.open(settings)
    other = store if same_process else Store.open(settings)  # which knows of the first one by the database alone
    with store.write(), pytest.raises(Busy), other.write():
        pass
    put(other)
    store.close()
    other.close()


def test_a_reader_that_gets_no_connection_is_told_to_come_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BUSY_SECONDS", 0.05)
    store = Store.open(Settings(data=settings.data, database_url=settings.database_url, database_connections=2))
    with store.snapshot(), store.snapshot(), pytest.raises(Busy), store.snapshot():
        pass
    store.ready()
    store.close()


COUNT = text("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < :most) SELECT count(*) FROM n")


@pytest.mark.parametrize("writes", [False, True])
def test_a_statement_that_takes_too_long_is_ended_and_the_connection_goes_on(settings: Settings, writes: bool) -> None:
    Store.open(settings).close()
    engine = engines.make(settings, Use(writes, 1, 0.1))
    with (
        pytest.raises(TooCostly, match="FHIRTWIN_STATEMENT_TIMEOUT_SECONDS"),
        engines.told(),
        engine.begin() as connection,
    ):
        connection.execute(COUNT, {"most": 10**9})
    with engine.begin() as connection:
        assert connection.scalar(COUNT, {"most": 10}) == 10
    engine.dispose()


def test_upkeep_takes_as_long_as_it_takes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BUSY_SECONDS", 0.05)
    with engines.upkeep(settings) as connection:
        assert connection.scalar(COUNT, {"most": 500_000}) == 500_000


def test_texts_compare_by_code_point_and_case_counts(store: Store) -> None:
    with store._reading.begin() as connection:
        assert connection.execute(text("SELECT 'abc' LIKE 'A%'")).scalar() in (0, False)
    for id_ in ("b", "B", "a", "Z", "-"):
        put(store, id_)
    with store._reading.begin() as connection:
        ids = connection.execute(text("SELECT id FROM resource ORDER BY id")).scalars().all()
    assert ids == ["-", "B", "Z", "a", "b"]


def test_the_character_nul_is_the_callers_error(store: Store) -> None:
    with pytest.raises(Incorrect, match=r"U\+0000"):
        store.read("Patient", "a\0b")
    store.ready()
