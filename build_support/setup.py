#!/usr/bin/env python3
"""Make `.venv` and install fhirtwin into it, from nothing but Python, a C++ compiler and a package index.

    python3 build_support/setup.py run     what serving needs (builds Pyfhel once, some minutes)
    python3 build_support/setup.py test    and what tests need
    python3 build_support/setup.py bench   and what benchmarks compare with, where it can be had
    python3 build_support/setup.py lint    and what linting needs

Standard library only: nothing is installed yet when it runs.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import extras

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PIP = (str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input")
LOG = VENV / "install.log"
PYFHEL = "pyfhel==3.5.0"
SPINNER = "|/-\\"
DEBIAN = "sudo apt-get install python3-venv python3-dev g++ make"


def main() -> None:
    """Install one of the four sets and leave a stamp that `make` looks at."""
    wanted = sys.argv[1] if len(sys.argv) == 2 else ""
    if wanted not in ("run", "test", "bench", "lint"):
        sys.exit(str(__doc__))
    if wanted == "run":
        check_machine()
        make_venv()
        step("tools", [*PIP, "install", "--upgrade", "pip>=25.1"])
        step(
            "Pyfhel with Microsoft SEAL, built from source (about 4 minutes on 2 cores, only once)",
            [*PIP, "install", PYFHEL],
            # For this call alone: a toolchain file in the environment would reach every other CMake build too.
            {"CMAKE_TOOLCHAIN_FILE": str(ROOT / "build_support" / "seal-offline.cmake")},
        )
        step("fhirtwin", [*PIP, "install", "--editable", str(ROOT)])
    elif wanted == "bench":
        if not extras.attempt("TenSEAL, to compare with", of_group(wanted), ROOT):
            return  # benchmarks run without it, and say so; the next time it is tried again
    else:
        step(f"what {wanted} needs", of_group(wanted))
    if wanted == "test":
        extras.main()
    (VENV / f".{wanted}").touch()


def of_group(name: str) -> list[str]:
    """Install a dependency group of `pyproject.toml`."""
    return [*PIP, "install", "--group", f"{ROOT / 'pyproject.toml'}:{name}"]


def check_machine() -> None:
    """Stop with the name of what is missing and how to get it."""
    missing = []
    if not (3, 11) <= sys.version_info[:2] <= (3, 12):
        missing.append(
            f"Python 3.11 or 3.12 (this is {sys.version.split()[0]}; name another: make PYTHON=python3.11 ...)"
        )
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        missing.append("Python's venv module (Debian: python3-venv)")
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        missing.append("Python's headers (Debian: python3-dev)")
    if shutil.which(os.environ.get("CXX", "g++")) is None:
        missing.append("a C++ compiler, g++ (Debian: g++), to build Pyfhel")
    if missing:
        sys.exit(
            "fhirtwin cannot be installed here. Missing:\n  - " + "\n  - ".join(missing) + f"\nOn Debian: {DEBIAN}"
        )


def make_venv() -> None:
    """Make `.venv`, unless a usable one is there."""
    if not (VENV / "bin" / "python").exists():
        print("making .venv", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)


def step(title: str, command: list[str], env: dict[str, str] | None = None) -> None:
    """Run `command`, showing that it is alive; on failure show the end of its log and stop."""
    start = time.monotonic()
    live = sys.stdout.isatty()
    with LOG.open("ab") as log:
        log.write(f"\n== {title}\n".encode())
        log.flush()
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
        if not live:
            print(f"installing {title} ...", flush=True)
        told = start
        while process.poll() is None:
            time.sleep(0.2)
            now = time.monotonic()
            if live:
                print(f"\r\033[Kinstalling {title} {SPINNER[int(now * 5) % 4]} {now - start:.0f} s", end="", flush=True)
            elif now - told >= 30:
                told = now
                print(f"  ... {now - start:.0f} s", flush=True)
    done = f"installed {title}: {time.monotonic() - start:.0f} s"
    if process.returncode:
        tail = "\n".join(LOG.read_text(errors="replace").splitlines()[-25:])
        sys.exit(f"\n{tail}\n\nInstalling {title} failed; the whole log is {LOG}.")
    print(f"\r\033[K{done}" if live else done, flush=True)


if __name__ == "__main__":
    main()
