"""A code of a code system, as resources write it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Coding:
    """A code, its system, and the system's own words."""

    system: str
    code: str
    display: str = ""
