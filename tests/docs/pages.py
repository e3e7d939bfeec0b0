"""Pages whose code and commands are run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import ROOT

ENGINE_IS_UP = {"fhirtwin engine": "for i in $(seq 300); do [ -S engine.sock ] && break; sleep 0.1; done\n"}
"""What waits for an engine whose socket is engine.sock, behind the command that starts it."""


def run_code(page: Path) -> None:
    """Run the Python of one of our own pages from above to below, as somebody would who follows it."""
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert blocks
    exec(compile("\n".join(blocks), page.name, "exec"), {})  # noqa: S102 - our own page


def environment(folder: Path) -> dict[str, str]:
    """That of a shell in which `fhirtwin` is ours, and in which nothing is set of whoever runs the tests."""
    shim = folder / "bin" / "fhirtwin"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m fhirtwin "$@"\n')
    shim.chmod(0o755)
    found = {name: text for name, text in os.environ.items() if not name.startswith("FHIRTWIN_")}
    return found | {"PATH": f"{shim.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def run_commands(commands: str, folder: Path, waits: Mapping[str, str]) -> str:
    """What a shell told that ran the commands to their end in a folder which has our fixtures.

    Args:
        commands: of a page; those that go on in the background are ended at the end.
        waits: what is run behind a command that starts so.
    """
    script = ["set -e", "trap 'kill $(jobs -p); wait' EXIT"]
    for line in re.split(r"(?<!\\)\n", commands):
        script += [line, *(wait for start, wait in waits.items() if line.startswith(start))]
    (folder / "fixtures").symlink_to(ROOT / "fixtures")
    run = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    told = run.stdout + run.stderr
    assert run.returncode == 0, told
    return told
