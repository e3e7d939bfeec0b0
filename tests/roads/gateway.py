"""A real gateway for tests: started as a user starts it, with its engine beside it, stopped at the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from urllib3.exceptions import InsecureRequestWarning

from fhirtwin import shipped
from fhirtwin.demo import shifted

FHIR = "application/fhir+json"


class Running:
    """A gateway that answers on `base` (FHIR) and `host` (all else)."""

    def __init__(self, process: subprocess.Popen[bytes], base: str, data: Path, log: Path) -> None:
        self.process, self.base, self.data, self.log = process, base, data, log
        self.host = base.removesuffix("/fhir")
        self.http = requests.Session()

    def post_record(self, record: str) -> str:
        """Post a transaction and return the id of its Patient."""
        answer = self.http.post(self.base, data=record.encode(), headers={"Content-Type": FHIR})
        assert answer.status_code == 200, answer.text
        locations = [entry["response"]["location"] for entry in answer.json()["entry"]]
        return str(next(at for at in locations if "Patient/" in at).split("Patient/")[1].split("/")[0])

    def prefetch(self, patient: str) -> dict[str, Any]:
        """What an EHR that stores everything here would send."""
        services = self.http.get(f"{self.host}/cds-services").json()["services"]
        templates = next(s for s in services if s["id"] == "twin-patient-view")["prefetch"]
        found = {}
        for key, template in templates.items():
            answer = self.http.get(f"{self.base}/{template.replace('{{context.patientId}}', patient)}")
            assert answer.status_code == 200, (key, answer.text)
            found[key] = answer.json()
        return found

    def call(self, patient: str, prefetch: dict[str, Any], **changes: Any) -> requests.Response:
        """A `patient-view` call."""
        body = {
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "fhirServer": self.base,
            "context": {"userId": "Practitioner/p1", "patientId": patient},
            "prefetch": prefetch,
            **changes,
        }
        return self.http.post(f"{self.host}/cds-services/twin-patient-view", json=body)


@contextmanager
def running(data: Path, *options: str, env: dict[str, str] | None = None) -> Iterator[Running]:
    """Start `fhirtwin serve` on a free port and wait until it answers; `--open` unless `options` are given."""
    data.parent.mkdir(parents=True, exist_ok=True)
    log = data.parent / f"{data.name}.log"
    command = [sys.executable, "-m", "fhirtwin", "serve", "--port", "0", "--data", str(data), *(options or ("--open",))]
    clean = {name: text for name, text in os.environ.items() if not name.startswith("FHIRTWIN_")}
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**clean, **(env or {})})
    try:
        base, deadline = "", time.monotonic() + 60
        while True:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            try:
                base = json.loads((data / "running.json").read_text())["base_url"]
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", InsecureRequestWarning)
                    if requests.get(f"{base.removesuffix('/fhir')}/health/live", timeout=2, verify=False).ok:
                        break
            except (OSError, ValueError):
                pass  # not written, or not listening yet
            time.sleep(0.05)
        yield Running(process, base, data, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ready(gateway: Running, seconds: float = 20) -> dict[str, Any]:
    """Wait until store and engine are ready."""
    deadline = time.monotonic() + seconds
    while True:
        answer = gateway.http.get(f"{gateway.host}/health/ready", timeout=5)
        if answer.ok or time.monotonic() > deadline:
            assert answer.ok, answer.text
            return dict(answer.json())
        time.sleep(0.05)


def maria(today: date | None = None) -> str:
    """The record of the demonstration, its newest day yesterday."""
    text = (shipped.folder("fixtures") / "patients" / "maria-keller" / "bundle.json").read_text()
    return shifted(text, today or datetime.now(UTC).date())


def days_ago(days: int) -> str:
    """A FHIR date."""
    return (datetime.now(UTC).date() - timedelta(days=days)).isoformat()
