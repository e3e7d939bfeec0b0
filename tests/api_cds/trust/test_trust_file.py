"""The file of the EHRs: what it may say, how it is written, and when it is looked at again."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fhirtwin.api.cds.trust import clients, trust_file
from fhirtwin.api.cds.trust.trust_file import TrustFile
from fhirtwin.cli import main
from fhirtwin.errors import Incorrect, Unavailable
from fhirtwin.settings import Settings
from tests.api_cds.trust.conftest import EHR, make, write
from tests.api_cds.trust.tokens import JKU, ec_jwk, jwks, rsa_jwk, signed


def run(*words: str | Path, **env: str) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], env=env)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"name": ...}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "../x"}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"iss": ...}, "iss"),
        ({"iss": ""}, "iss"),
        ({"iss": 7}, "iss"),
        ({"iss": "a\nb"}, "iss"),
        ({"jku": JKU}, "jku"),
        ({"jku": ["http://ehr.example.org/jwks"]}, "jku[0]"),
        ({"jku": ["http://127.0.0.1/jwks"]}, "jku[0]"),
        ({"jku": [JKU, "https://u@ehr.example.org/x"]}, "jku[1]"),
        ({"jku": ["https://ehr.example.org/x?y"]}, "jku[0]"),
        ({"jku": ["*"]}, "jku[0]"),
        ({"jku": []}, "no keys"),
        ({"jwks": {"keys": []}}, "jwks"),
        ({"jwks": {"keys": [rsa_jwk(bits=1024)]}}, "jwks"),
        ({"jwks": {"keys": [ec_jwk(d="AAAA")]}}, "jwks"),
        ({"jwks": [ec_jwk()]}, "jwks"),
        ({"tenants": "x"}, "tenants"),
        ({"tenants": [1]}, "tenants[0]"),
        ({"tenants": [""]}, "tenants[0]"),
        ({"fhir_servers": ["http://ehr.example.org/fhir"]}, "fhir_servers[0]"),
        ({"fhir_servers": ["https://*.example.org"]}, "fhir_servers[0]"),
        ({"origins": ["*"]}, "origins[0]"),
        ({"origins": ["null"]}, "origins[0]"),
        ({"origins": ["https://ehr.example.org/"]}, "origins[0]"),
        ({"origins": ["http://ehr.example.org"]}, "origins[0]"),
        ({"private_network": "yes"}, "private_network"),
        ({"stored_patients": 1}, "stored_patients"),
        ({"jkus": []}, "jkus is not known"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_by_its_place(changes: dict[str, Any], place: str) -> None:
    given = {name: value for name, value in {**EHR, **changes}.items() if value is not ...}
    with pytest.raises(Incorrect) as caught:
        clients.read(given, "clients[0]")
    assert place in str(caught.value) and "clients[0]" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"clients": {}}',
        '{"clients": [1]}',
        '{"clients": [], "x": 1}',
        '{"clients": [], "clients": []}',
    ],
)
def test_a_file_that_is_not_as_it_must_be_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "trust.json").write_text(text)
    (tmp_path / "trust.json").chmod(0o600)
    with pytest.raises(Incorrect, match=r"trust\.json"):
        TrustFile(tmp_path / "trust.json")


@pytest.mark.parametrize("same", ["name", "iss"])
def test_two_clients_of_one_name_or_issuer_are_refused(tmp_path: Path, same: str) -> None:
    write(tmp_path, EHR, {**EHR, "name": "b", "iss": "https://b", same: EHR[same]})
    with pytest.raises(Incorrect, match=rf"clients\[1\]\.{same}"):
        trust_file.read(tmp_path / "trust.json")


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    write(tmp_path, EHR)
    (tmp_path / "trust.json").chmod(mode)
    with pytest.raises(Incorrect, match="chmod 600"):
        trust_file.read(tmp_path / "trust.json")


def test_a_file_that_a_setting_names_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(Incorrect, match="does not exist"):
        make(tmp_path, EHR, trust_file=str(tmp_path / "other.json"))


def test_a_change_counts_at_the_next_call_without_a_restart(tmp_path: Path) -> None:
    client = make(tmp_path)

    def asked() -> int:
        return client.get("/cds-services", headers={"Authorization": f"Bearer {signed()}"}).status_code

    assert asked() == 401
    write(tmp_path, {**EHR, "jwks": jwks()})
    assert asked() == 200
    write(tmp_path, {**EHR, "jwks": {"keys": [rsa_jwk()]}})
    assert asked() == 401
    write(tmp_path, {**EHR, "jwks": jwks()})
    assert asked() == 200
    (tmp_path / "trust.json").unlink()
    assert asked() == 401


def test_while_a_changed_file_cannot_be_read_no_ehr_is_let_in_and_the_local_token_is(tmp_path: Path) -> None:
    client = make(tmp_path, {**EHR, "jwks": jwks()})
    (tmp_path / "trust.json").write_text("{")
    answer = client.get("/cds-services", headers={"Authorization": f"Bearer {signed()}"})
    assert answer.status_code == 503
    local = {"Authorization": f"Bearer {(tmp_path / 'token').read_text().strip()}"}
    assert client.get("/cds-services", headers=local).status_code == 200
    with pytest.raises(Unavailable):
        raise_if_broken(tmp_path)


def raise_if_broken(folder: Path) -> None:
    write(folder, EHR)
    held = TrustFile(folder / "trust.json")
    assert [client.name for client in held.clients().all] == ["main"]
    (folder / "trust.json").write_text("[]")
    held.clients()


def test_register_list_and_remove(tmp_path: Path) -> None:
    words = ("ehr", "register", "main", "--iss", EHR["iss"], "--jku", JKU, "--data", tmp_path)
    told = run(*words, "--tenant", "north", "--fhir-server", EHR["fhir_servers"][0], "--private-network")
    assert told.exit_code == 0, told.output
    path = tmp_path / "trust.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["clients"] == [
        {
            "name": "main",
            "iss": EHR["iss"],
            "jku": [JKU],
            "tenants": ["north"],
            "fhir_servers": EHR["fhir_servers"],
            "private_network": True,
        }
    ]
    assert json.loads(run("ehr", "list", "--data", tmp_path).stdout)["name"] == "main"
    assert run(*words).exit_code == 1
    assert run(*words, "--replace").exit_code == 0
    assert "tenants" not in json.loads(path.read_text())["clients"][0]
    assert run("ehr", "remove", "other", "--data", tmp_path).exit_code == 1
    assert run("ehr", "remove", "main", "--data", tmp_path).exit_code == 0
    assert trust_file.read(path).all == ()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["trust.json"]


def test_register_with_keys_from_a_file_and_in_a_file_that_a_setting_names(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(jwks()))
    path = tmp_path / "sub" / "trust.json"
    words = ("ehr", "register", "main", "--iss", "https://x", "--jwks", tmp_path / "keys.json", "--data", tmp_path)
    told = run(*words, FHIRTWIN_TRUST_FILE=str(path))
    assert told.exit_code == 0, told.output
    assert trust_file.read(path).all[0].keys.keys() == {"ec", "rsa"}
    assert Settings(trust_file=str(path)).trust_path == path


@pytest.mark.parametrize(
    "more", [["--jku", "http://ehr.example.org/x"], [], ["--jku", JKU, "--origin", "*"], ["--jwks", __file__]]
)
def test_what_cannot_be_registered_is_told_and_the_file_stays(tmp_path: Path, more: list[str]) -> None:
    write(tmp_path, EHR)
    before = (tmp_path / "trust.json").read_bytes()
    told = run("ehr", "register", "second", "--iss", "https://x", *more, "--data", tmp_path)
    assert told.exit_code == 1 and told.stderr
    assert isinstance(told.exception, SystemExit)
    assert (tmp_path / "trust.json").read_bytes() == before
    assert len(os.listdir(tmp_path)) == 1  # noqa: PTH208


def test_several_that_register_at_once_are_all_registered(tmp_path: Path) -> None:
    def register(number: int) -> None:
        with trust_file.changing(tmp_path / "trust.json") as known:
            known.append(clients.read({**EHR, "name": f"e{number}", "iss": f"https://e{number}"}, "EHR"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(register, range(24)))
    assert len(trust_file.read(tmp_path / "trust.json").all) == 24
