"""Lets `pip install` and the building of a wheel make the page of patients too, where npm is there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))

import browser


class BrowserHook(BuildHookInterface):
    """Builds `browser/`; what cannot be built is left out, and the page says so."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before files are gathered."""
        browser.main()
