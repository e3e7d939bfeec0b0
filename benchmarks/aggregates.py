"""Totals of several sites: sealing, adding and opening, against encryption alone in the same process.

    OPENBLAS_NUM_THREADS=1 .venv/bin/python -m benchmarks.aggregates [--sites 100] [--rounds 20]

Compared by CPU time; the site's row is one contribution with its tag and signature, from statistics that are there.
Exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from decimal import Decimal

import numpy as np

from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.profiles import SUMS
from fhirtwin.engine.adding import Adder
from fhirtwin.studies import round as rounds
from fhirtwin.studies.column import Column
from fhirtwin.studies.plan import Plan
from fhirtwin.vault.studies import Coordinator, seal

COLUMNS = 20


def timed(work: Callable[[], object], into: list[float]) -> object:
    start = time.process_time()
    made = work()
    into.append((time.process_time() - start) * 1000)
    return made


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sites", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=20)
    chosen = parser.parse_args()
    columns = tuple(Column(f"c{n}", Decimal(0), Decimal(1000), Decimal(1)) for n in range(COLUMNS))
    outcome = Column("y", Decimal(0), Decimal(1000), Decimal(1))
    plan = Plan("bench", "ridge", tuple(f"s{n}" for n in range(chosen.sites)), columns, outcome)
    coordinator = Coordinator.new(plan)
    study = coordinator.study(plan)
    current, invitations = rounds.first(study), coordinator.invitations(study)
    draw = np.random.default_rng(1)
    values = [[int(draw.integers(one.low, one.high + 1)) for one in study.statistics] for _ in invitations]
    ring = Ring(SUMS)
    ring.load_public_key(study.public_key)
    slots = np.zeros(SUMS.slots, dtype=np.complex128)
    print(
        f"{chosen.sites} sites, {COLUMNS} columns and an outcome: {len(study.statistics)} statistics in "
        f"{study.layout.ciphertexts} ciphertext of {study.contribution_bytes:,} bytes"
    )

    encrypting: list[float] = []
    sealing: list[float] = []
    adding: list[float] = []
    opening: list[float] = []
    sealed = [seal(study, current, one, numbers) for one, numbers in zip(invitations, values, strict=True)]
    for number in range(chosen.rounds):
        timed(lambda: [ring.encrypt(slots, SUMS.input_scale) for _ in range(study.layout.ciphertexts)], encrypting)
        at = number % len(invitations)
        timed(lambda at=at: seal(study, current, invitations[at], values[at]), sealing)
        adder = Adder(study, current)
        timed(lambda adder=adder: [adder.add(one) for one in sealed], adding)
        total = adder.total()
        opened = timed(lambda total=total: coordinator.open(study, current, total), opening)
        assert opened == tuple(map(sum, zip(*values, strict=True)))  # to the last digit
    noise = coordinator._opened(study, total)[1]

    alone = min(encrypting)
    per_site = min(adding) / chosen.sites
    rows = [("encrypt alone", encrypting), ("seal, one site", sealing), ("open the total", opening)]
    print(f"{'CPU ms':20} {'least':>9} {'median':>9}")
    for name, spent in rows:
        print(f"{name:20} {min(spent):9.3f} {statistics.median(spent):9.3f}")
    print(f"{'add, a site':20} {per_site:9.3f}")
    print(f"furthest place from its whole number: {noise:.1e}")
    bars = [
        ("seal over encrypt alone", min(sealing) / alone, 8.0),
        ("add, a site, over encrypt alone", per_site / alone, 0.6),
        ("furthest place from its whole number", noise, SUMS.error),
    ]
    for name, value, bar in bars:
        print(f"{'ok  ' if value <= bar else 'MISS'} {name}: {value:.3g} (bar {bar:g})")
    return int(any(value > bar for _, value, bar in bars))


if __name__ == "__main__":
    sys.exit(main())
