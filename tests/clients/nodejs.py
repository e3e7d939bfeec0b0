"""Packages of npm that tests use: installed by `make test` where npm is, else the tests skip and say so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


def require(folder: Path, package: str) -> Path:
    """The folder of an installed package; a skip that says how to get it when it is not there."""
    found = folder / "node_modules" / package
    if shutil.which("node") is None:
        pytest.skip(f"no Node.js here, which {package} needs (Debian: nodejs npm)")
    if not found.is_dir():
        pytest.skip(f"{package} is not installed; run `npm ci` in {folder}")
    return found
