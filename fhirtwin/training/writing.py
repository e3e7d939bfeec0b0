"""Writes a student to the file that `fhirtwin model pack --network` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from fhirtwin.files import write_file
from fhirtwin.packages import strict_json
from fhirtwin.packages.makers.network import StudentForm
from fhirtwin.training.distilling import Distilled


def write(student: Distilled, path: Path) -> None:
    """Write a network with what its inputs are centred and scaled by, as JSON. It has all weights: keep it.

    Raises:
        Incorrect: it cannot be read again; the text says what is wrong.
    """
    network = student.network
    first, second, third = (tuple(tuple(row.tolist()) for row in layer) for layer in network.weights)
    one, two, three = (_numbers(bias) for bias in network.biases)
    form = StudentForm(
        inputs=network.inputs,
        outputs=network.outputs,
        centre=_numbers(student.centre),
        scale=_numbers(student.scale),
        low=_numbers(network.low),
        high=_numbers(network.high),
        radius=float(network.radius),
        weights=(first, second, third),
        biases=(one, two, three),
    )
    data = strict_json.write(form)
    strict_json.read(data, StudentForm, str(path))
    write_file(path, data)


def _numbers(array: NDArray[Any]) -> tuple[float, ...]:
    return tuple(map(float, array))
