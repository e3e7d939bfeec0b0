"""Nothing that a user can meet is without its line in the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from fhirtwin import errors
from fhirtwin.settings import Settings
from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "fixtures").rglob("*.md")])


def _errors(root: type[errors.FhirtwinError]) -> Iterator[type[errors.FhirtwinError]]:
    for kind in root.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind
            yield from _errors(kind)


@pytest.mark.parametrize("field", fields(Settings), ids=lambda f: f.name)
def test_every_setting_has_its_line(field: object) -> None:
    name, default = field.name, field.default  # type: ignore[attr-defined]
    shown = "" if default == "" else f"`{str(default).lower() if isinstance(default, bool) else default}`"
    line = f"| `FHIRTWIN_{name.upper()}` | {shown} | {field.metadata['says']}"  # type: ignore[attr-defined]
    assert line in (ROOT / "docs" / "settings.md").read_text()


@pytest.mark.parametrize("kind", list(_errors(errors.FhirtwinError)), ids=lambda kind: kind.__name__)
def test_every_error_has_its_line(kind: type[errors.FhirtwinError]) -> None:
    assert f"| `{kind.__name__}` | {kind.status} | {kind.code} |" in (ROOT / "docs" / "errors.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    broken = [link for link in links if not (page.parent / link).exists()]
    assert broken == []
