"""Answers that an engine gives wrongly are thrown away, and the engine of a gateway is quarantined."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fhirtwin import asking, golden
from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.polygenic import Polygenic
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.courier import Courier
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerWrong
from fhirtwin.packages.kind import AsPanel
from fhirtwin.packages.package import Package
from fhirtwin.pgx.vcf_rows import Reading
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.vault import Send
from tests.asking.place import VCF, Place
from tests.ckks.builders import random_panel


def _liar(place: Place) -> Send:
    """An engine with another weight of the score."""
    (circuit,) = place.wholes["polygenic-illustration"].served()
    assert isinstance(circuit, Polygenic)
    weights = circuit.weights.copy()
    weights[0, 0] += 0.05
    liar = Evaluator(random_panel(), circuits=[replace(circuit, weights=weights)])
    return lambda sealed: liar.evaluate(sealed, wire.NO_KEYS)


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


def _five_times(half: Package, start: dict[str, float], send: Send) -> None:
    for _ in range(5):  # now and then the secret case hardly has a level
        asking.of_values(half, start, send, Settings())


def test_an_engine_with_another_weight_of_a_score_is_found_by_a_golden_case_alone(place: Place) -> None:
    """As the page says: there is no probe in a polygenic score."""
    send = _liar(place)
    half = place.half("polygenic-illustration")
    with pytest.raises(EngineAnswerWrong, match="golden case two copies of everything"):
        golden.ask_by(SimpleNamespace(evaluate=send), half)  # type: ignore[arg-type]
    assert asking.of_vcf(half, io.BytesIO(VCF), Reading(), send).told


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
        done = _typed(replace(place, data=data), tmp_path, command)
        assert done.exit_code == 1 and "is wrong" in done.output, done.output
        assert ("is in quarantine" in done.output) == (imposed and there)
        assert ("`fhirtwin quarantine impose`" in done.output) == (command == "ask" and not (imposed and there))
    store = Store.open(settings)
    with store.snapshot() as reader:
        assert (reader.standings.read().quarantined is not None) == imposed
        assert reader.standings.read().wrong == int(imposed)
    store.close()


def _forty_times(half: Package, send: Send) -> None:
    for _ in range(40):  # a golden case that has one copy of that allele is no use
        asking.of_vcf(half, io.BytesIO(VCF), Reading(), send, 0.5)


def _typed(place: Place, folder: Path, command: str) -> Any:
    if command == "verify":
        public = folder / "public"
        public.mkdir(exist_ok=True)
        for name, content in place.half("polygenic-illustration").files.items():
            (public / name).write_bytes(content)
        return place.typed(public, command=command)
    (folder / "nobody.vcf").write_bytes(VCF)
    words = ("polygenic-illustration", "--vcf", folder / "nobody.vcf")
    done = place.typed(*words)
    for _ in range(40):
        if done.exit_code:
            break
        done = place.typed(*words)
    return done
