"""Setting up on a machine that lacks something says what, and how to get it, before anything is made."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

SCRIPT = ROOT / "build_support" / "setup.py"


def _setup(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={"PATH": path}, check=False, timeout=60)


def test_a_missing_compiler_is_named_with_its_remedy(tmp_path: Path) -> None:
    run = _setup("run", path=str(tmp_path))
    assert run.returncode == 1
    assert "a C++ compiler, g++" in run.stderr
    assert "apt-get install" in run.stderr


def test_an_unknown_set_is_answered_with_the_usage(tmp_path: Path) -> None:
    run = _setup("everything", path=str(tmp_path))
    assert run.returncode == 1
    assert "what serving needs" in run.stderr


def test_what_tests_can_do_without_is_named_and_stops_nothing(tmp_path: Path) -> None:
    there = tmp_path / "build_support" / "extras.py"
    there.parent.mkdir()
    shutil.copy(SCRIPT.with_name("extras.py"), there)
    command = [sys.executable, str(there)]
    run = subprocess.run(command, capture_output=True, text=True, env={"PATH": str(tmp_path)}, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "no Node.js with npm here" in run.stdout
    assert "no Chromium here" in run.stdout


def test_without_npm_the_page_of_patients_is_named_and_stops_nothing(tmp_path: Path) -> None:
    there = tmp_path / "build_support" / "browser.py"
    there.parent.mkdir()
    shutil.copy(SCRIPT.with_name("browser.py"), there)
    shutil.copytree(ROOT / "browser", tmp_path / "browser", ignore=shutil.ignore_patterns("node_modules"))
    command = [sys.executable, str(there)]
    run = subprocess.run(command, capture_output=True, text=True, env={"PATH": str(tmp_path)}, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "/my-twin is not built" in run.stdout and "nodejs npm" in run.stdout


def test_benchmarks_do_without_what_they_compare_with(tmp_path: Path) -> None:
    (tmp_path / "build_support").mkdir()
    (tmp_path / ".venv").mkdir()
    for script in (SCRIPT, SCRIPT.with_name("extras.py")):
        shutil.copy(script, tmp_path / "build_support")
    command = [sys.executable, str(tmp_path / "build_support" / "setup.py"), "bench"]
    run = subprocess.run(command, capture_output=True, text=True, env={"PATH": ""}, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "did not get TenSEAL" in run.stdout
    assert not (tmp_path / ".venv" / ".bench").exists()
