"""Start the engine: workers under a memory limit, on a Unix socket, or on an address with TLS."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from fhirtwin import keyfile, machine
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.circuits.circuit import Circuit
from fhirtwin.ckks.panel import Panel
from fhirtwin.engine import evaluator
from fhirtwin.engine.evaluator import AnyCircuit
from fhirtwin.engine.models import Models
from fhirtwin.engine.tenants.book import Several, Sole
from fhirtwin.engine.web import create_app
from fhirtwin.errors import Incorrect

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LEAST_MEMORY_MB = 256
_THREADS = 48
"""So that of a crowd all are seen: those who cannot wait are told so, instead of standing before the door."""
_CONNECTIONS = 2048
_DEATHS_A_MINUTE = 20


def run(
    listen: str,
    key_file: Path | None,
    workers: int = 1,
    memory_mb: int = 1024,
    *,
    tenants: Path | None = None,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    panel: Callable[[], Panel] | None = None,
    tables: Callable[[], Sequence[Panel]] | None = None,
    circuits: Callable[[], Sequence[AnyCircuit]] = tuple,
    models: Models | None = None,
) -> NoReturn:
    """Serve until stopped by a signal.

    Args:
        listen: `unix:/path` (the socket gets mode 0600) or `host:port`.
        key_file: of the secret shared with the only gateway; None when there are tenants.
        workers: processes; one a core is best, for each runs one evaluation at a time.
        memory_mb: address space of one worker, in MiB; what needs more fails instead of taking the machine's.
        tenants: folder of the gateways, when there are several.
        tls_cert: certificate chain, PEM; needed on any address but loopback.
        tls_key: its private key, PEM.
        panel: makes the panel, in each worker; the predictors' when None.
        tables: makes what is evaluated in sparse mode, in each worker; the tables of the genes when None.
        circuits: makes what is evaluated in another way, in each worker; nothing unless told.
        models: published models to serve beside.

    Raises:
        Incorrect: the address, the secret, the limits or the panel are not usable; the text says what to do.
    """
    if (key_file is None) == (tenants is None):
        raise Incorrect("An engine needs --engine-key for one gateway, or --tenants for several, and not both.")
    _gateways(key_file, tenants)
    if memory_mb < _LEAST_MEMORY_MB:
        raise Incorrect(f"An engine worker needs at least {_LEAST_MEMORY_MB} MiB.")
    make_panel, make_tables = panel or _predictors_panel, tables or _gene_tables
    # Refused here, where it is told, and not only in a worker that would die of it.
    evaluator.layouts(make_panel(), make_tables(), circuits())
    if models is not None:
        models.require()
    where = _address(listen, secure=tls_cert is not None and tls_key is not None)
    # One evaluation runs at a time, and each thread of a numerical library would reserve address space.
    os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    server = _Respawning(
        "fhirtwin.engine",
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,  # couriers speak nothing else, and hundreds of streams a connection need no door
        workers=workers,
        blocking_threads=_THREADS,
        runtime_blocking_threads=4,
        backpressure=_CONNECTIONS,
        respawn_failed_workers=True,
        websockets=False,
        log_level=LogLevels.error,  # it warns of many threads, which here wait for their turn
        ssl_cert=tls_cert,
        ssl_key=tls_key,
        **where,
    )
    loader = partial(_load, key_file, tenants, memory_mb, make_panel, make_tables, circuits, models)
    machine.free_forks()
    server.serve(target_loader=loader)
    sys.exit(0)


class _Respawning(MPServer):
    """Puts a new worker in the place of each that dies; Granian alone gives up when one dies twice within 5.5 s.

    One tenant's messages that kill workers would thus end the engine for all. After many deaths in a minute its rule
    counts again, so that an engine that cannot work at all ends with an error. At the end it removes its own socket
    alone: Granian removes whatever has its name by then.
    """

    def _init_shared_socket(self) -> None:
        super()._init_shared_socket()  # type: ignore[no-untyped-call]
        self.own_socket = self.bind_uds.stat().st_ino if self.bind_uds else 0

    def _unlink_pidfile(self) -> None:
        if self.bind_uds and self.bind_uds.exists() and self.bind_uds.stat().st_ino != self.own_socket:
            self.bind_uds = None
        super()._unlink_pidfile()  # type: ignore[no-untyped-call]

    def _respawn_workers(self, workers: Any, spawn_target: Any, target_loader: Any, delay: float = 0) -> None:
        super()._respawn_workers(workers, spawn_target, target_loader, delay)
        now = time.monotonic()
        recent = [death for death in self.__dict__.get("deaths", []) if now - death < 60]
        self.deaths = [*recent, *(now for _ in workers)]
        if len(self.deaths) <= _DEATHS_A_MINUTE * self.workers:
            self.respawned_wrks.clear()


def _load(
    key_file: Path | None,
    tenants: Path | None,
    memory_mb: int,
    panel: Callable[[], Panel],
    tables: Callable[[], Sequence[Panel]],
    circuits: Callable[[], Sequence[AnyCircuit]],
    models: Models | None,
    _target: str,
) -> Any:
    """Make the application; runs in the worker, so the memory limit is the worker's."""
    machine.stop_with_parent()
    machine.share_arenas()
    limit = memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    holds = evaluator.Evaluator(panel(), tables(), circuits(), models)
    holds.keep_up()  # so the worker has every weight encoded before it takes its first request
    return create_app(holds, _gateways(key_file, tenants))


def _gateways(key_file: Path | None, tenants: Path | None) -> Sole | Several:
    return Several(tenants) if tenants else Sole(bytes.fromhex(keyfile.read(key_file or Path())))


def _predictors_panel() -> Panel:
    from fhirtwin.predictors import registry

    return registry.panel(registry.all_predictors())


def batch() -> Sequence[Circuit]:
    """The predictors' panel for thousands of patients in a call."""
    return (Batch(_predictors_panel()),)


def _gene_tables() -> Sequence[Panel]:
    from fhirtwin.pgx.circuits import tables

    return tables.panels()


def _address(listen: str, *, secure: bool) -> dict[str, Any]:
    if listen.startswith("unix:"):
        path = Path(listen.removeprefix("unix:"))
        if not path.is_absolute() or not path.parent.is_dir():
            raise Incorrect("--listen unix: wants an absolute path in a folder that exists.")
        machine.free_socket(path)
        return {"uds": path, "uds_permissions": 0o600}
    host, colon, port = listen.rpartition(":")
    host = host.strip("[]")
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) < 65536):
        raise Incorrect("--listen wants unix:/path or host:port.")
    if not secure and host not in _LOOPBACK:
        raise Incorrect("On an address other than loopback the engine needs --tls-cert and --tls-key.")
    address = machine.address_of(host)
    return {"address": address, "port": machine.free_port(address, int(port))}
