"""Whatever a trusted author signs, reading it ends in a package or in `Incorrect`, and soon."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from fhirtwin.ckks.circuits.network import Network
from fhirtwin.ckks.profiles import MASKED
from fhirtwin.errors import Incorrect
from fhirtwin.packages import package
from fhirtwin.packages.kind import AsPanel
from fhirtwin.vault import Keyring, Shelf, asking
from tests.packages.builders import (
    AUTHORS,
    packed,
    packed_network,
    packed_polygenic,
    packed_prevent,
    packed_trajectory,
    packed_trees,
    panel_of,
    resigned,
)

TEXTS = (
    "",
    "a",
    "\x00",
    "\u202e",
    "1.0",
    "deceased",
    "sex",
    "age",
    "egfr",
    "../..",
    "https://x",
    "logistic",
    "survival",
)
NUMBERS = (0, -1, 1, 2**63, -(2**200), 1e-320, 1e308, -0.0, 0.5, 9e8, -9e8)
ODD: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"female": 1, "male": "x"}, *TEXTS, *NUMBERS)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            found += _places(part, (*path, key))
    return found


def _mutated(content: Any, random: Random) -> Any:
    made = json.loads(json.dumps(content))
    for _ in range(random.randint(1, 3)):
        if not (places := _places(made)):
            break
        *way, last = random.choice(places)
        inner = made
        for step in way:
            inner = inner[step]
        what = random.random()
        if what < 0.6:
            inner[last] = deepcopy(random.choice(ODD))
        elif what < 0.75 and isinstance(inner, dict):
            inner[random.choice(("power", "log", "less", "equals", "at_most", "constant", "inputs", "categories"))] = (
                deepcopy(random.choice(ODD))
            )
        elif what < 0.9:
            del inner[last]
        elif isinstance(inner, list):
            inner.append(deepcopy(inner[last]))
    return made


@pytest.mark.parametrize("make", [packed, packed_prevent])
def test_two_thousand_mutations_of_what_was_signed(tmp_path: Path, make: Any) -> None:
    files = dict(make(tmp_path).package.files)
    random, read = Random(11), 0  # noqa: S311
    for _ in range(1000):
        name = random.choice(("public.json", "golden.json", "public.json"))
        data = json.dumps(_mutated(json.loads(files[name]), random)).encode()
        start = time.perf_counter()
        try:
            found = package.of_files(resigned(files | {name: data}), AUTHORS)
        except Incorrect:
            pass
        else:
            read += 1
            sums = np.abs(panel_of(found).panel().weights) @ panel_of(found).panel().largest()
            assert (sums <= 16.0).all() and np.isfinite(panel_of(found).hidden().answers).all()
            assert len(found.cases[0].given) == len(panel_of(found).predictor.features)
            assert MASKED.error > 0
        assert time.perf_counter() - start < 2.0
    assert read > 5  # some changes are of no consequence, so not all is refused alike


def test_a_thousand_mutations_of_trees_that_were_signed(tmp_path: Path) -> None:
    files = dict(packed_trees(tmp_path).package.files)
    random, read = Random(13), 0  # noqa: S311
    for _ in range(1000):
        name = random.choice(("splits.json", "splits.json", "public.json", "golden.json"))
        data = json.dumps(_mutated(json.loads(files[name]), random)).encode()
        start = time.perf_counter()
        try:
            found = package.of_files(resigned(files | {name: data}), AUTHORS)
        except Incorrect:
            pass
        else:
            read += 1
            for part in found.served():
                assert isinstance(part, AsPanel)
                sums = part.panel.added(np.abs(part.panel.weights) * part.panel.largest())
                assert (sums <= 16.0).all()
            assert all(np.isfinite(list(case.answers.values())).all() for case in found.cases)
        assert time.perf_counter() - start < 2.0
    assert read > 5


def test_mutations_of_a_network_that_was_signed(tmp_path: Path) -> None:
    files = dict(packed_network(tmp_path).package.files)
    random, read = Random(14), 0  # noqa: S311
    for _ in range(300):
        name = random.choice(("public.json", "public.json", "golden.json"))
        data = json.dumps(_mutated(json.loads(files[name]), random)).encode()
        start = time.perf_counter()
        try:
            found = package.of_files(resigned(files | {name: data}), AUTHORS)
        except Incorrect:
            pass
        else:
            read += 1
            (network,) = found.served()
            assert isinstance(network, Network) and network.error <= 3e-4
            assert all(np.isfinite(list(case.answers.values())).all() for case in found.cases)
        assert time.perf_counter() - start < 2.0
    assert read > 5


def test_a_thousand_changed_bytes_of_what_was_signed(tmp_path: Path) -> None:
    files = dict(packed(tmp_path).package.files)
    random = Random(12)  # noqa: S311
    for _ in range(1000):
        name = random.choice(("public.json", "golden.json", "weights.safetensors"))
        data = bytearray(files[name])
        for _ in range(random.randint(1, 5)):
            at = random.randrange(len(data))
            data[at : at + random.randint(0, 2)] = random.randbytes(random.randint(0, 3))
        try:
            found = package.of_files(resigned(files | {name: bytes(data)}), AUTHORS)
        except Incorrect:
            continue
        assert found.id == "kfre-packaged"


@pytest.mark.parametrize("make", [packed_polygenic, packed_trajectory])
def test_two_thousand_mutations_of_models_that_are_asked_alone(tmp_path: Path, make: Any) -> None:
    """Both halves: a gateway has no weights to hold the rest against."""
    files = dict(make(tmp_path).package.files)
    half = package.public_half(files)
    random, read = Random(15), 0  # noqa: S311
    for turn in range(1000):
        name = random.choice(("public.json", "golden.json"))
        data = json.dumps(_mutated(json.loads(files[name]), random)).encode()
        start = time.perf_counter()
        try:
            found = package.of_files(resigned((files if turn % 2 else half) | {name: data}), AUTHORS)
        except Incorrect:
            pass
        else:
            read += 1
            assert all(
                np.isfinite(case.given).all() and np.isfinite([*case.answers.values()]).all() for case in found.cases
            )
            asking(found.model, Keyring(Shelf()))
        assert time.perf_counter() - start < 2.0
    assert read > 5
