"""Uploads of every kind that are not what a gateway sends, and whether the engine outlives them."""

from __future__ import annotations

import hashlib
import random
import socket
from collections import Counter
from pathlib import Path

from fhirtwin import __version__
from fhirtwin.ckks import mac, wire
from fhirtwin.engine.tenants import folder
from fhirtwin.engine.tenants.tenant import Limits
from fhirtwin.pgx.circuits import tables
from fhirtwin.predictors import registry
from tests.engine.process import RunningEngine, running_engine
from tests.engine.questions import KEYED, Served, sealed_by, served


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
