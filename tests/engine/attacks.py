"""Answers that are not what a right engine gives, and uploads that are not what a gateway sends, by the thousand.

    python -m tests.engine.attacks [ANSWERS] [UPLOADS] [SEED]

Both of every kind that there is: panels in both modes, tables, batches, and packages of all kinds. No such answer may
be accepted; after all uploads the engine must answer every kind rightly and its workers have grown by no more than a
bound. Exit code 1 and the seed when that is not so.
"""

from __future__ import annotations

import hashlib
import random
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from fhirtwin import __version__
from fhirtwin.ckks import mac, wire
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import profile
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.models import Models
from fhirtwin.engine.tenants import folder
from fhirtwin.engine.tenants.tenant import Limits
from fhirtwin.errors import EngineAnswerWrong, Incorrect
from fhirtwin.packages.kind import AsPanel
from fhirtwin.pgx.circuits import tables
from fhirtwin.predictors import registry
from tests.ckks.builders import KEY, OTHER_KEY, evaluate, random_panel, random_table
from tests.engine.process import RunningEngine, running_engine
from tests.engine.questions import KEYED, Question, Served, sealed_by, served

ANSWERS, UPLOADS = 10_000, 20_000
MOST_GROWTH_MB: Final = 128

PANEL = random_panel(rows=15, features=27)
TABLE = random_table()

SHARES: Final = {
    "masked": 0.3,
    "rotating": 0.1,
    "table": 0.12,
    "batch": 0.03,
    "package: panel": 0.11,
    "package: trees": 0.11,
    "package: trajectory": 0.11,
    "package: polygenic": 0.11,
    "package: network": 0.01,
}
"""How many of the answers are of which kind: a refused one of a network costs a new key, which takes a second."""

KINDS: Final = (
    *("line flips", "line cuts", "line appends", "answer to another request", "replay", "another tenant's secret"),
    *("another tenant's answer", "stale model", "stale model that says it is not", "ciphertext flipped"),
    *("ciphertext cut", "halves swapped", "question sent back", "garbage", "parts in another order"),
)


class Engine:
    """In this process: what is served, and the same models as they were before."""

    def __init__(self, held: Served) -> None:
        models = Models(held.folder / "models", held.folder / "authors.json")
        self.right = Evaluator(held.panel, [held.table], [Batch(held.panel)], models)
        panel, table = _before(held.panel, 0.98), _before(held.table, 0.98)
        own = Evaluator(panel, [table], [Batch(panel)])
        pairs = ((held.panel.digest, panel.digest), (held.table.digest, table.digest))
        batches = (Batch(held.panel).digest, Batch(panel).digest)
        self._stale = {digest: (own, before) for digest, before in (*pairs, batches)}
        for one in held.packages.values():
            for part in one.model.served():
                package = hashlib.sha256(part.digest.encode()).hexdigest()
                if isinstance(part, AsPanel):
                    # One known case stands for a package, of one row: a small change could be too small to be seen.
                    panel = replace(_before(part.panel, 0.5), package=package)
                    self._stale[part.digest] = Evaluator(panel), package
                else:
                    circuit = replace(part, weights=_less(part.weights), package=package)  # type: ignore[call-arg,attr-defined,type-var]
                    self._stale[part.digest] = Evaluator(held.panel, circuits=[circuit]), package

    def answer(self, features: SealedFeatures) -> SealedScores:
        return evaluate(self.right, features)

    def stale(self, features: SealedFeatures) -> SealedScores:
        """What the model said before, under its own name."""
        evaluator, digest = self._stale[features.panel_digest]
        return evaluate(evaluator, replace(features, panel_digest=digest))


def _before(panel: Panel, share: float) -> Panel:
    return replace(panel, weights=panel.weights * share)


def _less(weights: object) -> object:
    return tuple(map(_less, weights)) if isinstance(weights, tuple) else weights * 0.98  # type: ignore[operator]


class Answers:
    """A gateway, asked the same again and again; each answer is spoilt before it comes back.

    Args:
        engine: what answers.
        question: of the gateway.
        another: of the same kind, by another gateway.
        seed: of what is spoilt, and how.
    """

    def __init__(self, engine: Engine, question: Question, another: Question, seed: int) -> None:
        self.draw = random.Random(seed)
        self.engine, self.question, self.another = engine, question, another
        self.earlier: bytes | None = None

    def accepted(self, kind: str) -> bool:
        """Whether an answer that is spoilt in this way was opened."""

        def send(features: SealedFeatures) -> SealedScores:
            request = write(features, KEY)
            return wire.read_response(self.spoilt(kind, features, request), KEY, features, request).scores

        try:
            self.question(send)
        except (Incorrect, EngineAnswerWrong):
            return False
        return True

    def spoilt(self, kind: str, features: SealedFeatures, request: bytes) -> bytes:
        """The bytes that come back."""
        right = self.engine.answer(features)
        sums, answered = right.sealed_sums, respond(right, request)
        one = len(sums) // max(1, features.answer_bytes // profile(features.profile).answer_bytes)
        spoil: dict[str, Callable[[], bytes]] = {
            "line flips": lambda: self.flipped(answered, 0, len(answered)),
            "line cuts": lambda: answered[: self.draw.randrange(len(answered))],
            "line appends": lambda: answered + self.draw.randbytes(1 + self.draw.randrange(40)),
            "answer to another request": lambda: self.to_another(KEY),
            "replay": lambda: self.earlier or self.to_another(KEY),
            "another tenant's secret": lambda: respond(right, request, OTHER_KEY),
            "another tenant's answer": lambda: self.signed(features, request, self.sums_of_another()),
            "stale model": lambda: respond(self.engine.stale(features), request),
            "stale model that says it is not": lambda: self.signed(
                features, request, self.engine.stale(features).sealed_sums
            ),
            "ciphertext flipped": lambda: self.signed(features, request, self.in_a_part(sums, one)),
            "ciphertext cut": lambda: self.signed(features, request, sums[: self.draw.randrange(len(sums))]),
            "halves swapped": lambda: self.signed(features, request, swapped(sums[:one]) + sums[one:]),
            "question sent back": lambda: self.signed(features, request, features.sealed_vector[: len(sums)]),
            "garbage": lambda: self.signed(features, request, sums[:113] + self.draw.randbytes(len(sums) - 113)),
            # Of a single ciphertext the parts are its two polynomials.
            "parts in another order": lambda: self.signed(
                features, request, sums[one:] + sums[:one] if len(sums) > one else swapped(sums)
            ),
        }
        data = spoil[kind]()
        self.earlier = answered
        return data

    def sums_of_another(self) -> bytes:
        return self.engine.answer(sealed_by(self.another)).sealed_sums

    def to_another(self, key: bytes) -> bytes:
        features = sealed_by(self.question)
        return respond(self.engine.answer(features), write(features, key), key)

    def signed(self, features: SealedFeatures, request: bytes, sums: bytes) -> bytes:
        """What an engine that lies signs."""
        return respond(SealedScores(features.profile, features.panel_digest, features.request_id, sums), request)

    def in_a_part(self, sums: bytes, one: int) -> bytes:
        start = one * self.draw.randrange(len(sums) // one)
        return self.flipped(sums, start + 113, start + one)

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


def answers(count: int, seed: int, made: Path) -> tuple[Counter[str], Counter[str]]:
    """Spoil so many answers, of every kind of question in every way in turn, each way of each kind at least once.

    Returns:
        How many of which kind there were, and those that were accepted.
    """
    held = served(PANEL, TABLE, made)
    engine, asked, others = Engine(held), held.questions(), held.questions()
    assert asked.keys() == SHARES.keys()
    tried, accepted = Counter[str](), Counter[str]()
    for kind, share in SHARES.items():
        attack = Answers(engine, asked[kind], others[kind], seed)
        tried[kind] = max(round(count * share), len(KINDS))
        for number in range(tried[kind]):
            way = KINDS[number % len(KINDS)]
            accepted[f"{kind}: {way}"] += attack.accepted(way)
    return tried, +accepted


class Uploads:
    """Messages of one tenant of a running engine, spoilt before they are sent; half are signed after that.

    Args:
        engine: with tenants, of whom `one` sends these.
        held: what it serves.
        seed: of what is spoilt, and how.

    Attributes:
        right: a message of every kind, and of kinds whose evaluation keys travel another with those.
        odd: declared lengths that are not right and statuses that they were answered by, if not as they should.
    """

    def __init__(self, engine: RunningEngine, held: Served, seed: int) -> None:
        self.engine, self.draw, self.odd = engine, random.Random(seed), list[tuple[int, int]]()
        self.right: dict[str, bytes] = {}
        for kind, question in held.questions().items():
            features = sealed_by(question)
            digest = wire.keys_digest(features.evaluation_keys)
            if kind in KEYED:
                self.right[f"{kind}, keys"] = wire.write_request(
                    features, __version__, engine.key, digest, with_keys=True
                )
            self.right[kind] = wire.write_request(features, __version__, engine.key, digest, with_keys=False)
        self._lengths = {len(body) for body in self.right.values()}

    def refused(self) -> list[str]:
        """Kinds of messages that are right and not answered, those with evaluation keys before those without."""
        return [kind for kind, body in self.right.items() if self._post(body, len(body)) != 200]

    def send(self, *, heavy: bool = False) -> int:
        """Send one and return the status of the answer; 0 when the engine hung up.

        Args:
            heavy: one of 51 MB, with the evaluation keys of a network; else any other.
        """
        draw = self.draw
        kinds = [kind for kind, body in self.right.items() if (len(body) > 10_000_000) == heavy]
        body = bytearray(self.right[draw.choice(kinds)])
        self._spoil(body)
        if draw.random() < 0.5 and len(body) > wire.OVERHEAD_BYTES:
            self._sign(body)
        length = len(body) if draw.random() < 0.9 else draw.choice([0, 65_805, 10**9, 10**19])
        status = self._post(bytes(body), length)
        if length not in self._lengths and status not in (0, 400, 422):
            self.odd.append((length, status))
        return status

    def _spoil(self, body: bytearray) -> None:
        draw, kind = self.draw, self.draw.randrange(6)
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

    def _sign(self, body: bytearray) -> None:
        """As a gateway would that means it; of half with evaluation keys the hash that names them is theirs, too."""
        vector = next((len(self.right[k]) for k in KEYED if len(body) == len(self.right[f"{k}, keys"])), 0)
        if vector and self.draw.random() < 0.5:
            body[84:116] = hashlib.sha256(body[vector - wire.MAC_BYTES : -wire.MAC_BYTES]).digest()
        body[-32:] = mac.of_long(self.engine.key, wire._REQUEST_LABEL, bytes(body[:-32]))

    def _post(self, body: bytes, length: int) -> int:
        head = f"POST {wire.EVALUATE} HTTP/1.1\r\nHost: e\r\n{wire.KEY_HEADER}: {wire.key_name(self.engine.key)}\r\n"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(self.engine.url.removeprefix("unix:"))
            try:
                connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + body)
                if length > len(body):  # else it would wait for the rest
                    connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(64)
            except (BrokenPipeError, ConnectionResetError):
                return 0
        return int(answer.split()[1]) if answer else 0


def uploads(count: int, seed: int, made: Path, heavy: int = 20) -> tuple[Counter[int], float, list[str]]:
    """Send so many to a running engine of one worker, and a few more of 51 MB.

    Returns:
        Statuses, by how many MiB its memory grew after the first tenth, and what was wrong afterwards.
    """
    tenants = made / "tenants"
    folder.add(tenants, "one", Limits(), ["everything"])
    held = served(registry.panel(registry.all_predictors()), tables.panels()[0], made)
    with running_engine(made, *held.options, tenants=tenants) as engine:
        attack, statuses, workers = Uploads(engine, held, seed), Counter[int](), engine.processes[1:]
        wrong = [f"{kind}: not answered before" for kind in attack.refused()]
        for number in range(-(-count // 10)):
            statuses[attack.send(heavy=number < max(2, heavy // 10))] += 1
        before = resident_mb(workers[0])
        rest = count - count // 10
        for number in range(rest):
            statuses[attack.send()] += 1
            if number % max(1, rest // heavy) == 0:
                statuses[attack.send(heavy=True)] += 1
        wrong += [] if engine.processes[1:] == workers else ["a worker died"]
        growth = resident_mb(workers[0]) - before if engine.processes[1:] == workers else 0.0
        wrong += [f"{kind}: not answered any more" for kind in attack.refused()]
        courier = engine.courier(timeout=30.0)
        for question in held.questions().values():
            question(courier.evaluate)  # raises what is not as it must be
        courier.close()
        wrong += [f"{length} bytes, answered with {status}" for length, status in attack.odd]
    return statuses, growth, wrong


def resident_mb(process: int) -> float:
    (line,) = (one for one in Path(f"/proc/{process}/status").read_text().splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> int:
    """Attack, and say by the exit code whether all was refused."""
    given = [int(word) for word in sys.argv[1:4]]
    count, sent, seed = [*given, *(ANSWERS, UPLOADS, random.SystemRandom().randrange(2**32))[len(given) :]]
    with tempfile.TemporaryDirectory() as made:
        tried, accepted = answers(count, seed, Path(made))
    print(f"{tried.total()} spoilt answers {dict(tried)}, {accepted.total()} accepted {dict(accepted) or ''}")
    with tempfile.TemporaryDirectory() as made:
        statuses, growth, wrong = uploads(sent, seed, Path(made))
    print(f"{sent} spoilt uploads: {dict(sorted(statuses.items()))}; the worker grew by {growth:.0f} MiB {wrong or ''}")
    if accepted or wrong or growth > MOST_GROWTH_MB or statuses[500]:
        print(f"seed {seed}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
