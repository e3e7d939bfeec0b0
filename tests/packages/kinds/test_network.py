"""A package of a network gives what the network gives, has no weight in its public half, and is refused if loose."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fhirtwin.ckks import wire
from fhirtwin.ckks.levelled import LevelledRing, scales
from fhirtwin.ckks.profiles import NETWORK as PROFILE
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.models import Models
from fhirtwin.errors import EngineAnswerWrong, Incorrect, Precondition
from fhirtwin.packages import package, published, safetensors
from fhirtwin.packages.kinds.network import LARGEST_TOTAL, cut, shapes_of
from fhirtwin.packages.package import Package
from fhirtwin.vault import Keyring, Shelf, asking
from tests.ckks.builders import random_panel
from tests.packages import lies
from tests.packages.builders import (
    AUTHORS,
    NETWORK,
    authors_file,
    network_of,
    packed_network,
    resigned,
)

KEYRING = Keyring(Shelf())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return packed_network(tmp_path_factory.mktemp("network")).package


class Engine:
    """Evaluates what is published; `asked` counts questions, `keyed` those that had to bring keys."""

    def __init__(self, folder: Path, *packages: Package) -> None:
        for one in packages:
            published.publish(one, folder / "models", with_weights=True)
        models = Models(folder / "models", authors_file(folder / "authors.json"))
        self.evaluator, self.asked, self.keyed = Evaluator(random_panel(), models=models), 0, 0

    def evaluate(self, sealed: SealedFeatures) -> SealedScores:
        self.asked += 1
        bare = SealedFeatures(sealed.profile, sealed.panel_digest, sealed.request_id, sealed.sealed_vector)
        digest = wire.keys_digest(sealed.evaluation_keys)
        try:
            return self.evaluator.evaluate(bare, digest)
        except Precondition:
            self.keyed += 1
            return self.evaluator.evaluate(sealed, digest)


@contextmanager
def off_by(engine: Engine, network: Any) -> Iterator[None]:
    """Let the engine evaluate another network in the place of the one that is served."""
    offers = engine.evaluator._offers
    right = offers._now()
    (digest,) = right.encoded
    from fhirtwin.engine.circuits.network import PreparedNetwork

    offers._ready = replace(right, encoded={digest: PreparedNetwork(network, offers._networks)})
    yield
    offers._ready = right


def test_a_sealed_network_opens_to_what_it_says_in_clear(tmp_path: Path, whole: Package) -> None:
    half = network_of(package.of_files(package.public_half(whole.files), AUTHORS))
    network = network_of(whole).whole
    assert network is not None and network.digest == whole.hash == half.hidden.digest
    engine, asks = Engine(tmp_path, whole), asking(half, KEYRING)
    draw = np.random.default_rng(3)
    for case in [*(case.given for case in half.cases), *(draw.uniform(-1.8, 1.8, (4, 4)))]:
        opened = asks.ask(case, engine.evaluate)
        assert abs(float(opened["log-odds"]) - network.evaluate_plain(case)[0]) <= float(asks.most_off("log-odds"))
    assert engine.keyed == 1 and not half.is_probed


def test_networks_of_one_engine_share_one_set_of_keys(tmp_path: Path, whole: Package) -> None:
    other = packed_network(tmp_path / "other", id="another-network").package
    engine = Engine(tmp_path, whole, other)
    for one in (whole, other, whole, other):
        asking(network_of(one), KEYRING).ask(network_of(one).nothing, engine.evaluate)
    assert engine.asked == 4 and engine.keyed == 1


def test_centring_scaling_and_order_are_the_files(whole: Package) -> None:
    model, student = network_of(whole), json.loads((NETWORK / "student.json").read_text())
    features = model.predictor.prepare({"age": 71, "systolic-bp": 150, "egfr": 50, "bmi": 31})  # type: ignore[dict-item]
    given = (np.array([71, 150, 50, 31]) - student["centre"]) / student["scale"]
    assert model.given(features) == pytest.approx(given) and model.cases[0].given == pytest.approx(given)
    w1, w2, w3 = map(np.array, student["weights"])
    b1, b2, b3 = map(np.array, student["biases"])
    by_hand = w3 @ (w2 @ (w1 @ given + b1) ** 2 + b2) ** 2 + b3
    assert model.cases[0].answers["log-odds"] == pytest.approx(by_hand[0], abs=1e-9)


def test_the_order_of_features_is_the_owners(tmp_path: Path, whole: Package) -> None:
    description = json.loads((NETWORK / "model.json").read_text())
    turned = {"features": description["features"][::-1], "columns": description["columns"][::-1]}
    other = packed_network(tmp_path, **turned).package
    for one, right in zip(other.cases, whole.cases, strict=True):
        assert one.answers == pytest.approx(dict(right.answers))


def test_the_public_half_has_no_weight(whole: Package) -> None:
    half = package.of_files(package.public_half(whole.files), AUTHORS)
    with pytest.raises(Incorrect, match="no weights here"):
        half.served()
    everything = b"".join(half.files.values())
    student = json.loads((NETWORK / "student.json").read_text())
    numbers = [x for layer in student["weights"] for row in layer for x in row]
    numbers += [x for bias in student["biases"] for x in bias]
    for number in numbers:
        if len(str(abs(number))) > 5:
            assert str(abs(number)).encode() not in everything, number
        assert np.float64(number).tobytes() not in everything


def test_what_lies_outside_is_refused_in_words_and_nothing_is_not(whole: Package) -> None:
    model = network_of(whole)
    assert model.refuses(model.nothing) == "" == model.refuses(model.cases[0].given)
    assert model.refuses(np.array([0.0, 4.1, 0.0, 0.0])) == "systolic-bp lies outside what the network was made for"
    assert "taken together lie further out" in model.refuses(np.full(4, 2.5))
    assert "outside" in model.refuses(np.array([np.nan, 0.0, 0.0, 0.0]))


def test_an_engine_with_other_weights_of_the_first_layer_answers_as_it_may_and_golden_cases_tell(
    tmp_path: Path, whole: Package
) -> None:
    from fhirtwin import golden

    network = network_of(whole).whole
    assert network is not None
    w1, w2, w3 = network.weights
    engine = Engine(tmp_path, whole)
    assert golden.ask_by(engine, whole).cases == 3  # type: ignore[arg-type]
    with (
        off_by(engine, replace(network, weights=(w1 * 1.05, w2, w3))),
        pytest.raises(EngineAnswerWrong, match=r"golden case a of network-illustration 1\.0 is wrong"),
    ):
        golden.ask_by(engine, whole)  # type: ignore[arg-type]


def test_no_right_answer_of_the_largest_network_can_wrap_round() -> None:
    ring = LevelledRing(PROFILE)
    wraps_at = 2.0 ** (PROFILE.modulus_bits[0] - 1) / scales(PROFILE, ring.primes)[2]
    masks_and_canaries = (64 * 16 + 4 * 64 * (1 + 2 * 16)) / 4096
    assert LARGEST_TOTAL * 16 / 4096 + masks_and_canaries < wraps_at < 66


WRONG: list[tuple[str, Callable[[Any], object], str]] = [
    ("public.json", lambda c: c.update(input_gain=0.3), "input_gain is not a power"),
    ("public.json", lambda c: c.update(radius=0), "> 0"),
    ("public.json", lambda c: c.update(radius=1e300), "<= 1000000"),
    ("public.json", lambda c: c.update(radius=100.0), "could overflow|leave the bounds|error"),
    ("public.json", lambda c: c.update(radius=0.5), "a lies outside"),
    ("public.json", lambda c: c.update(units=[9, 4]), "1 rows by"),
    ("public.json", lambda c: c.update(units=[10**9, 4]), "<= 64"),
    ("public.json", lambda c: c.update(units=[0, 4]), ">= 1"),
    ("public.json", lambda c: c["centre"].pop(), "a number for each feature"),
    ("public.json", lambda c: c["scale"].append(1), "a number for each feature"),
    ("public.json", lambda c: c["scale"].__setitem__(0, 0), "not above 1e-09"),
    ("public.json", lambda c: c["scale"].__setitem__(0, -14.7), "not above 1e-09"),
    ("public.json", lambda c: c["scale"].__setitem__(0, 1e-8), "other sums"),
    ("public.json", lambda c: c["centre"].__setitem__(0, 60.0), "other sums"),
    ("public.json", lambda c: c["lowest"].__setitem__(0, 0.5), "0 must lie"),
    ("public.json", lambda c: c["highest"].__setitem__(0, 0.1), "a lies outside"),
    ("public.json", lambda c: c["rows"][0].update(greatest=1.0, least=-1.0), "leave the bounds"),
    ("public.json", lambda c: c["rows"][0].update(least=-1.0), "one magnitude"),
    ("public.json", lambda c: c["rows"][0].pop("greatest"), "one magnitude"),
    ("public.json", lambda c: c["rows"][0].update(greatest=20000.0, least=-20000.0), "is the most"),
    ("public.json", lambda c: c["outputs"][0].update(inputs=["age"]), "a network cannot"),
    ("public.json", lambda c: c.update(code="import os"), "unknown field"),
    ("golden.json", lambda c: c["cases"][0]["sums"].update({"log-odds": 0.1}), "other sums"),
]


@pytest.mark.parametrize(("name", "change", "match"), WRONG)
def test_what_a_trusted_author_signed_and_cannot_be_is_refused(
    whole: Package, name: str, change: Callable[[Any], object], match: str
) -> None:
    with pytest.raises(Incorrect, match=match):
        package.of_files(lies.changed(whole.files, name, change), AUTHORS)


def test_both_sides_follow_the_gain_that_the_package_names(tmp_path: Path, whole: Package) -> None:
    other = package.of_files(lies.changed(whole.files, "public.json", lambda c: c.update(input_gain=0.25)), AUTHORS)
    model, engine = network_of(other), Engine(tmp_path, other)
    assert model.hidden.input_gain == 0.25 != network_of(whole).hidden.input_gain
    opened = asking(model, KEYRING).ask(model.cases[0].given, engine.evaluate)
    assert abs(float(opened["log-odds"]) - model.cases[0].answers["log-odds"]) < 0.002


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e200, 50.0])
def test_weights_that_are_no_numbers_or_too_large_are_refused(whole: Package, number: float) -> None:
    shapes = shapes_of(4, (8, 4), 1)
    count = sum(int(np.prod(shape)) for shape in shapes)
    flat = safetensors.read(whole.files["weights.safetensors"], 1, count)[0]
    for layer in (0, 2, 4):
        arrays = [one.copy() for one in cut(flat, shapes)]
        arrays[layer].reshape(-1)[0] = number
        with np.errstate(over="ignore"):
            data = safetensors.write(np.concatenate([one.reshape(-1) for one in arrays])[None])
        with pytest.raises(Incorrect):
            package.of_files(resigned(dict(whole.files) | {"weights.safetensors": data}), AUTHORS)


PACKING: list[tuple[dict[str, Any], str]] = [
    ({"columns": []}, "one feature for each input of the network, age, sbp, egfr, bmi"),
    ({"columns": ["age", "sbp", "egfr", "age"]}, "one feature for each input"),
    ({"rows": [{"name": "other"}]}, "the outputs of the network, log-odds"),
    ({"student": lambda c: c["centre"].pop()}, "as many of everything"),
    ({"student": lambda c: c["weights"][0][0].pop()}, "not all of one length"),
    ({"student": lambda c: c["weights"][1].pop()}, "do not have the shape"),
    ({"student": lambda c: c["biases"].pop()}, "biases"),
    ({"student": lambda c: c.update(radius=-1)}, "radius"),
    ({"student": lambda c: c.update(pickle="gASV")}, "unknown field"),
    ({"student": lambda c: c["weights"][2].__setitem__(0, [1e4] * 4)}, "error of this model|overflow"),
    ({"golden": {"cases": [{"name": "far", "values": {"age": 18, "systolic-bp": 250, "egfr": 10, "bmi": 60}}]}}, "far"),
]


@pytest.mark.parametrize(("changes", "match"), PACKING)
def test_what_cannot_be_packed_is_told_in_words(tmp_path: Path, changes: dict[str, Any], match: str) -> None:
    with pytest.raises(Incorrect, match=match):
        packed_network(tmp_path, **changes)
    assert not (tmp_path / "out").exists()
