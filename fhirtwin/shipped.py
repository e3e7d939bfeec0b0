"""Where the data files lie that travel with the program: in a checkout beside the package, in a wheel inside it."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder `profiles` or `fixtures`."""
    beside = _PACKAGE.parent / name
    return (
        beside if beside.is_dir() and (_PACKAGE.parent / "pyproject.toml").is_file() else _PACKAGE / "_shipped" / name
    )
