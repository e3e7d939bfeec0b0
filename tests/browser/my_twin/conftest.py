from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from fhirtwin.api.ui import bundle
from tests.browser.my_twin.using import nobody
from tests.conftest import ROOT
from tests.roads.gateway import Running


@pytest.fixture(scope="package")
def built() -> None:
    """What the browser runs, built; a skip that says why it cannot be."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "build_support" / "browser.py")],
        capture_output=True,
        text=True,
        check=True,
        timeout=400,
    )
    if bundle.find() is None:
        pytest.skip(done.stdout.strip())


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 900})
    yield made
    made.close()


@pytest.fixture
def page(built: None, context: BrowserContext, gateway: Running) -> Iterator[Page]:
    """The page of a patient of whom the gateway knows nothing; nothing but this gateway is asked."""
    shown = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: complaints.append(message.text))
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.goto(f"{gateway.host}/my-twin/patient/{nobody(gateway)}")
    yield shown
    assert all(url.startswith(gateway.host) for url in asked)
    assert [one for one in complaints if not one.startswith("Failed to load resource")] == []
