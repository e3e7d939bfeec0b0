"""Start a gateway, and the engine beside it; stop both together."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import click

from fhirtwin import __version__, keyfile
from fhirtwin.api.admission import SPARE_THREADS
from fhirtwin.errors import Incorrect
from fhirtwin.machine import address_of, free_forks, free_port, wait_for_listener
from fhirtwin.packages import published, signing
from fhirtwin.pgx.knowledge import folder as knowledge
from fhirtwin.serving.address import check_address, check_certificate
from fhirtwin.serving.engine_beside import Engine
from fhirtwin.settings import Settings
from fhirtwin.store import Store

RUNNING_FILE = "running.json"
"""In the data folder while a gateway runs: where it listens, for `fhirtwin load` and `fhirtwin assess`."""


def serve(settings: Settings, host: str, port: int, tls_cert: Path | None, tls_key: Path | None) -> None:
    """Serve until stopped by a signal.

    Raises:
        Incorrect: the address is taken, or it, TLS files or settings do not go together; the text says what to do.
    """
    check_address(settings, host, tls_cert, tls_key)
    if tls_cert and tls_key:
        check_certificate(tls_cert, tls_key)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(settings.data.stat().st_mode) & 0o022:
        raise Incorrect(f"Others could replace what is in {settings.data}; `chmod go-w {settings.data}` mends that.")
    address = address_of(host)
    port = free_port(address, port)
    scheme = "https" if tls_cert or settings.behind_proxy else "http"
    shown = f"[{host}]" if ":" in host else host
    settings = replace(settings, base_url=settings.base_url.rstrip("/") or f"{scheme}://{shown}:{port}/fhir")
    if not settings.open:
        keyfile.read_or_make(settings.token_path)
    here = f"{'https' if tls_cert else 'http'}://{shown}:{port}/fhir"
    _check_knowledge(settings)
    _check_models(settings)
    with claimed(settings.data, here):
        Store.open(settings).close()  # makes or checks the database once, before the workers open it
        with Engine(settings) as engine:
            _run_gateway(engine.settings, address, port, tls_cert, tls_key)


@contextmanager
def claimed(folder: Path, base_url: str = "") -> Iterator[None]:
    """Be the only one at work on a data folder, and say in it where a gateway listens, if that is the work.

    Raises:
        Incorrect: a gateway runs on it, or somebody else is at work.
    """
    path = folder / RUNNING_FILE
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Incorrect(
                f"A gateway runs on {folder} already; stop it, or name another folder with --data."
            ) from None
        file.truncate(0)
        if base_url:
            file.write(json.dumps({"base_url": base_url}))
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _check_knowledge(settings: Settings) -> None:
    """Read the folder of guideline texts once before the workers do, so what is wrong with it is told here."""
    if settings.pgx_kb_path:
        found = knowledge.load(settings.pgx_kb_path)
        click.echo(f"fhirtwin: {len(found):,} guideline texts from {settings.pgx_kb_path}", err=True)


def _check_models(settings: Settings) -> None:
    """Read the published models once before the workers do, so what is wrong with one is told here."""
    for model in published.current(settings.models_path, signing.read_authors(settings.authors_path)):
        click.echo(f"fhirtwin: model {model.id} {model.version} by {model.author}, SHA-256 {model.hash}", err=True)


def _run_gateway(settings: Settings, address: str, port: int, tls_cert: Path | None, tls_key: Path | None) -> None:
    from granian.constants import Interfaces
    from granian.server import Server

    # The workers read their settings as anybody's process would: from the environment.
    os.environ.update(settings.to_env())
    Thread(target=_say_when_it_listens, args=(settings, address, port), daemon=True).start()
    server = Server(
        "fhirtwin.app:from_environment",
        factory=True,
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.max_concurrent_requests + SPARE_THREADS,
        respawn_failed_workers=True,
        log_enabled=settings.log_level == "debug",
        ssl_cert=tls_cert,
        ssl_key=tls_key,
    )
    free_forks()
    server.serve()


def _say_when_it_listens(settings: Settings, address: str, port: int) -> None:
    """Tell where callers find it, not before somebody answers there: who reads it may call at once."""
    wait_for_listener(address, port)
    click.echo(f"fhirtwin {__version__}: FHIR at {settings.base_url}, CDS Hooks at {settings.cds_url}", err=True)
    if settings.open:
        click.echo("fhirtwin: no sign-in (--open): everybody on this machine may read and write", err=True)
    else:
        click.echo(f"fhirtwin: callers need the token in {settings.token_path}", err=True)
