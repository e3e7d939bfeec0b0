"""The coordinator's folder: what is opened, how often, and what is left when a process was stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.aggregate import coordinator, tallying
from fhirtwin.engine.adding import Adder
from fhirtwin.errors import Conflict, Incorrect, Unprocessable
from fhirtwin.studies import wire
from fhirtwin.studies.files import round_in, study_in
from fhirtwin.vault import study_keys
from fhirtwin.vault.studies import Coordinator, seal
from tests.aggregate import pooled
from tests.studies.builders import SITES

PASSPHRASE = "correct horse battery staple"
AGE = {"name": "age", "low": 18, "high": 110, "step": 1}
ILL = {"name": "ill", "low": 0, "high": 1, "step": 1}


def study(folder: Path, **changes: Any) -> Path:
    plan = {"name": "s", "kind": "logistic", "sites": SITES, "columns": [AGE], "outcome": ILL} | changes
    (folder / "plan.json").write_text(json.dumps({name: one for name, one in plan.items() if one is not None}))
    coordinator.new(folder / "plan.json", folder / "study", PASSPHRASE)
    return folder / "study"


def total(folder: Path, number: int = 1) -> Path:
    """The total of a round over the rows of all sites."""
    known = study_in(folder / "study.json")
    current = round_in(folder / f"round-{number}.json" if number > 1 else None, known)
    adder = Adder(known, current)
    (folder / "rows").mkdir(exist_ok=True)
    for site, file in zip(SITES, pooled.write(folder / "rows", pooled.rows()), strict=True):
        invitation = study_keys.invitation(folder / "invitations" / f"{site}.json")
        adder.add(seal(known, current, invitation, tallying.statistics(file, known, current)))
    path = folder / f"total-{number}"
    path.write_bytes(wire.write_total(adder.total(), current))
    return path


def state(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "state.json").read_text()))


def test_an_opening_that_was_killed_counts_and_can_be_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = study(tmp_path)
    first = total(folder)
    with monkeypatch.context() as patch:
        patch.setattr(Coordinator, "open", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            coordinator.open_total(folder, first, PASSPHRASE)
    assert (state(folder)["refused"], state(folder)["round"]) == (1, 1)
    (folder / "round-2.json").write_text("left by a process that was killed")
    assert coordinator.open_total(folder, first, PASSPHRASE).next_round == folder / "round-2.json"
    assert (state(folder)["refused"], state(folder)["round"]) == (0, 2)


def test_the_total_of_a_round_is_opened_once(tmp_path: Path) -> None:
    folder = study(tmp_path)
    first = total(folder)
    coordinator.open_total(folder, first, PASSPHRASE)
    with pytest.raises(Incorrect, match="another round"):
        coordinator.open_total(folder, first, PASSPHRASE)
    assert coordinator.open_total(folder, total(folder, 2), PASSPHRASE).next_round


def test_the_result_is_for_its_owner_alone_and_the_study_for_everybody(tmp_path: Path) -> None:
    folder = study(tmp_path, kind="mean", outcome=None)
    coordinator.open_total(folder, total(folder), PASSPHRASE)
    assert (folder / "result.json").stat().st_mode & 0o777 == 0o600
    assert (folder / "study.json").stat().st_mode & 0o044


def test_a_study_that_does_not_settle_in_time_is_over(tmp_path: Path) -> None:
    folder = study(tmp_path, most_rounds=1)
    with pytest.raises(Unprocessable, match="not settled in 1 of 1 rounds"):
        coordinator.open_total(folder, total(folder), PASSPHRASE)
    assert not (folder / "coordinator.key").exists()
    with pytest.raises(Conflict, match="is done"):
        coordinator.open_total(folder, folder / "total-1", PASSPHRASE)


def test_a_key_of_another_study_does_not_open(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    folder, other = study(tmp_path), study(tmp_path / "other")
    first = total(folder)
    (folder / "coordinator.key").unlink()
    (other / "coordinator.key").rename(folder / "coordinator.key")
    with pytest.raises(Incorrect, match="does not open"):
        coordinator.open_total(folder, first, PASSPHRASE)


def test_a_folder_is_for_one_study(tmp_path: Path) -> None:
    folder = study(tmp_path)
    before = (folder / "study.json").read_bytes()
    with pytest.raises(Incorrect, match="exists already"):
        coordinator.new(tmp_path / "plan.json", folder, PASSPHRASE)
    assert (folder / "study.json").read_bytes() == before
