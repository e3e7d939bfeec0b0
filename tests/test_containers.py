"""What the images would run is run here, without a container engine, and the files are held against each other."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import yaml
from click.testing import CliRunner

from fhirtwin import keyfile
from fhirtwin.api.ui import bundle
from fhirtwin.cli import main
from fhirtwin.machine import free_port
from tests.conftest import ROOT
from tests.roads.gateway import FHIR, maria, ready, running

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())


def _json_instruction(target: str, name: str) -> list[str]:
    stage = re.split(r"^FROM ", DOCKERFILE.partition(f" AS {target}\n")[2], flags=re.MULTILINE)[0]
    found = re.search(rf"^{name} (\[.*\])$", stage, flags=re.MULTILINE)
    assert found, (target, name)
    return list(json.loads(found[1]))


def test_images_have_the_targets_that_compose_builds() -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, flags=re.MULTILINE)
    assert {service["build"]["target"] for service in COMPOSE["services"].values()} <= set(stages)
    assert set(COMPOSE["services"]) == {"gateway", "engine"}


def test_nothing_runs_as_root_and_pins_agree() -> None:
    assert DOCKERFILE.index("USER 10001") < DOCKERFILE.index("AS engine")
    pinned = re.search(r"pyfhel==[\d.]+", DOCKERFILE)
    assert pinned and f'"{pinned[0]}"' in (ROOT / "pyproject.toml").read_text()


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, flags=re.MULTILINE):
        for name in line.split():
            assert (ROOT / name).exists(), name
            assert any(
                name.rstrip("/") == kept[1:] or name.startswith(kept[1:] + "/") for kept in ignored if kept[0] == "!"
            )


def test_the_image_builds_the_page_of_patients_as_it_is_built_here(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("no Node.js with npm here (Debian: nodejs npm)")
    (command,) = re.findall(r"^RUN (npm ci && .*)$", DOCKERFILE, flags=re.MULTILINE)
    (target,) = re.findall(r"^COPY --from=browser (\S+) fhirtwin/api/ui/built$", DOCKERFILE, flags=re.MULTILINE)
    shutil.copytree(ROOT / "browser", tmp_path / "browser", ignore=shutil.ignore_patterns("node_modules"))
    here = command.replace(target, str(tmp_path / "built"))
    subprocess.run(["sh", "-c", here], cwd=tmp_path / "browser", check=True, capture_output=True, timeout=120)
    built = bundle.find(tmp_path / "built")
    assert built and {"page.js", "node-seal/seal_throws.wasm", "node-seal/LICENSE.txt"} <= built.files


def test_no_artefact_of_others_is_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"/browser/node_modules/", "/fhirtwin/api/ui/built/"} <= set(ignored)
    # What is no repository holds nothing that was committed.
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert not [name for name in listed.stdout.splitlines() if "node_modules" in name or name.endswith(".wasm")]


def test_compose_gives_the_engine_no_data_and_no_way_out() -> None:
    engine = COMPOSE["services"]["engine"]
    assert "volumes" not in engine and "environment" not in engine and engine["networks"] == ["sealed"]
    assert COMPOSE["networks"]["sealed"] == {"internal": True}


def test_compose_names_only_settings_that_exist() -> None:
    from dataclasses import fields

    from fhirtwin.settings import Settings

    known = {f"FHIRTWIN_{field.name.upper()}" for field in fields(Settings)}
    assert set(COMPOSE["services"]["gateway"]["environment"]) <= known


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key file and certificate, made as the compose file's comment says."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("secrets")
    keyfile.make(folder / "engine-key")
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(folder / "engine-cert-key"), "-out", str(folder / "engine-cert")),
        ],
        check=True,
        capture_output=True,
    )
    return folder


def test_gateway_serves_tls_itself(secrets: Path, tmp_path: Path) -> None:
    cert, key = str(secrets / "engine-cert"), str(secrets / "engine-cert-key")
    with running(tmp_path / "data", "--tls-cert", cert, "--tls-key", key) as gateway:
        assert gateway.base.startswith("https://127.0.0.1:")
        record = tmp_path / "maria.json"
        record.write_text(maria())
        options = ["load", str(record), "--data", str(gateway.data)]
        assert CliRunner().invoke(main, options).exit_code == 1, "an unknown authority is not trusted"
        loaded = CliRunner().invoke(main, [*options, "--ca-file", cert])
        assert loaded.exit_code == 0, loaded.output


def test_entry_points_of_both_images_work_together_over_tls(secrets: Path, tmp_path: Path) -> None:
    port = free_port("127.0.0.1")
    command = _json_instruction("engine", "ENTRYPOINT") + _json_instruction("engine", "CMD")
    command = [
        part.replace("/run/secrets", str(secrets)).replace("0.0.0.0:8444", f"127.0.0.1:{port}") for part in command
    ]
    command[0] = str(Path(sys.executable).parent / command[0])
    options = _json_instruction("gateway", "CMD")
    options = options[: options.index("--port")] + options[options.index("--data") + 2 :]
    options[options.index("0.0.0.0")] = "127.0.0.1"  # noqa: S104
    env = {
        "FHIRTWIN_BASE_URL": "https://twin.example.org/fhir",
        "FHIRTWIN_ENGINE_URL": f"https://localhost:{port}",
        "FHIRTWIN_ENGINE_KEY_FILE": str(secrets / "engine-key"),
        "FHIRTWIN_ENGINE_CA_FILE": str(secrets / "engine-cert"),
    }
    engine = subprocess.Popen(command, env={"PATH": os.environ["PATH"]}, stderr=subprocess.DEVNULL)
    try:
        with running(tmp_path / "data", *options, env=env) as gateway:
            gateway.http.headers["Authorization"] = f"Bearer {keyfile.read(gateway.data / 'token')}"
            ready(gateway)
            patient = gateway.post_record(maria())
            bundle = gateway.http.get(f"{gateway.base}/Patient/{patient}/$assess").json()
            assert [e["resource"]["resourceType"] for e in bundle["entry"]].count("RiskAssessment") == 2
            refused = requests.get(f"{gateway.base}/Patient/{patient}", headers={"Accept": FHIR}, timeout=5)
            assert refused.status_code == 401
    finally:
        engine.terminate()
        engine.wait(timeout=10)
