"""A token is good once: for all threads, all processes and all machines together."""

from __future__ import annotations

import multiprocessing
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.store.spent_tokens import SpentTokens
from tests.api_cds.trust.conftest import EHR, make
from tests.api_cds.trust.tokens import jwks, signed

LATER = 4_000_000_000


def spend_all(settings: Settings, ids: list[str]) -> list[bool]:
    spent = SpentTokens.open(settings)
    try:
        return [spent.spend("https://ehr", one, LATER) for one in ids]
    finally:
        spent.close()


def settings_of(folder: Path, database_url: str) -> Settings:
    settings = Settings(data=folder, database_url=database_url)
    Store.open(settings).close()
    return settings


@pytest.mark.databases
def test_of_several_processes_at_once_exactly_one_has_each_token_first(tmp_path: Path, database_url: str) -> None:
    settings = settings_of(tmp_path, database_url)
    ids = [f"id-{number}" for number in range(40)]
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        told = pool.starmap(spend_all, [(settings, ids)] * 4)
    assert [sum(one) for one in zip(*told, strict=True)] == [1] * len(ids)


@pytest.mark.databases
def test_of_several_threads_at_once_exactly_one_has_each_token_first(tmp_path: Path, database_url: str) -> None:
    spent = SpentTokens.open(settings_of(tmp_path, database_url))
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: spent.spend("https://ehr", f"id-{number // 8}", LATER), range(160)))
    assert sum(told) == 20
    spent.close()


@pytest.mark.databases
def test_what_was_used_stays_used_after_a_restart(tmp_path: Path, database_url: str) -> None:
    settings = settings_of(tmp_path, database_url)
    assert spend_all(settings, ["a"]) == [True]
    assert spend_all(settings, ["a", "b"]) == [False, True]


@pytest.mark.databases
def test_a_token_is_forgotten_when_it_is_out_of_force_and_not_before(tmp_path: Path, database_url: str) -> None:
    now = [1000.0]
    spent = SpentTokens.open(settings_of(tmp_path, database_url), clock=lambda: now[0])
    assert spent.spend("i", "short", 1100)
    assert spent.spend("i", "long", 5000)
    now[0] = 1099
    assert spent.spend("i", "x", 5000) and not spent.spend("i", "short", 1100)
    now[0] = 1200
    assert spent.spend("i", "y", 5000)
    assert spent.spend("i", "short", 1100) and not spent.spend("i", "long", 5000)
    spent.close()


def test_of_many_calls_at_once_to_two_gateways_with_one_token_one_is_let_in(tmp_path: Path) -> None:
    ehr = {**EHR, "jwks": jwks()}
    gateways = [make(tmp_path, ehr), make(tmp_path, ehr)]
    for _ in range(5):
        bearer = {"Authorization": f"Bearer {signed()}"}

        def call(number: int, bearer: dict[str, str] = bearer) -> int:
            return gateways[number % 2].application.test_client().get("/cds-services", headers=bearer).status_code

        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(call, range(16)))
        assert sorted(told) == [200] + [401] * 15


def test_while_it_cannot_be_told_whether_a_token_is_new_nobody_is_let_in(tmp_path: Path) -> None:
    gateway = make(tmp_path, {**EHR, "jwks": jwks()})
    with sqlite3.connect(tmp_path / "spent-tokens.sqlite") as other:
        other.execute("DROP TABLE spent_token")
    answer = gateway.get("/cds-services", headers={"Authorization": f"Bearer {signed()}"})
    assert answer.status_code == 503


def test_issuer_and_id_do_not_run_together(tmp_path: Path) -> None:
    spent = SpentTokens.open(settings_of(tmp_path, ""))
    assert spent.spend("a b", "c", LATER) and spent.spend("a", "b c", LATER)
    spent.close()


def test_a_writer_of_resources_does_not_hold_a_call_up(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "")
    spent, store = SpentTokens.open(settings), Store.open(settings)
    with store.write():
        assert spent.spend("i", "a", LATER)
    store.close()
    spent.close()


def test_the_file_is_for_us_alone(tmp_path: Path) -> None:
    SpentTokens.open(settings_of(tmp_path, "")).close()
    assert (tmp_path / "spent-tokens.sqlite").stat().st_mode & 0o077 == 0
