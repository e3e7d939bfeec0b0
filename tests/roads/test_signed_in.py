"""Without `--open` every request needs the token of the data folder; health pages do not."""

from __future__ import annotations

import html
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from fhirtwin.cli import main
from fhirtwin.loading import Gateway
from tests.roads.gateway import Running, maria, ready, running
from tests.roads.test_broken_engine import engine_pids


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


def test_the_sandbox_is_there_for_who_signs_in_with_the_token_and_fires_in_their_name(closed: Running) -> None:
    token = (closed.data / "token").read_text().strip()
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    posted = requests.post(closed.base, data=maria().encode(), headers=sent, timeout=30)
    assert posted.status_code == 200, posted.text
    assert requests.get(f"{closed.host}/sandbox", timeout=5).status_code == 401
    for bearer in (True, False):
        with requests.Session() as browser:
            if bearer:
                browser.headers["Authorization"] = f"Bearer {token}"
            else:
                browser.auth = ("anybody", token)
            listed = browser.get(f"{closed.host}/sandbox", params={"name": "keller"}, timeout=5)
            found = re.search(r'href="(/sandbox/patient/[^"]+)"', listed.text)
            assert found and "Maria" in listed.text
            page = f"{closed.host}{found[1]}/twin-patient-view/patient-view"
            form = _form(browser.get(page, timeout=10).text, "token")
            form["request"] = html.unescape(
                _found(r"<textarea[^>]*>\n(.*?)</textarea>", browser.get(page, timeout=10).text)
            )
            fired = browser.post(page, data=form, headers={"Origin": closed.host}, timeout=30)
            assert fired.status_code == 200 and ("2 cards" if bearer else "1 card") in fired.text, fired.text
            assert token not in fired.text
            told = _form(fired.text, "token", "request", "response")
            told["act"] = _found(r'value="(overridden [^"]+)"', fired.text)
            kept = browser.post(f"{page}/feedback", data=told, headers={"Origin": closed.host}, timeout=30)
            assert "The feedback was kept" in kept.text
            other = browser.post(page, data=form, headers={"Origin": "https://evil.example"}, timeout=30)
            assert other.status_code == 403


def _form(page: str, *names: str) -> dict[str, str]:
    return {
        name: html.unescape(_found(rf'<input type="hidden" name="{name}" value="([^"]*)">', page)) for name in names
    }


def _found(pattern: str, page: str) -> str:
    found = re.search(pattern, page, re.S)
    assert found, page
    return found[1]


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


def test_the_process_that_holds_keys_can_leave_no_core(closed: Running) -> None:
    parent = closed.process.pid
    children = {int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()}
    workers = children - set(engine_pids(closed))
    assert workers
    for worker in workers:
        limits = Path(f"/proc/{worker}/limits").read_text().splitlines()
        assert [line.split()[4:6] for line in limits if line.startswith("Max core file size")] == [["0", "0"]]


def test_no_secret_is_in_the_command_lines_the_environment_or_the_log(closed: Running) -> None:
    requests.get(f"{closed.base}/Patient?name=Verysecretname", timeout=5)
    Gateway.of(closed.data).call("GET", "/Patient?name=Verysecretname&foo=Verysecretname")
    pids = [closed.process.pid, *engine_pids(closed)]
    shown = b"".join(Path(f"/proc/{pid}/{file}").read_bytes() for pid in pids for file in ("cmdline", "environ"))
    shown += closed.log.read_bytes() + (closed.data / "running.json").read_bytes()
    assert b"callers need the token in" in shown
    for name in ("token", "engine.key"):
        assert (closed.data / name).read_bytes().strip() not in shown
    assert b"Verysecretname" not in shown
