"""Where a gateway may listen, and what it hands to the processes it starts."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from fhirtwin import keyfile
from fhirtwin.errors import Incorrect
from fhirtwin.machine import address_of, free_port
from fhirtwin.serving.address import check_address, is_loopback
from fhirtwin.serving.engine_beside import ENGINE_ENVIRONMENT, Engine
from fhirtwin.serving.gateway import serve
from fhirtwin.settings import Settings

CERT, KEY = Path("cert.pem"), Path("key.pem")
BASE = "https://twin.example.org/fhir"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "127.1", "::1", "localhost"])
def test_open_is_allowed_on_loopback(host: str) -> None:
    check_address(Settings(open=True), host, None, None)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
def test_open_is_refused_behind_a_proxy(host: str) -> None:
    with pytest.raises(Incorrect, match="--open lets anybody in"):
        check_address(Settings(open=True, behind_proxy=True, base_url=BASE), host, None, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "0", "::", "192.0.2.7", "::ffff:192.0.2.7"])  # noqa: S104
def test_open_is_refused_elsewhere_even_with_tls(host: str) -> None:
    with pytest.raises(Incorrect, match="--open lets anybody in"):
        check_address(Settings(open=True, base_url=BASE), host, CERT, KEY)


def test_other_addresses_need_tls_or_a_proxy() -> None:
    with pytest.raises(Incorrect, match="not a loopback address"):
        check_address(Settings(base_url=BASE), "192.0.2.7", None, None)
    check_address(Settings(base_url=BASE), "192.0.2.7", CERT, KEY)
    check_address(Settings(base_url=BASE, behind_proxy=True), "192.0.2.7", None, None)


def test_other_addresses_need_the_base_that_callers_see() -> None:
    with pytest.raises(Incorrect, match="FHIRTWIN_BASE_URL"):
        check_address(Settings(), "192.0.2.7", CERT, KEY)


def test_half_a_certificate_is_refused() -> None:
    with pytest.raises(Incorrect, match="go together"):
        check_address(Settings(), "127.0.0.1", CERT, None)


def test_tls_and_proxy_exclude_each_other() -> None:
    with pytest.raises(Incorrect, match="not both"):
        check_address(Settings(behind_proxy=True), "127.0.0.1", CERT, KEY)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "", "[::1]", "127.0.0.1 "])
def test_unknown_name_is_refused(host: str) -> None:
    with pytest.raises(Incorrect, match="not an address"):
        is_loopback(host)


@pytest.mark.parametrize("found", [["127.0.0.1", "192.0.2.7"], ["192.0.2.7", "::1"]])
def test_a_name_is_loopback_only_when_all_its_addresses_are(found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [(0, 0, 0, "", (address, 0)) for address in found])
    assert not is_loopback("both.example.org")


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_data_folder_that_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(Incorrect, match="chmod go-w"):
        serve(Settings(data=tmp_path), "127.0.0.1", 0, None, None)
    assert list(tmp_path.iterdir()) == []


def test_an_engine_beside_the_gateway_gets_no_secret_and_next_to_nothing_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FHIRTWIN_DATABASE_URL", "postgresql://twin:password@db/twin")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "cloud-secret")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    with Engine(Settings(data=tmp_path)) as engine:
        assert engine._process is not None
        process = Path(f"/proc/{engine._process.pid}")
        deadline = time.monotonic() + 10
        while b"--engine-key" not in (process / "cmdline").read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        environment = (process / "environ").read_bytes().split(b"\0")
        command = (process / "cmdline").read_bytes()
        assert (process / "cwd").readlink() == Path("/")
    assert {line.partition(b"=")[0].decode() for line in environment if line} <= set(ENGINE_ENVIRONMENT)
    assert keyfile.read(tmp_path / "engine.key").encode() not in command


@pytest.mark.parametrize(
    ("host", "address"),
    [("localhost", "127.0.0.1"), ("127.1", "127.0.0.1"), ("::1", "::1"), ("0", "0.0.0.0")],  # noqa: S104
)
def test_a_name_is_listened_on_by_its_address(host: str, address: str) -> None:
    assert address_of(host) == address


def test_a_port_on_which_somebody_listens_is_refused_even_when_shared(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as the workers of a gateway do
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(Incorrect, match=f"Port {taken} of 127.0.0.1 cannot be had"):
            serve(Settings(data=tmp_path, open=True), "127.0.0.1", taken, None, None)
    assert free_port("127.0.0.1", taken) == taken
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_certificate_are_refused_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    file.write_text("-----BEGIN CERTIFICATE-----")
    data = tmp_path / "data"
    with pytest.raises(Incorrect, match="not a certificate and its key"):
        serve(Settings(data=data), "127.0.0.1", 0, file, file)
    assert not data.exists()


@pytest.mark.parametrize("url", ["garbage", "http://192.0.2.7:8444", "https://engine.example", "https://e.example:x"])
def test_an_address_that_is_no_engines_is_refused_before_anything_starts(tmp_path: Path, url: str) -> None:
    key = tmp_path / "engine.key"
    keyfile.make(key)
    with pytest.raises(Incorrect, match="engine's address"), Engine(Settings(data=tmp_path, engine_url=url)):
        pytest.fail("it started")
