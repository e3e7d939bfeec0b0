"""The page of a patient who holds the key, in a real browser, through a real gateway and a real engine."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from fhirtwin.predictors import score
from fhirtwin.predictors.model import FeatureVector, Values
from fhirtwin.settings import Settings
from tests.browser.my_twin.using import (
    ANSWERS,
    KEPT_IN_THE_BROWSER,
    PASSPHRASE,
    PREDICTORS,
    Json,
    fill,
    go,
    nobody,
    rows,
)
from tests.roads.gateway import Running, ready, running


def plain(predictor_id: str, values: Values) -> FeatureVector:
    """What the predictor makes of values in the clear."""
    predictor = PREDICTORS[predictor_id]
    outputs = tuple(one for one in predictor.outputs if one.applies_at(int(values["age"])))  # type: ignore[arg-type]
    day = date(2026, 6, 1)
    return FeatureVector(predictor, day, int(values["age"]), values, (), predictor.prepare(values), outputs)  # type: ignore[arg-type]


def typed(answers: Json) -> dict[str, Any]:
    return {
        fact: text == "yes" if text in ("yes", "no") else text if fact == "sex" else Decimal(text)
        for fact, text in answers.items()
    }


def test_what_is_opened_in_the_browser_is_the_score_in_the_clear(page: Page) -> None:
    fill(page, ANSWERS)
    go(page)
    expect(page.get_by_role("status")).to_contain_text("opened on this device")
    shown, wanted = rows(page), {}
    for predictor_id in PREDICTORS:
        vector = plain(predictor_id, typed(ANSWERS))
        for one in score.scores(vector, score.plain_sums(vector), Settings()):
            key = (vector.predictor.title, one.output.outcome.display, f"{one.output.horizon_years} years")
            wanted[key] = float(one.percent)
    assert shown.keys() == wanted.keys() and len(shown) == 8
    for key, percent in wanted.items():
        # Sums are rounded to 0.001 before the link, percentages to a tenth afterwards.
        assert abs(float(shown[key].removesuffix(" %")) - percent) <= 0.1 + 1e-9, key


def test_what_is_not_answered_is_named_and_not_guessed(page: Page) -> None:
    fill(page, {fact: text for fact, text in ANSWERS.items() if fact not in ("bmi", "pregnancy", "uacr")})
    go(page)
    results = page.locator("#results")
    expect(page.get_by_role("status")).to_contain_text("nothing was sent")
    expect(results).to_contain_text("pregnancy is not answered")
    expect(results).to_contain_text("urine albumin-creatinine ratio is not answered")
    assert rows(page) == {}


def test_a_value_out_of_its_range_refuses_the_predictor(page: Page) -> None:
    fill(page, {**ANSWERS, "systolic-bp": "181"})
    go(page)
    expect(page.locator("#results")).to_contain_text("systolic blood pressure is outside the published range")
    assert {by for by, _, _ in rows(page)} == {PREDICTORS["kfre-4-variable"].title}


@pytest.mark.parametrize("text", ["4,2", "1e2", "-3", "abc", "Infinity", "０"])
def test_what_is_no_plain_number_is_named(page: Page, text: str) -> None:
    fill(page, {**ANSWERS, "bmi": text})
    go(page)
    expect(page.get_by_role("status")).to_contain_text("Body mass index (kg/m²): write a number")


def test_nothing_but_ciphertext_goes_over_the_wire(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''} {request.headers}"))
    fill(page, ANSWERS)
    go(page)
    expect(page.get_by_role("status")).to_contain_text("opened on this device")
    (posted,) = [json.loads(one.split(" ", 1)[1].rsplit(" {", 1)[0]) for one in sent if "/sealed " in one]
    assert [one["name"] for one in posted["parameter"]] == ["profile", "panel", "request", "vector"]
    keys = page.evaluate(KEPT_IN_THE_BROWSER)
    assert keys == {"sealed": 1, "clear": []}
    for secret in (PASSPHRASE, "41.5", "31.2"):
        assert not any(secret in one for one in sent)


def test_the_key_stays_sealed_in_the_browser_and_opens_what_the_gateway_keeps(page: Page, gateway: Running) -> None:
    fill(page, ANSWERS)
    go(page)
    expect(page.get_by_role("status")).to_contain_text("opened on this device")
    first = rows(page)
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("Ready")
    expect(page.get_by_label("The same passphrase again")).to_be_hidden()
    page.get_by_label("Passphrase", exact=True).fill("not the passphrase")
    page.get_by_role("button", name="Open earlier results").click()
    expect(page.get_by_role("status")).to_contain_text("not the passphrase that was chosen")
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    page.get_by_role("button", name="Open earlier results").click()
    expect(page.get_by_role("status")).to_contain_text("Opened 1 earlier request")
    assert rows(page) == first
    page.get_by_role("button", name="Forget all keys on this device").click()
    expect(page.get_by_role("status")).to_contain_text("gone")
    expect(page.get_by_label("The same passphrase again")).to_be_visible()
    assert page.evaluate("async () => (await indexedDB.databases()).length") == 0


@pytest.mark.parametrize(
    ("passphrase", "again", "says"),
    [("short", "short", "at least 12 signs"), (PASSPHRASE, "something else", "not the same")],
)
def test_a_first_passphrase_is_long_and_given_twice(page: Page, passphrase: str, again: str, says: str) -> None:
    fill(page, ANSWERS, passphrase)
    page.get_by_label("The same passphrase again").fill(again)
    go(page)
    expect(page.get_by_role("status")).to_contain_text(says)


def test_a_patient_is_chosen_on_the_first_page(page: Page, gateway: Running) -> None:
    page.goto(f"{gateway.host}/my-twin")
    page.get_by_role("link", name="Maria Keller").click()
    expect(page.get_by_role("status")).to_contain_text("Ready")
    assert Path(page.url).name != "my-twin"


def test_a_closed_server_takes_its_token_as_password_all_the_way(
    built: None, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with running(tmp_path_factory.mktemp("closed") / "data", "--host", "127.0.0.1") as closed:
        ready(closed)
        token = (closed.data / "token").read_text().strip()
        closed.http.headers["Authorization"] = f"Bearer {token}"
        address = f"{closed.host}/my-twin/patient/{nobody(closed)}"
        context = browser.new_context(http_credentials={"username": "me", "password": token})
        shown = context.new_page()
        shown.goto(address)
        fill(shown, ANSWERS)
        go(shown)
        expect(shown.get_by_role("status")).to_contain_text("opened on this device")
        shown.get_by_role("button", name="Open earlier results").click()
        expect(shown.get_by_role("status")).to_contain_text("Opened 1 earlier request")
        context.close()
