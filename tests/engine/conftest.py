"""A folder of published models."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirtwin.packages import package, published
from tests.packages.builders import AUTHORS, authors_file, packed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    published.publish(
        package.read(packed(tmp_path / "made-1.0", version="1.0").whole, AUTHORS),
        tmp_path / "models",
        with_weights=True,
    )
    authors_file(tmp_path / "authors.json")
    return tmp_path
