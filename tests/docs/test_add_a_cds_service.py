"""The page on adding a CDS service: its code runs, its tests pass, and the service is as short as the page says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from fhirtwin.api.cds.services import registry
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "how-to" / "add-a-cds-service.md").read_text()
SERVICE, TESTS = re.findall(r"```python\n(.*?)```", PAGE, re.S)


def _run() -> dict[str, Any]:
    space: dict[str, Any] = {}
    exec(SERVICE, space)  # noqa: S102
    exec(TESTS, space)  # noqa: S102
    return space


NAMES = [name for name in _run() if name.startswith("test_")]


def test_the_service_has_25_lines_and_passes_the_gate() -> None:
    assert len(SERVICE.splitlines()) <= 25
    assert list(registry.admit([_run()["SERVICE"]])) == ["documents-waiting"]


@pytest.mark.parametrize("name", NAMES)
def test_each_test_of_the_page_passes(name: str) -> None:
    test: Callable[[], None] = _run()[name]
    test()


def test_the_page_has_the_tests_that_it_speaks_of() -> None:
    assert len(NAMES) == 3
