"""Models that came as packages, beside the built-in predictors: asked together, named by hash, refused one by one."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fhirtwin import app, keyfile
from fhirtwin.assess import Assessor, SealedModel
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.courier import Courier
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.models import Models
from fhirtwin.errors import EngineAnswerWrong, EngineLacksModel, EngineQuarantined, EngineUnavailable, Unprocessable
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.packages import published
from fhirtwin.packages.kind import Predictive
from fhirtwin.predictors import registry
from fhirtwin.predictors.model import Refusal, Result
from fhirtwin.quarantine import Quarantine
from fhirtwin.report import cards
from fhirtwin.report.identity import identity
from fhirtwin.report.occasion import Occasion
from fhirtwin.report.provenance import provenance
from fhirtwin.report.risk_assessment import risk_assessment
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.vault import Golden, Keyring, Shelf, Vault, asking
from tests.ckks.builders import evaluate, random_panel
from tests.packages.builders import (
    AUTHORS,
    authors_file,
    network_of,
    packed,
    packed_network,
    packed_prevent,
    packed_trees,
    panel_of,
    trees_of,
)
from tests.report.builders import DAY, SETTINGS, facts, state

OURS = replace(SETTINGS, kfre_region="non-north-american")
KEYRING = Keyring(Shelf())
LIAR = 9
MODELS = ("kfre-packaged", "prevent-packaged")


class Engine:
    """Stands in for courier and engine; `lacks` names models that are not served."""

    def __init__(self, folder: Path) -> None:
        models = Models(folder / "models", folder / "authors.json")
        self.evaluator = Evaluator(registry.panel(registry.all_predictors()), models=models)
        self.sent: list[SealedFeatures] = []
        self.fails: Exception | None = None

    def evaluate(self, features: SealedFeatures) -> SealedScores:
        self.sent.append(features)
        if self.fails and len(self.sent) > 1:
            raise self.fails
        try:
            return self.evaluator.evaluate(features, wire.keys_digest(features.evaluation_keys))
        except Unprocessable:
            raise EngineLacksModel("not served") from None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    authors_file(made / "authors.json")
    for one in (packed(made / "kfre"), packed_prevent(made / "prevent")):
        published.publish(one.package, made / "models", with_weights=True)
    return made


def assessor(folder: Path, engine: Engine | Courier) -> Assessor:
    models = [
        SealedModel(one.model, one.author, asking(one.model, KEYRING))
        for one in published.current(folder / "models", AUTHORS)
        if isinstance(one.model, Predictive)
    ]
    predictors = registry.all_predictors()
    panel = registry.panel(predictors)
    return Assessor(predictors, panel, Vault(panel), engine.evaluate, OURS, models=models)


def test_a_packaged_model_gives_what_the_built_in_one_gives(folder: Path) -> None:
    found = assessor(folder, Engine(folder)).assess(state(), DAY)
    assert [r.vector.predictor.id for r in found.results] == ["kfre-4-variable", "prevent-base", *MODELS]
    percents = [[score.percent for score in result.scores] for result in found.results]
    assert percents[0] == percents[2] and percents[1] == percents[3]
    for result, name in zip(found.results[2:], MODELS, strict=True):
        predictor = result.vector.predictor
        assert f"model {name}, version {predictor.version}, SHA-256 {predictor.model_hash}" in result.how
        assert "signed by kidney-group" in result.how


def test_all_models_are_asked_whenever_anything_is_so_asking_tells_nothing(folder: Path) -> None:
    engine = Engine(folder)
    made = assessor(folder, engine)
    made.assess(state(), DAY)
    everything = [(one.panel_digest, len(one.sealed_vector)) for one in engine.sent]
    assert len(everything) == 3
    for more in ({"only": {"prevent-base"}}, {"only": {"kfre-packaged"}}):
        engine.sent.clear()
        made.assess(state(), DAY, **more)  # type: ignore[arg-type]
        assert [(one.panel_digest, len(one.sealed_vector)) for one in engine.sent] == everything
    engine.sent.clear()
    found = made.assess(state(known=facts(uacr=None)), DAY)
    assert [(one.panel_digest, len(one.sealed_vector)) for one in engine.sent] == everything
    assert [r.predictor.id for r in found.refusals] == ["kfre-4-variable", "kfre-packaged"]
    engine.sent.clear()
    made.assess(state(known=()), DAY)
    assert engine.sent == []


def test_a_model_that_is_not_served_is_a_refusal_that_says_so_and_stops_no_other(tmp_path: Path, folder: Path) -> None:

    own = tmp_path / "copy"
    shutil.copytree(folder, own)
    engine = Engine(own)
    made = assessor(own, engine)
    published.withdraw(own / "models", "kfre-packaged")
    found = made.assess(state(), DAY)
    assert [r.vector.predictor.id for r in found.results] == ["kfre-4-variable", "prevent-base", "prevent-packaged"]
    (refusal,) = found.refusals
    assert refusal.predictor.id == "kfre-packaged" and "does not serve this version" in refusal.reasons[0]
    assert refusal.missing == ()


@pytest.mark.parametrize("error", [EngineUnavailable("late"), EngineAnswerWrong("wrong")])
def test_an_engine_that_fails_on_a_model_fails_the_whole_call(folder: Path, error: Exception) -> None:
    engine = Engine(folder)
    engine.fails = error
    with pytest.raises(type(error)):
        assessor(folder, engine).assess(state(), DAY)


def test_an_engine_that_lacks_the_built_in_panel_is_an_error_and_no_refusal(folder: Path) -> None:
    engine = Engine(folder)
    engine.evaluator = Evaluator(panel_of(packed(folder / "again", version="7").package).panel())
    with pytest.raises(EngineLacksModel):
        assessor(folder, engine).assess(state(), DAY)


def test_every_question_goes_through_the_gate_of_the_quarantine(folder: Path) -> None:
    passed: list[int] = []

    @contextmanager
    def gate() -> Iterator[None]:
        yield
        passed.append(1)

    made = assessor(folder, Engine(folder))
    made._gate = SimpleNamespace(probed=gate)
    made.assess(state(), DAY)
    assert len(passed) == 3


def _reported(folder: Path, name: str) -> tuple[dict[str, object], dict[str, object], str]:
    found = assessor(folder, Engine(folder)).assess(state(), DAY)
    (result,) = [one for one in found.results if one.vector.predictor.id == name]
    occasion = Occasion(found.patient, found.subject, DAY, "ab" * 32, OURS)
    who = identity(result.vector, occasion)
    report = risk_assessment(result, who, occasion)
    made_by = provenance(result, who, version=1, recorded="2026-06-01T00:00:00Z")
    for resource in (report, made_by):
        assert not validate(codec.decode(codec.encode(resource)), type=resource["resourceType"])
    return report, made_by, who.key


def test_report_and_provenance_name_model_version_and_hash(folder: Path) -> None:
    report, made_by, _ = _reported(folder, "kfre-packaged")
    (one,) = [p for p in published.current(folder / "models", AUTHORS) if p.id == "kfre-packaged"]
    first, second = report["method"]["coding"]  # type: ignore[index]
    assert (first["code"], first["version"]) == ("kfre-packaged", "1.0") and second["code"] == one.hash
    assert first["system"].endswith("/CodeSystem/model") and one.hash in report["method"]["text"]  # type: ignore[index]
    *_, model = made_by["entity"]  # type: ignore[misc]
    assert model["what"]["identifier"]["value"] == one.hash
    built_in, without, _ = _reported(folder, "kfre-4-variable")
    assert len(built_in["method"]["coding"]) == 1  # type: ignore[index]
    assert all("identifier" not in entity["what"] for entity in without["entity"])  # type: ignore[attr-defined]


def test_cards_tell_of_a_model_as_of_any_predictor(folder: Path) -> None:
    found = assessor(folder, Engine(folder)).assess(state(), DAY)
    occasion = Occasion(found.patient, found.subject, DAY, "ab" * 32, OURS)
    cards_of = []
    for result in found.results:
        who = identity(result.vector, occasion)
        report = risk_assessment(result, who, occasion)
        cards_of.append(cards.risk_card(result, who, occasion, resource=report, stored=False))
    built_in, _, packaged, _ = cards_of
    assert packaged["summary"] == built_in["summary"] and packaged["indicator"] == built_in["indicator"] == "warning"
    assert packaged["source"]["topic"]["code"] == "kfre-packaged" and "SHA-256" in packaged["detail"]
    assert packaged["uuid"] != built_in["uuid"]


def test_another_hash_is_another_assessment(tmp_path: Path, folder: Path) -> None:
    other = tmp_path / "other"
    authors_file(other / "authors.json")
    made = packed(other / "kfre", title="The same numbers, another file")
    published.publish(made.package, other / "models", with_weights=True)
    assert _reported(folder, "kfre-packaged")[2] != _reported(other, "kfre-packaged")[2]
    assert _reported(folder, "kfre-4-variable")[2] == _reported(other, "kfre-4-variable")[2]


def test_an_engine_that_lies_about_a_model_is_found_out(folder: Path) -> None:
    engine = Engine(folder)
    honest = engine.evaluator
    made = assessor(folder, engine)
    vault = Vault(panel_of(published.current(folder / "models", AUTHORS)[1]).hidden())
    target = vault.panel.digest

    class Liar:
        def evaluate(self, features: SealedFeatures, _keys: bytes) -> SealedScores:
            if features.panel_digest != target:
                return evaluate(honest, features)
            other, _ = vault.seal(np.zeros(len(vault.panel.features)))
            return replace(evaluate(honest, other), request_id=features.request_id)

    engine.evaluator = Liar()  # type: ignore[assignment]
    with pytest.raises(EngineAnswerWrong):
        made.assess(state(), DAY)


def test_trees_give_a_result_bound_to_their_hash_and_do_without_what_they_may_do_without(tmp_path: Path) -> None:
    authors_file(tmp_path / "authors.json")
    package = packed_trees(tmp_path / "trees", stretched=12).package
    published.publish(package, tmp_path / "models", with_weights=True)
    engine = Engine(tmp_path)
    made = assessor(tmp_path, engine)
    found = made.assess(state(), DAY)
    result = found.results[-1]
    values = {used.fact: float(used.value) for used in result.vector.inputs}  # type: ignore[arg-type]
    assert "glucose" not in values and result.vector.predictor.model_hash == package.hash
    row = [values["age"], values["systolic-bp"], values["egfr"], np.nan, values["bmi"]]
    whole = trees_of(package).whole
    assert whole is not None
    margin = whole.evaluate_plain(np.array([row]))[0, 0]
    (score,) = result.scores
    assert float(score.percent) == pytest.approx(100 / (1 + np.exp(-margin)), abs=0.15)
    assert package.hash in result.how and " Calculated without glucose, for which" in result.how
    parts = len(trees_of(package).public.panels)
    assert parts > 1 and len(engine.sent) == 1 + parts
    engine.sent.clear()
    made.assess(state(), DAY, only={"kfre-4-variable"})
    assert len(engine.sent) == 1 + parts  # so asking tells nothing


@pytest.fixture(scope="module")
def networked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("networks")
    authors_file(made / "authors.json")
    published.publish(packed_network(made / "network").package, made / "models", with_weights=True)
    return made


def _network_result(made: Assessor, **changes: Decimal) -> tuple[list[Result], list[Refusal]]:
    found = made.assess(state(known=facts(**changes)), DAY)
    results = [one for one in found.results if one.vector.predictor.id == "network-illustration"]
    return results, [one for one in found.refusals if one.predictor.id == "network-illustration"]


def test_a_network_gives_a_result_bound_to_its_hash(networked: Path) -> None:
    made = assessor(networked, Engine(networked))
    ((result,), refused) = _network_result(made)
    (package,) = published.current(networked / "models", AUTHORS)
    model = network_of(published.load(published.entries(networked / "models")[0], AUTHORS))
    assert refused == [] and model.whole is not None
    linear = model.whole.evaluate_plain(model.given(result.vector.features))[0]
    assert float(result.scores[0].percent) == pytest.approx(100 / (1 + np.exp(-linear)), abs=0.15)
    assert package.hash in result.how and "without" not in result.how and "  " not in result.how
    assert result.how.startswith("The network was computed on ciphertext")
    assert "profile P2-net, network mode" in result.how


def test_who_lies_outside_of_a_network_is_refused_in_words_and_it_is_asked_all_the_same(networked: Path) -> None:
    engine = Engine(networked)
    made = assessor(networked, engine)
    made._golden = Golden(0.0)
    results, (refusal,) = _network_result(made, bmi=Decimal(65))
    assert results == [] and refusal.reasons == ("bmi lies outside what the network was made for",)
    assert refusal.missing == () and [one.profile for one in engine.sent] == ["P1-mask", "P2-net"]


def test_a_network_is_asked_within_the_gate_for_answers_without_a_probe(networked: Path) -> None:
    passed: list[str] = []

    @contextmanager
    def gate(name: str, what: str = "") -> Iterator[None]:
        yield
        passed.append(name)
        assert what == ("" if name == "probed" else package.hash)

    (package,) = published.current(networked / "models", AUTHORS)
    engine = Engine(networked)
    made = assessor(networked, engine)
    made._gate = SimpleNamespace(
        probed=partial(gate, "probed"), asked=partial(gate, "unprobed"), judged=partial(gate, "judged")
    )
    for drawn, order in ((0.2, ["judged", "unprobed"]), (0.7, ["unprobed", "judged"])):
        made._golden = Golden(OURS.golden_share, lambda drawn=drawn: drawn)  # type: ignore[misc]
        made.assess(state(), DAY)
        assert passed == ["probed", *order]
        passed.clear()
    networks = [one for one in engine.sent if one.profile == "P2-net"]
    assert len(networks) == 4 and len({one.sealed_vector for one in networks}) == 4
    described = {replace(one, request_id=b"", sealed_vector=bytes(len(one.sealed_vector))) for one in networks}
    assert len(described) == 1, "nothing tells a golden case from a patient"


def test_an_engine_that_lies_about_a_network_in_one_of_a_hundred_calls_is_quarantined(
    networked: Path, tmp_path: Path
) -> None:
    whole = network_of(published.load(published.entries(networked / "models")[0], AUTHORS)).whole
    assert whole is not None
    lying = Evaluator(random_panel(), circuits=[replace(whole, biases=(*whole.biases[:2], whole.biases[2] + 0.3))])
    draw, calls, lies = random.Random(LIAR), 0, 0  # noqa: S311 - figures for a test

    class Liar(Engine):
        def evaluate(self, features: SealedFeatures) -> SealedScores:
            nonlocal calls, lies
            calls += features.profile == "P2-net"
            if features.profile != "P2-net" or draw.random() >= 0.01:
                return super().evaluate(features)
            lies += 1
            return lying.evaluate(features, wire.keys_digest(features.evaluation_keys))

    store = Store.open(Settings(data=tmp_path, base_url="http://x.test/fhir"))
    quarantine = Quarantine(store)
    made = assessor(networked, Liar(networked))
    made._gate = quarantine
    made._golden = Golden(OURS.golden_share, random.Random(LIAR + 1).random)  # noqa: S311
    with pytest.raises(EngineQuarantined):
        _until(lambda: calls >= 1_000, lambda: made.assess(state(), DAY, only={"network-illustration"}))
    with store.snapshot() as reader:
        found = reader.standings.read()
        last = reader.standings.last_golden(whole.digest)
        assert found.wrong == 1 and found.doubted_from is not None and last is not None and found.doubted_from <= last
    store.close()
    assert lies >= 1 and calls <= 1_000


def _until(done: Callable[[], bool], again: Callable[[], object]) -> None:
    while not done():
        again()


def test_without_kept_keys_a_network_is_refused_in_words_and_never_sent(networked: Path) -> None:
    (package,) = published.current(networked / "models", AUTHORS)
    for kept, asked in (("memory", 1), ("kept", 2)):
        (model,) = app._sealed_models([package], replace(OURS, circuit_keys=kept), KEYRING)
        engine, predictors = Engine(networked), registry.all_predictors()
        panel = registry.panel(predictors)
        made = Assessor(predictors, panel, Vault(panel), engine.evaluate, OURS, models=[model])
        made._golden = Golden(0.0)
        results, refused = _network_result(made)
        assert len(engine.sent) == asked and len(results) == asked - 1
        if kept == "memory":
            assert "FHIRTWIN_CIRCUIT_KEYS=kept" in refused[0].reasons[0]


def test_the_app_keeps_keys_where_a_model_needs_them_though_panels_do_not(tmp_path: Path) -> None:
    kept = replace(OURS, data=tmp_path, circuit_keys="kept")
    assert app._shelf(kept).kept is None
    assert app._shelf(kept, lasting=True).kept is not None
    assert app._shelf(replace(kept, circuit_keys="memory"), lasting=True).kept is None


def test_the_app_tells_the_quarantine_which_models_are_asked_golden_cases(
    networked: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Told(Quarantine):
        def __init__(self, store: Store, golden: Iterable[str]) -> None:
            told.extend(golden)
            super().__init__(store)

    monkeypatch.setattr(app, "Quarantine", Told)
    for made in (networked, folder):
        shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    for name in ("engine.key", "token"):
        keyfile.make(tmp_path / name)
    app.create_app(replace(OURS, data=tmp_path, engine_url=f"unix:{tmp_path}/none.sock", circuit_keys="kept"))
    (network,) = published.current(networked / "models", AUTHORS)
    assert len(published.current(tmp_path / "models", AUTHORS)) == 3
    assert told == [network.hash]
