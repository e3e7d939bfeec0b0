"""What tests do with the page of a patient who holds the key, and what they know it by."""

from __future__ import annotations

from typing import Any, Final

from playwright.sync_api import Page, expect

from fhirtwin.predictors import registry
from tests.roads.gateway import Running

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

PARTS = """
  const at = (name) => `/my-twin/bundle/${digest}/${name}`;
  const [{ load }, { read }, { MODULES }, { evaluate }, { hexadecimal }] = await Promise.all(
    ['ring.js', 'model.js', 'twin.js', 'gateway.js', 'panel.js'].map((name) => import(at(name))));
  const told = JSON.parse(document.getElementById('model').textContent);
  const [ring, model] = await Promise.all([load(), read(told, MODULES)]);
"""
"""What a script on the page begins with: the parts of the page, loaded, of the build named `digest`."""

KEPT_IN_THE_BROWSER = """async () => {
  const done = (r) => new Promise((ok, no) => { r.onsuccess = () => ok(r.result); r.onerror = () => no(r.error); });
  const db = await done(indexedDB.open('fhirtwin-my-twin', 1));
  const records = await done(db.transaction('requests').objectStore('requests').getAll());
  db.close();
  const clear = records.flatMap((one) => Object.keys(one)).filter((name) => !['patient', 'sealed'].includes(name));
  return { sealed: records.length, clear };
}"""


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


def rows(page: Page) -> dict[tuple[str, str, str], str]:
    """What is shown: title of the predictor, outcome and years to percent."""
    found = {}
    for row in page.locator("#results tbody tr").all():
        what, within, risk, by = (cell.inner_text() for cell in row.locator("th, td").all())
        found[by, what, within] = risk
    return found


def digest_of(page: Page) -> str:
    source = page.locator("script[type=module]").get_attribute("src") or ""
    return source.split("/bundle/")[1].split("/", maxsplit=1)[0]
