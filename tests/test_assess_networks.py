"""Networks that came as packages: asked with golden cases beside, within the gate, and under keys that are kept."""

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
from fhirtwin.assess import Assessor
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineQuarantined
from fhirtwin.packages import published
from fhirtwin.predictors import registry
from fhirtwin.predictors.model import Refusal, Result
from fhirtwin.quarantine import Quarantine
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.vault import Golden, Vault
from tests.ckks.builders import random_panel
from tests.packages.builders import (
    AUTHORS,
    authors_file,
    network_of,
    packed,
    packed_network,
)
from tests.report.builders import DAY, facts, state
from tests.sealed_models import KEYRING, OURS, Engine, assessor

LIAR = 9


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
    networked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Told(Quarantine):
        def __init__(self, store: Store, golden: Iterable[str]) -> None:
            told.extend(golden)
            super().__init__(store)

    monkeypatch.setattr(app, "Quarantine", Told)
    shutil.copytree(networked, tmp_path, dirs_exist_ok=True)
    published.publish(packed(tmp_path / "kfre").package, tmp_path / "models", with_weights=True)
    for name in ("engine.key", "token"):
        keyfile.make(tmp_path / name)
    app.create_app(replace(OURS, data=tmp_path, engine_url=f"unix:{tmp_path}/none.sock", circuit_keys="kept"))
    (network,) = published.current(networked / "models", AUTHORS)
    assert len(published.current(tmp_path / "models", AUTHORS)) == 2
    assert told == [network.hash]
