"""Answers that are not what a right engine gives, and uploads that are not what a gateway sends, by the thousand.

    python -m tests.engine.attacks [ANSWERS] [UPLOADS] [SEED]

No such answer may be accepted; after all uploads the engine must answer rightly and its workers have grown by no more
than a bound. Exit code 1 and the seed when that is not so.
"""

from __future__ import annotations

import random
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.tenants import folder
from fhirtwin.engine.tenants.tenant import Limits
from fhirtwin.errors import EngineAnswerWrong, Incorrect
from fhirtwin.predictors import registry
from fhirtwin.vault import Vault
from tests.ckks.builders import KEY, OTHER_KEY, evaluate, random_panel
from tests.engine.process import RunningEngine, running_engine

ANSWERS, UPLOADS = 10_000, 20_000
MOST_GROWTH_MB: Final = 128

PANEL = random_panel(rows=15, features=27)
STALE = replace(PANEL, weights=PANEL.weights * 0.98)
"""The model as it was before."""

KINDS: Final = (
    *("line flips", "line cuts", "line appends", "answer to another request", "replay", "another tenant's secret"),
    *("another tenant's answer", "stale model", "stale model that says it is not", "ciphertext flipped"),
    *("ciphertext cut", "halves swapped", "question sent back", "garbage"),
)


class Answers:
    """One vault, asked again and again; each answer is spoilt before it comes back.

    Args:
        mode: `masked` or `rotating`.
        seed: of what is spoilt, and how.
    """

    def __init__(self, mode: str, seed: int) -> None:
        self.draw = random.Random(seed)
        self.vault, self.other_vault = Vault(PANEL, mode=mode), Vault(PANEL, mode=mode)
        self.engine, self.stale = Evaluator(PANEL), Evaluator(STALE)
        self.earlier: bytes | None = None

    def accepted(self, kind: str) -> bool:
        """Whether an answer that is spoilt in this way was opened."""
        features, opening = self.vault.seal(PANEL.high)
        request = write(features, KEY)
        data = self.spoilt(kind, features, request)
        try:
            self.vault.open(wire.read_response(data, KEY, features, request).scores, opening)
        except (Incorrect, EngineAnswerWrong):
            return False
        finally:
            if opening._ring is not None:  # nobody came as far as the vault; its key is used no more
                opening._ring = None
        return True

    def spoilt(self, kind: str, features: SealedFeatures, request: bytes) -> bytes:
        """The bytes that come back."""
        right = self.answer(self.engine, features, request)
        spoil: dict[str, Callable[[], bytes]] = {
            "line flips": lambda: self.flipped(right, 0, len(right)),
            "line cuts": lambda: right[: self.draw.randrange(len(right))],
            "line appends": lambda: right + self.draw.randbytes(1 + self.draw.randrange(40)),
            "answer to another request": lambda: self.to_another(self.vault, KEY),
            "replay": lambda: self.earlier or self.to_another(self.vault, KEY),
            "another tenant's secret": lambda: self.answer(self.engine, features, request, key=OTHER_KEY),
            "another tenant's answer": lambda: self.signed(features, request, self.sums_of_another(self.other_vault)),
            "stale model": lambda: self.of_stale(features, request, STALE.digest),
            "stale model that says it is not": lambda: self.of_stale(features, request, PANEL.digest),
            "ciphertext flipped": lambda: self.signed(
                features, request, self.flipped(self.sums(features), 113, 65_649)
            ),
            "ciphertext cut": lambda: self.signed(
                features, request, self.sums(features)[: self.draw.randrange(65_649)]
            ),
            "halves swapped": lambda: self.signed(features, request, swapped(self.sums(features))),
            "question sent back": lambda: self.signed(features, request, features.sealed_vector),
            "garbage": lambda: self.signed(features, request, self.sums(features)[:113] + self.draw.randbytes(65_536)),
        }
        data = spoil[kind]()
        self.earlier = right
        return data

    def sums(self, features: SealedFeatures) -> bytes:
        return evaluate(self.engine, features).sealed_sums

    def sums_of_another(self, vault: Vault) -> bytes:
        return self.sums(vault.seal(PANEL.low)[0])

    def to_another(self, vault: Vault, key: bytes) -> bytes:
        features, _ = vault.seal(PANEL.low)
        return self.answer(self.engine, features, write(features, key))

    def of_stale(self, features: SealedFeatures, request: bytes, digest: str) -> bytes:
        scores = evaluate(self.stale, replace(features, panel_digest=STALE.digest))
        return respond(replace(scores, panel_digest=digest), request)

    def answer(self, engine: Evaluator, features: SealedFeatures, request: bytes, key: bytes = KEY) -> bytes:
        return respond(evaluate(engine, features), request, key)

    def signed(self, features: SealedFeatures, request: bytes, sums: bytes) -> bytes:
        """What an engine that lies signs."""
        return respond(SealedScores(features.profile, features.panel_digest, features.request_id, sums), request)

    def flipped(self, data: bytes, start: int, end: int) -> bytes:
        changed = bytearray(data)
        changed[self.draw.randrange(start, end)] ^= 1 << self.draw.randrange(8)
        return bytes(changed)


def write(features: SealedFeatures, key: bytes) -> bytes:
    digest = wire.keys_digest(features.evaluation_keys)
    return wire.write_request(features, __version__, key, digest, with_keys=False)


def respond(scores: SealedScores, request: bytes, key: bytes = KEY) -> bytes:
    asked = wire.Request(SealedFeatures("", "", b"", b""), __version__, wire.NO_KEYS, request[-wire.MAC_BYTES :])
    return wire.write_response(scores, __version__, key, asked, 0.001)


def swapped(sums: bytes) -> bytes:
    middle = 113 + (len(sums) - 113) // 2
    return sums[:113] + sums[middle:] + sums[113:middle]


def answers(count: int, seed: int) -> Counter[str]:
    """Spoil so many answers, of both modes and of every kind in turn; returns the kinds that were accepted."""
    found = Counter[str]()
    for mode, share in (("masked", 3), ("rotating", 1)):
        attack = Answers(mode, seed)
        for number in range(count * share // 4):
            kind = KINDS[number % len(KINDS)]
            found[f"{mode}: {kind}"] += attack.accepted(kind)
    return +found


class Uploads:
    """Messages of one tenant of a running engine, spoilt before they are sent; half are signed after that.

    Args:
        engine: with tenants, of whom `one` sends these.
        seed: of what is spoilt, and how.
    """

    def __init__(self, engine: RunningEngine, seed: int) -> None:
        self.engine, self.draw = engine, random.Random(seed)
        panel = registry.panel(registry.all_predictors())
        values = np.where(panel.low > 0, panel.low, 0.0)
        masked, rotating = Vault(panel).seal(values)[0], Vault(panel, mode="rotating").seal(values)[0]
        digest = wire.keys_digest(rotating.evaluation_keys)
        self.messages = [
            wire.write_request(masked, __version__, engine.key, wire.NO_KEYS, with_keys=False),
            wire.write_request(rotating, __version__, engine.key, digest, with_keys=False),
            wire.write_request(rotating, __version__, engine.key, digest, with_keys=True),
        ]

    def send(self) -> int:
        """Send one and return the status of the answer; 0 when the engine hung up."""
        draw = self.draw
        body = bytearray(draw.choices(self.messages, (8, 2, 1))[0])
        kind = draw.randrange(6)
        if kind == 0:
            for _ in range(draw.randrange(1, 9)):
                body[draw.randrange(len(body))] ^= 1 << draw.randrange(8)
        elif kind == 1:  # where lengths and sizes are
            place = draw.choice([draw.randrange(300), 65_773 + draw.randrange(200)]) % (len(body) - 8)
            body[place : place + 8] = draw.choice([0, 1, 2**31, 2**40, 2**63 - 1]).to_bytes(8, "little")
        elif kind == 2:
            body[156 : 156 + 65_649] = draw.randbytes(65_649)
        elif kind == 3:
            del body[draw.randrange(len(body)) :]
        elif kind == 4:
            body += draw.randbytes(draw.randrange(1, 200))
        else:
            place = draw.randrange(len(body) - 40)
            body[place : place + 40] = b"\xff" * 40
        if draw.random() < 0.5 and len(body) > wire.OVERHEAD_BYTES:
            body[-32:] = wire._mac(self.engine.key, wire._REQUEST_LABEL, bytes(body[:-32]))
        length = len(body) if draw.random() < 0.9 else draw.choice([0, 65_805, 10**9, 10**19])
        return self._post(bytes(body), length)

    def _post(self, body: bytes, length: int) -> int:
        head = f"POST {wire.EVALUATE} HTTP/1.1\r\nHost: e\r\n{wire.KEY_HEADER}: {wire.key_name(self.engine.key)}\r\n"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(self.engine.url.removeprefix("unix:"))
            try:
                connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + body)
                if length > len(body):  # else it would wait for the rest
                    connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(64)
            except (BrokenPipeError, ConnectionResetError):
                return 0
        return int(answer.split()[1]) if answer else 0


def uploads(count: int, seed: int, made: Path) -> tuple[Counter[int], float, list[str]]:
    """Send so many to a running engine of one worker.

    Returns:
        Statuses, by how many MiB its memory grew after the first tenth, and what was wrong afterwards.
    """
    tenants = made / "tenants"
    folder.add(tenants, "one", Limits(), ["everything"])
    with running_engine(made, tenants=tenants) as engine:
        attack, statuses, workers = Uploads(engine, seed), Counter[int](), engine.processes[1:]
        for _ in range(count // 10):
            statuses[attack.send()] += 1
        before = resident_mb(workers[0])
        for _ in range(count - count // 10):
            statuses[attack.send()] += 1
        wrong = [] if engine.processes[1:] == workers else ["a worker died"]
        growth = resident_mb(workers[0]) - before if not wrong else 0.0
        if attack._post(attack.messages[0], len(attack.messages[0])) != 200:
            wrong.append("a right request is not answered any more")
    return statuses, growth, wrong


def resident_mb(process: int) -> float:
    (line,) = (one for one in Path(f"/proc/{process}/status").read_text().splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> int:
    """Attack, and say by the exit code whether all was refused."""
    given = [int(word) for word in sys.argv[1:4]]
    count, sent, seed = [*given, *(ANSWERS, UPLOADS, random.SystemRandom().randrange(2**32))[len(given) :]]
    accepted = answers(count, seed)
    print(f"{count} spoilt answers, {accepted.total()} accepted {dict(accepted) or ''}")
    with tempfile.TemporaryDirectory() as made:
        statuses, growth, wrong = uploads(sent, seed, Path(made))
    print(f"{sent} spoilt uploads: {dict(sorted(statuses.items()))}; the worker grew by {growth:.0f} MiB {wrong or ''}")
    if accepted or wrong or growth > MOST_GROWTH_MB or statuses[500]:
        print(f"seed {seed}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
