"""Gateways and engines that ask for keys, or answer wrongly: the page gives nothing and shows nothing."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.my_twin.using import ANSWERS, KEPT_IN_THE_BROWSER, PARTS, Json, digest_of, fill, go, nobody, rows
from tests.roads.gateway import Running


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


MUTATED = (
    "async ([digest, count]) => {"
    + PARTS
    + """
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
)


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
