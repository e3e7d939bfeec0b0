#!/usr/bin/env python3
"""What some tests need and a machine may lack: packages of npm, and a browser. Without them those tests skip.

Nothing here fails and nothing takes long: what cannot be had is named, and the tests say so again.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = ROOT / ".venv" / "chromium"
LOG = ROOT / ".venv" / "extras.log"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SECONDS = 180


def main() -> None:
    """Get what there is to be had."""
    LOG.parent.mkdir(exist_ok=True)
    npm = shutil.which("npm") is not None and shutil.which("node") is not None
    if not npm:
        print("no Node.js with npm here: tests with clients from npm will skip (Debian: nodejs npm)", flush=True)
    for package in sorted(path.parent for path in (ROOT / "tests").glob("*/**/package.json")):
        if npm and "node_modules" not in package.parts:
            attempt(f"packages of {package.relative_to(ROOT)}", ["npm", "ci"], package)
    if not has_browser():
        get_browser(npm=npm)


def has_browser() -> bool:
    """Whether there is one that tests would find."""
    return bool(os.environ.get("CHROMIUM")) or any(map(shutil.which, BROWSERS)) or (CHROMIUM / "chromium").exists()


def get_browser(*, npm: bool) -> None:
    """Take one from npm, which touches nothing outside `.venv`; else from Debian, where this may be done."""
    here = ROOT / "build_support" / "chromium"
    if npm and platform.machine() == "x86_64" and platform.system() == "Linux":
        CHROMIUM.mkdir(exist_ok=True)
        if attempt("a browser for tests", ["npm", "ci"], here) and attempt(
            "the browser, unpacked", ["node", "unpack.mjs"], here, {"TMPDIR": str(CHROMIUM)}
        ):
            return
    if shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]
        if attempt("package lists", ["apt-get", "update"], ROOT, quiet) and attempt("Chromium", install, ROOT, quiet):
            return
    print("no Chromium here: tests of pages will skip (Debian: apt-get install chromium)", flush=True)


def attempt(title: str, command: list[str], folder: Path, env: dict[str, str] | None = None) -> bool:
    """Run a command and say how it went; its output goes to the log."""
    with LOG.open("ab") as log:
        log.write(f"\n== {title}\n".encode())
        log.flush()
        try:
            subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            print(f"did not get {title} ({type(error).__name__}; more in {LOG})", flush=True)
            return False
    print(f"got {title}", flush=True)
    return True


if __name__ == "__main__":
    main()
