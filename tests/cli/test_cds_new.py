"""What `fhirtwin cds new` makes runs, passes its own test, and is found under its entry point."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhirtwin.api.cds.hooks import HOOKS
from fhirtwin.api.cds.service import Service
from fhirtwin.api.cds.services import registry
from fhirtwin.cli import main
from tests.conftest import ROOT


def new(folder: Path, name: str, hook: str) -> Path:
    run = CliRunner().invoke(main, ["cds", "new", name, "--hook", hook, "--into", str(folder)])
    assert run.exit_code == 0, run.output
    return folder / name


@pytest.mark.parametrize("hook", [*HOOKS, "org.example.chart-closed"])
def test_a_new_service_passes_the_gate_for_every_hook_and_its_test_passes(
    tmp_path: Path, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"made-for-{hook.replace('.', '-')}"
    folder = new(tmp_path, name, hook)
    monkeypatch.syspath_prepend(str(folder))
    group = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"][registry.GROUP]
    service = EntryPoint(name, group[name], registry.GROUP).load()
    assert isinstance(service, Service)
    assert registry.admit([service])[name].hooks == (hook,)
    space: dict[str, object] = {}
    exec((folder / "tests" / f"test_{name.replace('-', '_')}.py").read_text(), space)  # noqa: S102
    tests = [test for at, test in space.items() if at.startswith("test_") and callable(test)]
    assert len(tests) == 2
    for test in tests:
        test()


def test_its_test_runs_by_the_command_that_is_printed(tmp_path: Path) -> None:
    folder = new(tmp_path, "reach-the-patient", "order-sign")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed" in run.stdout


@pytest.mark.parametrize(
    "name", ["", "Upper", "-a", "a--b", "a_b", "../a", "a/b", "json", "class", "fhirtwin", "a" * 51]
)
def test_a_name_that_cannot_be_used_is_refused_and_nothing_is_made(tmp_path: Path, name: str) -> None:
    run = CliRunner().invoke(main, ["cds", "new", "--hook", "patient-view", "--into", str(tmp_path), "--", name])
    assert run.exit_code == 1
    assert "NAME must be" in run.output
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_hook_is_refused_with_those_there_are(tmp_path: Path) -> None:
    run = CliRunner().invoke(main, ["cds", "new", "a", "--hook", "patient-veiw", "--into", str(tmp_path)])
    assert run.exit_code == 1
    assert "patient-view, order-select" in run.output


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    folder = new(tmp_path, "mine", "patient-view")
    (folder / "mine" / "__init__.py").write_text("# my work\n")
    run = CliRunner().invoke(main, ["cds", "new", "mine", "--hook", "patient-view", "--into", str(tmp_path)])
    assert run.exit_code == 1 and "is there already" in run.output
    assert (folder / "mine" / "__init__.py").read_text() == "# my work\n"


def test_what_is_printed_and_written_says_that_pytest_is_to_be_installed(tmp_path: Path) -> None:
    run = CliRunner().invoke(main, ["cds", "new", "a-b", "--hook", "order-sign", "--into", str(tmp_path)])
    assert "pip install pytest" in run.output
    assert "pip install pytest" in (tmp_path / "a-b" / "README.md").read_text()
