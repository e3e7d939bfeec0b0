"""An engine serves what trusted authors signed, sees at once what is published, and refuses the rest by name."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fhirtwin import golden, keyfile
from fhirtwin.engine import models as models_of_engine
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.models import Models
from fhirtwin.engine.offers import WATCHED_EVERY_SECONDS
from fhirtwin.engine.tenants import folder as tenant_folder
from fhirtwin.engine.tenants.tenant import Limits
from fhirtwin.errors import EngineLacksModel, EngineUnavailable, Incorrect, Unprocessable
from fhirtwin.files import write_file
from fhirtwin.packages import package, published
from fhirtwin.packages.package import Package
from fhirtwin.vault import Vault
from tests.ckks.builders import evaluate, random_panel
from tests.conftest import ROOT
from tests.engine.holding import held_up
from tests.engine.process import running_engine, serving
from tests.packages.builders import (
    AUTHORS,
    OTHER_KEY,
    packed,
    packed_network,
    packed_trees,
    panel_of,
)


def _packed(folder: Path, version: str, **changes: object) -> Package:
    return package.read(packed(folder / f"made-{version}", version=version, **changes).whole, AUTHORS)  # type: ignore[arg-type]


def _models(folder: Path) -> Models:
    return Models(folder / "models", folder / "authors.json")


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
        assert not models.offers()
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
        assert {one.model for one in models.offers().values()} == {other.hash}
    assert "model kfre-packaged 1.0 is not served" in caplog.text and "served.json" in caplog.text
    with pytest.raises(Incorrect, match=r"served\.json"):
        _models(folder).require()


def test_a_folder_of_models_that_is_gone_serves_nothing(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    models = _models(folder)
    assert len(models.offers()) == 1
    (folder / "models").rename(folder / "elsewhere")
    with caplog.at_level(logging.ERROR):
        assert not models.offers()
    assert "no published model is served" in caplog.text


def test_a_real_engine_sees_what_is_published_rolled_back_and_withdrawn(folder: Path) -> None:
    new = _packed(folder, "1.1")
    (old,) = published.current(folder / "models", AUTHORS)
    with running_engine(folder, *serving(folder), "--workers", "2") as engine:
        courier = engine.courier()
        assert golden.ask_by(courier, old).cases == 3
        with pytest.raises(EngineLacksModel, match="does not serve this model"):
            golden.ask_by(courier, new)
        published.publish(new, folder / "models", with_weights=True)
        time.sleep(4 * WATCHED_EVERY_SECONDS)
        for _ in range(4):  # whichever worker answers
            golden.ask_by(engine.courier(), new)
            golden.ask_by(engine.courier(), old)
        published.roll_back(folder / "models", "kfre-packaged", "1.0", AUTHORS)
        time.sleep(4 * WATCHED_EVERY_SECONDS)
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
    tenants = folder / "tenants"
    packages = [packed_network(folder / "network").package, packed_trees(folder / "trees", stretched=12).package]
    tenant_folder.add(tenants, "one", Limits(), [one.hash for one in packages])
    with running_engine(folder, *serving(folder), tenants=tenants) as engine:
        for one in packages:
            with pytest.raises(EngineUnavailable):  # nothing of that length, or no such model
                golden.ask_by(engine.courier(), one)
            published.publish(one, folder / "models", with_weights=True)
            time.sleep(4 * WATCHED_EVERY_SECONDS)
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
    second = dict(models.offers())
    assert read == ["1.0", "1.1"] and len(second) == 2
    assert all(second[digest] is offer for digest, offer in first.items())
    manifest = folder / "models" / "kfre-packaged" / "1.0" / "manifest.json"
    data = manifest.read_bytes()
    manifest.unlink()
    manifest.write_bytes(data.replace(b'"1.0"', b'"1.5"'))
    published.withdraw(folder / "models", "kfre-packaged")
    published.roll_back(folder / "models", "kfre-packaged", "1.1", AUTHORS)
    write_file(folder / "models" / "kfre-packaged" / "served.json", b'{"served": ["1.0", "1.1"]}')
    assert len(models.offers()) == 1 and read[-2:] == ["1.1", "1.0"]  # another manifest is another model


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
    one = threading.Thread(target=models.offers)
    with held_up(monkeypatch, published, "load") as reading:
        one.start()
        assert reading.wait(30)
        assert models.offers() is before
    one.join()
    assert len(models.offers()) == 2
