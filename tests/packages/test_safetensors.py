"""Weights as others write and read them, and nothing but weights."""

from __future__ import annotations

import json
import pickle
import struct
from random import Random

import numpy as np
import pytest
from safetensors.numpy import load, save

from fhirtwin.errors import Incorrect
from fhirtwin.packages import safetensors

WEIGHTS = np.random.default_rng(1).normal(size=(3, 5))
GOOD = safetensors.write(WEIGHTS)


def _file(header: object, data: bytes = WEIGHTS.tobytes()) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_the_library_reads_what_we_write_and_we_read_what_it_writes() -> None:
    assert (load(GOOD)["weights"] == WEIGHTS).all()
    assert (safetensors.read(save({"weights": WEIGHTS}), 3, 5) == WEIGHTS).all()
    assert (safetensors.read(save({"weights": WEIGHTS}, metadata={"by": "somebody"}), 3, 5) == WEIGHTS).all()


TENSOR = {"dtype": "F64", "shape": [3, 5], "data_offsets": [0, 120]}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:7],
        GOOD[:-1],
        GOOD + b"\x00",
        struct.pack("<Q", 2**63) + GOOD[8:],
        struct.pack("<Q", 5000) + GOOD[8:],
        _file({"weights": TENSOR, "more": TENSOR}),
        _file({"bias": TENSOR}),
        _file({"weights": TENSOR | {"dtype": "F32"}}),
        _file({"weights": TENSOR | {"shape": [5, 3]}}),
        _file({"weights": TENSOR | {"shape": [3.0, 5]}}) + b"x",
        _file({"weights": TENSOR | {"data_offsets": [0, 112]}}),
        _file({"weights": TENSOR | {"data_offsets": [8, 128]}}, b"\x00" * 128),
        _file({"weights": TENSOR, "__metadata__": "text"}),
        _file(b'{"weights": {}, "weights": {}}'),
        _file(b'{"weights": NaN}'),
        _file(b"[" * 4000),
        pickle.dumps(WEIGHTS),
        save({"weights": WEIGHTS.astype(np.float32)}),
        save({"weights": np.full((3, 5), np.nan)}),
        save({"weights": np.full((3, 5), np.inf)}),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(Incorrect, match=r"weights\.safetensors"):
        safetensors.read(data, 3, 5)


def test_ten_thousand_changed_files_are_refused_or_are_weights_of_that_shape() -> None:
    random = Random(4)  # noqa: S311
    for _ in range(10_000):
        changed = bytearray(GOOD)
        for _ in range(random.randint(1, 4)):
            changed[random.randrange(len(changed))] = random.randrange(256)
        try:
            found = safetensors.read(bytes(changed), 3, 5)
        except Incorrect:
            continue
        assert found.shape == (3, 5) and np.isfinite(found).all()
