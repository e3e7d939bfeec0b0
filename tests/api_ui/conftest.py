from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api_ui.pages import Sandbox, sandbox


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox with no patient, and the services of `pages`."""
    made = sandbox(tmp_path)
    yield made
    made.parts.store.close()
