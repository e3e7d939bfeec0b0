from __future__ import annotations

import datetime
import http.client
import ipaddress
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fhirtwin import keyfile, timing
from fhirtwin.courier import Courier
from fhirtwin.engine import server
from fhirtwin.errors import EngineUnavailable, Incorrect
from fhirtwin.machine import free_port
from fhirtwin.predictors import registry
from fhirtwin.vault import Vault
from tests.engine.process import RunningEngine, running_engine, wait_until_ready

PANEL = registry.panel(registry.all_predictors())


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    with running_engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.mark.parametrize("mode", ["masked", "rotating"])
def test_a_started_engine_evaluates_the_panel_of_the_predictors(engine: RunningEngine, mode: str) -> None:
    courier, vault = engine.courier(), Vault(PANEL, mode=mode)
    courier.ready(PANEL.digest)
    draw = np.random.default_rng(4)
    for _ in range(5):
        values = draw.uniform(PANEL.low, PANEL.high)
        timing.begin()
        features, opening = vault.seal(values)
        scores = vault.open(courier.evaluate(features), opening)
        opened = [float(v) for v in scores.values.values()]
        assert opened == pytest.approx((PANEL.weights @ values).tolist(), abs=0.0006)
        assert "wire;dur=" in timing.header()
        assert "evaluate;dur=" in timing.header()


def test_the_socket_is_for_its_owner_only(engine: RunningEngine) -> None:
    assert stat.S_IMODE(Path(engine.url.removeprefix("unix:")).stat().st_mode) == 0o600


def test_workers_run_under_a_memory_limit_and_leave_no_core(engine: RunningEngine) -> None:
    worker = engine.processes[1]
    limits = Path(f"/proc/{worker}/limits").read_text().splitlines()
    found = {line[:26].strip(): line[26:].split()[:2] for line in limits}
    assert found["Max address space"] == [str(1024 * 1024 * 1024)] * 2
    assert found["Max core file size"] == ["0", "0"]


def test_there_is_a_worker_for_each_core_unless_told_otherwise(tmp_path: Path) -> None:
    with running_engine(tmp_path, "--workers", "0") as engine:
        deadline = time.monotonic() + 20
        while len(engine.processes) != 1 + len(os.sched_getaffinity(0)):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with running_engine(tmp_path) as engine:
        before = engine.processes[1:]
        os.kill(before[0], signal.SIGKILL)
        deadline = time.monotonic() + 20
        while not (after := engine.processes[1:]) or after == before:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        wait_until_ready(engine)


def test_a_socket_left_by_a_killed_engine_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "engine.sock"))
    with running_engine(tmp_path) as engine:
        engine.courier().ready()


def test_a_started_engine_speaks_no_second_protocol(engine: RunningEngine) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(5)
        caller.connect(engine.url.removeprefix("unix:"))
        caller.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert not caller.recv(9).startswith(b"\x00\x00"), "settings of HTTP/2"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "engine")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "ca.pem", folder / "tls.key"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


def test_between_machines_the_engine_speaks_tls_and_the_courier_checks_the_authority(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    port = free_port("127.0.0.1")
    options = ("--tls-cert", str(cert), "--tls-key", str(key))
    listen = f"127.0.0.1:{port}"
    with running_engine(tmp_path, *options, url=f"https://{listen}", listen=listen) as engine:
        vault, courier = Vault(PANEL), engine.courier()
        features, opening = vault.seal(np.zeros(len(PANEL.features)))
        assert set(vault.open(courier.evaluate(features), opening).values) == set(PANEL.rows)
        with pytest.raises(EngineUnavailable, match="not of the authority"):
            engine.courier(ca_file=None).ready()
        plain = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        plain.request("GET", "/ready")
        with pytest.raises((http.client.HTTPException, OSError)):
            plain.getresponse()
        plain.close()


def test_the_courier_speaks_no_older_tls_than_1_3(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    older = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    older.load_cert_chain(cert, key)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        courier = Courier(url, bytes(32), timeout=5, ca_file=str(cert))
        refused: list[str] = []

        def shake_hands() -> None:
            near, _ = listener.accept()
            with near:
                try:
                    older.wrap_socket(near, server_side=True).close()
                except ssl.SSLError as error:
                    refused.append(error.reason)

        server_side = threading.Thread(target=shake_hands)
        server_side.start()
        with pytest.raises(EngineUnavailable, match="cannot be reached"):
            courier.ready()
        server_side.join()
    assert refused == ["UNSUPPORTED_PROTOCOL"]


@pytest.mark.parametrize(
    ("listen", "says"),
    [
        ("0.0.0.0:9000", "needs --tls-cert"),
        ("engine.example.org:9000", "needs --tls-cert"),
        ("9000", "unix:/path or host:port"),
        ("127.0.0.1:", "unix:/path or host:port"),
        ("127.0.0.1:70000", "unix:/path or host:port"),
        ("unix:engine.sock", "absolute path"),
        ("unix:/nowhere/engine.sock", "absolute path"),
    ],
)
def test_addresses_that_are_none_or_unprotected_are_refused(tmp_path: Path, listen: str, says: str) -> None:
    keyfile.make(tmp_path / "key")
    with pytest.raises(Incorrect, match=says):
        server.run(listen, tmp_path / "key")


def test_what_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    keyfile.make(tmp_path / "key")
    (tmp_path / "precious").write_text("x")
    with pytest.raises(Incorrect, match="is no socket"):
        server.run(f"unix:{tmp_path / 'precious'}", tmp_path / "key")
    assert (tmp_path / "precious").read_text() == "x"


def test_a_second_engine_does_not_take_the_socket_of_one_that_runs(tmp_path: Path) -> None:
    with running_engine(tmp_path) as first:
        keyfile.make(tmp_path / "other.key")
        with pytest.raises(Incorrect, match="is in use"):
            server.run(first.url, tmp_path / "other.key")
        first.courier().ready()


def test_an_engine_replaces_a_socket_where_nobody_listens_and_removes_its_own(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    with running_engine(tmp_path) as engine:
        engine.courier().ready()
    assert not path.exists()


def test_an_engine_leaves_the_socket_of_another_that_came_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as other:
        with running_engine(tmp_path):
            path.rename(tmp_path / "away")
            other.bind(str(path))
        assert path.is_socket()


def test_a_socket_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    keyfile.make(tmp_path / "key")
    command = [sys.executable, "-m", "fhirtwin", "engine", "--engine-key", str(tmp_path / "key")]
    command += ["--listen", f"unix:{tmp_path / ('n' * 120)}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "in a folder that is yours to write to" in done.stderr


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    keyfile.make(path)
    path.chmod(0o640)
    command = [sys.executable, "-m", "fhirtwin", "engine", "--listen", f"unix:{tmp_path}/s", "--engine-key", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert "can be read by others" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_panel_that_could_overflow_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    keyfile.make(tmp_path / "key")
    too_much = replace(PANEL, weights=PANEL.weights * 10)
    with pytest.raises(Incorrect, match="could sum to"):
        server.run(f"unix:{tmp_path}/s", tmp_path / "key", panel=lambda: too_much)
    assert not (tmp_path / "s").exists()


def test_too_little_memory_is_refused(tmp_path: Path) -> None:
    keyfile.make(tmp_path / "key")
    with pytest.raises(Incorrect, match="at least 256 MiB"):
        server.run(f"unix:{tmp_path}/s", tmp_path / "key", 1, 100)


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    keyfile.make(tmp_path / "key")
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(Incorrect, match=f"Port {taken} of 127.0.0.1 cannot be had"):
            server.run(f"localhost:{taken}", tmp_path / "key")
