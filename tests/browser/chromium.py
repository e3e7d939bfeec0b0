"""Which browser tests drive, and how to get one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from tests.conftest import ROOT

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FETCHED: Final = ROOT / ".venv" / "chromium"
"""Where `make test` puts one, on a machine that has none and lets it."""

MISSING: Final = "no Chromium here (Debian: apt-get install chromium; or name one in CHROMIUM): pages are not tried"


def find() -> Path | None:
    """The browser named by `CHROMIUM`, that of the machine, or the one that was fetched."""
    named = os.environ.get("CHROMIUM", "")
    found = named or next(filter(None, map(shutil.which, NAMES)), "")
    if found:
        return Path(found)
    fetched = FETCHED / "chromium"
    return fetched if fetched.exists() else None


def environment(browser: Path) -> dict[str, str]:
    """What a browser is started with: a fetched one brings libraries and fonts of its own."""
    if browser.parent != FETCHED:
        return dict(os.environ)
    return {**os.environ, "LD_LIBRARY_PATH": str(FETCHED / "al2023" / "lib"), "FONTCONFIG_PATH": str(FETCHED / "fonts")}
