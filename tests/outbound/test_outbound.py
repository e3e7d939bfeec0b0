"""What leaves for a server on the list, and what is taken of its answer, on real connections."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from fhirtwin.errors import Incorrect, OutboundFailed, OutboundRefused
from fhirtwin.outbound import Allowed, Fetched, Outbound, places, resolving
from tests.outbound.servers import Network, ok, raw, says, tls_server

HEAD = b"HTTP/1.1 200 OK\r\n"


def here(port: int, **changes: object) -> Outbound:
    chosen = {"connect_timeout": 2, "read_timeout": 2, "max_bytes": 1000, "open_": True, **changes}
    return Outbound([f"http://127.0.0.1:{port}/fhir"], **chosen)  # type: ignore[arg-type]


def get(way: Outbound, url: str, seconds: float = 5, **headers: str) -> Fetched:
    return way.get(url, headers=headers, deadline=time.monotonic() + seconds)


def test_a_fetch_sends_what_it_is_given_and_gives_what_came() -> None:
    with raw(ok(b'{"a": 0.010}', "X-A: 1", "X-A: 2")) as server:
        fetched = get(
            here(server.port),
            f"http://127.0.0.1:{server.port}/fhir/Patient?name=x%20y&code=a|b",
            Authorization="Bearer t",
        )
    assert (fetched.status, fetched.body) == (200, b'{"a": 0.010}')
    assert fetched.media_type == "application/fhir+json"
    assert fetched.headers["x-a"] == "1, 2"
    lines = server.requests[0].decode().split("\r\n")
    assert lines[0] == "GET /fhir/Patient?name=x%20y&code=a|b HTTP/1.1"
    assert {f"Host: 127.0.0.1:{server.port}", "Authorization: Bearer t", "Accept-Encoding: identity"} <= set(lines)


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    with raw(ok(b"direct")) as server:
        assert get(here(server.port), f"http://127.0.0.1:{server.port}/fhir/x").body == b"direct"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_leads_nowhere(status: int) -> None:
    with (
        raw(ok(b"secret")) as other,
        raw(
            says(
                f"HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:{other.port}/fhir/x\r\n".encode(),
                b"Content-Length: 0\r\n\r\n",
            )
        ) as server,
    ):
        assert get(here(server.port), f"http://127.0.0.1:{server.port}/fhir/x").status == status
    assert len(server.requests) == 1
    assert other.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Content-Length: 1001\r\n\r\n",
        HEAD + b"\r\n" + b"x" * 1001,
        HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"100\r\n"
        + b"x" * 256
        + b"\r\n"
        + b"300\r\n"
        + b"x" * 768
        + b"\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 900000000000\r\n\r\n",
    ],
    ids=["length", "until-it-ends", "chunks", "huge"],
)
def test_a_body_that_is_too_long_is_not_taken(answer: bytes) -> None:
    with raw(says(answer)) as server, pytest.raises(OutboundFailed, match="more than 1000 bytes"):
        get(here(server.port), f"http://127.0.0.1:{server.port}/fhir/x")


@pytest.mark.parametrize(
    "piece",
    [b"x" * 65_536, b"1\r\nx\r\n", b"-1\r\n" + b"x" * 65_536],
    ids=["endless", "tiny-chunks", "negative-chunk"],
)
def test_what_never_ends_is_given_up_at_a_fixed_size(piece: bytes) -> None:
    head = HEAD + (b"\r\n" if piece[:1] == b"x" else b"Transfer-Encoding: chunked\r\n\r\n")

    def forever(peer: object) -> None:
        peer.sendall(head)  # type: ignore[attr-defined]
        while True:
            peer.sendall(piece * 100)  # type: ignore[attr-defined]

    with raw(forever) as server, pytest.raises(OutboundFailed, match="more than"):
        get(here(server.port), f"http://127.0.0.1:{server.port}/fhir/x", seconds=20)


def test_endless_headers_are_given_up() -> None:
    with raw(says(HEAD, *[b"X-A: " + b"y" * 60_000 + b"\r\n"] * 50)) as server, pytest.raises(OutboundFailed):
        get(here(server.port), f"http://127.0.0.1:{server.port}/fhir/x")


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "identity, gzip"])
def test_what_is_compressed_is_not_unpacked(encoding: str) -> None:
    bomb = gzip.compress(b"0" * 1_000_000)[:900]
    with raw(ok(bomb, f"Content-Encoding: {encoding}")) as server, pytest.raises(OutboundFailed, match="compressed"):
        get(here(server.port), f"http://127.0.0.1:{server.port}/fhir/x")


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Content-Length: 10\r\n\r\nshort",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab",
        b"hello",
        b"",
        b"HTTP/1.1 abc OK\r\n\r\n",
    ],
)
def test_an_answer_that_breaks_off_or_is_no_http_fails(answer: bytes) -> None:
    with raw(says(answer)) as server, pytest.raises(OutboundFailed):
        get(here(server.port), f"http://127.0.0.1:{server.port}/fhir/x")


@pytest.mark.parametrize(
    "parts",
    [
        [bytes([byte]) for byte in HEAD * 4],
        [HEAD + b"Content-Length: 900\r\n\r\n", *[b"x"] * 900],
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * 900],
        [b"HTTP/1.1 100 Continue\r\n\r\n"] * 900,
    ],
    ids=["header", "body", "chunks", "continue"],
)
def test_a_server_that_drips_is_given_up_at_the_deadline(parts: list[bytes]) -> None:
    with raw(says(*parts, pause=0.05)) as server:
        start = time.monotonic()
        with pytest.raises(OutboundFailed, match="in time"):
            get(here(server.port), f"http://127.0.0.1:{server.port}/fhir/x", seconds=0.4)
        assert time.monotonic() - start < 15


def test_the_read_timeout_holds_when_the_deadline_is_far() -> None:
    with raw(says(HEAD, b"x", pause=30)) as server:
        start = time.monotonic()
        with pytest.raises(OutboundFailed, match="in time"):
            get(here(server.port, read_timeout=0.3), f"http://127.0.0.1:{server.port}/fhir/x", seconds=60)
        assert time.monotonic() - start < 15


def test_a_deadline_that_has_passed_opens_no_connection() -> None:
    network = Network({"ehr.example.org": ["8.8.8.8"]})
    way = Outbound(
        ["https://ehr.example.org"],
        connect_timeout=1,
        read_timeout=1,
        max_bytes=9,
        open_=False,
        resolve=network.resolve,
        connect=network.connect,
    )
    with pytest.raises(OutboundFailed, match="in time"):
        get(way, "https://ehr.example.org/x", seconds=-1)
    assert network.connected == []


def test_a_slow_look_up_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving.socket, "getaddrinfo", lambda *_a, **_k: time.sleep(20) or [])
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        resolving.resolve("slow.example", 443, 0.2)
    assert time.monotonic() - start < 10


def test_the_look_up_gives_every_address_once_and_an_error_for_what_is_no_name() -> None:
    assert resolving.resolve("127.0.0.1", 443, 2) == ["127.0.0.1"]
    with pytest.raises(OSError, match=r"."):
        resolving.resolve("." * 300, 443, 2)


def tls(folder: Path, name: str, *, names: list[str], addresses: list[str], private: bool) -> tuple[bytes, Network]:
    context, ca_file = tls_server(folder, *names)
    with raw(ok(b"over tls"), context) as server:
        network = Network({name: addresses}, wire=("127.0.0.1", server.port))
        way = Outbound(
            [Allowed(f"https://{name}/fhir", private=private)],
            connect_timeout=2,
            read_timeout=2,
            max_bytes=100,
            open_=False,
            ca_file=ca_file,
            resolve=network.resolve,
            connect=network.connect,
        )
        return get(way, f"https://{name}/fhir/metadata").body, network


@pytest.mark.parametrize(
    ("addresses", "private"),
    [(["93.184.216.34"], False), (["2606:2800:220:1::1"], False), (["10.20.30.40"], True), (["fd12:3456::7"], True)],
)
def test_over_tls_the_judged_address_is_connected_to_and_the_name_is_checked(
    tmp_path: Path, addresses: list[str], private: bool
) -> None:
    body, network = tls(tmp_path, "ehr.example.org", names=["ehr.example.org"], addresses=addresses, private=private)
    assert body == b"over tls"
    assert network.looked_up == ["ehr.example.org"]
    assert network.connected == [(addresses[0], 443)]


def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutboundFailed, match="certificate"):
        tls(tmp_path, "ehr.example.org", names=["evil.example"], addresses=["93.184.216.34"], private=False)


def test_a_certificate_of_the_address_instead_of_the_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutboundFailed, match="certificate"):
        tls(tmp_path, "ehr.example.org", names=["93.184.216.34"], addresses=["93.184.216.34"], private=False)


def test_a_certificate_of_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    context, _ = tls_server(tmp_path, "ehr.example.org")
    with raw(ok(b"x"), context) as server:
        network = Network({"ehr.example.org": ["93.184.216.34"]}, wire=("127.0.0.1", server.port))
        way = Outbound(
            ["https://ehr.example.org"],
            connect_timeout=2,
            read_timeout=2,
            max_bytes=100,
            open_=False,
            resolve=network.resolve,
            connect=network.connect,
        )
        with pytest.raises(OutboundFailed, match="certificate"):
            get(way, "https://ehr.example.org/x")
        assert server.requests == []


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with raw(ok(b"second")) as server:
        tried: list[str] = []

        def connect(address: str, port: int, seconds: float) -> object:
            tried.append(address)
            if len(tried) == 1:
                raise ConnectionRefusedError
            return Network(wire=("127.0.0.1", server.port)).connect(address, port, seconds)

        way = here(server.port, resolve=lambda *_: ["::1", "127.0.0.1"], connect=connect)
        way._entries = Outbound(
            ["http://localhost"], connect_timeout=1, read_timeout=1, max_bytes=1, open_=True
        )._entries
        assert get(way, "http://localhost/fhir/x").body == b"second"
    assert tried == ["::1", "127.0.0.1"]


@pytest.mark.parametrize(
    "entry",
    [
        "http://ehr.example.org/fhir",
        "http://10.0.0.1/fhir",
        "https://ehr.example.org/fhir?x=1",
        "ehr.example.org",
        "https://ehr.example.org/../x",
        "",
        "*",
        "https://*",
        "https://user@ehr.example.org",
    ],
)
def test_an_entry_that_could_not_be_meant_is_an_error_at_once(entry: str) -> None:
    for open_ in (False, True):
        with pytest.raises(Incorrect):
            Outbound([entry], connect_timeout=1, read_timeout=1, max_bytes=1, open_=open_)


def test_plain_http_to_this_machine_is_for_open_alone() -> None:
    assert here(8000).allows("http://127.0.0.1:8000/fhir/x")
    assert not here(8000, open_=False).allows("http://127.0.0.1:8000/fhir/x")
    with pytest.raises(OutboundRefused):
        get(here(8000, open_=False), "http://127.0.0.1:8000/fhir/x")


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("https://ehr.example.org", "https://ehr.example.org/anything"),
        ("https://ehr.example.org/", "https://EHR.example.org:443/anything"),
        ("https://ehr.example.org:443/fhir/", "https://ehr.example.org/fhir"),
        ("https://ehr.example.org/fhir", "HTTPS://ehr.example.org/fhir/Patient?_id=1"),
        ("https://ehr.example.org/fhir", "https://ehr.example.org/fhir/?x=http://loinc.org|1-2"),
        ("https://10.1.2.3/fhir", "https://10.1.2.3/fhir/metadata"),
        ("https://[fd12::7]:8443/fhir", "https://[fd12:0:0::7]:8443/fhir/metadata"),
        ("https://ehr/fhir", "https://ehr/fhir/metadata"),
    ],
)
def test_the_same_server_spelt_otherwise_is_allowed(entry: str, url: str) -> None:
    assert Outbound([entry], connect_timeout=1, read_timeout=1, max_bytes=1, open_=False).allows(url)


def test_a_base_has_one_spelling() -> None:
    place = places.read("HTTPS://EHR.example.org:443/fhir/")
    assert place is not None and place.base == "https://ehr.example.org/fhir"
    assert str(places.read("https://[FD12:0::7]:99")).count("fd12::7") == 1
