"""Networks with squares: the file that training writes, and a description that says what its inputs are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import numpy as np
from msgspec import Meta, Struct, structs

from fhirtwin.ckks.circuits.network import Network
from fhirtwin.ckks.hidden_network import INPUTS, OUTPUTS, UNITS
from fhirtwin.errors import Incorrect
from fhirtwin.packages import safetensors, strict_json
from fhirtwin.packages.forms.network import NetworkForm
from fhirtwin.packages.forms.predictive import SourceForm
from fhirtwin.packages.kind import GOLDEN, PUBLIC, WEIGHTS
from fhirtwin.packages.kinds.network import LARGEST_WEIGHT
from fhirtwin.packages.makers.maker import Draft, Float, Source, answered, bounded, described, predictor_of, widened

LONGEST: Final = 1_000_000

Text = Annotated[str, Meta(min_length=1, max_length=300)]
Weight = Annotated[float, Meta(ge=-LARGEST_WEIGHT, le=LARGEST_WEIGHT)]
Row = Annotated[tuple[Weight, ...], Meta(min_length=1, max_length=INPUTS)]
Table = Annotated[tuple[Row, ...], Meta(min_length=1, max_length=UNITS[0])]


class NetworkSourceForm(SourceForm, frozen=True):
    """A description; `columns` names, for each feature, the input of the network, where these have other names."""

    columns: Annotated[tuple[Text, ...], Meta(max_length=INPUTS)] = ()


class StudentForm(Struct, frozen=True, forbid_unknown_fields=True):
    """A network as `fhirtwin.training.writing` writes it: its inputs less `centre`, divided by `scale`."""

    inputs: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=INPUTS)]
    outputs: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=OUTPUTS)]
    centre: Row
    scale: Row
    low: Row
    high: Row
    radius: Weight
    weights: tuple[Table, Table, Table]
    biases: tuple[Row, Row, Row]


def make(source: Source) -> Draft:
    """Make the content of a package of a network."""
    form = described(source.description, NetworkSourceForm)
    student = strict_json.of_file(source.weights, StudentForm, LONGEST)
    order = _order(form, student)
    network = _network(form, student, order, source.weights)
    centre, scale = np.array(student.centre)[order], np.array(student.scale)[order]
    public = _public(form, network, centre, scale)
    golden = answered(
        source.golden,
        predictor_of(form, public),
        public,
        lambda features: network.evaluate_plain((features - centre) / scale),
    )
    layers = zip(network.weights, network.biases, strict=True)
    flat = np.concatenate([part.reshape(-1) for layer in layers for part in layer])
    content = {
        PUBLIC: strict_json.write(public),
        GOLDEN: strict_json.write(golden),
        WEIGHTS: safetensors.write(flat[None]),
    }
    return Draft(form.id, form.version, content)


def _order(form: NetworkSourceForm, student: StudentForm) -> list[int]:
    """The place of each feature among the inputs of the network."""
    columns = form.columns or tuple(feature.name for feature in form.features)
    if len(columns) != len(form.features) or sorted(columns) != sorted(student.inputs):
        raise Incorrect(
            f"columns: there must be one feature for each input of the network, {', '.join(student.inputs)}; `columns` "
            "says which is which."
        )
    if tuple(row.name for row in form.rows) != student.outputs:
        raise Incorrect(f"rows: they must be the outputs of the network, {', '.join(student.outputs)}, in their order.")
    return [student.inputs.index(column) for column in columns]


def _network(form: NetworkSourceForm, student: StudentForm, order: list[int], path: Path) -> Network:
    first, second, third = (_array(table, path) for table in student.weights)
    if not {len(student.centre), len(student.scale), len(student.low), len(student.high), first.shape[1]} == {
        len(student.inputs)
    }:
        raise Incorrect(f"{path}: it does not have as many of everything as inputs.")
    one, two, three = (np.array(bias, dtype=np.float64) for bias in student.biases)
    return Network(
        tuple(feature.name for feature in form.features),
        student.outputs,
        np.array(student.low)[order],
        np.array(student.high)[order],
        student.radius,
        (np.ascontiguousarray(first[:, order]), second, third),
        (one, two, three),
    )


def _public(form: NetworkSourceForm, network: Network, centre: Float, scale: Float) -> NetworkForm:
    most = [widened(float(largest)) for largest in network.largest_outputs]
    rows = tuple(structs.replace(row, least=-one, greatest=one) for row, one in zip(form.rows, most, strict=True))
    return NetworkForm(
        title=form.title,
        source=form.source,
        inputs=form.inputs,
        rules=form.rules,
        features=bounded(form),
        rows=rows,
        outputs=form.outputs,
        units=(len(network.biases[0]), len(network.biases[1])),
        centre=tuple(centre.tolist()),
        scale=tuple(scale.tolist()),
        lowest=tuple(network.low.tolist()),
        highest=tuple(network.high.tolist()),
        radius=network.radius,
        input_gain=network.gains[0],
    )


def _array(table: tuple[tuple[float, ...], ...], path: Path) -> Float:
    if len({len(row) for row in table}) != 1:
        raise Incorrect(f"{path}: the rows of a layer are not all of one length.")
    return np.array(table, dtype=np.float64)
