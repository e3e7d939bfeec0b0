"""A model package of 32 rows by 64 features: asked without its weights, against the same panel with them.

    .venv/bin/python -m benchmarks.models

Both sealed rounds run interleaved in one process and are compared by CPU time, with encryption and decryption alone, as
`benchmarks.panel` does. The package is packed, published and read here, and served by an evaluator that looks at the
folder as an engine does; reading is what a gateway does at its start for each model. Exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks import calibration
from benchmarks.panel import FEATURES, MODELS, Round, Row, encrypt_and_decrypt, synthetic_panel
from fhirtwin.ckks import profiles
from fhirtwin.ckks.context import Ring
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.models import Models
from fhirtwin.packages import making, package, published, safetensors, signing
from fhirtwin.packages.kinds.panel import PanelModel
from fhirtwin.packages.makers.maker import Source
from fhirtwin.packages.package import Package
from fhirtwin.terms.facts import UNITS
from fhirtwin.vault import Vault

CASES = 16
ROUND_BAR, FLOOR_BAR, READ_BAR_MS, ERROR_BAR = 1.15, 2.3, 50.0, 6e-4


def made(folder: Path) -> Package:
    """A package of that size out of facts of the twin, each of them four features."""
    facts = [fact for fact in UNITS if fact != "age"][: FEATURES // 4 - 1]
    code = {"system": "http://loinc.org", "code": "0"}
    inputs = [{"fact": "age", "label": "age", "unit": "a", "low": 20, "high": 80}]
    inputs += [
        {"fact": fact, "label": fact, "unit": UNITS[fact], "low": 1, "high": 101, "code": code, "keep": "any"}
        for fact in facts
    ]
    features = [
        {"name": f"{fact}-{part}", "product": [{"fact": fact, "minus": 50 + 2 * part, "over": 17 + 3 * part}]}
        for fact in ("age", *facts)
        for part in range(4)
    ]
    weights = np.random.default_rng(3).normal(size=(MODELS, FEATURES))
    weights *= 5.0 / np.abs(weights).sum(axis=1)[:, None]
    rows = [{"name": f"row-{row}"} for row in range(MODELS)]
    outcome = {"system": "https://fhirtwin.example/fhir/CodeSystem/outcome", "code": "ascvd", "display": "Synthetic"}
    output = {"id": "o", "outcome": outcome, "horizon_years": 10, "low_age_years": 20, "high_age_years": 80}
    description = {
        "id": "synthetic",
        "version": "1",
        "title": "Synthetic",
        "source": "https://example.org",
        "inputs": inputs,
        "rules": [{"fact": "deceased", "must_be": False, "reason": "deceased"}],
        "features": features,
        "rows": rows,
        "outputs": [output | {"row": "row-0", "link": {"kind": "logistic"}}],
    }
    draw = np.random.default_rng(4)
    cases = [
        {"name": f"case {n}", "values": {one["fact"]: float(draw.integers(20, 80)) for one in inputs}}
        for n in range(CASES)
    ]
    (folder / "model.json").write_text(json.dumps(description))
    (folder / "weights.safetensors").write_bytes(safetensors.write(weights))
    (folder / "golden.json").write_text(json.dumps({"cases": cases}))
    key = Ed25519PrivateKey.generate()
    signing.trust(folder / "authors.json", "author", signing.public_hex(key))
    source = Source(folder / "model.json", folder / "weights.safetensors", folder / "golden.json")
    return making.pack("panel", source, key, folder / "out").package


def panel_of(whole: Package) -> PanelModel:
    assert isinstance(whole.model, PanelModel)
    return whole.model


class Hidden(Round):
    """A round by a vault that has no weights; what is right is reckoned with them."""

    whole: Package

    def largest_error(self) -> float:
        right = self.patients @ panel_of(self.whole).panel().weights.T
        opened = [np.array([float(value) for value in scores.values.values()]) for scores in self.done]
        return max(float(np.abs(row - right[i % len(right)]).max()) for i, row in enumerate(opened))


def measure(rounds: int) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = made(folder)
        published.publish(whole, folder / "models", with_weights=True)
        models = Models(folder / "models", folder / "authors.json")
        evaluator = Evaluator(synthetic_panel(), models=models)
        same = replace(panel_of(whole).panel(), package="")
        hidden = Hidden(Vault(panel_of(whole).hidden()), evaluator)
        hidden.whole = whole
        known = Round(Vault(same), Evaluator(same))
        ring = Ring(profiles.MASKED)
        ring.make_keys()
        half = folder / "out" / "synthetic-1.public"
        trusted = signing.read_authors(folder / "authors.json")
        rows = [
            Row("encrypt + decrypt alone", encrypt_and_decrypt(ring)),
            Row("sealed round, gateway with weights", known.once),
            Row("sealed round of a package, gateway without", hidden.once),
            Row("reading and checking its public half", lambda: package.read(half, trusted)),
        ]
        for _ in range(rounds):
            for row in rows:
                row.run()
    base = rows[0]
    print(f"calibration: {calibration.milliseconds():.3f} ms of CPU for a fixed piece of work\n")
    print(f"{MODELS} rows x {FEATURES} features, {CASES} golden cases, {rounds} interleaved rounds, CPU milliseconds")
    for row in rows:
        low, middle = min(row.cpu_ms), statistics.median(row.cpu_ms)
        print(f"{row.name:46} min {low:7.3f}  median {middle:7.3f}  ratio of min {low / min(base.cpu_ms):6.2f}")
    bars = [
        ("package over panel with weights", min(rows[2].cpu_ms) / min(rows[1].cpu_ms), ROUND_BAR),
        ("package over encrypt + decrypt", min(rows[2].cpu_ms) / min(base.cpu_ms), FLOOR_BAR),
        ("reading a public half, ms", min(rows[3].cpu_ms), READ_BAR_MS),
        ("largest error of a rounded sum", hidden.largest_error(), ERROR_BAR),
        ("bytes each way", max(hidden.bytes_up, hidden.bytes_down), 66_000),
    ]
    missed = 0
    print()
    for what, value, bar in bars:
        good = value <= bar
        missed += not good
        print(f"{what:46} {value:10.5g}  bar {bar:<8g} {'ok' if good else 'MISSED'}")
    return 1 if missed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    sys.exit(measure(parser.parse_args().rounds))
