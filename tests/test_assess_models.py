"""Models that came as packages, beside the built-in predictors: asked together, named by hash, refused one by one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerWrong, EngineLacksModel, EngineUnavailable
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.packages import published
from fhirtwin.report import cards
from fhirtwin.report.identity import identity
from fhirtwin.report.occasion import Occasion
from fhirtwin.report.provenance import provenance
from fhirtwin.report.risk_assessment import risk_assessment
from fhirtwin.vault import Vault
from tests.ckks.builders import evaluate
from tests.packages.builders import (
    AUTHORS,
    authors_file,
    packed,
    packed_prevent,
    packed_trees,
    panel_of,
    trees_of,
)
from tests.report.builders import DAY, facts, state
from tests.sealed_models import OURS, Engine, assessor

MODELS = ("kfre-packaged", "prevent-packaged")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    authors_file(made / "authors.json")
    for one in (packed(made / "kfre"), packed_prevent(made / "prevent")):
        published.publish(one.package, made / "models", with_weights=True)
    return made


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
