"""The page of a patient who holds the key, in a real browser, through a real gateway and a real engine."""

from __future__ import annotations

import base64
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from fhirtwin.api.ui import bundle
from fhirtwin.ckks import packing
from fhirtwin.ckks.profiles import MASKED
from fhirtwin.predictors import registry, score
from fhirtwin.predictors.model import FeatureVector, Values
from fhirtwin.settings import Settings
from tests.clients import nodejs
from tests.conftest import ROOT
from tests.roads.gateway import Running, ready, running

Json = dict[str, Any]
PREDICTORS = {one.id: one for one in registry.all_predictors()}
PANEL = registry.panel(registry.all_predictors())
PASSPHRASE = "correct horse battery"
ANSWERS: Final[Json] = {
    "age": "58",
    "sex": "female",
    "total-cholesterol": "213",
    "hdl-cholesterol": "41.5",
    "systolic-bp": "148",
    "bmi": "31.2",
    "egfr": "42",
    "uacr": "310",
    "current-smoker": "no",
    "diabetes": "yes",
    "antihypertensive": "yes",
    "statin": "no",
    "cardiovascular-disease": "no",
    "heart-failure": "no",
    "pregnancy": "no",
    "dialysis": "no",
    "kidney-transplant": "no",
    "acute-kidney-injury": "no",
    "kidney-function-unstable": "no",
    "ckd-g3-g5-shown": "yes",
}


@pytest.fixture(scope="module")
def built() -> None:
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


def nobody(gateway: Running) -> str:
    """A Patient without anything."""
    made = gateway.http.post(
        f"{gateway.base}/Patient", json={"resourceType": "Patient"}, headers={"Content-Type": "application/fhir+json"}
    )
    return str(made.json()["id"])


def fill(page: Page, answers: Json, passphrase: str = PASSPHRASE) -> None:
    expect(page.get_by_role("status")).to_contain_text("Ready")
    for fact, text in answers.items():
        field = page.locator(f"[data-fact='{fact}']")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(text)
        else:
            field.fill(text)
    page.get_by_label("Passphrase", exact=True).fill(passphrase)
    again = page.get_by_label("The same passphrase again")
    if again.is_visible():
        again.fill(passphrase)


def go(page: Page) -> None:
    page.get_by_role("button", name="Seal, send and open").click()


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


def rows(page: Page) -> dict[tuple[str, str, str], str]:
    """What is shown: title of the predictor, outcome and years to percent."""
    found = {}
    for row in page.locator("#results tbody tr").all():
        what, within, risk, by = (cell.inner_text() for cell in row.locator("th, td").all())
        found[by, what, within] = risk
    return found


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


SEALED_ROAD = """async ([digest, values]) => {
  const at = (name) => `/my-twin/bundle/${digest}/${name}`;
  const [{ load }, { read }, { MODULES }, { evaluate }, { hexadecimal }] = await Promise.all(
    ['ring.js', 'model.js', 'twin.js', 'gateway.js', 'panel.js'].map((name) => import(at(name))));
  const told = JSON.parse(document.getElementById('model').textContent);
  const [ring, model] = await Promise.all([load(), read(told, MODULES)]);
  const found = [];
  for (const one of values) {
    const { slots, secrets } = model.panel.lay(one);
    const key = ring.makeKey();
    const request = hexadecimal(crypto.getRandomValues(new Uint8Array(16)));
    const vector = ring.encrypt(slots.re, slots.im, key);
    const sent = { profile: model.profile, panel: model.digest, request, vector };
    const { sums } = await evaluate(document.getElementById('my-twin').dataset.evaluate, sent);
    found.push(model.panel.sums(ring.decrypt(sums, key), secrets));
  }
  return found;
}"""
"""The parts of the page, one after the other, giving sums before they are rounded."""


def digest_of(page: Page) -> str:
    source = page.locator("script[type=module]").get_attribute("src") or ""
    return source.split("/bundle/")[1].split("/", maxsplit=1)[0]


def test_sums_that_the_browser_opens_are_right_to_the_bound_of_the_profile(page: Page) -> None:
    drawn = np.random.default_rng(5).uniform(size=(12, len(PANEL.features)))
    vectors = PANEL.low + drawn * (PANEL.high - PANEL.low)
    vectors[:4] = np.where(drawn[:4] < 0.5, PANEL.low, PANEL.high)
    opened = np.array(page.evaluate(SEALED_ROAD, [digest_of(page), vectors.tolist()]))
    assert np.abs(opened - vectors @ PANEL.weights.T).max() <= MASKED.error


def test_panel_and_digest_are_those_of_the_other_side(page: Page) -> None:
    told = page.evaluate(
        """async (digest) => {
          const { Panel } = await import(`/my-twin/bundle/${digest}/panel.js`);
          const panel = new Panel(JSON.parse(document.getElementById('model').textContent).panel);
          return { digest: await panel.digest(), gains: panel.gains, lanes: panel.lanes, blocks: panel.blocks };
        }""",
        digest_of(page),
    )
    layout = packing.layout(PANEL, MASKED)
    assert isinstance(layout, packing.Grid)
    assert told == {
        "digest": PANEL.digest,
        "gains": layout.gains.tolist(),
        "lanes": layout.lanes,
        "blocks": layout.blocks,
    }


def drawn_values(predictor_id: str, seed: int) -> dict[str, Any]:
    """Values within the ranges of a predictor, sometimes at their ends."""
    chance = random.Random(seed)  # noqa: S311
    values: dict[str, Any] = {}
    for given in PREDICTORS[predictor_id].inputs:
        if given.fact == "sex":
            values[given.fact] = chance.choice(["female", "male"])
        elif given.low is None or given.high is None:
            values[given.fact] = chance.random() < 0.5
        elif given.fact == "age":
            values[given.fact] = chance.randint(int(given.low), int(given.high))
        else:
            low, high = float(given.low), float(given.high)
            values[given.fact] = round(chance.choice([low, high - 0.01, chance.uniform(low, high)]), 2)
    return values


@pytest.mark.parametrize("predictor_id", PREDICTORS)
def test_features_and_links_are_those_of_the_predictor(page: Page, predictor_id: str) -> None:
    cases = [drawn_values(predictor_id, seed) for seed in range(200)]
    if predictor_id == "prevent-base":
        cases += [{k: v for k, v in one.items() if k not in ("total-cholesterol", "bmi")} for one in cases[:20]]
    predictor = PREDICTORS[predictor_id]
    linear = [-7.0, -1.5, 0.0, 0.7, 2.0]
    features, linked = page.evaluate(
        """async ([digest, id, cases, linear, region]) => {
          const { prepare, link } = await import(`/my-twin/bundle/${digest}/predictors/${id}.js`);
          const told = JSON.parse(document.getElementById('model').textContent);
          const { outputs } = told.predictors.find((one) => one.id === id);
          return [
            cases.map((values) => prepare(values)),
            outputs.map((output) => linear.map((one) => link(one, output, { 'kfre-region': region }))),
          ];
        }""",
        [digest_of(page), predictor_id, cases, linear, Settings().kfre_region],
    )
    for values, made in zip(cases, features, strict=True):
        right = predictor.prepare({k: Decimal(str(v)) if type(v) in (int, float) else v for k, v in values.items()})
        assert made.keys() == right.keys()
        assert max(abs(made[name] - right[name]) for name in right) <= 1e-12
    for output, made in zip(predictor.outputs, linked, strict=True):
        assert made == pytest.approx([output.link(one, Settings()) for one in linear], rel=1e-12)


def test_every_predictor_of_the_page_has_the_version_of_its_equation(page: Page) -> None:
    versions = page.evaluate(
        "async (digest) => Object.entries((await import(`/my-twin/bundle/${digest}/twin.js`)).MODULES)"
        ".map(([id, { version }]) => [id, version])",
        digest_of(page),
    )
    assert dict(versions) == {one.id: one.version for one in PREDICTORS.values()}


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


KEPT_IN_THE_BROWSER = """async () => {
  const done = (r) => new Promise((ok, no) => { r.onsuccess = () => ok(r.result); r.onerror = () => no(r.error); });
  const db = await done(indexedDB.open('fhirtwin-my-twin', 1));
  const records = await done(db.transaction('requests').objectStore('requests').getAll());
  db.close();
  const clear = records.flatMap((one) => Object.keys(one)).filter((name) => !['patient', 'sealed'].includes(name));
  return { sealed: records.length, clear };
}"""


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


def spoiled(page: Page, spoil: Any) -> None:
    """Have answers of the gateway changed on their way."""

    def handle(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=spoil(answer.json()))

    page.route("**/sealed", handle)


@pytest.mark.parametrize("name", ["key", "secret-key", "evaluation-keys"])
def test_a_gateway_that_asks_for_a_key_is_refused(page: Page, name: str) -> None:
    def asking(answer: Json) -> Json:
        return {**answer, "parameter": [*answer["parameter"], {"name": name, "valueString": "send it"}]}

    spoiled(page, asking)
    fill(page, ANSWERS)
    go(page)
    expect(page.get_by_role("status")).to_contain_text("least of all a key")
    assert rows(page) == {}


@pytest.mark.parametrize("change", [{"sends": ["vector", "secret-key"]}, {"profile": "P1-rot"}, {"key": "please"}])
def test_a_page_that_asks_for_a_key_does_nothing(
    built: None, context: BrowserContext, gateway: Running, change: Json
) -> None:
    def handle(route: Route) -> None:
        answer = route.fetch()
        page_, found = answer.text(), re.search(r'id="model">(.*?)</script>', answer.text(), re.DOTALL)
        assert found
        model = json.dumps({**json.loads(found[1]), **change})
        route.fulfill(response=answer, body=page_.replace(found[1], model))

    shown = context.new_page()
    shown.route("**/my-twin/patient/*", handle)
    shown.goto(f"{gateway.host}/my-twin/patient/{nobody(gateway)}")
    expect(shown.get_by_role("status")).to_contain_text("least of all a key")
    expect(shown.get_by_role("button", name="Seal, send and open")).to_be_disabled()


def flipped(place: int) -> Any:
    def spoil(answer: Json) -> Json:
        for one in answer["parameter"]:
            if one["name"] == "sums":
                data = bytearray(base64.b64decode(one["valueBase64Binary"]))
                data[place] ^= 1
                one["valueBase64Binary"] = base64.b64encode(data).decode()
        return answer

    return spoil


@pytest.mark.parametrize("place", [8, 60, 300, 20_000, 65_600])
def test_a_damaged_answer_shows_nothing_and_its_key_is_gone(page: Page, place: int) -> None:
    spoiled(page, flipped(place))
    fill(page, ANSWERS)
    go(page)
    expect(page.get_by_role("status")).to_contain_text("failed the checks")
    assert rows(page) == {}
    assert page.evaluate(KEPT_IN_THE_BROWSER) == {"sealed": 0, "clear": []}


MUTATED = """async ([digest, count]) => {
  const at = (name) => `/my-twin/bundle/${digest}/${name}`;
  const [{ load }, { read }, { MODULES }, { evaluate }, { hexadecimal }] = await Promise.all(
    ['ring.js', 'model.js', 'twin.js', 'gateway.js', 'panel.js'].map((name) => import(at(name))));
  const told = JSON.parse(document.getElementById('model').textContent);
  const [ring, model] = await Promise.all([load(), read(told, MODULES)]);
  const { slots, secrets } = model.panel.lay(new Array(model.panel.features.length).fill(0));
  const key = ring.makeKey();
  const request = hexadecimal(crypto.getRandomValues(new Uint8Array(16)));
  const sent = { profile: model.profile, panel: model.digest, request, vector: ring.encrypt(slots.re, slots.im, key) };
  const { sums } = await evaluate(document.getElementById('my-twin').dataset.evaluate, sent);
  const opens = (bytes) => {
    try {
      return Boolean(model.panel.sums(ring.decrypt(bytes, key), secrets));
    } catch {
      return false;
    }
  };
  const random = (below) => crypto.getRandomValues(new Uint32Array(1))[0] % below;
  const mutated = (turn) => {
    const bytes = Uint8Array.from(sums);
    const place = turn % 2 ? random(113) : random(bytes.length); // the header as often as all the rest
    if (turn % 3 === 0) bytes[place] ^= 1 << random(8);
    else if (turn % 3 === 1) crypto.getRandomValues(bytes.subarray(place, place + 8));
    else bytes.copyWithin(place, random(bytes.length - 16), random(bytes.length - 16) + 16);
    return bytes;
  };
  const same = (one) => one.every((byte, place) => byte === sums[place]);
  let [changed, accepted] = [0, 0];
  for (let turn = 0; turn < count; turn += 1) {
    const bytes = mutated(turn);
    if (!same(bytes)) {
      changed += 1;
      accepted += opens(bytes) ? 1 : 0;
    }
  }
  const lengths = [0, 1, 113, sums.length - 1].filter((length) => opens(sums.slice(0, length)));
  const others = [ring.makeKey(), ring.makeKey()].filter((other) => {
    try { return model.panel.sums(ring.decrypt(sums, other), secrets); } catch { return false; }
  });
  return { changed, accepted, lengths, others: others.length, right: opens(sums) };
}"""


def test_of_many_changed_answers_none_is_believed_and_the_right_one_still_opens(page: Page) -> None:
    found = page.evaluate(MUTATED, [digest_of(page), 1500])
    assert found.pop("changed") > 1200
    assert found == {"accepted": 0, "lengths": [], "others": 0, "right": True}


def test_a_replayed_answer_shows_nothing(page: Page) -> None:
    first: Json = {}

    def replay(answer: Json) -> Json:
        for one in answer["parameter"]:
            if one["name"] == "sums":
                one["valueBase64Binary"] = first.setdefault("sums", one["valueBase64Binary"])
        return answer

    spoiled(page, replay)
    fill(page, ANSWERS)
    go(page)
    expect(page.get_by_role("status")).to_contain_text("opened on this device")
    go(page)
    expect(page.get_by_role("status")).to_contain_text("failed the checks")


def barriers(page: Page) -> list[tuple[str, str]]:
    axe = (nodejs.require(Path(__file__).parent, "axe-core") / "axe.min.js").read_text()
    page.evaluate(axe)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert result["passes"]
    return [(one["id"], one["nodes"][0]["html"]) for one in result["violations"]]


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
