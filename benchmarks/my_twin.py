"""The page of a patient who holds the key: from the load of the page to the opened answer, in headless Chromium.

    .venv/bin/python -m benchmarks.my_twin [LOADS]

Cold is a browser that was just started and never saw the page: it loads and compiles everything, and a passphrase is
chosen. Warm is the same window again. Values and passphrase are filled in by a script as soon as the page is there; the
clock is the browser's, from the start of navigation. Gateway and engine are real processes. Bars: cold at most 3 s and
warm at most 0.5 s, as medians. Exit code 1 when one is missed.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.browser import chromium
from tests.browser.conftest import SWITCHES
from tests.browser.my_twin.using import ANSWERS, PASSPHRASE, nobody
from tests.roads.gateway import Running, ready, running

COLD_MS, WARM_MS = 3000, 500
LOADS = 15

FILL = """
const fill = async ([answers, passphrase]) => {
  const form = document.getElementById('my-twin');
  for (const [fact, text] of Object.entries(answers)) {
    form.querySelector(`[data-fact='${fact}']`).value = text;
  }
  document.getElementById('passphrase').value = passphrase;
  document.getElementById('passphrase').dispatchEvent(new Event('change'));
  document.getElementById('again').value = passphrase;
  const button = form.querySelector('button');
  while (button.disabled) await new Promise((resolve) => setTimeout(resolve, 1));
  const ready = performance.now();
  button.click();
  const status = document.getElementById('status');
  while (!performance.getEntriesByName('opened').length && !status.className) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const rows = document.querySelectorAll('#results tbody tr').length;
  window.found = [performance.getEntriesByName('opened')[0]?.startTime ?? 0, ready, rows];
};
document.addEventListener('DOMContentLoaded', () => fill(GIVEN));
"""
"""Runs in the page as soon as it is there, so that the way to this process and back does not count."""


def main() -> None:
    loads = int(sys.argv[1]) if len(sys.argv) > 1 else LOADS
    found = chromium.find()
    if found is None:
        print(chromium.MISSING)
        return
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as gateway:
        ready(gateway)
        address = f"{gateway.host}/my-twin/patient/{nobody(gateway)}"
        cold, warm = measured(found, gateway, address, loads)
    print(f"from the load of the page to the opened answer, {loads} loads each; milliseconds\n")
    print("|      | median | greatest | of it until the page was ready | bar |\n|---|---|---|---|---|")
    missed = [row(name, times, bar) for name, times, bar in (("cold", cold, COLD_MS), ("warm", warm, WARM_MS))]
    sys.exit(any(missed))


def measured(
    found: Path, gateway: Running, address: str, loads: int
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Loads of new browsers, and of one that knows the page: milliseconds to the answer and until ready."""
    cold, warm = [], []
    with sync_playwright() as playwright:
        for _ in range(loads):
            with tempfile.TemporaryDirectory() as profile:
                context: BrowserContext = playwright.chromium.launch_persistent_context(
                    profile, executable_path=str(found), args=SWITCHES, env=dict(chromium.environment(found))
                )
                page = context.new_page()
                page.add_init_script(FILL.replace("GIVEN", json.dumps([ANSWERS, PASSPHRASE])))
                cold.append(once(page, address))
                time.sleep(0.2)
                warm.append(once(page, address))
                context.close()
    return cold, warm


def once(page: Page, address: str) -> tuple[float, float]:
    page.goto(address, wait_until="domcontentloaded")
    opened, ready_at, rows = page.evaluate(
        "async () => { while (!window.found) await new Promise((go) => setTimeout(go, 20)); return window.found; }"
    )
    assert rows == 8, rows
    return float(opened), float(ready_at)


def row(name: str, times: list[tuple[float, float]], bar: int) -> bool:
    """Print one line; whether its bar is missed."""
    opened = [one for one, _ in times]
    middle = statistics.median(opened)
    until = statistics.median(each for _, each in times)
    print(f"| {name} | {middle:.0f} | {max(opened):.0f} | {until:.0f} | {bar} |")
    return middle > bar


if __name__ == "__main__":
    main()
