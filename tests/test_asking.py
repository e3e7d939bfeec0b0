"""One model asked, whatever its kind: right numbers through a real engine, refusals in words."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from fhirtwin import asking, golden
from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.polygenic import Polygenic
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.cli import main
from fhirtwin.courier import Courier
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerWrong, EngineLacksModel, FhirtwinError, Incorrect, Unprocessable
from fhirtwin.packages import package, published
from fhirtwin.packages.kind import AsPanel
from fhirtwin.packages.kinds.polygenic import PolygenicModel
from fhirtwin.packages.package import Package
from fhirtwin.pgx.vcf_rows import Reading
from fhirtwin.polygenic import copies, filling
from fhirtwin.quarantine import microseconds
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from tests.ckks.builders import random_panel
from tests.engine.process import RunningEngine, running_engine
from tests.packages.builders import (
    AUTHORS,
    POLYGENIC,
    authors_file,
    packed,
    packed_network,
    packed_polygenic,
    packed_trajectory,
    packed_trees,
)
from tests.packages.kinds.test_trajectory import large

VCF = (POLYGENIC / "nobody.vcf").read_bytes()


@dataclass(frozen=True)
class Place:
    """A gateway's data folder, an engine that serves the same models, and the way between."""

    data: Path
    engine: RunningEngine
    courier: Courier
    wholes: dict[str, Package]

    def half(self, name: str) -> Package:
        (found,) = (one for one in published.current(self.data / "models", AUTHORS) if one.id == name)
        assert not found.is_whole
        return found

    def typed(self, *words: object) -> Any:
        way = ("--data", self.data, "--engine", self.engine.url, "--engine-key", self.engine.key_file)
        return CliRunner().invoke(main, ["model", "ask", *map(str, (*words, *way))])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("asking")
    data, served = folder / "data", folder / "served"
    made = [packed(folder / "panel"), packed_trees(folder / "trees"), packed_network(folder / "network")]
    made += [packed_polygenic(folder / "polygenic"), packed_trajectory(folder / "trajectory")]
    wholes = {one.package.id: package.read(one.whole, AUTHORS) for one in made}
    for whole in wholes.values():
        published.publish(whole, served, with_weights=True)
        published.publish(whole, data / "models", with_weights=False)
    big = package.of_files(large(folder / "large").files, AUTHORS)
    published.publish(package.of_files(_renamed(big), AUTHORS), served, with_weights=True)
    wholes["large"] = package.of_files(_renamed(big), AUTHORS)
    authors_file(data / "authors.json")
    authors_file(folder / "authors.json")
    options = ("--models", str(served), "--authors", str(folder / "authors.json"))
    with running_engine(folder, *options) as engine:
        courier = engine.courier(timeout=30.0)
        yield Place(data, engine, courier, wholes)
        courier.close()


def _renamed(big: Package) -> dict[str, bytes]:
    """The same under an id of its own."""
    from tests.packages.builders import resigned

    manifest = json.loads(big.files["manifest.json"]) | {"id": "large"}
    return resigned(dict(big.files) | {"manifest.json": json.dumps(manifest).encode()})


def test_the_public_half_of_every_kind_gets_its_golden_cases_right_from_a_running_engine(place: Place) -> None:
    for name in {*place.wholes} - {"large"}:
        told = golden.ask_by(place.courier, place.half(name))
        assert told.cases == len(place.wholes[name].cases) and told.off > 0
    told = golden.ask_by(place.courier, place.wholes["large"])  # two parts
    assert told.cases == 4


def test_a_vcf_is_scored_as_in_clear(place: Place) -> None:
    model = place.wholes["polygenic-illustration"].model
    assert isinstance(model, PolygenicModel) and model.weights is not None
    shown = filling.filled(copies.read(io.BytesIO(VCF), model.variants), model.variants, 0.02)
    right = float(model.weights[0] @ shown.dosages)
    answer = asking.of_vcf(place.half("polygenic-illustration"), io.BytesIO(VCF), Reading(), place.courier.evaluate)
    (told,) = answer.told
    assert abs(float(told.values[0]) - right) <= 0.0006 and told.unit == "made-up units"
    assert told.values[0] == told.values[0].quantize(Decimal("0.001")) and told.rounded_to == "to 0.001"
    assert "2 of the 120 variants are missing and stand at the mean of a population: 2 not in the file." in answer.notes
    assert answer.profile == "P1-poly"


def test_dosages_of_a_file_of_values_give_the_same_as_the_vcf(place: Place) -> None:
    half = place.half("polygenic-illustration")
    assert isinstance(half.model, PolygenicModel)
    shown = copies.read(io.BytesIO(VCF), half.model.variants)
    names = zip(half.model.variants.names, shown.counted.tolist(), strict=True)
    values = {name: dosage for name, dosage in names if not np.isnan(dosage)}
    by_values = asking.of_values(half, values, place.courier.evaluate, Settings())
    assert by_values.notes[0] == "Dosages were taken as copies of the allele that the model counts, 0 to 2."
    by_vcf = asking.of_vcf(half, io.BytesIO(VCF), Reading(), place.courier.evaluate)
    assert abs(by_values.told[0].values[0] - by_vcf.told[0].values[0]) <= Decimal("0.001")


def test_a_vcf_that_lacks_too_much_is_refused_and_no_engine_is_asked(place: Place) -> None:
    lines = VCF.decode().splitlines(keepends=True)
    short = io.BytesIO("".join(lines[:-1]).encode())
    with pytest.raises(Unprocessable, match="3 of the 120 variants of this score are missing, and 2 may be: 3 not in"):
        asking.of_vcf(place.half("polygenic-illustration"), short, Reading(), _nobody)
    other = io.BytesIO(VCF.replace(b"GRCh38", b"GRCh37"))
    with pytest.raises(Unprocessable, match="GRCh37"):
        asking.of_vcf(place.half("polygenic-illustration"), other, Reading(), _nobody)
    with pytest.raises(Incorrect, match="no polygenic score"):
        asking.of_vcf(place.half("trajectory-illustration"), io.BytesIO(VCF), Reading(), _nobody)


def _nobody(_features: SealedFeatures) -> SealedScores:
    raise AssertionError("the engine was asked")


@pytest.mark.parametrize("start", [{"level": 100, "given": 5}, {"level": 0, "given": 20}, {"level": 200, "given": 20}])
def test_a_trajectory_is_that_of_the_matrices(place: Place, start: dict[str, float]) -> None:
    answer = asking.of_values(place.half("trajectory-illustration"), start, place.courier.evaluate, Settings())
    (told,) = answer.told
    level = start["level"]
    for value in told.values:
        level = 0.9 * level + start["given"]
        assert abs(float(value) - level) <= 0.004 + 0.0008
    assert len(told.values) == 24 and (told.unit, told.rounded_to) == ("mg/L", "to 0.008")
    assert answer.notes[0] == "24 steps of 1 h; the first is one step after the start, and inputs are held."


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"level": 100}, "exactly given, level"),
        ({"level": 100, "given": 5, "x": 1}, "exactly given, level"),
        ({"level": 201, "given": 5}, "outside 0 to 200 mg/L"),
        ({"level": float("nan"), "given": 5}, "outside"),
        ({"level": True, "given": 5}, "takes a number"),
        ({"level": "100", "given": 5}, "takes a number"),
    ],
)
def test_values_that_are_not_of_the_trajectory_are_refused(place: Place, values: Any, text: str) -> None:
    with pytest.raises(FhirtwinError, match=text):
        asking.of_values(place.half("trajectory-illustration"), values, _nobody, Settings())


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"1:1:A:G": 1.0}, "no variant"),
        ({}, "120 of the 120"),
    ],
)
def test_dosages_that_are_not_of_the_score_are_refused(place: Place, values: Any, text: str) -> None:
    with pytest.raises(FhirtwinError, match=text):
        asking.of_values(place.half("polygenic-illustration"), values, _nobody, Settings())


def test_a_dosage_out_of_range_is_refused_by_its_variant(place: Place) -> None:
    half = place.half("polygenic-illustration")
    assert isinstance(half.model, PolygenicModel)
    name = half.model.variants.names[0]
    for dosage in (2.5, -1.0, float("nan")):
        with pytest.raises(Incorrect, match=f"dosage of {name}"):
            asking.of_values(half, {name: dosage}, _nobody, Settings())


def _kidney(half: Package, **changes: Any) -> dict[str, Any]:
    return _values(half, {"age": 60.0, "sex": "male", "egfr": 30.0, "uacr": 100.0} | changes)


@pytest.mark.parametrize(
    ("name", "compared"), [("kfre-packaged", 3), ("trees-illustration", 4), ("network-illustration", 3)]
)
def test_a_predictor_tells_the_percentages_that_its_golden_cases_print(place: Place, name: str, compared: int) -> None:
    half = place.half(name)
    for case in json.loads(half.files["golden.json"])["cases"]:
        values = _values(half, {fact: _as_read(value) for fact, value in case["values"].items()})
        answer = asking.of_values(half, values, place.courier.evaluate, Settings())
        assert {one.name for one in answer.told} <= case["percent"].keys() and answer.told
        assert all(one.unit == "%" and 0 < one.values[0] < 100 for one in answer.told)
        compared -= 1
        for one in answer.told:
            assert abs(float(one.values[0]) - case["percent"][one.name]) <= 0.06
    assert compared == 0


def _values(half: Package, given: dict[str, Any]) -> dict[str, Any]:
    """What is given, of somebody whom the rules let in."""
    assert half.predictor is not None
    return {rule.fact: rule.must_be for rule in half.predictor.rules} | given


def _as_read(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_what_trees_were_calculated_without_is_said_beside_the_number(place: Place) -> None:
    half = place.half("trees-illustration")
    values = _values(half, {"age": 46.0, "systolic-bp": 160.7, "egfr": 73.4, "glucose": 99.09, "bmi": 22.5})
    assert not asking.of_values(half, values, place.courier.evaluate, Settings()).notes
    del values["glucose"]
    (note,) = asking.of_values(half, values, place.courier.evaluate, Settings()).notes
    assert note == "Calculated without glucose, for which the model has ways of its own."


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"egfr": 5000.0}, "outside the published range"),
        ({"deceased": True}, "deceased"),
        ({"egfr": "30"}, "takes a number"),
        ({"age": 60.95}, "age takes completed years, a whole number"),
        ({"sex": True}, "takes a word"),
        ({"sex": "Female"}, "sex takes one of the words female, male"),
        ({"deceased": 0.0}, "takes true or false"),
        ({"ldl": 3.0}, "no input of this model"),
    ],
)
def test_values_that_are_not_for_the_predictor_are_refused(place: Place, changes: Any, text: str) -> None:
    half = place.half("kfre-packaged")
    with pytest.raises(FhirtwinError, match=text):
        asking.of_values(half, _kidney(half, **changes), _nobody, Settings())


@pytest.mark.parametrize("value", ["null", "[1]", "{}"])
def test_a_value_that_is_none_is_named(value: str) -> None:
    with pytest.raises(Incorrect, match=r"^v\.json: glucose is neither a number nor a word"):
        asking.read_values(f'{{"age": 60, "glucose": {value}}}'.encode(), "v.json")
    assert asking.read_values(b'{"age": 60, "deceased": false}', "v.json") == {"age": 60.0, "deceased": False}


def test_whom_a_model_is_not_for_must_be_said(place: Place) -> None:
    half = place.half("kfre-packaged")
    values = _kidney(half)
    del values["deceased"]
    with pytest.raises(Incorrect, match="Say true or false of deceased"):
        asking.of_values(half, values, _nobody, Settings())


def test_an_answer_of_another_question_is_thrown_away(place: Place) -> None:
    """Replayed, or with the ciphertexts of another person: one text whatever it was."""
    half = place.half("polygenic-illustration")
    kept: list[SealedScores] = []

    def replaying(features: SealedFeatures) -> SealedScores:
        answer = place.courier.evaluate(features)
        kept.append(answer)
        old = kept[0]
        return SealedScores(answer.profile, answer.panel_digest, answer.request_id, old.sealed_sums)

    asking.of_vcf(half, io.BytesIO(VCF), Reading(), replaying)
    with pytest.raises(EngineAnswerWrong, match="thrown away"):
        asking.of_vcf(half, io.BytesIO(VCF), Reading(), replaying)


def test_an_engine_that_lies_about_a_trajectory_is_caught_by_the_probe(place: Place) -> None:
    (part,) = place.wholes["trajectory-illustration"].served()
    assert isinstance(part, AsPanel)
    weights = part.panel.weights.copy()
    weights[5, 0] *= 1.01
    liar = Evaluator(replace(part.panel, weights=weights))
    half, start = place.half("trajectory-illustration"), {"level": 180.0, "given": 5.0}
    with pytest.raises(EngineAnswerWrong, match="thrown away"):
        _five_times(half, start, lambda sealed: liar.evaluate(sealed, wire.NO_KEYS))


def _five_times(half: Package, start: dict[str, float], send: asking.Send) -> None:
    for _ in range(5):  # now and then the secret case hardly has a level
        asking.of_values(half, start, send, Settings())


def test_an_engine_with_another_weight_of_a_score_is_found_by_a_golden_case_alone(place: Place) -> None:
    """As the page says: there is no probe in a polygenic score."""
    (circuit,) = place.wholes["polygenic-illustration"].served()
    assert isinstance(circuit, Polygenic)
    weights = circuit.weights.copy()
    weights[0, 0] += 0.05
    liar = Evaluator(random_panel(), circuits=[replace(circuit, weights=weights)])

    class Road:
        def evaluate(self, sealed: SealedFeatures) -> SealedScores:
            return liar.evaluate(sealed, wire.NO_KEYS)

    half = place.half("polygenic-illustration")
    with pytest.raises(EngineAnswerWrong, match="golden case two copies of everything"):
        golden.ask_by(Road(), half)  # type: ignore[arg-type]
    assert asking.of_vcf(half, io.BytesIO(VCF), Reading(), Road().evaluate).told


def _liar(place: Place) -> Callable[[SealedFeatures], SealedScores]:
    """An engine with another weight of the score."""
    (circuit,) = place.wholes["polygenic-illustration"].served()
    assert isinstance(circuit, Polygenic)
    weights = circuit.weights.copy()
    weights[0, 0] += 0.05
    liar = Evaluator(random_panel(), circuits=[replace(circuit, weights=weights)])
    return lambda sealed: liar.evaluate(sealed, wire.NO_KEYS)


def test_golden_cases_go_beside_a_score_and_not_beside_what_has_a_probe(place: Place) -> None:
    half, sent = place.half("polygenic-illustration"), []

    def send(sealed: SealedFeatures) -> SealedScores:
        sent.append(sealed)
        return place.courier.evaluate(sealed)

    for _ in range(6):
        assert asking.of_vcf(half, io.BytesIO(VCF), Reading(), send, 0.5).told
    assert len(sent) == 12 and len({(one.panel_digest, one.count, len(one.sealed_vector)) for one in sent}) == 1
    with pytest.raises(EngineAnswerWrong, match="thrown away"):
        _forty_times(half, _liar(place))
    sent.clear()
    asking.of_values(place.half("trajectory-illustration"), {"level": 1, "given": 1}, send, Settings(), 0.5)
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("uses", "imposed"),
    [
        ("this one", True),
        ("another", False),
        ("one of its own", False),
    ],
)
@pytest.mark.parametrize("command", ["ask", "verify"])
def test_an_engine_of_a_gateway_that_answers_wrongly_at_the_command_line_is_quarantined(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uses: str, imposed: bool, command: str
) -> None:
    """Only when it is the one that the gateway uses; of another, who typed is told what they can do."""
    urls = {"this one": place.engine.url, "another": "unix:/nowhere.sock"}
    if uses in urls:
        monkeypatch.setenv("FHIRTWIN_ENGINE_URL", urls[uses])
    liar = _liar(place)
    monkeypatch.setattr(Courier, "evaluate", lambda _self, sealed: liar(sealed))
    data = tmp_path / "data"
    shutil.copytree(place.data, data)
    (data / "fhirtwin.sqlite").unlink(missing_ok=True)
    settings = Settings(data=data)
    for there in (False, True):  # a folder without a database is no gateway's
        if there:
            Store.open(settings).close()
        done = _typed_to(place, data, tmp_path, command)
        assert done.exit_code == 1 and "is wrong" in done.output, done.output
        assert ("is in quarantine" in done.output) == (imposed and there)
        assert ("`fhirtwin quarantine impose`" in done.output) == (command == "ask" and not (imposed and there))
    store = Store.open(settings)
    with store.snapshot() as reader:
        assert (reader.standings.read().quarantined is not None) == imposed
        assert reader.standings.read().wrong == int(imposed)
    store.close()


def _forty_times(half: Package, send: asking.Send) -> None:
    for _ in range(40):  # a golden case that has one copy of that allele is no use
        asking.of_vcf(half, io.BytesIO(VCF), Reading(), send, 0.5)


def _typed_to(place: Place, data: Path, folder: Path, command: str) -> Any:
    way = ["--data", str(data), "--engine", place.engine.url, "--engine-key", str(place.engine.key_file)]
    if command == "verify":
        public = folder / "public"
        public.mkdir(exist_ok=True)
        for name, content in place.half("polygenic-illustration").files.items():
            (public / name).write_bytes(content)
        return CliRunner().invoke(main, ["model", "verify", str(public), *way])
    (folder / "nobody.vcf").write_bytes(VCF)
    words = ["model", "ask", "polygenic-illustration", "--vcf", str(folder / "nobody.vcf"), *way]
    done = CliRunner().invoke(main, words)
    for _ in range(40):
        if done.exit_code:
            break
        done = CliRunner().invoke(main, words)
    return done


def test_a_version_that_the_engine_does_not_serve_is_refused(place: Place, tmp_path: Path) -> None:
    other = packed_polygenic(tmp_path, version="1.1").package
    with pytest.raises(EngineLacksModel):
        asking.of_vcf(other, io.BytesIO(VCF), Reading(), place.courier.evaluate)


def test_what_somebody_types(place: Place, tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text('{"level": 100, "given": 5}')
    (tmp_path / "nobody.vcf").write_bytes(VCF)
    done = place.typed("polygenic-illustration", "--vcf", tmp_path / "nobody.vcf")
    assert done.exit_code == 0, done.output
    whole = place.wholes["polygenic-illustration"]
    assert f"polygenic-illustration 1.0: polygenic, signed by kidney-group\nSHA-256 {whole.hash}" in done.output
    assert "made-up units\n  rounded: to 0.001\n2 of the 120 variants are missing" in done.output
    done = place.typed("trajectory-illustration", "--values", tmp_path / "v.json", "--json")
    told = json.loads(done.output)
    assert told["inputs"] == [
        {"name": "level", "value": "100", "unit": "mg/L"},
        {"name": "given", "value": "5", "unit": "mg/L"},
    ]
    assert (told["model"], told["version"], told["kind"]) == ("trajectory-illustration", "1.0", "trajectory")
    assert told["sha256"] == place.wholes["trajectory-illustration"].hash and len(told["told"][0]["values"]) == 24


@pytest.mark.parametrize("option", [("--sample", "a"), ("--filter", "q10"), ("--absent-is-reference",), ("--grch38",)])
def test_what_is_said_of_a_vcf_goes_with_no_values(place: Place, tmp_path: Path, option: tuple[str, ...]) -> None:
    (tmp_path / "v.json").write_text('{"level": 100, "given": 5}')
    done = place.typed("trajectory-illustration", "--values", tmp_path / "v.json", *option)
    assert done.exit_code == 1 and f"{option[0]} goes with --vcf" in done.output


def test_a_key_that_is_not_there_is_to_be_the_engines(place: Place, tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text('{"level": 100, "given": 5}')
    words = ["model", "ask", "trajectory-illustration", "--values", tmp_path / "v.json", "--data", place.data]
    words += ["--engine", place.engine.url, "--engine-key", tmp_path / "none.key"]
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exit_code == 1 and "copy the secret of the engine" in done.output and "keys make" not in done.output


def test_every_input_is_told_with_the_unit_that_it_was_taken_in(place: Place, tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text(json.dumps(_kidney(place.half("kfre-packaged"), egfr=30.5)))
    done = place.typed("kfre-packaged", "--values", tmp_path / "v.json")
    assert done.exit_code == 0, done.output
    (line,) = (line for line in done.output.splitlines() if line.startswith("asked for: "))
    for text in ("age 60 a", "sex male", "egfr 30.5 mL/min/{1.73_m2}", "uacr 100 mg/g", "deceased false"):
        assert text in line.removeprefix("asked for: ").split(", ")


def test_what_a_hospital_withdrew_is_not_asked_by_its_version_either(place: Place, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(place.data, data)
    authors = str(data / "authors.json")
    (tmp_path / "v.json").write_text('{"level": 100, "given": 5}')
    way = ["--data", str(data), "--engine", place.engine.url, "--engine-key", str(place.engine.key_file)]
    words = ["model", "ask", "trajectory-illustration", "--version", "1.0", "--values", str(tmp_path / "v.json"), *way]
    assert CliRunner().invoke(main, words).exit_code == 0
    published.withdraw(data / "models", "trajectory-illustration")
    done = CliRunner().invoke(main, words)
    back = ["model", "publish", "trajectory-illustration", "--version", "1.0", "--data", str(data)]
    assert done.exit_code == 1 and "1.0 was withdrawn" in done.output and f"`fhirtwin {' '.join(back)}`" in done.output
    assert CliRunner().invoke(main, [*back, "--authors", authors]).exit_code == 0
    assert CliRunner().invoke(main, words).exit_code == 0


def test_what_somebody_states_about_a_vcf(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "other.vcf"
    path.write_bytes(VCF.replace(b"##reference=GRCh38\n", b"").replace(b"\tPASS\t", b"\tq10\t"))
    done = place.typed("polygenic-illustration", "--vcf", path)
    assert done.exit_code == 1 and "does not tell the genome build" in done.output
    done = place.typed("polygenic-illustration", "--vcf", path, "--grch38")
    assert (
        done.exit_code == 1
        and "118 in rows that did not pass the filters of the file (`--filter` trusts others); 2 not" in done.output
    )
    done = place.typed("polygenic-illustration", "--vcf", path, "--grch38", "--filter", "q10", "--sample", "nobody")
    assert done.exit_code == 0 and "2 of the 120 variants are missing" in done.output
    done = place.typed("polygenic-illustration", "--vcf", path, "--grch38", "--filter", "q10", "--absent-is-reference")
    assert done.exit_code == 0 and "the model does not say which allele that is" in done.output


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("trajectory-illustration",), "--values, or with --vcf"),
        (("nothing", "--values", "v.json"), "no current version of model nothing"),
        (
            ("trajectory-illustration", "--version", "9", "--values", "v.json"),
            "no version 9 of model trajectory",
        ),
        (("trajectory-illustration", "--values", "bad.json"), "bad.json"),
        (("trajectory-illustration", "--values", "list.json"), "list.json"),
        (("trajectory-illustration", "--values", "nan.json"), "no number of JSON"),
        (("polygenic-illustration", "--vcf", "bad.json"), "VCF"),
        (("polygenic-illustration", "--vcf", "nobody.vcf", "--sample", "x"), "no sample of that name"),
    ],
)
def test_what_is_told_when_it_is_wrong(place: Place, tmp_path: Path, words: tuple[str, ...], text: str) -> None:
    files = {"v.json": b'{"level": 1, "given": 1}', "bad.json": b'{"level": 1, "level": 2}', "list.json": b"[1]"}
    files |= {"nan.json": b'{"level": NaN, "given": 1}', "nobody.vcf": VCF}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    done = place.typed(*(tmp_path / word if word in files else word for word in words))
    assert done.exit_code == 1 and text in done.output, done.output


def test_an_engine_in_quarantine_is_not_asked(place: Place, tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text('{"level": 100, "given": 5}')
    store = Store.open(Settings(data=place.data))
    try:
        with store.write() as write:
            write.standings.quarantine(microseconds(), None)
        done = place.typed("trajectory-illustration", "--values", tmp_path / "v.json")
        assert done.exit_code == 1 and "in quarantine" in done.output
    finally:
        with store.write() as write:
            write.standings.lift(microseconds())
        store.close()
    assert place.typed("trajectory-illustration", "--values", tmp_path / "v.json").exit_code == 0
