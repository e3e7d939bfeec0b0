"""Carries sealed bytes to the engine and back. It sees ciphertext only, and decides what an engine is to be believed.

A request is never sent twice to an engine that may have answered it: the one exception is a kept connection that turns
out to have been closed before any byte of an answer came, which is reopened once.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections import deque

from fhirtwin import __version__, keyfile, timing
from fhirtwin.ckks import mac, wire
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.courier.line import UNBELIEVED, Answer, Line
from fhirtwin.errors import (
    EngineAnswerRefused,
    EngineClosesModel,
    EngineLacksModel,
    EngineUnavailable,
    FhirtwinError,
    Incorrect,
)
from fhirtwin.settings import Settings

_KEYS_BYTES_A_SECOND = 10_000_000
_KEY_SETS = 2
"""Of rotating mode and of networks; a third is sent anew each time."""
_LONGEST_REFUSAL_BYTES = 4096
_LONGEST_WAIT = 86_400
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,32}")

_UNKNOWN, _NOT_OPEN, _KEYS_NEEDED, _OTHER_PANEL, _QUOTA, _BUSY = 401, 403, 412, 422, 429, 503

_PANEL = (
    "The engine holds another panel of predictors than this gateway, or does not serve this model: install the same "
    "predictors on both sides, and publish the model to the engine."
)
_STRANGER = (
    "The engine says that it knows no gateway with this secret: give this one the secret of its tenant "
    "(`fhirtwin tenant add` made it)."
)
_CLOSED = "The engine does not let this gateway ask for this model; its operator can (`models` of the tenant)."


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
        if len(key) < mac.KEY_BYTES:
            raise Incorrect(f"The secret shared with the engine must have at least {mac.KEY_BYTES} bytes.")
        self._key, self._timeout = key, timeout
        self._line = Line(url, wire.key_name(key), ca_file)
        self._keys_sent: deque[bytes] = deque(maxlen=_KEY_SETS)
        self._digests: deque[tuple[bytes, bytes]] = deque(maxlen=_KEY_SETS)

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
        digest = self._keys_digest(features.evaluation_keys)
        with_keys = digest != wire.NO_KEYS and digest not in self._keys_sent
        request, answer = self._ask(features, digest, start + self._timeout, with_keys=with_keys)
        if (
            answer.status == _KEYS_NEEDED
            and features.evaluation_keys
            and not with_keys
            and self._is_signed_refusal(answer)
        ):
            # It said so before it evaluated anything, so nothing can be learnt from asking again.
            request, answer = self._ask(features, digest, start + self._timeout, with_keys=True)
        if answer.status != 200:
            raise self._refusal(answer)
        try:
            response = wire.read_response(answer.body, self._key, features, request)
        except FhirtwinError:
            raise EngineAnswerRefused(UNBELIEVED) from None
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
        answer = self._line.exchange("GET", path, b"", _LONGEST_REFUSAL_BYTES, time.perf_counter() + self._timeout)
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
        self._line.close()

    def _ask(
        self, features: SealedFeatures, digest: bytes, deadline: float, *, with_keys: bool
    ) -> tuple[bytes, Answer]:
        """Send a request, and give it and what came."""
        request = wire.write_request(features, __version__, self._key, digest, with_keys=with_keys)
        longest = wire.OVERHEAD_BYTES + wire.answer_bytes(features)
        deadline += _on_the_way(features) if with_keys else 0.0
        return request, self._line.exchange("POST", wire.EVALUATE, request, longest, deadline)

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

    def _is_signed_refusal(self, answer: Answer) -> bool:
        return _signed(answer.mac, wire.sign_error(self._key, answer.status, answer.body))

    def _refusal(self, answer: Answer) -> FhirtwinError:
        """The error that a signed refusal of the engine stands for."""
        if not self._is_signed_refusal(answer):
            unknown = answer.status == _UNKNOWN and not answer.mac
            return EngineUnavailable(_STRANGER) if unknown else EngineAnswerRefused(UNBELIEVED)
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
