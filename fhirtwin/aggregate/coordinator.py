"""The coordinator's folder: makes a study, opens its totals in their order, and forgets the key when it is done."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from fhirtwin.aggregate import logistic, noisy_logistic, results
from fhirtwin.aggregate.logistic import Standing
from fhirtwin.errors import Conflict, Incorrect, Unprocessable
from fhirtwin.files import changing, write_file
from fhirtwin.studies import plan as plans
from fhirtwin.studies import round as rounds
from fhirtwin.studies import study as studies
from fhirtwin.studies import wire
from fhirtwin.studies.files import create, read, study_in
from fhirtwin.studies.round import Round
from fhirtwin.studies.study import Study
from fhirtwin.vault import study_keys
from fhirtwin.vault.studies import Coordinator

MOST_REFUSED: Final = 3
"""Totals that failed the check of their tag; at the last the key is erased, since somebody may be trying."""

_PLAN_BYTES: Final = 4 * 2**20


class _State(msgspec.Struct, frozen=True):
    """How far a study is. A total counts as refused from before it is opened until it was found right."""

    round: int = 1
    coefficients: tuple[float, ...] = ()
    standing: Standing | None = None
    refused: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening a total led to: the result, or the file of the next round."""

    result: dict[str, Any] | None
    next_round: Path | None


def new(plan_file: Path, folder: Path, passphrase: str) -> Study:
    """Make a study of a plan: `study.json` for everybody, `invitations/` for each site, and the coordinator's key.

    Raises:
        Incorrect: the plan does not stand, the folder exists, or the passphrase is too short.
    """
    plan = plans.read(read(plan_file, _PLAN_BYTES))
    coordinator = Coordinator.new(plan)
    study = coordinator.study(plan)
    _ = study.layout  # which refuses what does not fit
    study_keys.check(passphrase)
    try:
        folder.mkdir(mode=0o700, parents=False)
    except FileExistsError:
        raise Incorrect(f"{folder} exists already; every study has a folder of its own.") from None
    study_keys.keep(folder / "coordinator.key", coordinator, study, passphrase)
    (folder / "invitations").mkdir(mode=0o700)
    for invitation in coordinator.invitations(study):
        study_keys.invite(folder / "invitations" / f"{invitation.site}.json", invitation)
    _write(folder, _State(coefficients=rounds.first(study).coefficients))
    create(folder / "study.json", studies.write(study))
    return study


def open_total(folder: Path, total_file: Path, passphrase: str) -> Opened:
    """Open the total of the round that the study is in.

    Raises:
        Incorrect: the total is of another study or round, or has too few contributors, or the passphrase is wrong.
        Conflict: the study is done, or was given up.
        Unprocessable: the total is not the sum of what it says, or nothing can be computed of it.
    """
    study = study_in(folder / "study.json")
    with changing(folder):  # one process at a time, so that nobody tries more often than is counted
        state = _read(folder)
        if state.done:
            raise Conflict(f"The study in {folder} is done, and its key is erased; a total is opened once.")
        current = Round(study.digest, state.round, state.coefficients)
        total = wire.read_total(read(total_file, wire.longest_total(study)), study, current)
        coordinator = study_keys.coordinator(folder / "coordinator.key", study, passphrase)
        tried = msgspec.structs.replace(state, refused=state.refused + 1)
        _write(folder, tried)
        try:
            numbers = coordinator.open(study, current, total)
        except Unprocessable:
            if tried.refused >= MOST_REFUSED:
                _finish(folder, tried)
                raise Unprocessable(
                    f"{tried.refused} totals were not what they said, so the key of the study is erased. Find out who "
                    "sends such totals before you make a new study."
                ) from None
            raise
        return _advanced(folder, study, current, state, numbers, coordinator)


def _advanced(
    folder: Path, study: Study, current: Round, state: _State, numbers: tuple[int, ...], coordinator: Coordinator
) -> Opened:
    if study.plan.kind != "logistic":
        _finish(folder, state)
        return _told(folder, results.of(study, numbers))
    try:
        if study.plan.is_noisy_logistic:
            step = noisy_logistic.advance(study, current, numbers)
        else:
            step = logistic.advance(study, current, numbers, state.standing)
        if step.result is not None:
            _finish(folder, state)
            return _told(folder, step.result)
        coming = Round(study.digest, current.number + 1, step.coefficients)
        if coming.number > study.plan.rounds:
            raise Unprocessable(
                f"It has not settled in {current.number} of {study.plan.rounds} rounds; set a penalty, in a new study."
            )
        rounds.check(coming, study)
    except (Unprocessable, Incorrect) as error:
        _finish(folder, state)
        raise Unprocessable(str(error)) from None
    path = folder / f"round-{coming.number}.json"
    path.unlink(missing_ok=True)  # left by a process that was killed before it noted that round
    create(path, rounds.write(coming, coordinator.sign(coming)))
    _write(folder, _State(coming.number, coming.coefficients, step.standing))
    return Opened(None, path)


def _told(folder: Path, result: dict[str, Any]) -> Opened:
    create(folder / "result.json", json.dumps(result, indent=2).encode() + b"\n", 0o600)
    return Opened(result, None)


def _finish(folder: Path, state: _State) -> None:
    """The key first: were we killed between, a study without its key is done all the same."""
    (folder / "coordinator.key").unlink(missing_ok=True)
    _write(folder, msgspec.structs.replace(state, done=True))


def _read(folder: Path) -> _State:
    try:
        return msgspec.json.decode(read(folder / "state.json", 1 << 20), type=_State)
    except msgspec.DecodeError:
        raise Incorrect(f"{folder / 'state.json'} cannot be read.") from None


def _write(folder: Path, state: _State) -> None:
    write_file(folder / "state.json", msgspec.json.encode(state) + b"\n")
