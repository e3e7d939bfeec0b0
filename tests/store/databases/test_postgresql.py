"""What is PostgreSQL's own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from fhirtwin.errors import Incorrect, Unavailable
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.store.databases import engines
from fhirtwin.store.databases.limits import UPKEEP
from tests import postgresql
from tests.small_disk import small_disk
from tests.store.storing import put, takes_nothing_without_room

URL = "postgresql+psycopg://user:s3cret@{}/fhirtwin"


@pytest.fixture
def database_url(postgresql_server: postgresql.Server) -> Iterator[str]:
    with postgresql_server.database() as url:
        yield url


@pytest.mark.parametrize("setting", ["synchronous_commit", "fsync", "full_page_writes"])
def test_a_server_that_may_lose_commits_is_refused(
    settings: Settings, postgresql_server: postgresql.Server, setting: str
) -> None:
    postgresql_server.run(f"ALTER SYSTEM SET {setting} = off")
    postgresql_server.run("SELECT pg_reload_conf()")
    try:
        with pytest.raises(Unavailable, match=setting):
            Store.open(settings)
    finally:
        postgresql_server.run(f"ALTER SYSTEM RESET {setting}")
        postgresql_server.run("SELECT pg_reload_conf()")
    Store.open(settings).close()


def test_readers_cannot_write_and_see_one_moment(store: Store) -> None:
    shown = {}
    for name, engine in (("reading", store._reading), ("writing", store._writing)):
        with engine.begin() as connection:
            parameters = ("transaction_isolation", "transaction_read_only", "statement_timeout", "plan_cache_mode")
            shown[name] = [connection.exec_driver_sql(f"SHOW {parameter}").scalar() for parameter in parameters]
    assert shown == {
        "reading": ["repeatable read", "on", "5s", "force_custom_plan"],
        "writing": ["read committed", "off", "5s", "auto"],
    }


def test_every_text_compares_by_code_point_whatever_the_database_speaks(store: Store) -> None:
    with store._reading.begin() as connection:
        found = connection.exec_driver_sql(
            "SELECT DISTINCT collation_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND data_type IN ('text', 'character varying')"
        )
        assert found.scalars().all() == ["C"]


def test_a_server_that_went_away_is_unavailable_and_used_again_when_it_is_back(
    store: Store, postgresql_server: postgresql.Server
) -> None:
    put(store)
    store.ready()
    postgresql_server.stop()
    try:
        for ask in (store.ready, lambda: store.read("Patient", "p"), lambda: put(store, "q")):
            with pytest.raises(Unavailable):
                ask()
    finally:
        postgresql_server.start()
    store.ready()
    put(store, "q")
    assert store.read("Patient", "p") is not None


def test_a_connection_that_breaks_in_a_transaction_leaves_nothing_and_the_next_one_is_new(
    store: Store, postgresql_server: postgresql.Server
) -> None:
    def broken() -> None:
        with store.write() as write:
            put_in = write.read("Patient", "p")
            assert put_in is None
            postgresql_server.restart()
            write.read("Patient", "p")

    with pytest.raises(Unavailable):
        broken()
    put(store)
    assert store.read("Patient", "p") is not None


def test_a_tablespace_without_room_takes_nothing_more_until_there_is_room_and_reads_go_on(
    postgresql_server: postgresql.Server, tmp_path: Path
) -> None:
    folder = postgresql_server.folder
    with small_disk(folder.with_name(f"{folder.name}-small"), folder.stat().st_uid) as disk:
        postgresql_server.run(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(str(disk)))
        try:
            with postgresql_server.database(tablespace="small") as url:
                takes_nothing_without_room(Settings(data=tmp_path, database_url=url), disk)
        finally:
            postgresql_server.run("DROP TABLESPACE small")


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg2://h/d", "postgresql+pg8000://h/d", "postgresql+none://h/d", "postgres://h/d"]
)
def test_another_driver_is_refused(url: str) -> None:
    with pytest.raises(Incorrect, match="FHIRTWIN_DATABASE_URL"):
        Store.open(Settings(database_url=url))


@pytest.mark.parametrize("host", ["db.example", "10.1.2.3", "[fd00::1]"])
def test_a_server_on_a_network_needs_a_word_about_its_protection(host: str) -> None:
    with pytest.raises(Incorrect, match="sslmode"):
        engines.make(Settings(database_url=URL.format(host)), UPKEEP)
    engines.make(Settings(database_url=URL.format(host) + "?sslmode=verify-full"), UPKEEP)


@pytest.mark.parametrize("host", ["", "localhost", "127.0.0.1:5432", "[::1]"])
def test_a_server_on_this_machine_needs_none(host: str) -> None:
    engines.make(Settings(database_url=URL.format(host)), UPKEEP)


@pytest.mark.parametrize(
    "url",
    [
        URL.format("127.0.0.1:1"),
        URL.format("db.example"),
        "postgresql+psycopg://user@127.0.0.1:1/fhirtwin?password=s3cret",
        "nonsense:s3cret@",
    ],
)
def test_the_password_is_told_nowhere(url: str, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(database_url=url)
    with caplog.at_level(logging.DEBUG), pytest.raises((Incorrect, Unavailable)) as raised:
        Store.open(settings)
    told = "".join([str(raised.value), repr(raised.value.issues), repr(settings), caplog.text])
    assert "s3cret" not in told


def test_whoever_starts_a_gateway_is_told_which_database_does_not_answer() -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1, database fhirtwin, user user"):
        Store.open(Settings(database_url=URL.format("127.0.0.1:1")))
