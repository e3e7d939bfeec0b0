from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from fhirtwin.errors import Busy, Conflict, Incorrect, NotFound, Unavailable
from fhirtwin.settings import Settings
from fhirtwin.store import Store, database, index
from fhirtwin.store.schema import REVISION, metadata
from fhirtwin.twin.state import StoredVersion

NOW = "2026-01-01T00:00:00Z"


def put(store: Store, id_: str = "p", version: int = 1, data: bytes = b"{}") -> None:
    with store.write() as write:
        write.put(StoredVersion("Patient", id_, version, NOW, data), index.Rows(), None)


def set_revision(settings: Settings, revision: str) -> None:
    with closing(sqlite3.connect(settings.data / "fhirtwin.sqlite")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.commit()


def test_migrations_make_the_schema_that_the_program_uses(store: Store) -> None:
    with store._reading.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_every_connection_is_durable_and_checks_links(store: Store) -> None:
    with store._reading.begin() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_what_was_written_is_there_after_opening_again(settings: Settings, store: Store) -> None:
    put(store, data=b'{"a": 0.010}')
    store.close()
    again = Store.open(settings)
    stored = again.read("Patient", "p")
    again.close()
    assert stored == StoredVersion("Patient", "p", 1, NOW, b'{"a": 0.010}')


def test_another_schema_version_is_refused_in_words(settings: Settings, store: Store) -> None:
    set_revision(settings, "9999")
    with pytest.raises(Incorrect, match="fhirtwin db upgrade"):
        Store.open(settings)


def test_a_database_that_is_not_ours_is_left_alone(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.data / "fhirtwin.sqlite")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(Incorrect, match="unknown"):
        Store.open(settings)
    with closing(sqlite3.connect(settings.data / "fhirtwin.sqlite")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


def test_upgrade_makes_a_new_database_and_leaves_a_current_one(settings: Settings) -> None:
    assert Store.upgrade(settings) == f"The database went from schema none to {REVISION}."
    assert Store.upgrade(settings) == f"The database has schema {REVISION} already."


def test_upgrade_refuses_a_database_of_another_program(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.data / "fhirtwin.sqlite")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(Incorrect, match="another program"):
        Store.upgrade(settings)


def test_upgrade_refuses_a_newer_database(settings: Settings, store: Store) -> None:
    set_revision(settings, "9999")
    with pytest.raises(Incorrect, match="newer"):
        Store.upgrade(settings)


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_an_unusable_database_url_is_refused(url: str) -> None:
    with pytest.raises(Incorrect, match="FHIRTWIN_DATABASE_URL"):
        Store.open(Settings(database_url=url))


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        Store.open(Settings(data=tmp_path / "none"))


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


def test_of_writers_at_once_one_wins_each_version(store: Store) -> None:
    put(store)
    won: list[int] = []
    lost: list[Conflict] = []

    def write() -> None:
        try:
            put(store, version=2)
            won.append(2)
        except Conflict as error:
            lost.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)


def test_readers_see_one_moment(store: Store) -> None:
    put(store)
    with store.snapshot() as reader:
        assert reader.read("Patient", "q") is None
        put(store, "q")
        assert reader.read("Patient", "q") is None
    assert store.read("Patient", "q") is not None


def test_a_writer_that_waits_too_long_is_told_to_come_back(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    store = Store.open(settings)
    with store.write(), pytest.raises(Busy), store.write():
        pass
    store.close()


def test_a_full_disk_is_unavailable_and_reads_go_on(store: Store) -> None:
    put(store)
    with store._reading.begin() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # held at the present size
    with pytest.raises(Unavailable):
        put(store, "q", data=b"x" * 1_000_000)
    assert store.read("Patient", "q") is None
    assert store.read("Patient", "p") is not None


def test_a_backup_is_whole_while_others_write_and_can_be_restored(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    put(store)
    copy = tmp_path / "backup.sqlite"
    store.backup(copy)
    put(store, version=2)
    assert copy.stat().st_mode & 0o777 == 0o600
    elsewhere = Settings(data=tmp_path / "restored")
    Store.restore(copy, elsewhere)
    restored = Store.open(elsewhere)
    found = restored.read("Patient", "p")
    restored.close()
    assert found is not None
    assert found.version == 1


def test_backup_and_restore_overwrite_nothing(settings: Settings, store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "backup.sqlite"
    store.backup(copy)
    with pytest.raises(Incorrect, match="exists already"):
        store.backup(copy)
    with pytest.raises(Incorrect, match="exists already"):
        Store.restore(copy, settings)


def test_restore_refuses_a_folder_where_a_write_ahead_log_was_left_behind(store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "backup.sqlite"
    store.backup(copy)
    elsewhere = Settings(data=tmp_path / "restored")
    elsewhere.data.mkdir()
    (elsewhere.data / "fhirtwin.sqlite-wal").touch()
    with pytest.raises(Incorrect, match="-wal exists already"):
        Store.restore(copy, elsewhere)


def test_only_the_owner_can_read_the_database(settings: Settings, store: Store) -> None:
    put(store)
    modes = {file.name: file.stat().st_mode & 0o777 for file in settings.data.iterdir()}
    assert set(modes.values()) == {0o600}
    assert "fhirtwin.sqlite-wal" in modes


def test_a_damaged_or_foreign_backup_is_refused(store: Store, settings: Settings, tmp_path: Path) -> None:
    for number in range(200):
        put(store, f"p{number}", data=b"x" * 500)
    copy = tmp_path / "backup.sqlite"
    store.backup(copy)
    data = bytearray(copy.read_bytes())
    data[8192:40960] = bytes(32768)
    copy.write_bytes(data)
    (tmp_path / "text").write_text("no database")
    (tmp_path / "empty").write_bytes(b"")
    elsewhere = Settings(data=tmp_path / "restored")
    for file in (copy, tmp_path / "text", tmp_path / "empty"):
        with pytest.raises(Incorrect):
            Store.restore(file, elsewhere)
    with pytest.raises(NotFound):
        Store.restore(tmp_path / "none", elsewhere)
    assert not elsewhere.data.exists()
    set_revision(settings, "0000")
    other = tmp_path / "other"
    database._copy(settings.data / "fhirtwin.sqlite", other)
    with pytest.raises(Incorrect, match="another schema"):
        Store.restore(other, elsewhere)
