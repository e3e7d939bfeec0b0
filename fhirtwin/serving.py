"""Start a gateway and, unless one is named, an engine beside it; watch the engine; stop both together."""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from fhirtwin import __version__, keyfile
from fhirtwin.courier import Courier
from fhirtwin.errors import Incorrect
from fhirtwin.machine import address_of, free_port
from fhirtwin.settings import Settings
from fhirtwin.store import Store

RUNNING_FILE = "running.json"
"""In the data folder while a gateway runs: where it listens, for `fhirtwin load` and `fhirtwin assess`."""

ENGINE_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TMPDIR")
"""All that an engine gets to see of the environment of the gateway."""


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
    with _claimed(settings.data, here):
        Store.open(settings).close()  # makes or checks the database once, before the workers open it
        with Engine(settings) as engine:
            _run_gateway(engine.settings, address, port, tls_cert, tls_key)


@contextmanager
def _claimed(folder: Path, base_url: str) -> Iterator[None]:
    """Be the one gateway of a data folder, and say in it where this one listens, as long as it does."""
    path = folder / RUNNING_FILE
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Incorrect(
                f"A gateway runs on {folder} already; stop it, or name another folder with --data."
            ) from None
        file.truncate(0)
        file.write(json.dumps({"base_url": base_url}))
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def check_address(settings: Settings, host: str, tls_cert: Path | None, tls_key: Path | None) -> None:
    """Refuse what would put patients on a network unprotected."""
    if (tls_cert is None) != (tls_key is None):
        raise Incorrect("--tls-cert and --tls-key go together.")
    if tls_cert and settings.behind_proxy:
        raise Incorrect("Take either --tls-cert and --tls-key or --behind-proxy, not both.")
    if settings.open and settings.behind_proxy:
        raise Incorrect("--open lets anybody in, and a proxy may stand where anybody is; leave one of both out.")
    if is_loopback(host):
        return
    if settings.open:
        raise Incorrect(
            f"--open lets anybody in, so it is refused on {host}; use --host 127.0.0.1, or leave --open out."
        )
    if not (tls_cert or settings.behind_proxy):
        raise Incorrect(f"{host} is not a loopback address: give --tls-cert and --tls-key, or --behind-proxy.")
    if not settings.base_url:
        raise Incorrect(
            "Set FHIRTWIN_BASE_URL to the FHIR base that callers see, for example https://twin.example.org/fhir."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`; a name counts only when all its addresses do."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except socket.gaierror:
        raise Incorrect(f"{host} is not an address of this machine.") from None
    return all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in found)


def check_certificate(tls_cert: Path, tls_key: Path) -> None:
    """Refuse files that TLS cannot be spoken with, before anything is started."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls_cert, tls_key, password="")
    except OSError:  # of which every SSLError is one
        raise Incorrect(
            f"{tls_cert} and {tls_key} are not a certificate and its key: PEM files, the key without a passphrase."
        ) from None


class Engine:
    """An engine process beside the gateway, started again when it dies; nothing when settings name another one."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Engine:
        if self.settings.engine_url:
            key = bytes.fromhex(keyfile.read(self.settings.engine_key_path))
            ca_file = self.settings.engine_ca_file or None
            # The workers make their own; this one only says what is wrong with the address while somebody reads it.
            Courier(self.settings.engine_url, key, timeout=self.settings.engine_timeout_seconds, ca_file=ca_file)
            return self
        keyfile.read_or_make(self.settings.engine_key_path)
        # Not in the data folder: the path of a Unix socket may have 107 characters at most.
        self._folder = tempfile.TemporaryDirectory(prefix="fhirtwin-")
        self.settings = replace(self.settings, engine_url=f"unix:{self._folder.name}/engine.sock")
        self._start()
        threading.Thread(target=self._watch, name="engine-watch", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._let_go()
        if self._folder:
            self._folder.cleanup()

    def _start(self) -> None:
        settings = self.settings
        command = [sys.executable, "-m", "fhirtwin", "engine", "--listen", settings.engine_url]
        command += ["--engine-key", str(settings.engine_key_path), "--workers", str(settings.engine_workers)]
        command += ["--memory-mb", str(settings.engine_memory_mb), "--with-stdin"]
        scrubbed = {name: os.environ[name] for name in ENGINE_ENVIRONMENT if name in os.environ}
        # The pipe is never written to: it ends when this process does, however it does, and then the engine stops too.
        self._process = subprocess.Popen(command, env=scrubbed, stdin=subprocess.PIPE, cwd="/")  # noqa: S603

    def _let_go(self) -> None:
        """Close our end of the pipe to an engine that has stopped."""
        if self._process and self._process.stdin:
            self._process.stdin.close()

    def _watch(self) -> None:
        while not self._stopping.wait(0.5):
            if self._process and self._process.poll() is not None:
                click.echo(
                    f"fhirtwin: the engine stopped (exit code {self._process.returncode}); starting it again", err=True
                )
                self._let_go()
                self._start()


def _run_gateway(settings: Settings, address: str, port: int, tls_cert: Path | None, tls_key: Path | None) -> None:
    from granian.constants import Interfaces
    from granian.server import Server

    # The workers read their settings as anybody's process would: from the environment.
    os.environ.update(settings.to_env())
    click.echo(f"fhirtwin {__version__}: FHIR at {settings.base_url}, CDS Hooks at {cds_url(settings)}", err=True)
    if settings.open:
        click.echo("fhirtwin: no sign-in (--open): everybody on this machine may read and write", err=True)
    else:
        click.echo(f"fhirtwin: callers need the token in {settings.token_path}", err=True)
    server = Server(
        "fhirtwin.app:from_environment",
        factory=True,
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=4,
        respawn_failed_workers=True,
        log_enabled=settings.log_level == "debug",
        ssl_cert=tls_cert,
        ssl_key=tls_key,
    )
    server.serve()


def cds_url(settings: Settings) -> str:
    """Where CDS Hooks clients find discovery."""
    return settings.base_url.removesuffix("/fhir") + "/cds-services"
