"""Sixteen gateways at one engine host of two workers, over HTTP: panels a second, and how long one takes.

    .venv/bin/python -m benchmarks.tenants [SECONDS]

Each gateway is a tenant with a secret and quotas of its own (large ones: all is counted and nothing refused), and asks
for one panel of 32 models by 64 features after another on a connection that it keeps. The callers run on the same
machine: they send requests that were sealed and signed before and read answers without checking them, but for one of
each gateway at the end, which its vault opens. What else the machine did is printed. Exit code 1 when a bar is missed.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from benchmarks import calibration
from benchmarks.panel import synthetic_panel
from benchmarks.processes import cpu_seconds
from fhirtwin import __version__, keyfile
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.courier import Courier
from fhirtwin.engine import server
from fhirtwin.engine.tenants import folder
from fhirtwin.engine.tenants.tenant import Limits, Tenant
from fhirtwin.engine.tenants.usage import Usage
from fhirtwin.errors import EngineUnavailable
from fhirtwin.machine import free_port
from fhirtwin.vault import Opening, Vault

GATEWAYS, WORKERS, SECONDS = 16, 2, 20.0
RATE_BAR, P99_BAR_MS = 250.0, 150.0
LIMITS = Limits(10**12, 10**6, 10**9)
PANEL = synthetic_panel()
ANSWER_BYTES = wire.OVERHEAD_BYTES + 65_649


@dataclass
class Caller:
    """One gateway: its request, and what it saw."""

    name: str
    key: bytes
    features: SealedFeatures
    opening: Opening
    walls: list[float] = field(default_factory=list)
    refused: int = 0
    last: bytes = b""
    request: bytes = b""

    def call_until(self, end: float, port: int) -> None:
        self.request = wire.write_request(self.features, __version__, self.key, wire.NO_KEYS, with_keys=False)
        head = f"POST {wire.EVALUATE} HTTP/1.1\r\nHost: e\r\n{wire.KEY_HEADER}: {wire.key_name(self.key)}\r\n"
        message = f"{head}Content-Length: {len(self.request)}\r\n\r\n".encode() + self.request
        buffer = bytearray(1 << 17)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (start := time.perf_counter()) < end:
                connection.sendall(message)
                size = _read_answer(connection, buffer)
                if buffer.startswith(b"HTTP/1.1 200"):
                    self.walls.append(time.perf_counter() - start)
                    self.last = bytes(buffer[size - ANSWER_BYTES : size])
                else:
                    self.refused += 1


def _read_answer(connection: socket.socket, buffer: bytearray) -> int:
    view, got, whole = memoryview(buffer), 0, 0
    while not whole or got < whole:
        received = connection.recv_into(view[got:])
        if not received:
            raise ConnectionError("the engine hung up")
        got += received
        if not whole and (end := buffer.find(b"\r\n\r\n", 0, got)) >= 0:
            head = bytes(buffer[:end]).lower()
            whole = end + 4 + int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return got


def serve(tenants: Path, port: int) -> NoReturn:
    """Be the engine."""
    server.run(f"127.0.0.1:{port}", None, WORKERS, tenants=tenants, panel=lambda: PANEL, tables=list)


def main() -> int:
    """Run, print the table, and say by the exit code whether the bars were met."""
    if sys.argv[1:2] == ["--serve"]:
        serve(Path(sys.argv[2]), int(sys.argv[3]))
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory() as made:
        tenants, port = Path(made) / "tenants", free_port("127.0.0.1")
        callers = [_caller(tenants, f"gateway-{number}") for number in range(GATEWAYS)]
        command = [sys.executable, "-m", "benchmarks.tenants", "--serve", str(tenants), str(port)]
        engine = subprocess.Popen(command)
        try:
            _wait(callers[0], port)
            _run(callers, 1.0, port)  # warm up
            return report(callers, seconds, port, engine.pid, Path(made))
        finally:
            engine.terminate()
            engine.wait()


def report(callers: list[Caller], seconds: float, port: int, engine: int, made: Path) -> int:
    """Let the gateways call for so long, and print what they saw."""
    for caller in callers:
        caller.walls.clear()
    before, own, all_before = cpu_seconds(engine)[0], time.process_time(), _machine_seconds()
    start = time.perf_counter()
    _run(callers, seconds, port)
    took = time.perf_counter() - start
    spent, own = cpu_seconds(engine)[0] - before, time.process_time() - own
    other = _machine_seconds() - all_before - spent - own
    walls = sorted(wall * 1000 for caller in callers for wall in caller.walls)
    refused = sum(caller.refused for caller in callers)
    for caller in callers:  # the last answer of each is a right one, for it alone
        vault_of = _VAULTS[caller.name]
        read = wire.read_response(caller.last, caller.key, caller.features, caller.request)
        assert vault_of.open(read.scores, caller.opening).values
    cuts = statistics.quantiles(walls, n=100)
    cores = os.cpu_count() or 1
    print(
        f"{len(callers)} gateways, {WORKERS} workers, {took:.0f} s, {len(walls)} panels of 32 × 64, {refused} refused"
    )
    for name, value in (
        ("calibration (fixed workload), CPU ms", calibration.milliseconds()),
        ("machine: share of its cores used by the engine, %", 100 * spent / took / cores),
        ("machine: by the callers, %", 100 * own / took / cores),
        ("machine: by others, %", 100 * other / took / cores),
        ("engine CPU ms a panel", 1000 * spent / len(walls)),
        ("callers' CPU ms a panel", 1000 * own / len(walls)),
        ("counting a call's use, µs", _counting(made)),
        ("fewest panels of one gateway, of the mean, %", 100 * _fewest(callers)),
        ("wall ms, median", cuts[49]),
        ("wall ms, longest", walls[-1]),
    ):
        print(f"  {name:<52}{value:>10.2f}")
    rate = len(walls) / took
    met = [rate >= RATE_BAR, cuts[98] <= P99_BAR_MS, refused == 0]
    print(f"  {'panels a second':<52}{rate:>10.0f}   bar: at least {RATE_BAR:.0f}   {'met' if met[0] else 'MISSED'}")
    print(
        f"  {'wall ms, 99th':<52}{cuts[98]:>10.1f}   bar: at most {P99_BAR_MS:.0f}    {'met' if met[1] else 'MISSED'}"
    )
    return 0 if all(met) else 1


_VAULTS: dict[str, Vault] = {}


def _caller(tenants: Path, name: str) -> Caller:
    key = folder.add(tenants, name, LIMITS, ["panel"])
    _VAULTS[name] = Vault(PANEL)
    features, opening = _VAULTS[name].seal(PANEL.high / 2)
    return Caller(name, bytes.fromhex(keyfile.read(key)), features, opening)


def _run(callers: list[Caller], seconds: float, port: int) -> None:
    end = time.perf_counter() + seconds
    threads = [threading.Thread(target=caller.call_until, args=(end, port)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _wait(caller: Caller, port: int) -> None:
    courier = Courier(f"http://127.0.0.1:{port}", caller.key, timeout=1.0)
    for _ in range(600):
        try:
            return courier.ready(PANEL.digest)
        except EngineUnavailable:
            time.sleep(0.05)
    raise SystemExit("the engine did not start")


def _fewest(callers: list[Caller]) -> float:
    counts = [len(caller.walls) for caller in callers]
    return min(counts) / statistics.mean(counts)


def _counting(made: Path) -> float:
    """Microseconds that `take` and `settle` need together."""
    usage, tenant = Usage(made / "usage.sqlite"), Tenant("one", bytes(32), LIMITS)
    start = time.process_time()
    for _ in range(2000):
        usage.take(tenant, PANEL.digest, 65_805)
        usage.settle(tenant, 0.001)
    return (time.process_time() - start) / 2000 * 1e6


def _machine_seconds() -> float:
    """CPU time that all processes of this machine used, in seconds."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return (sum(ticks[:3]) + sum(ticks[5:8])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
