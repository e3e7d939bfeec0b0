"""One patient from record to card, as a caller of the gateway sees it: what `fhirtwin demo` shows.

Everything goes over HTTP through a gateway that `fhirtwin serve` started in a fresh folder, with its engine beside it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import textwrap
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click

from fhirtwin import shipped, timing
from fhirtwin.errors import Fault, Unavailable
from fhirtwin.loading import FHIR_JSON, Gateway, outcome
from fhirtwin.machine import free_port

STORY = "maria-keller"
SERVICE = "twin-patient-view"
WIDTH = 112
_CELL = re.compile(r"(?<!\\)\|")
_UUID = re.compile(r"\b([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_ESCAPED = re.compile(r"\\(\W)")
_DATE = re.compile(r'"(\d{4}-\d{2}-\d{2})(?=["T])')


def run() -> None:
    """Show the whole road for one patient.

    Raises:
        Unavailable: the gateway did not start.
        Fault: an answer was not what it must be; the text says which.
    """
    with tempfile.TemporaryDirectory(prefix="fhirtwin-demo-") as folder, _gateway(Path(folder)) as gateway:
        patient = _post_record(gateway)
        services = _expect(gateway.call("GET", "/cds-services", base=gateway.host), "discovery").json()["services"]
        click.echo("2. Discovery: " + "; ".join(f"{s['id']} on {s['hook']}" for s in services))
        service = next(s for s in services if s["id"] == SERVICE)
        answer = _call_hook(gateway, service, patient)
        _show_cards(answer.json()["cards"])
        _show_reports(gateway, patient)
        _show_times(answer.headers.get("Server-Timing", ""))


def shifted(text: str, today: date) -> str:
    """The record with every date moved, the birth date too, so that its newest day is yesterday and ages stay."""
    newest = max(date.fromisoformat(found) for found in _DATE.findall(text))
    by = today - timedelta(days=1) - newest
    return _DATE.sub(lambda match: f'"{date.fromisoformat(match[1]) + by}', text)


@contextmanager
def _gateway(folder: Path) -> Iterator[Gateway]:
    start = time.monotonic()
    port = free_port("127.0.0.1")
    command = [sys.executable, "-m", "fhirtwin", "serve", "--open", "--port", str(port), "--data", str(folder / "data")]
    log = folder / "gateway.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)  # noqa: S603
    gateway = Gateway(f"http://127.0.0.1:{port}/fhir")
    try:
        while state := _not_ready(gateway):
            if process.poll() is not None or time.monotonic() - start > 60:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
                raise Unavailable(f"The gateway did not start: {state}\n{tail}")
            time.sleep(0.05)
        click.echo(f"   gateway and engine are ready on {gateway.base_url} after {time.monotonic() - start:.1f} s\n")
        yield gateway
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


def _not_ready(gateway: Gateway) -> str:
    """What the gateway still waits for; empty when it is ready."""
    try:
        answer = gateway.call("GET", "/health/ready", base=gateway.host)
    except Unavailable as error:
        return str(error)
    return "" if answer.ok else answer.text


def _post_record(gateway: Gateway) -> str:
    record = shifted((shipped.folder("fixtures") / "patients" / STORY / "bundle.json").read_text(), _today())
    answer = gateway.call("POST", "/", data=record.encode(), headers={"Content-Type": FHIR_JSON})
    entries = _expect(answer, "the record").json()["entry"]
    patient = str(entries[0]["response"]["location"]).split("Patient/")[1].split("/")[0]
    click.echo(f"1. Posted the record of a made-up patient: {len(entries)} resources, Patient/{patient}")
    return patient


def _call_hook(gateway: Gateway, service: dict[str, Any], patient: str) -> Any:
    """Do what an EHR does: fill the prefetch templates, then call the service."""
    prefetch = {}
    for key, template in service["prefetch"].items():
        found = gateway.call("GET", "/" + template.replace("{{context.patientId}}", patient))
        prefetch[key] = _expect(found, f"prefetch {key}").json()
    request = {
        "hook": service["hook"],
        "hookInstance": str(uuid.uuid4()),
        "fhirServer": gateway.base_url,
        "context": {"userId": "Practitioner/demo", "patientId": patient},
        "prefetch": prefetch,
    }
    body = json.dumps(request).encode()
    start = time.perf_counter()
    headers = {"Content-Type": "application/json"}
    answer = gateway.call("POST", f"/cds-services/{service['id']}", base=gateway.host, data=body, headers=headers)
    spent = (time.perf_counter() - start) * 1000
    click.echo(f"3. Called {service['id']} with {len(body) / 1000:.1f} KB of prefetch: answered in {spent:.0f} ms\n")
    return _expect(answer, "the hook")


def _show_cards(cards: list[dict[str, Any]]) -> None:
    if not cards:
        raise Fault("The hook answered without a card.")
    for card in cards:
        click.secho(f"┌─ {card['indicator'].upper()}  {card['summary']}", bold=True)
        for line in rendered(card.get("detail", "")):
            click.echo(f"│  {line}")
        for link in card.get("links", ()):
            click.echo(f"│  {link['label']}: {link['url']}")
        click.echo(f"└─ source: {card['source']['label']}\n")


def rendered(markdown: str) -> Iterator[str]:
    """The Markdown of a card for a terminal: tables in columns, text wrapped, no marks."""
    table: list[list[str]] = []
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("|"):
            cells = [_plain(cell.strip()) for cell in _CELL.split(line)[1:-1]]
            if set("".join(cells)) - {"-", ":"}:
                table.append(cells)
            continue
        if table:
            yield from _columns(table)
            table = []
        if line:
            yield from textwrap.wrap(_plain(line), WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        else:
            yield ""


def _columns(table: list[list[str]]) -> Iterator[str]:
    widths = [min(max(map(len, column)), WIDTH // len(table[0]) + 12) for column in zip(*table, strict=True)]
    for number, row in enumerate(table):
        cells = [
            textwrap.wrap(cell, width, break_on_hyphens=False) or [""] for cell, width in zip(row, widths, strict=True)
        ]
        for parts in zip_longest(*cells, fillvalue=""):
            yield "  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip()
        if number == 0:
            yield "  ".join("─" * width for width in widths)


def _plain(markdown: str) -> str:
    return _UUID.sub(r"\1…", _ESCAPED.sub(r"\1", markdown.replace("**", "")))


def _show_reports(gateway: Gateway, patient: str) -> None:
    found = _expect(gateway.call("GET", f"/RiskAssessment?patient={patient}"), "RiskAssessments").json()
    reports = [entry["resource"] for entry in found.get("entry", ())]
    if not reports:
        raise Fault("No RiskAssessment was stored.")
    click.echo("4. Stored as RiskAssessments, each prediction with its sources:")
    for report in reports:
        click.echo(f"   RiskAssessment/{report['id']}  {report['method']['text']}")
        for prediction in report["prediction"]:
            ages = prediction["whenRange"]
            outcome_code = prediction["outcome"]["coding"][0]["code"]
            click.echo(
                f"     {outcome_code:<16}{prediction['probabilityDecimal']:>6} %"
                f"   age {ages['low']['value']} to {ages['high']['value']}"
            )
        for basis in report["basis"]:
            click.echo(f"       from {basis['reference']}")
    click.echo()


def _show_times(server_timing: str) -> None:
    spent = {
        name: float(duration.removeprefix("dur="))
        for name, _, duration in (part.strip().partition(";") for part in server_timing.split(",") if part)
    }
    click.echo("5. Where the time of that call went, in ms:")
    for name in timing.STAGES:
        if name in spent:
            click.echo(f"   {name:<9}{spent[name]:>8.2f}  {'▇' * round(spent[name] * 4)}")


def _expect(answer: Any, what: str) -> Any:
    if not answer.ok:
        raise Fault(f"{what}: {answer.status_code} {outcome(answer)}")
    return answer


def _today() -> date:
    return datetime.now(UTC).date()
