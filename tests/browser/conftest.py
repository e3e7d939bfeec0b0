from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

from tests.browser import chromium
from tests.roads.gateway import Running, maria, ready, running

SWITCHES = ["--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A headless Chromium, or a skip that says how to get one; gone with this package, as its event loop must be."""
    found = chromium.find()
    if found is None:
        pytest.skip(chromium.MISSING)
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(
                executable_path=str(found), args=SWITCHES, env=dict(chromium.environment(found))
            )
        except Error:
            if found.parent != chromium.FETCHED:
                raise
            pytest.skip("the Chromium that `make test` fetched does not start here; " + chromium.MISSING)
        yield started
        started.close()


@pytest.fixture(scope="package")
def gateway(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway with its engine and Maria Keller; only where there is a browser."""
    with running(tmp_path_factory.mktemp("browser") / "data") as gateway:
        ready(gateway)
        gateway.post_record(maria())
        yield gateway
