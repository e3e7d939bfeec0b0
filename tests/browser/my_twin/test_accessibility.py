"""The page for who cannot see colours, has a keyboard alone, a phone, or no scripts; and what it lets run."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import barriers
from tests.browser.my_twin.using import ANSWERS, fill, go, nobody
from tests.roads.gateway import Running


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_no_barrier_that_axe_knows(page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    fill(page, ANSWERS)
    assert barriers(page) == []
    go(page)
    expect(page.get_by_role("status")).to_contain_text("opened on this device")
    assert barriers(page) == []


def test_it_is_used_by_keyboard_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    fill(page, ANSWERS)
    page.get_by_label("The same passphrase again").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("opened on this device")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_policy_of_the_page_lets_nothing_else_run(page: Page, gateway: Running) -> None:
    answer = gateway.http.get(page.url)
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy and "form-action 'none'" in policy
    assert "unsafe-inline" not in policy and "'unsafe-eval'" not in policy


def test_without_scripts_nothing_can_be_sent(browser: Browser, built: None, gateway: Running) -> None:
    context = browser.new_context(java_script_enabled=False)
    shown = context.new_page()
    shown.goto(f"{gateway.host}/my-twin/patient/{nobody(gateway)}")
    expect(shown.locator("noscript .banner")).to_contain_text("it sends nothing")
    expect(shown.get_by_role("button", name="Seal, send and open")).to_be_disabled()
    context.close()
