"""The courier against engines that are down, slow, old, foreign, or lie."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from fhirtwin import __version__, timing
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.courier import Courier
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.web import create_app
from fhirtwin.errors import EngineAnswerRefused, EngineUnavailable, Incorrect
from fhirtwin.timed_connection import Connection, TimedSocket
from fhirtwin.vault import Vault
from tests.ckks.builders import KEY, OTHER_KEY, random_panel, random_vector

PANEL = random_panel()
VAULT = Vault(PANEL)
ROTATING = Vault(PANEL, mode="rotating")

Answer = Callable[[bytes], bytes | None]
"""A whole HTTP request to the bytes to send back; None hangs up."""


@dataclass
class FakeEngine:
    """Listens on a Unix socket and answers whatever it is told to; remembers what came."""

    path: Path
    answer: Answer
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"unix:{self.path}"

    def courier(self, timeout: float = 2.0, key: bytes = KEY) -> Courier:
        return Courier(self.url, key, timeout=timeout)

    @contextmanager
    def listening(self) -> Iterator[FakeEngine]:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.path))
            listener.listen()
            thread = threading.Thread(target=self._accept, args=(listener,))
            thread.start()
            try:
                yield self
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _accept(self, listener: socket.socket) -> None:
        with ThreadPoolExecutor(8) as pool:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                self.connections += 1
                pool.submit(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            while request := read_http(connection):
                self.requests.append(request)
                answer = self.answer(request)
                if answer is None:
                    return
                try:
                    connection.sendall(answer)
                except OSError:
                    return
                if b"Connection: close" in answer[:400]:
                    return


def read_http(connection: socket.socket) -> bytes:
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            if not (more := connection.recv(65536)):
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        while len(body) < length:
            if not (more := connection.recv(65536)):
                return b""
            body += more
    except OSError:
        return b""
    return head + b"\r\n\r\n" + body


def http_answer(status: int, body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} Told\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def through(client: FlaskClient, request: bytes) -> bytes:
    """Ask a real engine application."""
    head, _, body = request.partition(b"\r\n\r\n")
    method, path, _ = head.split(b" ", 2)
    response = client.open(path.decode(), method=method.decode(), data=body)
    mac = response.headers.get(wire.MAC_HEADER)
    return http_answer(response.status_code, response.data, f"{wire.MAC_HEADER}: {mac}\r\n" if mac else "")


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Evaluator(PANEL), KEY).test_client()


@pytest.fixture
def fake(tmp_path: Path, client: FlaskClient) -> Iterator[FakeEngine]:
    with FakeEngine(tmp_path / "engine.sock", lambda request: through(client, request)).listening() as engine:
        yield engine


@pytest.fixture
def features() -> SealedFeatures:
    return VAULT.seal(PANEL.high)[0]


def signed_refusal(status: int, version: object = __version__, key: bytes = KEY, **more: object) -> bytes:
    body = json.dumps({"version": version, "error": "no"} | more).encode()
    return http_answer(status, body, f"{wire.MAC_HEADER}: {wire.sign_error(key, status, body).hex()}\r\n")


def test_one_connection_serves_many_requests(fake: FakeEngine) -> None:
    courier = fake.courier()
    courier.ready(PANEL.digest)
    for _ in range(3):
        features, opening = VAULT.seal(PANEL.high)
        assert VAULT.open(courier.evaluate(features), opening).values
    assert fake.connections == 1


def test_time_is_split_into_wire_and_evaluation(fake: FakeEngine, features: SealedFeatures) -> None:
    timing.begin()
    fake.courier().evaluate(features)
    spent = dict(part.split(";dur=") for part in timing.header().split(", "))
    assert set(spent) == {"wire", "evaluate"}
    assert all(0 < float(milliseconds) < 2000 for milliseconds in spent.values())


@pytest.mark.parametrize("vault", [VAULT, ROTATING], ids=["masked", "rotating"])
def test_threads_may_share_a_courier_and_a_vault(fake: FakeEngine, vault: Vault) -> None:
    courier = fake.courier(timeout=20)

    def round_trip(seed: int) -> bool:
        values = random_vector(PANEL, np.random.default_rng(seed))
        features, opening = vault.seal(values)
        scores = vault.open(courier.evaluate(features), opening)
        opened = np.array([float(value) for value in scores.values.values()])
        return bool(np.abs(opened - PANEL.weights @ values).max() < 0.0006)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(round_trip, range(40)))
    assert fake.connections <= 8


def test_what_is_sent_and_received_is_at_most_66_kilobytes_headers_included(
    fake: FakeEngine, features: SealedFeatures
) -> None:
    fake.courier().evaluate(features)
    assert max(map(len, fake.requests)) <= 66_000


def test_evaluation_keys_are_sent_once_and_again_when_the_engine_forgot_them(fake: FakeEngine) -> None:
    courier = fake.courier()
    for _ in range(3):
        features, opening = ROTATING.seal(PANEL.high)
        ROTATING.open(courier.evaluate(features), opening)
    assert [len(request) > 500_000 for request in fake.requests] == [True, False, False]
    restarted = create_app(Evaluator(PANEL), KEY).test_client()
    fake.answer = lambda request: through(restarted, request)
    features, opening = ROTATING.seal(PANEL.high)
    assert ROTATING.open(courier.evaluate(features), opening).values
    assert [len(request) > 500_000 for request in fake.requests[3:]] == [False, True]


def test_evaluation_keys_are_not_sent_again_because_somebody_unknown_asks(fake: FakeEngine) -> None:
    courier = fake.courier()
    courier.evaluate(ROTATING.seal(PANEL.high)[0])
    fake.answer = lambda _: http_answer(412, b"{}")
    with pytest.raises(EngineAnswerRefused, match="not signed"):
        courier.evaluate(ROTATING.seal(PANEL.high)[0])
    assert len(fake.requests) == 2


def test_a_kept_connection_that_the_engine_closed_is_reopened_once(fake: FakeEngine, features: SealedFeatures) -> None:
    courier = fake.courier()
    courier.ready()
    stale = courier._idle[0]
    stale.timed._sock.shutdown(socket.SHUT_RDWR)
    assert courier.evaluate(features).sealed_sums
    assert fake.connections == 2


def test_a_kept_connection_that_breaks_within_an_answer_is_not_asked_again(
    fake: FakeEngine, features: SealedFeatures
) -> None:
    """An engine that has begun to answer has seen the request, and gets no second one to compare with."""
    near, far = socket.socketpair()

    def break_off() -> None:
        with far:
            far.recv(1000)
            far.sendall(b"HTTP/1.1 200 OK")  # the rest of the request is unread, so that closing resets

    courier = fake.courier()
    courier._idle.append(Connection(near))
    breaking = threading.Thread(target=break_off)
    breaking.start()
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        courier.evaluate(features)
    breaking.join()
    assert fake.requests == []


def test_an_engine_that_is_down(tmp_path: Path, features: SealedFeatures) -> None:
    courier = Courier(f"unix:{tmp_path / 'none.sock'}", KEY, timeout=1)
    for call in (courier.ready, lambda: courier.evaluate(features)):
        with pytest.raises(EngineUnavailable, match="cannot be reached"):
            call()


@pytest.mark.parametrize("drip", [b"", b"HTTP/1.1 200 OK\r\n"], ids=["silent", "dripping"])
def test_an_engine_that_is_slow_is_given_up_at_the_deadline(
    fake: FakeEngine, features: SealedFeatures, drip: bytes
) -> None:
    courier = fake.courier(timeout=0.3)
    stop = threading.Event()

    def stall(_: bytes) -> bytes | None:
        stop.wait(1.5)
        return None

    fake.answer = stall
    if drip:
        fake._serve = lambda connection: drip_slowly(connection, stop)  # type: ignore[method-assign]
    start = time.perf_counter()
    with pytest.raises(EngineUnavailable, match="did not answer in time"):
        courier.evaluate(features)
    assert time.perf_counter() - start < 1.0
    stop.set()
    assert len(fake.requests) <= 1, "it is not asked again"


class SlowReader:
    """Takes a message byte by byte, each well within a timeout that would start anew at every write."""

    taken = 0

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def send(self, data: memoryview) -> int:
        assert len(data)
        time.sleep(0.02)
        self.taken += 1
        return 1


def test_an_engine_that_takes_a_request_slowly_is_given_up_at_the_deadline() -> None:
    slow = SlowReader()
    timed = TimedSocket(slow)  # type: ignore[arg-type]
    timed.deadline = time.perf_counter() + 0.1
    with pytest.raises(TimeoutError):
        timed.sendall(bytes(1000))
    assert 1 <= slow.taken <= 6


def test_an_engine_that_never_ends_the_handshake_is_given_up_at_the_deadline(features: SealedFeatures) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        courier = Courier(f"https://127.0.0.1:{listener.getsockname()[1]}", KEY, timeout=0.3)
        start = time.perf_counter()
        with pytest.raises(EngineUnavailable, match="did not answer in time"):
            courier.evaluate(features)
        assert time.perf_counter() - start < 1.0


def drip_slowly(connection: socket.socket, stop: threading.Event) -> None:
    """One byte at a time, each well within a timeout that would start anew at every read."""
    with connection:
        read_http(connection)
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not stop.wait(0.05):
                connection.sendall(b"x")
        except OSError:
            return


@pytest.mark.parametrize("version", ["0.2.0", "0.0.9"])
def test_an_engine_of_another_version_is_refused_in_words(
    fake: FakeEngine, features: SealedFeatures, version: str
) -> None:
    says = f"engine {version} and gateway {__version__} do not work together"
    fake.answer = lambda _: signed_refusal(400, version)
    with pytest.raises(EngineUnavailable, match=says):
        fake.courier().evaluate(features)

    def about(request: bytes) -> bytes:
        body = json.dumps({"version": version}).encode()
        challenge = bytes.fromhex(request.partition(b"challenge=")[2][:32].decode())
        return http_answer(200, body, f"{wire.MAC_HEADER}: {wire.sign_ready(KEY, challenge, body).hex()}\r\n")

    fake.answer = about
    with pytest.raises(EngineUnavailable, match=says):
        fake.courier().ready()


def test_an_answer_that_was_signed_by_another_version_is_refused_in_words(
    fake: FakeEngine, features: SealedFeatures
) -> None:
    def older(request: bytes) -> bytes:
        asked = wire.read_request(request.partition(b"\r\n\r\n")[2], KEY)
        scores = Evaluator(PANEL).evaluate(asked.features, asked.keys_digest)
        return http_answer(200, wire.write_response(scores, "0.0.9", KEY, asked, 0.001))

    fake.answer = older
    with pytest.raises(EngineUnavailable, match=r"engine 0\.0\.9 and gateway"):
        fake.courier().evaluate(features)


def test_a_signed_refusal_that_cannot_be_read_is_one_of_an_unknown_version(
    fake: FakeEngine, features: SealedFeatures
) -> None:
    body = b"[" * 50_000
    fake.answer = lambda _: http_answer(500, body, f"{wire.MAC_HEADER}: {wire.sign_error(KEY, 500, body).hex()}\r\n")
    with pytest.raises(EngineUnavailable, match="engine of an unknown version and gateway"):
        fake.courier().evaluate(features)


@pytest.mark.parametrize("version", [None, 7, "<script>", "x" * 100, "0.2\n0"])
def test_a_version_that_is_none_is_not_repeated(fake: FakeEngine, features: SealedFeatures, version: object) -> None:
    fake.answer = lambda _: signed_refusal(400, version)
    with pytest.raises(EngineUnavailable, match="engine of an unknown version and gateway"):
        fake.courier().evaluate(features)


def test_an_engine_with_another_panel_is_refused_in_words(fake: FakeEngine, features: SealedFeatures) -> None:
    with pytest.raises(EngineUnavailable, match="another panel of predictors"):
        fake.courier().evaluate(replace(features, panel_digest="00" * 32))
    with pytest.raises(EngineUnavailable, match="another panel of predictors"):
        fake.courier().ready("00" * 32)


def test_an_engine_with_another_secret_is_refused(fake: FakeEngine, features: SealedFeatures) -> None:
    courier = fake.courier(key=OTHER_KEY)
    with pytest.raises(EngineUnavailable, match="do not have the same secret"):
        courier.ready()
    with pytest.raises(EngineAnswerRefused, match="not signed"):
        courier.evaluate(features)


def test_an_engine_that_dies_in_the_middle_of_its_answer_is_told_as_such(
    fake: FakeEngine, features: SealedFeatures
) -> None:
    fake.answer = lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 65805\r\nConnection: close\r\n\r\n" + bytes(1000)
    with pytest.raises(EngineUnavailable, match="broke off in the middle"):
        fake.courier().evaluate(features)
    assert len(fake.requests) == 1, "it is not asked again"


@pytest.mark.parametrize(
    ("status", "more", "says"),
    [
        (503, {"retry_after": 1}, "has too much to do; ask again in 1 s"),
        (503, {}, "has too much to do; ask again later"),
        (429, {"retry_after": 3600}, "quota at the engine up; ask again in 3600 s"),
        (429, {"retry_after": 10**9}, "ask again later"),
        (429, {"retry_after": "<script>"}, "ask again later"),
        (403, {}, "does not let this gateway ask for this model"),
    ],
)
def test_an_engine_that_serves_many_says_why_not_in_our_words(
    fake: FakeEngine, features: SealedFeatures, status: int, more: dict[str, object], says: str
) -> None:
    fake.answer = lambda _: signed_refusal(status, **more)
    with pytest.raises(EngineUnavailable, match=says):
        fake.courier().evaluate(features)
    assert len(fake.requests) == 1, "it is not asked again"


def test_an_engine_that_does_not_know_the_secret_is_told_as_such(fake: FakeEngine, features: SealedFeatures) -> None:
    fake.answer = lambda _: http_answer(401, b"{}")
    with pytest.raises(EngineUnavailable, match="knows no gateway with this secret"):
        fake.courier().evaluate(features)


def test_every_request_names_its_secret_and_does_not_show_it(fake: FakeEngine, features: SealedFeatures) -> None:
    courier = fake.courier()
    courier.ready()
    courier.evaluate(features)
    for request in fake.requests:
        assert f"{wire.KEY_HEADER}: {wire.key_name(KEY)}\r\n".encode() in request
        assert KEY not in request and KEY.hex().encode() not in request


@pytest.mark.parametrize("status", [400, 500])
def test_a_signed_refusal_is_reported_by_its_status(fake: FakeEngine, features: SealedFeatures, status: int) -> None:
    fake.answer = lambda _: signed_refusal(status)
    with pytest.raises(EngineUnavailable, match=f"refused the request with status {status}"):
        fake.courier().evaluate(features)
    assert len(fake.requests) == 1, "it is not asked again"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GARBAGE = {
    "not http": b"\x00\xff" * 50 + b"\r\n\r\n",
    "html": http_answer(200, b"<html>welcome</html>"),
    "empty": http_answer(200, b""),
    "unsigned error": http_answer(500, b"{}"),
    "error signed with another key": signed_refusal(409, "0.2.0", OTHER_KEY),
    "non-ASCII MAC": http_answer(500, b"{}", f"{wire.MAC_HEADER}: \u00e9\r\n"),
    "redirect": http_answer(302, b"", "Location: http://127.0.0.1:1/\r\n"),
    "too long": http_answer(200, bytes(200_000)),
    "no length": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes(65_805),
    "endless header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    "right length, zeros": http_answer(200, bytes(65_805)),
    "keys needed, unsigned": http_answer(412, b"{}"),
    "chunks": CHUNKED + b"1\r\nx\r\n" * 1000,
    "chunk without an end": CHUNKED + b"-1\r\n" + b"x" * 200_000,
    "chunk of a length that is none": CHUNKED + b"-5\r\n" + b"x" * 100,
    "length of a number that is none": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + b"x" * 200_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    "signed error without a length": signed_refusal(409, "0.2.0").replace(b"Content-Length", b"Content-Longth"),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_refused_and_not_asked_for_again(fake: FakeEngine, features: SealedFeatures, garbage: bytes) -> None:
    fake.answer = lambda _: garbage
    with pytest.raises(EngineAnswerRefused, match="thrown away"):
        fake.courier().evaluate(features)
    assert len(fake.requests) == 1


def damages(body: bytes) -> Iterator[bytes]:
    """A hundred single-bit flips over the whole message, and cuts."""
    for place in np.linspace(0, len(body) - 1, 100).astype(int):
        flipped = bytearray(body)
        flipped[place] ^= 1 << int(place) % 8
        yield bytes(flipped)
    for length in (0, 1, 124, 156, len(body) // 2, len(body) - 1):
        yield body[:length]
    yield body + b"\x00"


def test_a_damaged_answer_is_refused_wherever_the_damage_is(
    fake: FakeEngine, client: FlaskClient, features: SealedFeatures
) -> None:
    courier = fake.courier()
    # Every answer is to the request at hand and spoilt on the way, so only the MAC can tell.
    for number in range(107):
        fake.answer = lambda request, n=number: http_answer(  # type: ignore[misc]
            200, list(damages(through(client, request).partition(b"\r\n\r\n")[2]))[n]
        )
        with pytest.raises(EngineAnswerRefused):
            courier.evaluate(features)


def test_a_recorded_answer_is_refused_for_any_other_request(fake: FakeEngine, client: FlaskClient) -> None:
    recorded: list[bytes] = []

    def record(request: bytes) -> bytes:
        recorded.append(through(client, request))
        return recorded[-1]

    fake.answer = record
    courier = fake.courier()
    courier.evaluate(VAULT.seal(PANEL.high)[0])
    fake.answer = lambda _: recorded[0]
    for _ in range(30):
        features, _ = VAULT.seal(PANEL.high)
        with pytest.raises(EngineAnswerRefused):
            courier.evaluate(features)


def test_two_answers_that_are_swapped_are_both_refused(fake: FakeEngine, client: FlaskClient) -> None:
    both = [VAULT.seal(PANEL.high)[0], VAULT.seal(PANEL.low)[0]]
    requests = [wire.write_request(f, __version__, KEY, wire.NO_KEYS, with_keys=False) for f in both]
    for mine, other in ((0, 1), (1, 0)):
        fake.answer = lambda _, other=other: through(  # type: ignore[misc]
            client, b"POST /evaluate HTTP/1.1\r\n\r\n" + requests[other]
        )
        with pytest.raises(EngineAnswerRefused):
            fake.courier().evaluate(both[mine])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "unix:relative",
        "http://engine.example.org:9000",
        "http://127.0.0.1",
        "https://127.0.0.1",
        "https://user@127.0.0.1:9000",
        "https://127.0.0.1:9000/path",
        "https://127.0.0.1:9000?x",
        "https://127.0.0.1:99999",
        "https://[::1",
        "ftp://127.0.0.1:21",
        "file:///etc/passwd",
    ],
)
def test_addresses_that_are_none_or_unprotected_are_refused(url: str) -> None:
    with pytest.raises(Incorrect, match="engine's address"):
        Courier(url, KEY, timeout=1)


def test_a_short_secret_and_a_missing_authority_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Incorrect, match="at least 32 bytes"):
        Courier("unix:/engine.sock", KEY[:31], timeout=1)
    with pytest.raises(Incorrect, match="does not hold a certificate authority"):
        Courier("https://127.0.0.1:9000", KEY, timeout=1, ca_file=str(tmp_path / "none.pem"))
