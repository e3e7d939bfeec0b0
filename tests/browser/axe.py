"""Barriers on a page that the axe of Deque finds."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from tests.clients import nodejs


def barriers(page: Page) -> list[tuple[str, str]]:
    """The rule and the first place of each."""
    axe = (nodejs.require(Path(__file__).parent, "axe-core") / "axe.min.js").read_text()
    page.evaluate(axe)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert result["passes"], page.url
    return [(one["id"], one["nodes"][0]["html"]) for one in result["violations"]]
