"""Every kind of question through a real courier to a real engine, recorded: no key, no number, no name on the way.

Beside the panel and the lookups of genes (`test_traffic`): batches of a cohort, packages of every kind, networks with
their evaluation keys, dosages of a person's VCF, trajectories, and models asked by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fhirtwin import __version__, asking
from fhirtwin.assess_cohort import CohortAssessor
from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.network import ALL_STEPS
from fhirtwin.ckks.context import Ciphertext, Ring
from fhirtwin.ckks.levelled import LevelledRing
from fhirtwin.ckks.profiles import NETWORK
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.courier import Courier
from fhirtwin.packages.kinds.polygenic import PolygenicModel
from fhirtwin.packages.package import Package
from fhirtwin.pgx.circuits import tables
from fhirtwin.pgx.vcf_rows import Reading
from fhirtwin.predictors import registry
from tests.boundary.recording import Recording, doubles, texts, traces
from tests.ckks.builders import CIPHERTEXT_HEADER, PLAINTEXT_HEADER
from tests.cohort.people import case
from tests.engine.process import running_engine
from tests.engine.questions import Served, served
from tests.packages.builders import POLYGENIC
from tests.report.builders import SETTINGS

ROUNDS = 2
Encrypt = Callable[[Ring, NDArray[np.complex128], float], bytes]


class Witness:
    """On the gateway's side: every key that is made, every number that is encrypted, and some that are opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.keys: set[bytes] = set()
        self.numbers: set[float] = set()
        make, decrypt = Ring.make_keys, Ring.decrypt

        def make_and_tell(ring: Ring) -> None:
            make(ring)
            self.keys.add(bytes(ring._pyfhel.to_bytes_secret_key("none"))[PLAINTEXT_HEADER:])
            public = np.frombuffer(ring._pyfhel.to_bytes_public_key("none"), dtype="<u8", offset=CIPHERTEXT_HEADER)
            half, other = public.reshape(2, -1, ring.profile.degree)
            # Of what encrypts alone, the other half modulo the data primes is half of the ciphertext.
            self.keys |= {half.tobytes(), other[-1:].tobytes()}

        def telling(encrypt: Encrypt) -> Encrypt:
            def encrypt_and_tell(ring: Ring, values: NDArray[np.complex128], scale: float) -> bytes:
                self.add(values)
                return encrypt(ring, values, scale)

            return encrypt_and_tell

        def decrypt_and_tell(ring: Ring, sealed: Ciphertext) -> NDArray[np.complex128]:
            opened = decrypt(ring, sealed)
            self.add(opened[::16])
            return opened

        monkeypatch.setattr(Ring, "make_keys", make_and_tell)
        for encrypt in (Ring.encrypt, Ring.encrypt_alone, Ring.encrypt_again):
            monkeypatch.setattr(Ring, encrypt.__name__, telling(encrypt))
        monkeypatch.setattr(Ring, "decrypt", decrypt_and_tell)

    def add(self, slots: NDArray[np.complex128]) -> None:
        self.numbers.update(slots.real.tolist())
        self.numbers.update(slots.imag.tolist())


class Counting:
    """A courier, and what it carried by profile."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self.sent: list[SealedFeatures] = []

    def evaluate(self, features: SealedFeatures) -> SealedScores:
        self.sent.append(features)
        return self._courier.evaluate(features)


def values_of(package: Package) -> dict[str, Any]:
    """Those of its first golden case, of somebody whom its rules let in."""
    given = json.loads(package.files["golden.json"])["cases"][0]["values"]
    rules = package.predictor.rules if package.predictor else ()
    read = {name: float(value) if type(value) is int else value for name, value in given.items()}
    return {rule.fact: rule.must_be for rule in rules} | read


def long(key: bytes) -> bytes:
    """The coefficients of a key modulo its primes of 60 bits: eight bytes of those modulo others are found by chance.

    Three million words modulo a prime of 44 bits, in the keys of a network, have one of a hundred thousand in one run
    of fifty.
    """
    words = np.frombuffer(key, dtype="<u8")
    return words[words >= 2**48].tobytes()


def runs(key: bytes) -> list[bytes]:
    """Four coefficients on end, of many places of a key: by these the short ones are searched."""
    return [key[at : at + 32] for at in range(0, len(key), 65_536)]


def ask_by_hand(packages: Iterable[Package], send: Callable[[SealedFeatures], SealedScores]) -> set[float]:
    """As `fhirtwin model ask` does; the numbers that were given."""
    numbers: set[float] = set()
    for one in packages:
        if isinstance(one.model, PolygenicModel):
            draw = np.random.default_rng(5)
            values: dict[str, Any] = dict(
                zip(one.model.variants.names, draw.uniform(0, 2, len(one.model.variants.names)).tolist(), strict=True)
            )
            answer = asking.of_vcf(one, BytesIO((POLYGENIC / "nobody.vcf").read_bytes()), Reading(), send)
            assert answer.told
        else:
            values = values_of(one)
        assert asking.of_values(one, values, send, SETTINGS).told
        numbers.update(value for value in values.values() if isinstance(value, float))
    return numbers


def known_texts(held: Served) -> set[str]:
    """Names of inputs, rows, variants and models, of who signed them, and of people."""
    found = {f"person-{number}" for number in range(100, 140)} | {"kidney-group", "Klinikum"}
    found |= {name.rpartition(":")[2] for name in (*held.panel.features, *held.panel.rows, *held.table.rows)}
    for one in held.packages.values():
        found |= {one.id, *values_of_names(one)}
        if isinstance(one.model, PolygenicModel):
            found |= set(one.model.variants.names)
    return {text for text in found if len(text) >= 8}


def values_of_names(package: Package) -> set[str]:
    return set() if isinstance(package.model, PolygenicModel) else set(values_of(package))


def test_recorded_questions_of_every_kind_hold_no_key_no_number_and_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = served(registry.panel(registry.all_predictors()), tables.panels()[0], tmp_path)
    witness, recording, numbers = Witness(monkeypatch), Recording(), set[float]()
    own = tmp_path / "recorded.sock"
    with (
        running_engine(tmp_path, *held.options) as engine,
        recording.between(own, Path(engine.url.removeprefix("unix:"))) as url,
    ):
        courier = Courier(url, engine.key, timeout=30)
        counting = Counting(courier)
        questions = held.questions()
        for _ in range(ROUNDS):
            for question in questions.values():
                question(counting.evaluate)
        numbers |= ask_by_hand(held.packages.values(), counting.evaluate)
        people = [case(number) for number in range(100, 140)]
        assert all(CohortAssessor(held.panel, counting.evaluate, SETTINGS).assess(people))
        courier.close()
    up, down = bytes(recording.up), bytes(recording.down)

    by_hand = len(held.packages) + 1  # the polygenic score twice
    assert len(counting.sent) == ROUNDS * len(questions) + by_hand + 1
    assert up.count(b"POST " + wire.EVALUATE.encode()) == up.count(b"FTq2" + __version__.encode()) == len(counting.sent)
    assert down.count(b"FTs2" + __version__.encode()) == len(counting.sent)
    profiles = {"P1-mask", "P1-rot", "P1-sparse", "P1-batch", "P1-poly", "P2-net"}
    assert {one.profile for one in counting.sent} == profiles
    of_networks = {one.evaluation_keys for one in counting.sent if one.profile == NETWORK.name}
    assert len(of_networks) == 2 and min(map(len, of_networks)) > 50_000_000, "one key for all, another by hand"
    assert all(keys in up for keys in of_networks), "its evaluation keys are in what is searched"

    numbers |= witness.numbers
    assert len(numbers) > 10_000 and len(witness.keys) > 2 * len(profiles)
    secrets = {long(key) for key in witness.keys} | {engine.key}
    without_keys = up
    for keys in of_networks:
        without_keys = without_keys.replace(keys, b"")
        assert [run for key in witness.keys if len(key) > 300_000 for run in runs(key) if run in keys] == []
    for sent in (without_keys, down):
        assert [run for key in witness.keys for run in runs(key) if run in sent] == []
    assert len(up) - len(without_keys) > 100_000_000
    for name, sent in (("to the engine", up), ("from the engine", down)):
        assert traces(sent, numbers=[n for n in numbers if n != round(n, 3)], secrets=secrets) == [], name
        assert doubles(sent, numbers) == 0, name
    assert texts(without_keys + down, known_texts(held)) == []


def test_evaluation_keys_of_a_network_hold_no_piece_of_the_key_and_the_search_would_find_one() -> None:
    ring = LevelledRing(NETWORK)
    ring.make_keys()
    keys = ring.make_rotation_keys(ALL_STEPS) + ring.make_relinearisation_key()
    secret = ring.secret_key()[PLAINTEXT_HEADER:]
    assert traces(keys, numbers=(), secrets=[long(secret)]) == []
    assert not [run for run in runs(secret) if run in keys]
    hidden = keys[:30_000_001] + secret[64:72] + keys[30_000_001:]
    assert traces(hidden, numbers=(), secrets=[long(secret)]) == ["1 pieces of secrets"]
    short = secret[NETWORK.degree * 8 * 2 :][:65_536]
    hidden = keys[:999] + short
    assert long(short) == b"" and [run for run in runs(secret) if run in hidden]
    number = 0.1 + 1e-9
    hidden = keys[:8_388_605] + np.array([number]).tobytes() + keys[8_388_605:]  # across the border of two parts
    assert doubles(hidden, [number]) == 1
