"""The sandbox in a real browser: by mouse, by keyboard, on a phone, without scripts, and for who cannot see colours."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import barriers
from tests.roads.gateway import Running, maria, ready, running


@pytest.fixture
def page(browser: Browser, gateway: Running) -> Iterator[Page]:
    """A window that runs no script, and in which nothing but this gateway is asked and nothing is complained of."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    shown = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("requestfailed", lambda request: complaints.append(f"{request.failure} {request.url}"))
    shown.on("console", lambda message: complaints.append(message.text))
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.goto(f"{gateway.host}/sandbox")
    yield shown
    context.close()
    assert all(url.startswith(gateway.host) for url in asked)
    # A page that is left takes unfinished requests along, and one that is not there is a complaint by itself.
    expected = ("net::ERR_ABORTED", "Failed to load resource: the server responded with a status of 404")
    assert [one for one in complaints if not one.startswith(expected)] == []


def choose(page: Page) -> None:
    """Go from the first page to the request."""
    page.get_by_role("link", name="Maria Keller").click()
    page.get_by_role("link", name="Fire patient-view").click()


def test_from_patient_to_cards_without_a_script(page: Page) -> None:
    page.get_by_label("Name").fill("kel")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("status")).to_contain_text("1 patient")
    choose(page)
    expect(page.get_by_role("region", name="Patient")).to_contain_text("1964")
    page.get_by_role("button", name="Fire patient-view").click()
    expect(page.get_by_role("status")).to_contain_text("2 cards")
    cards = page.get_by_role("article")
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("Warning")
    expect(cards.first.locator(".detail")).to_be_hidden()
    cards.first.get_by_text("Detail").click()
    expect(cards.first.get_by_role("table").first).to_be_visible()
    expect(page.get_by_role("heading", level=3).first).to_contain_text("risk of kidney failure")
    page.get_by_text("Response body").click()
    expect(page.get_by_text('"indicator": "warning"').first).to_be_visible()


def test_a_changed_request_is_refused_and_the_page_says_why(page: Page) -> None:
    choose(page)
    area = page.get_by_role("textbox", name="What is sent")
    sent = json.loads(area.input_value())
    del sent["prefetch"]["observations"]
    area.fill(json.dumps(sent))
    page.get_by_role("button", name="Fire patient-view").click()
    told = page.get_by_role("status")
    expect(told).to_contain_text("412")
    expect(told).to_contain_text("prefetch.observations")
    expect(page.get_by_role("article")).to_have_count(0)
    assert json.loads(area.input_value()) == sent


def test_a_draft_order_is_chosen_judged_and_overridden(page: Page) -> None:
    page.get_by_role("link", name="Maria Keller").click()
    page.get_by_role("link", name="Fire order-sign").click()
    page.get_by_role("link", name="methotrexate").click()
    expect(page.get_by_label("RxNorm code")).to_have_value("105585")
    page.get_by_role("link", name="metformin").click()
    page.get_by_role("button", name="Fire order-sign").click()
    card = page.get_by_role("article").first
    expect(card).to_contain_text("Metformin")
    card.get_by_text("Override").first.click()
    card.get_by_label("Comment").fill("weighed")
    card.get_by_role("button", name="Override card 1").click()
    expect(page.get_by_role("status")).to_contain_text("The feedback was kept")
    expect(page.get_by_role("article").first).to_contain_text("overridden")
    expect(page.get_by_label("RxNorm code")).to_have_value("860975")


def test_everything_is_reached_by_keyboard_and_the_focus_is_seen(page: Page) -> None:
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    _press_until(page, page.get_by_role("link", name="Maria Keller"))
    _press_until(page, page.get_by_role("link", name="Fire patient-view"))
    _press_until(page, page.get_by_role("button", name="Fire patient-view"))
    expect(page.get_by_role("status")).to_contain_text("2 cards")


def test_enter_in_a_comment_accepts_nothing_of_another_card(page: Page) -> None:
    choose(page)
    page.get_by_role("button", name="Fire patient-view").click()
    last = page.get_by_role("article").last
    last.get_by_text("Override").first.click()
    last.get_by_label("Comment").fill("on Monday")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    expect(page.get_by_role("status")).to_contain_text("2 cards")
    expect(last.get_by_label("Comment")).to_have_value("on Monday")


def _press_until(page: Page, wanted: Any) -> None:
    for _ in range(30):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            break
    assert wanted.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Enter")


def _each_page(page: Page) -> Iterator[str]:
    yield "patients"
    page.get_by_role("link", name="Maria Keller").click()
    yield "services"
    page.get_by_role("link", name="Fire patient-view").click()
    yield "request"
    page.get_by_role("button", name="Fire patient-view").click()
    for unfolded in page.locator("details").all():
        unfolded.evaluate("element => { element.open = true }")
    yield "cards"
    page.goto(page.url.replace("twin-patient-view/patient-view", "twin-order-sign/order-sign"))
    yield "drafts"
    page.goto(page.url.split("/patient/")[0] + "/patient/nobody")
    yield "error"


@pytest.mark.parametrize("width", [320, 390, 768])
def test_no_page_is_wider_than_a_small_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for name in _each_page(page):
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_barrier_that_axe_knows(browser: Browser, gateway: Running, scheme: Any) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{gateway.host}/sandbox")
    found = []
    for name in _each_page(page):
        found += [(name, *one) for one in barriers(page)]
    context.close()
    assert found == []


def test_a_closed_server_tells_who_is_not_signed_in_and_takes_its_token_as_password(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with running(tmp_path_factory.mktemp("closed") / "data", "--host", "127.0.0.1") as closed:
        ready(closed)
        token = (closed.data / "token").read_text().strip()
        closed.http.headers["Authorization"] = f"Bearer {token}"
        closed.post_record(maria())
        nobody = browser.new_context()
        link = nobody.new_page()
        answer = link.goto(f"{closed.base}/RiskAssessment/4e0a3a1e-3283-4575-ab82-028d55fe2719")
        assert answer and answer.status == 401
        expect(link.get_by_role("heading")).to_have_text("You are not signed in")
        expect(link.get_by_role("main")).to_contain_text("Ask those who run your electronic health record")
        nobody.close()
        context = browser.new_context(
            java_script_enabled=False, http_credentials={"username": "admin", "password": token}
        )
        page = context.new_page()
        page.goto(f"{closed.host}/sandbox")
        choose(page)
        page.get_by_role("button", name="Fire patient-view").click()
        expect(page.get_by_role("status")).to_contain_text("2 cards")
        assert page.get_by_role("article").first.evaluate("element => getComputedStyle(element).borderStyle") != "none"
        card = page.get_by_role("article").last
        card.get_by_text("Override").first.click()
        card.get_by_label("Comment").fill("seen")
        card.get_by_role("button", name="Override card 2").click()
        expect(page.get_by_role("status")).to_contain_text("The feedback was kept")
        context.close()


def test_a_page_of_another_site_cannot_fire_in_our_name(browser: Browser, gateway: Running) -> None:
    patient = gateway.http.get(f"{gateway.base}/Patient").json()["entry"][0]["resource"]["id"]
    target = f"{gateway.host}/sandbox/patient/{patient}/twin-patient-view/patient-view"
    form = (
        f'<form method="post" action="{target}"><input name="request" value="{{}}"><button>Win a prize</button></form>'
    )

    class Evil(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(form.encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Evil) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{gateway.host}/sandbox/patient/{patient}/twin-patient-view/patient-view")
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        with page.expect_navigation() as navigation:
            page.get_by_role("button").click()
        assert navigation.value.status == 403
        context.close()
        server.shutdown()
