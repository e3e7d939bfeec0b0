"""Carries sealed bytes to the engine and back. It sees ciphertext only, and decides what an engine is to be believed.

A request is never sent twice to an engine that may have answered it: the one exception is a kept connection that turns
out to have been closed before any byte of an answer came, which is reopened once.
"""

from __future__ import annotations

import http.client
import json
import re
import secrets
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

from fhirtwin import __version__, keyfile, timing
from fhirtwin.ckks import mac, wire
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.errors import (
    EngineAnswerRefused,
    EngineClosesModel,
    EngineLacksModel,
    EngineUnavailable,
    FhirtwinError,
    Incorrect,
)
from fhirtwin.settings import Settings
from fhirtwin.timed_connection import BROKEN_OFF, Connection

_MOST_IDLE_CONNECTIONS = 8
_KEYS_BYTES_A_SECOND = 10_000_000
_KEY_SETS = 2
"""Of rotating mode and of networks; a third is sent anew each time."""
_LONGEST_REFUSAL_BYTES = 4096
_LONGEST_WAIT = 86_400
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,32}")

_UNKNOWN, _NOT_OPEN, _KEYS_NEEDED, _OTHER_PANEL, _QUOTA, _BUSY = 401, 403, 412, 422, 429, 503

_DOWN = "The engine cannot be reached; see that it runs and that the gateway has its address."
_PANEL = (
    "The engine holds another panel of predictors than this gateway, or does not serve this model: install the same "
    "predictors on both sides, and publish the model to the engine."
)
_BROKEN_OFF = "The engine broke off in the middle of its answer."
_LATE = "The engine did not answer in time."
_STRANGER = (
    "The engine says that it knows no gateway with this secret: give this one the secret of its tenant "
    "(`fhirtwin tenant add` made it)."
)
_CLOSED = "The engine does not let this gateway ask for this model; its operator can (`models` of the tenant)."
_UNBELIEVED = (
    "The answer of the engine is not signed for this request with the shared secret, so it was thrown away. If every "
    "answer is, the secrets of the two sides may differ: give both the same one (--engine-key)."
)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    mac: str
    body: bytes


class Courier:
    """The way to one engine. Threads may share it; each request has a connection of its own while it lasts.

    Args:
        url: `unix:/path`, `https://host:port`, or `http://host:port` on loopback.
        key: secret shared with the engine, at least 32 bytes.
        timeout: seconds that one evaluation may take, all in all; evaluation keys, when they are sent, add a tenth of a
            second for each megabyte of them.
        ca_file: certificate authority for https; the system's when None.

    Raises:
        Incorrect: the address or the key is not usable.
    """

    def __init__(self, url: str, key: bytes, *, timeout: float, ca_file: str | None = None) -> None:
        self._idle: deque[Connection] = deque()
        if len(key) < mac.KEY_BYTES:
            raise Incorrect(f"The secret shared with the engine must have at least {mac.KEY_BYTES} bytes.")
        self._key, self._key_name = key, wire.key_name(key)
        self._timeout = timeout
        self._path, self._host, self._port = "", "", 0
        self._tls: ssl.SSLContext | None = None
        self._keys_sent: deque[bytes] = deque(maxlen=_KEY_SETS)
        self._digests: deque[tuple[bytes, bytes]] = deque(maxlen=_KEY_SETS)
        self._read_address(url, ca_file)

    @classmethod
    def of(cls, settings: Settings) -> Courier:
        """The way to the engine that settings name, with the secret of their key file.

        Raises:
            Incorrect: the address, the key file or its content is not usable.
        """
        return cls(
            settings.engine_url,
            bytes.fromhex(keyfile.read(settings.engine_key_path)),
            timeout=settings.engine_timeout_seconds,
            ca_file=settings.engine_ca_file or None,
        )

    def evaluate(self, features: SealedFeatures) -> SealedScores:
        """Have the engine evaluate sealed features.

        Raises:
            EngineUnavailable: it is down, late, busy, of another version, or holds another panel.
            EngineAnswerRefused: what came is not an answer of the engine to this request.
        """
        start = time.perf_counter()
        deadline = start + self._timeout
        digest = self._keys_digest(features.evaluation_keys)
        with_keys = digest != wire.NO_KEYS and digest not in self._keys_sent
        deadline += _on_the_way(features) if with_keys else 0.0
        request = wire.write_request(features, __version__, self._key, digest, with_keys=with_keys)
        answer = self._exchange("POST", wire.EVALUATE, request, _answer_bytes(features), deadline)
        if (
            answer.status == _KEYS_NEEDED
            and features.evaluation_keys
            and not with_keys
            and self._is_signed_refusal(answer)
        ):
            # It said so before it evaluated anything, so nothing can be learnt from asking again.
            request = wire.write_request(features, __version__, self._key, digest, with_keys=True)
            answer = self._exchange(
                "POST", wire.EVALUATE, request, _answer_bytes(features), deadline + _on_the_way(features)
            )
        if answer.status != 200:
            raise self._refusal(answer)
        try:
            response = wire.read_response(answer.body, self._key, features, request)
        except FhirtwinError:
            raise EngineAnswerRefused(_UNBELIEVED) from None
        if response.version != __version__:
            raise _clash(response.version)
        if with_keys:
            self._keys_sent.append(digest)
        total = time.perf_counter() - start
        evaluated = min(response.evaluate_seconds, total)
        timing.add("evaluate", evaluated)
        timing.add("wire", total - evaluated)
        return response.scores

    def ready(self, panel_digest: str | None = None) -> None:
        """Ask the engine what it is.

        Args:
            panel_digest: the panel, table or circuit it must hold; any when None.

        Raises:
            EngineUnavailable: it is down, late, of another version, has another secret, or holds another panel.
        """
        challenge = secrets.token_bytes(wire.CHALLENGE_BYTES)
        path = f"{wire.READY}?challenge={challenge.hex()}"
        answer = self._exchange("GET", path, b"", _LONGEST_REFUSAL_BYTES, time.perf_counter() + self._timeout)
        if answer.status != 200:
            raise self._refusal(answer)
        if not _signed(answer.mac, wire.sign_ready(self._key, challenge, answer.body)):
            raise EngineUnavailable("The engine and this gateway do not have the same secret.")
        about = _object(answer.body)
        if about.get("version") != __version__:
            raise _clash(about.get("version"))
        lists = [about.get("tables"), about.get("circuits")]
        held = [about.get("panel"), *(digest for told in lists if isinstance(told, list) for digest in told)]
        if panel_digest is not None and panel_digest not in held:
            raise EngineLacksModel(_PANEL)

    def close(self) -> None:
        """Close the kept connections."""
        while self._idle:
            self._idle.pop().timed.hang_up()

    def __del__(self) -> None:
        self.close()

    def _read_address(self, url: str, ca_file: str | None) -> None:
        if url.startswith("unix:/"):
            self._path = url.removeprefix("unix:")
            return
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port or 0
        except ValueError:
            raise Incorrect("The engine's address is not a URL.") from None
        plain = parts.scheme == "http" and self._host in _LOOPBACK
        extra = parts.path.strip("/") or parts.query or parts.username
        if not self._host or not self._port or extra or not (plain or parts.scheme == "https"):
            raise Incorrect("The engine's address is unix:/path, https://host:port, or http://127.0.0.1:port.")
        if not plain:
            try:
                self._tls = ssl.create_default_context(cafile=ca_file)
            except (OSError, ssl.SSLError):
                raise Incorrect(f"{ca_file} does not hold a certificate authority.") from None
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_3

    def _keys_digest(self, keys: bytes) -> bytes:
        """SHA-256 of evaluation keys, remembered: vaults have a set for long, of up to 51 MB."""
        if not keys:
            return wire.NO_KEYS
        for known, digest in tuple(self._digests):
            if keys is known:
                return digest
        digest = wire.keys_digest(keys)
        self._digests.append((keys, digest))
        return digest

    def _exchange(self, method: str, path: str, body: bytes, longest: int, deadline: float) -> _Answer:
        """Send one request and read its whole answer, on a kept connection when there is one."""
        try:
            kept = self._idle.pop()
        except IndexError:
            kept = None
        try:
            if kept is not None:
                try:
                    return self._exchange_on(kept, method, path, body, longest, deadline)
                except BROKEN_OFF:
                    if kept.timed.received:
                        raise
            return self._exchange_on(self._connect(deadline), method, path, body, longest, deadline)
        except TimeoutError:
            raise EngineUnavailable(_LATE) from None
        except ssl.SSLCertVerificationError:
            raise EngineUnavailable("The engine's certificate is not of the authority this gateway trusts.") from None
        except OSError:
            raise EngineUnavailable(_DOWN) from None
        except (http.client.HTTPException, ValueError):  # http.client lets numbers that are none through as ValueError
            raise EngineAnswerRefused(_UNBELIEVED) from None

    def _exchange_on(
        self, connection: Connection, method: str, path: str, body: bytes, longest: int, deadline: float
    ) -> _Answer:
        connection.timed.deadline, connection.timed.received = deadline, 0
        whole = False
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            connection.putheader(wire.KEY_HEADER, self._key_name)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            with _answered(connection, body) as response:
                # An engine says how long its answer is, so nothing is read whose end is not known: http.client would
                # take a chunk of length -1 as leave to read into memory for as long as somebody sends.
                length = response.length
                if response.chunked or length is None or length > longest:
                    raise EngineAnswerRefused(_UNBELIEVED)
                data = response.read(length)
                if len(data) != length:
                    raise EngineUnavailable(_BROKEN_OFF)
                whole = response.isclosed() and not response.will_close and not connection.timed.is_broken
                answer = _Answer(response.status, response.headers.get(wire.MAC_HEADER, ""), data)
        finally:
            if whole and len(self._idle) < _MOST_IDLE_CONNECTIONS:
                self._idle.append(connection)
            else:
                connection.timed.hang_up()
        return answer

    def _connect(self, deadline: float) -> Connection:
        left = max(deadline - time.perf_counter(), 0.001)
        if self._path:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.settimeout(left)
                sock.connect(self._path)
            except OSError:
                sock.close()
                raise
            return Connection(sock)
        sock = socket.create_connection((self._host, self._port), timeout=left)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls:
            sock.settimeout(max(deadline - time.perf_counter(), 0.001))
            sock = self._tls.wrap_socket(sock, server_hostname=self._host)
        return Connection(sock)

    def _is_signed_refusal(self, answer: _Answer) -> bool:
        return _signed(answer.mac, wire.sign_error(self._key, answer.status, answer.body))

    def _refusal(self, answer: _Answer) -> FhirtwinError:
        """The error that a signed refusal of the engine stands for."""
        if not self._is_signed_refusal(answer):
            unknown = answer.status == _UNKNOWN and not answer.mac
            return EngineUnavailable(_STRANGER) if unknown else EngineAnswerRefused(_UNBELIEVED)
        told = _object(answer.body)
        if told.get("version") != __version__:
            return _clash(told.get("version"))
        if answer.status == _OTHER_PANEL:
            return EngineLacksModel(_PANEL)
        if answer.status == _NOT_OPEN:
            return EngineClosesModel(_CLOSED)
        if answer.status in (_QUOTA, _BUSY):
            return EngineUnavailable(_come_back(answer.status, told.get("retry_after")))
        return EngineUnavailable(f"The engine refused the request with status {answer.status}.")


def _answer_bytes(features: SealedFeatures) -> int:
    return wire.OVERHEAD_BYTES + wire.answer_bytes(features)


def _answered(connection: Connection, body: bytes) -> http.client.HTTPResponse:
    """Send the end of a request, and read the head of its answer."""
    try:
        connection.endheaders(body or None)
    except BROKEN_OFF as broken:
        # Who refuses a large message unread says why, and hangs up while it is still being sent.
        try:
            return connection.getresponse()
        except (http.client.HTTPException, OSError):
            raise broken from None
    return connection.getresponse()


def _on_the_way(features: SealedFeatures) -> float:
    """Seconds that evaluation keys may take: networks have 51 MB, and send them once."""
    return len(features.evaluation_keys) / _KEYS_BYTES_A_SECOND


def _signed(given: str, right: bytes) -> bool:
    return mac.same(given.encode("ascii", "replace"), right.hex().encode())


def _object(body: bytes) -> dict[str, object]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _come_back(status: int, seconds: object) -> str:
    """What is told of an engine that has too much to do, or of a quota that is used up."""
    known = isinstance(seconds, int) and 0 < seconds <= _LONGEST_WAIT
    when = f"ask again in {seconds} s" if known else "ask again later"
    if status == _QUOTA:
        return f"This gateway has used its quota at the engine up; {when}."
    return f"The engine has too much to do; {when}."


def _clash(version: object) -> EngineUnavailable:
    told = version if isinstance(version, str) and _VERSION.fullmatch(version) else "of an unknown version"
    return EngineUnavailable(
        f"engine {told} and gateway {__version__} do not work together: install the same version on both sides."
    )
