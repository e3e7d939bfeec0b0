"""Without `--open` every request needs the token of the data folder; health pages do not."""

from __future__ import annotations

import stat
from collections.abc import Iterator

import pytest
import requests
from click.testing import CliRunner

from fhirtwin.cli import main
from fhirtwin.loading import Gateway
from tests.roads.gateway import Running, maria, ready, running


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("closed") / "data", "--host", "127.0.0.1") as started:
        ready(started)
        yield started


@pytest.mark.parametrize("path", ["/fhir/metadata", "/fhir/Patient/1", "/cds-services", "/nowhere"])
@pytest.mark.parametrize("header", [None, "Bearer ", "Bearer wrong", "Basic dG9rZW4=", "Bearer " + "0" * 64])
def test_requests_without_the_token_are_401(closed: Running, path: str, header: str | None) -> None:
    answer = requests.get(closed.host + path, headers={"Authorization": header} if header else {}, timeout=5)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_health_needs_no_token(closed: Running) -> None:
    assert requests.get(f"{closed.host}/health/ready", timeout=5).json()["checks"] == {
        "store": "ready",
        "engine": "ready",
    }


def test_secrets_are_private_and_the_command_line_uses_them(
    closed: Running, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in ("token", "engine.key"):
        assert stat.S_IMODE((closed.data / name).stat().st_mode) == 0o600
    file = tmp_path_factory.mktemp("record") / "maria.json"
    file.write_text(maria())
    loaded = CliRunner().invoke(main, ["load", str(file), "--data", str(closed.data)])
    assert loaded.exit_code == 0, loaded.output
    found = Gateway.of(closed.data).call("GET", "/Patient?name=keller").json()
    patient = found["entry"][0]["resource"]["id"]
    assessed = CliRunner().invoke(main, ["assess", patient, "--data", str(closed.data), "--store"])
    assert assessed.exit_code == 0, assessed.output
    assert '"RiskAssessment"' in assessed.output
    wrong = CliRunner().invoke(main, ["assess", "nobody", "--data", str(closed.data)])
    assert wrong.exit_code == 1
    assert "404" in wrong.output


def test_backup_of_a_running_gateway_restores_into_an_empty_folder(
    closed: Running, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("backup")
    run = CliRunner().invoke
    assert run(main, ["backup", str(folder / "copy"), "--data", str(closed.data)]).exit_code == 0
    assert run(main, ["restore", str(folder / "copy"), "--data", str(folder / "new")]).exit_code == 0
    assert run(main, ["restore", str(folder / "copy"), "--data", str(folder / "new")]).exit_code == 1
    assert run(main, ["db", "upgrade", "--data", str(folder / "new")]).exit_code == 0
    with running(folder / "new") as second:
        before = Gateway.of(closed.data).call("GET", "/Patient").json()["total"]
        assert second.http.get(f"{second.base}/Patient").json()["total"] == before > 0
