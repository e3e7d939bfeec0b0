"""An engine serves what trusted authors signed, sees at once what is published, and refuses the rest by name."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fhirtwin import golden, keyfile
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine import models as models_of_engine
from fhirtwin.engine import offers as offers_of_engine
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.models import LOOKED_AT_EVERY_SECONDS, Models
from fhirtwin.engine.tenants import folder as tenant_folder
from fhirtwin.engine.tenants.tenant import Limits
from fhirtwin.errors import EngineLacksModel, EngineUnavailable, Incorrect, Unprocessable
from fhirtwin.files import write_file
from fhirtwin.packages import package, published
from fhirtwin.packages.package import Package
from fhirtwin.vault import Keyring, Shelf, Vault, asking
from tests.ckks.builders import evaluate, random_panel
from tests.conftest import ROOT
from tests.engine.process import running_engine
from tests.packages.builders import (
    AUTHORS,
    OTHER_KEY,
    PACKED,
    authors_file,
    packed,
    packed_network,
    packed_trees,
    panel_of,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    published.publish(_packed(tmp_path, "1.0"), tmp_path / "models", with_weights=True)
    authors_file(tmp_path / "authors.json")
    return tmp_path


def _packed(folder: Path, version: str, **changes: object) -> Package:
    return package.read(packed(folder / f"made-{version}", version=version, **changes).whole, AUTHORS)  # type: ignore[arg-type]


def _models(folder: Path) -> Models:
    return Models(folder / "models", folder / "authors.json")


def _again(models: Models) -> Models:
    models._next = 0.0
    return models


def test_a_published_model_is_evaluated_and_a_withdrawn_one_is_not(folder: Path) -> None:
    models = _models(folder)
    assert models.require() == 1
    evaluator = Evaluator(random_panel(), models=models)
    (only,) = published.current(folder / "models", AUTHORS)
    vault = Vault(panel_of(only).hidden())
    for case in only.cases:
        features, opening = vault.seal(case.given)
        (opened,) = vault.open(evaluate(evaluator, features), opening).values.values()
        assert abs(float(opened) - next(iter(case.answers.values()))) <= 0.0006
    published.withdraw(folder / "models", only.id)
    _again(models)
    with pytest.raises(Unprocessable, match="another panel"):
        evaluate(evaluator, vault.seal(np.zeros(4))[0])
    assert evaluator._offers._ready.encoded == {} and evaluator.model_of(only.hash) == only.hash
    assert evaluator.request_lengths.keys() == Evaluator(random_panel()).request_lengths.keys()


def _change(path: Path, old: bytes, new: bytes) -> None:
    path.write_bytes(path.read_bytes().replace(old, new))
    assert new in path.read_bytes()


WRONG: list[tuple[str, Callable[[Path], object], str]] = [
    ("changed", lambda f: _change(f / "public.json", b"0.9365", b"0.9964"), "it was changed since"),
    ("unsigned", lambda f: (f / "manifest.sig").unlink(), "manifest.sig is missing"),
    ("foreign signature", lambda f: (f / "manifest.sig").write_bytes(b"0" * 128), "not the signature of the author"),
    ("no weights", lambda f: (f / "weights.safetensors").unlink(), "has no weights here"),
    (
        "link",
        lambda f: (f / "golden.json").rename(f.parent / "g") and (f / "golden.json").symlink_to(f.parent / "g"),
        "cannot be read",
    ),
]


@pytest.mark.parametrize(("_name", "spoil", "text"), WRONG, ids=[one[0] for one in WRONG])
def test_what_is_not_as_its_author_signed_it_is_refused_at_start_and_left_out_later(
    folder: Path, caplog: pytest.LogCaptureFixture, _name: str, spoil: Callable[[Path], object], text: str
) -> None:
    published.publish(_packed(folder, "1.1"), folder / "models", with_weights=True)
    spoil(folder / "models" / "kfre-packaged" / "1.1")
    with pytest.raises(Incorrect, match=text):
        _models(folder).require()
    with caplog.at_level(logging.ERROR):
        panels = _models(folder).offers()
    assert len(panels) == 1  # the other version is served all the same
    assert "model kfre-packaged 1.1 is not served" in caplog.text and text in caplog.text


def test_an_author_who_is_trusted_no_more_is_served_no_more(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    models = _models(folder)
    assert len(models.offers()) == 1
    (folder / "authors.json").write_text('{"authors": []}')
    with caplog.at_level(logging.ERROR):
        assert not _again(models).offers()
    assert "is not trusted here" in caplog.text
    with pytest.raises(Incorrect, match="trusts no author"):
        _models(folder).require()


def test_a_list_that_cannot_be_read_serves_nothing_of_its_model_and_stops_no_other(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = packed_trees(folder / "trees").package
    published.publish(other, folder / "models", with_weights=True)
    models = _models(folder)
    assert {one.model for one in models.offers().values()} > {other.hash}
    (folder / "models" / "kfre-packaged" / "served.json").write_text("{")
    with caplog.at_level(logging.ERROR):
        assert {one.model for one in _again(models).offers().values()} == {other.hash}
    assert "model kfre-packaged 1.0 is not served" in caplog.text and "served.json" in caplog.text
    with pytest.raises(Incorrect, match=r"served\.json"):
        _models(folder).require()


def test_a_folder_of_models_that_is_gone_serves_nothing(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    models = _models(folder)
    assert len(models.offers()) == 1
    (folder / "models").rename(folder / "elsewhere")
    with caplog.at_level(logging.ERROR):
        assert not _again(models).offers()
    assert "no published model is served" in caplog.text


def test_a_real_engine_sees_what_is_published_rolled_back_and_withdrawn(folder: Path) -> None:
    options = ("--models", str(folder / "models"), "--authors", str(folder / "authors.json"), "--workers", "2")
    new = _packed(folder, "1.1")
    (old,) = published.current(folder / "models", AUTHORS)
    with running_engine(folder, *options) as engine:
        courier = engine.courier()
        assert golden.ask_by(courier, old).cases == 3
        with pytest.raises(EngineLacksModel, match="does not serve this model"):
            golden.ask_by(courier, new)
        published.publish(new, folder / "models", with_weights=True)
        time.sleep(2 * LOOKED_AT_EVERY_SECONDS)
        for _ in range(4):  # whichever worker answers
            golden.ask_by(engine.courier(), new)
            golden.ask_by(engine.courier(), old)
        published.roll_back(folder / "models", "kfre-packaged", "1.0", AUTHORS)
        time.sleep(2 * LOOKED_AT_EVERY_SECONDS)
        for _ in range(4):
            with pytest.raises(EngineLacksModel):
                golden.ask_by(engine.courier(), new)
            golden.ask_by(engine.courier(), old)


def test_an_engine_does_not_start_with_a_model_that_is_not_right_and_says_which(folder: Path) -> None:
    made = packed(folder / "foreign", version="2", id="stranger", key=OTHER_KEY)
    published.publish(made.package, folder / "models", with_weights=True)
    keyfile.make(folder / "engine.key")
    command = [sys.executable, "-m", "fhirtwin", "engine", "--listen", f"unix:{folder / 'e.sock'}"]
    command += ["--engine-key", str(folder / "engine.key"), "--models", str(folder / "models")]
    run = subprocess.run(
        [*command, "--authors", str(folder / "authors.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (
        run.returncode == 1 and "Model stranger 2 is of the author" in run.stderr and "not trusted here" in run.stderr
    )
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1 and "--models and --authors go together" in run.stderr


def test_models_of_every_kind_are_answered_though_published_while_the_engine_runs(folder: Path) -> None:
    options = ("--models", str(folder / "models"), "--authors", str(folder / "authors.json"))
    tenants = folder / "tenants"
    packages = [packed_network(folder / "network").package, packed_trees(folder / "trees", stretched=12).package]
    tenant_folder.add(tenants, "one", Limits(), [one.hash for one in packages])
    with running_engine(folder, *options, tenants=tenants) as engine:
        for one in packages:
            with pytest.raises(EngineUnavailable):  # nothing of that length, or no such model
                golden.ask_by(engine.courier(), one)
            published.publish(one, folder / "models", with_weights=True)
            time.sleep(2 * LOOKED_AT_EVERY_SECONDS)
            assert golden.ask_by(engine.courier(), one).cases == len(one.cases)
            published.withdraw(folder / "models", one.id)
        (kfre,) = published.current(folder / "models", AUTHORS)
        with pytest.raises(EngineLacksModel, match="does not let this gateway ask"):
            golden.ask_by(engine.courier(), kfre)


def test_what_was_read_is_not_read_again_when_something_else_is_published(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models, read = _models(folder), list[str]()
    load = published.load
    monkeypatch.setattr(published, "load", lambda entry, trusted: read.append(entry.version) or load(entry, trusted))
    first = dict(models.offers())
    published.publish(_packed(folder, "1.1"), folder / "models", with_weights=True)
    second = dict(_again(models).offers())
    assert read == ["1.0", "1.1"] and len(second) == 2
    assert all(second[digest] is offer for digest, offer in first.items())
    manifest = folder / "models" / "kfre-packaged" / "1.0" / "manifest.json"
    data = manifest.read_bytes()
    manifest.unlink()
    manifest.write_bytes(data.replace(b'"1.0"', b'"1.5"'))
    published.withdraw(folder / "models", "kfre-packaged")
    published.roll_back(folder / "models", "kfre-packaged", "1.1", AUTHORS)
    write_file(folder / "models" / "kfre-packaged" / "served.json", b'{"served": ["1.0", "1.1"]}')
    assert len(_again(models).offers()) == 1 and read[-2:] == ["1.1", "1.0"]  # another manifest is another model


def test_what_does_not_fit_a_worker_is_refused_at_start_and_left_out_later(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    published.publish(packed_network(folder / "network").package, folder / "models", with_weights=True)
    monkeypatch.setattr(models_of_engine, "MOST_MEMORY_BYTES", 1_000_000)
    with pytest.raises(Incorrect, match=r"no room for model network-illustration 1\.0; withdraw some"):
        _models(folder).require()
    with caplog.at_level(logging.ERROR):
        assert len(_models(folder).offers()) == 1
    assert "model network-illustration 1.0 is not served: there is no room" in caplog.text


def test_nobody_waits_while_another_reads_what_was_published(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = _models(folder)
    before = models.offers()
    assert len(before) == 1
    published.publish(_packed(folder, "1.1"), folder / "models", with_weights=True)
    reading, go_on, read = threading.Event(), threading.Event(), published.load

    def slow(*given: object) -> Package:
        reading.set()
        assert go_on.wait(30)
        return read(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(published, "load", slow)
    _again(models)
    one = threading.Thread(target=models.offers)
    one.start()
    assert reading.wait(30)
    assert models.offers() is before
    go_on.set()
    one.join()
    assert len(models.offers()) == 2


@contextmanager
def _watching(models: Models) -> Iterator[Evaluator]:
    """What a worker holds once it has started."""
    evaluator = Evaluator(random_panel(), models=models)
    evaluator.keep_up()
    try:
        yield evaluator
    finally:
        evaluator._offers._over.set()


def _wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def _packages(folder: Path) -> list[Package]:
    """One of each kind but panels, of which one is served from the start."""
    return [make(folder / kind).package for kind, make in PACKED.items() if kind != "panel"]


def test_weights_are_encoded_at_start_and_after_a_change_and_never_in_a_callers_turn(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_thread = list[str]()

    encode = Ring.encode

    def noted(ring: Ring, values: NDArray[np.complex128], scale: float) -> object:
        by_thread.append(threading.current_thread().name)
        return encode(ring, values, scale)

    later = _packages(folder)
    (at_start,) = published.current(folder / "models", AUTHORS)
    with _watching(_models(folder)) as evaluator:
        assert evaluator._offers._ready.encoded.keys() == {at_start.hash}
        monkeypatch.setattr(Ring, "encode", noted)  # through which all encoding goes
        for one in later:
            published.publish(one, folder / "models", with_weights=True)
        _wait_until(lambda: all(evaluator._offers.model_of(one.hash) for one in later))
        assert set(by_thread) == {"models"}
        for one in (at_start, *later):
            asks, masks = asking(one.model, Keyring(Shelf())), list[int]()

            def send(features: SealedFeatures, masks: list[int] = masks) -> SealedScores:
                by_thread.clear()
                answer = evaluate(evaluator, features)
                masks.append(len(by_thread))
                return answer

            asks.ask(one.cases[0].given, send)
            # What is encoded for a caller is its masks, fresh for each: one ciphertext's here, of whatever kind.
            assert set(masks) == {1}, one.kind
        published.withdraw(folder / "models", at_start.id)
        _wait_until(lambda: evaluator._offers.model_of(at_start.hash) is None)
        assert at_start.hash not in evaluator._offers._ready.encoded


def test_a_caller_is_answered_while_a_model_is_being_encoded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoding, go_on, prepare = threading.Event(), threading.Event(), offers_of_engine.prepare

    def slow(*given: object) -> object:
        encoding.set()
        assert go_on.wait(30)
        return prepare(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(offers_of_engine, "prepare", slow)
    (kfre,) = published.current(folder / "models", AUTHORS)
    network = packed_network(folder / "network").package
    with _watching(_models(folder)) as evaluator:
        published.publish(network, folder / "models", with_weights=True)
        assert encoding.wait(30)
        features, _ = Vault(panel_of(kfre).hidden()).seal(kfre.cases[0].given)
        evaluate(evaluator, features)
        assert evaluator._offers.model_of(network.hash) is None and "P2-net" not in evaluator.request_lengths
        go_on.set()
        _wait_until(lambda: "P2-net" in evaluator.request_lengths)


def test_a_model_that_cannot_be_encoded_is_left_out_by_name_and_stops_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> object:
        raise MemoryError

    monkeypatch.setattr(offers_of_engine, "prepare", full)
    network = packed_network(folder / "network").package
    published.publish(network, folder / "models", with_weights=True)
    (kfre,) = [one for one in published.current(folder / "models", AUTHORS) if one.id != network.id]
    with caplog.at_level(logging.ERROR), _watching(_models(folder)) as evaluator:
        assert evaluator._offers.model_of(kfre.hash) and not evaluator._offers.model_of(network.hash)
    assert f"model {network.hash} is not served: encoding it failed: MemoryError" in caplog.text


def test_when_the_folder_cannot_be_looked_at_nothing_is_served_until_it_can(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (kfre,) = published.current(folder / "models", AUTHORS)
    with caplog.at_level(logging.ERROR), _watching(_models(folder)) as evaluator:
        with monkeypatch.context() as broken:
            broken.setattr(published, "mark", lambda _: 1 / 0)
            _wait_until(lambda: evaluator._offers.model_of(kfre.hash) is None)
        _wait_until(lambda: evaluator._offers.model_of(kfre.hash) == kfre.hash)
    assert "looking at them failed: ZeroDivisionError" in caplog.text
