"""Weights as safetensors: eight bytes of length, a JSON header, numbers. Read strictly: one table of doubles.

*Source*: https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import Incorrect
from fhirtwin.packages import strict_json

TENSOR: Final = "weights"
_LENGTH = struct.Struct("<Q")
_LONGEST_HEADER: Final = 4096
_ALIGNMENT: Final = 8

Float = NDArray[np.float64]


def write(weights: Float) -> bytes:
    """The bytes of a file with one tensor, `weights`."""
    data = np.ascontiguousarray(weights, dtype="<f8").tobytes()
    tensor = {"dtype": "F64", "shape": list(weights.shape), "data_offsets": [0, len(data)]}
    header = json.dumps({TENSOR: tensor}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % _ALIGNMENT)
    return _LENGTH.pack(len(header)) + header + data


def read(data: bytes, rows: int, features: int) -> Float:
    """Weights, shape (rows, features), finite.

    Raises:
        Incorrect: the file is not exactly one tensor `weights` of doubles, of that shape.
    """
    wrong = f"weights.safetensors: it must hold one tensor `{TENSOR}`, F64, of {rows} rows by {features} features"
    if len(data) < _LENGTH.size:
        raise Incorrect(f"{wrong}; it is too short.")
    (length,) = _LENGTH.unpack_from(data)
    if length > _LONGEST_HEADER or _LENGTH.size + length > len(data):
        raise Incorrect(f"{wrong}; its header is too long.")
    body = memoryview(data)[_LENGTH.size + length :]
    header = strict_json.read(data[_LENGTH.size : _LENGTH.size + length], dict[str, object], "weights.safetensors")
    metadata = header.pop("__metadata__", None)
    expected = {TENSOR: {"dtype": "F64", "shape": [rows, features], "data_offsets": [0, 8 * rows * features]}}
    if header != expected or len(body) != 8 * rows * features or not isinstance(metadata, dict | None):
        raise Incorrect(f"{wrong}, and nothing else.")
    weights: Float = np.frombuffer(body, dtype="<f8").reshape(rows, features).astype(np.float64)
    if not np.isfinite(weights).all():
        raise Incorrect("weights.safetensors: a weight is not a finite number.")
    return weights
