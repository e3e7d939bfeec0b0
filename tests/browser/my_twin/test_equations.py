"""What the scripts of the page calculate is what Python calculates: panel, features, links, sums."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from fhirtwin.ckks import packing
from fhirtwin.ckks.profiles import MASKED
from fhirtwin.settings import Settings
from tests.browser.my_twin.using import PANEL, PARTS, PREDICTORS, digest_of

SEALED_ROAD = (
    "async ([digest, values]) => {"
    + PARTS
    + """
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
)
"""The parts of the page, one after the other, giving sums before they are rounded."""


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
