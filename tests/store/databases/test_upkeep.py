from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from fhirtwin.errors import Incorrect, NotFound
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.store.databases import engines, revisions, sqlite, upkeep
from fhirtwin.store.schema import REVISION, metadata
from tests.store.storing import put, run


@pytest.mark.databases
def test_upgrade_makes_a_new_database_and_leaves_a_current_one(settings: Settings) -> None:
    assert upkeep.upgrade(settings) == f"The database went from schema none to {REVISION}."
    assert upkeep.upgrade(settings) == f"The database has schema {REVISION} already."


@pytest.mark.databases
def test_upgrade_from_the_schema_before_makes_what_a_new_database_has(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before, engines.upkeep(settings) as connection:
        before.setattr(revisions, "REVISION", "0003")
        revisions.migrate(connection)
    assert upkeep.upgrade(settings).startswith(f"The database went from schema 0003 to {REVISION}.")
    with engines.upkeep(settings) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    Store.open(settings).close()


@pytest.mark.databases
def test_upgrade_refuses_a_database_of_another_program(settings: Settings) -> None:
    run(settings, "CREATE TABLE theirs (x INTEGER)")
    with pytest.raises(Incorrect, match="another program"):
        upkeep.upgrade(settings)


@pytest.mark.databases
def test_upgrade_refuses_a_newer_database(settings: Settings, store: Store) -> None:
    run(settings, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Incorrect, match="newer"):
        upkeep.upgrade(settings)


def test_a_backup_is_whole_while_others_write_and_can_be_restored(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    put(store)
    copy = tmp_path / "backup.sqlite"
    upkeep.backup(settings, copy)
    put(store, version=2)
    assert copy.stat().st_mode & 0o777 == 0o600
    elsewhere = Settings(data=tmp_path / "restored")
    upkeep.restore(copy, elsewhere)
    restored = Store.open(elsewhere)
    found = restored.read("Patient", "p")
    restored.close()
    assert found is not None
    assert found.version == 1


def test_backup_and_restore_overwrite_nothing(settings: Settings, store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "backup.sqlite"
    upkeep.backup(settings, copy)
    with pytest.raises(Incorrect, match="exists already"):
        upkeep.backup(settings, copy)
    with pytest.raises(Incorrect, match="exists already"):
        upkeep.restore(copy, settings)


def test_restore_refuses_a_folder_where_a_write_ahead_log_was_left_behind(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    copy = tmp_path / "backup.sqlite"
    upkeep.backup(settings, copy)
    elsewhere = Settings(data=tmp_path / "restored")
    elsewhere.data.mkdir()
    (elsewhere.data / "fhirtwin.sqlite-wal").touch()
    with pytest.raises(Incorrect, match="-wal exists already"):
        upkeep.restore(copy, elsewhere)


def test_a_damaged_or_foreign_backup_is_refused(store: Store, settings: Settings, tmp_path: Path) -> None:
    for number in range(200):
        put(store, f"p{number}", data=b"x" * 500)
    copy = tmp_path / "backup.sqlite"
    upkeep.backup(settings, copy)
    data = bytearray(copy.read_bytes())
    data[8192:40960] = bytes(32768)
    copy.write_bytes(data)
    (tmp_path / "text").write_text("no database")
    (tmp_path / "empty").write_bytes(b"")
    elsewhere = Settings(data=tmp_path / "restored")
    for file in (copy, tmp_path / "text", tmp_path / "empty"):
        with pytest.raises(Incorrect):
            upkeep.restore(file, elsewhere)
    with pytest.raises(NotFound):
        upkeep.restore(tmp_path / "none", elsewhere)
    assert not elsewhere.data.exists()
    run(settings, "UPDATE alembic_version SET version_num = '0000'")
    other = tmp_path / "other"
    sqlite.copy(settings.data / "fhirtwin.sqlite", other)
    with pytest.raises(Incorrect, match="another schema"):
        upkeep.restore(other, elsewhere)


def test_of_postgresql_the_tools_that_do_it_are_named(tmp_path: Path) -> None:
    elsewhere = Settings(data=tmp_path, database_url="postgresql+psycopg://user:s3cret@127.0.0.1:1/fhirtwin")
    with pytest.raises(Incorrect, match="pg_dump") as backup:
        upkeep.backup(elsewhere, tmp_path / "copy")
    with pytest.raises(Incorrect, match="pg_restore") as restore:
        upkeep.restore(tmp_path / "copy", elsewhere)
    assert "s3cret" not in f"{backup.value}{restore.value}"
