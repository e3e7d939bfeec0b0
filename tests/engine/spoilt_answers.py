"""Answers of every kind that are not what a right engine gives, and whether a gateway accepts one."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import profile
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.models import Models
from fhirtwin.errors import EngineAnswerWrong, Incorrect
from fhirtwin.packages.kind import AsPanel
from tests.ckks.builders import KEY, OTHER_KEY, evaluate, random_panel, random_table
from tests.engine.questions import Question, Served, sealed_by, served

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
