"""Shared by all tests: where data outside the repository lies."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shared",
        default=str(ROOT.parent / "shared"),
        help="folder of definitions, examples and vectors that are not part of the repository",
    )


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> Path:
    """The folder of outside data, or a skip that says how to name one."""
    folder = Path(request.config.getoption("--shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no outside data at {folder}; name its folder with --shared")
    return folder
