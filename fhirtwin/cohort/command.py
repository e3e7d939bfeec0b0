"""Joins the parts of one run, files, pool, engine, quarantine, and like `fhirtwin.app` hands secrets out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from fhirtwin import __version__, machine, quarantine
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.cohort import lines, running, stored
from fhirtwin.cohort.job import Block, Job
from fhirtwin.cohort.journal import Journal, begun, beside
from fhirtwin.cohort.pools import LocalPool, Pool, RayPool
from fhirtwin.cohort.running import ASSESSMENTS, REFUSED, ROWS, Summary
from fhirtwin.courier import Courier
from fhirtwin.errors import EngineUnavailable, Incorrect
from fhirtwin.packages import published
from fhirtwin.predictors import registry
from fhirtwin.report.identity import SETTINGS_THAT_MATTER
from fhirtwin.serving.engine_beside import Engine
from fhirtwin.settings import Settings
from fhirtwin.store import Store

STORE: Final = "store"
_START_SECONDS: Final = 60


@dataclass(frozen=True)
class Asked:
    """What the command line asks.

    Attributes:
        source: a file; None for the store.
        out: where rows go.
        models: ids of built-in predictors; all of them when empty.
        day: that risks are stated for; today, or that of the run that is resumed, when None.
        assessments: where RiskAssessments go; nowhere when None.
        origin: FHIR base of the server that the records come from.
        prepare: write prepared vectors instead of rows.
        workers: processes; 0 for one a core, or one a CPU of the cluster.
        ray: address of a Ray cluster, `local` to start one; empty for none.
    """

    source: Path | None
    out: Path
    models: tuple[str, ...] = ()
    day: date | None = None
    assessments: Path | None = None
    origin: str = ""
    prepare: bool = False
    workers: int = 0
    ray: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, in bytes of the file or numbers of the store."""

    length: int
    position: int


def refused_path(out: Path) -> Path:
    """Where it stands what was refused, and why."""
    return beside(out, ".refused.ndjson")


def cut_off(out: Path) -> str:
    """What to say when a run was stopped by hand."""
    if not begun(out):
        return "Cut off before anything was done; nothing of it is left."
    return f"Cut off. What is done is kept in {beside(out, '.part')}; the same command goes on from there."


def run(asked: Asked, settings: Settings, told: Callable[[Progress], object] = lambda progress: None) -> Summary:
    """Score a cohort, or go on with one that was cut off.

    Args:
        asked: what is wanted.
        settings: the data folder's; it is made when it is not there, unless records of its store are asked for.
        told: called at the start and whenever a block is on the disk.

    Raises:
        Incorrect: something asked is not usable; the text says what to do.
        EngineUnavailable: the engine does not answer, or does not hold these models as a batch.
        EngineAnswerRefused: its answer failed a check.
        EngineQuarantined: it answered wrongly, now or before.
    """
    _refuse_unclear(asked, settings)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = Store.open(settings)
    try:
        with _journal(asked, settings, store) as journal:
            return _run(asked, settings, store, journal, told)
    finally:
        store.close()


def _run(
    asked: Asked, settings: Settings, store: Store, journal: Journal, told: Callable[[Progress], object]
) -> Summary:
    circuit = Batch(registry.panel(registry.all_predictors()))
    about = begun(asked.out)
    day = date.fromisoformat(about["day"])
    most = circuit.patients
    if asked.source is None:
        length = int(about["input"]["ceiling"])
        blocks: Iterator[Block] = stored.blocks(store, most, length, journal.last)
    else:
        length = asked.source.stat().st_size
        blocks = lines.blocks(asked.source, most, settings.max_body_bytes, journal.last)
    done = journal.last.end if journal.last else 0
    told(Progress(length, done))
    with _engine(asked, settings, circuit) as served:
        job = Job(
            settings=served,
            models=_models(asked),
            as_of=day,
            origin=asked.origin,
            stored=asked.source is None,
            assessments=asked.assessments is not None,
            prepare=asked.prepare,
        )
        pool = _pool(asked, job)
        try:
            return running.run(
                blocks,
                pool,
                journal,
                quarantine.of_gateway(settings, store),
                lambda block: told(Progress(length, block.end)),
                "line" if asked.source else "number",
            )
        finally:
            pool.close()


def _refuse_unclear(asked: Asked, settings: Settings) -> None:
    _refuse_unknown(asked.models, settings)
    if asked.day and asked.day > _today():
        raise Incorrect("--date must not lie in the future: what will be known then is not known now.")
    if asked.prepare and asked.assessments:
        raise Incorrect("--prepare scores nobody, so there are no RiskAssessments to write; leave one of the two out.")
    if asked.source is None and asked.origin:
        raise Incorrect("--origin says where the records of a file come from; those of the store say it themselves.")
    if asked.source is None and not settings.has_database:
        raise Incorrect(f"{settings.data}: no gateway ever stored anything here; name its data folder with --data.")
    if asked.ray not in ("", "local"):
        if not (settings.engine_url.startswith("https:") or asked.prepare):
            raise Incorrect(
                "Machines of a cluster reach an engine over the network: name it with --engine https://HOST:PORT."
            )
        if asked.source is None and not settings.database_url.startswith("postgresql"):
            raise Incorrect(
                "Machines of a cluster cannot read a SQLite file of this one; move the store to PostgreSQL."
            )
    paths = [asked.out, *([asked.assessments] if asked.assessments else []), refused_path(asked.out)]
    if asked.source in paths or len(set(paths)) < len(paths):
        raise Incorrect("Input, --out and --assessments must be different files.")


def _refuse_unknown(models: tuple[str, ...], settings: Settings) -> None:
    known = [predictor.id for predictor in registry.all_predictors()]
    for name in models:
        if name in known:
            continue
        if name in _packages(settings):
            raise Incorrect(
                f"{name} is a published package, and cohorts score built-in models alone: {', '.join(known)}. "
                "`$assess` and `fhirtwin model ask` ask packages."
            )
        raise Incorrect(f"There is no model {name}; there are {', '.join(known)}.")


def _packages(settings: Settings) -> set[str]:
    """Names of published packages; none where their folder cannot be read, for no cohort needs it."""
    try:
        return {one.id for one in published.entries(settings.models_path)}
    except (Incorrect, OSError):
        return set()


@contextmanager
def _journal(asked: Asked, settings: Settings, store: Store) -> Iterator[Journal]:
    files = {ROWS: asked.out, REFUSED: refused_path(asked.out)}
    files |= {ASSESSMENTS: asked.assessments} if asked.assessments else {}
    journal = Journal(files, _about(asked, settings, store))
    try:
        yield journal
    finally:
        journal.close()


def _about(asked: Asked, settings: Settings, store: Store) -> dict[str, Any]:
    """What makes a run this one and no other. What is not said now is as the run that is resumed had it."""
    before = begun(asked.out)
    day = asked.day.isoformat() if asked.day else str(before.get("day") or _today().isoformat())
    with store.snapshot() as reader:
        wrong = reader.standings.read().wrong
        newest = reader.newest()
    if asked.source is None:
        source: dict[str, Any] = {"store": str(settings.data.absolute()), "ceiling": newest}
        told = before.get("input")
        if isinstance(told, dict) and told.get("store") == source["store"]:
            source = told
    else:
        found = asked.source.stat()
        source = {"file": str(asked.source.absolute()), "bytes": found.st_size, "changed": found.st_mtime_ns}
    return {
        "version": __version__,
        "input": source,
        "day": day,
        "models": list(_models(asked)),
        "weights": registry.panel(registry.all_predictors()).digest,
        "settings": {name: getattr(settings, name) for name in SETTINGS_THAT_MATTER},
        "origin": asked.origin,
        "prepare": asked.prepare,
        "assessments": str(asked.assessments.absolute()) if asked.assessments else "",
        "wrong answers of the engine": wrong,
    }


def _models(asked: Asked) -> tuple[str, ...]:
    known = registry.all_predictors()
    return tuple(one.id for one in known if not asked.models or one.id in asked.models)


@contextmanager
def _engine(asked: Asked, settings: Settings, circuit: Batch) -> Iterator[Settings]:
    """An engine that holds the batch: the one that is named, or one beside this process; none to prepare vectors."""
    if asked.prepare:
        yield settings
        return
    own = not settings.engine_url
    if own:
        settings = replace(settings, engine_workers=max(settings.engine_workers, _workers(asked)))
    with Engine(settings, batch=True) as engine:
        _wait(engine.settings, circuit, _START_SECONDS if own else 0)
        yield engine.settings


def _wait(settings: Settings, circuit: Batch, seconds: float) -> None:
    courier = Courier.of(settings)
    deadline = time.monotonic() + seconds
    while True:
        try:
            courier.ready()
            break
        except EngineUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    try:
        courier.ready(circuit.digest)
    except EngineUnavailable:
        raise EngineUnavailable(
            "The engine does not hold the models of this installation for many patients at once: start it with "
            "`fhirtwin engine --batch`, and install the same predictors on both sides."
        ) from None
    finally:
        courier.close()


def _pool(asked: Asked, job: Job) -> Pool:
    return RayPool(job, asked.ray, asked.workers) if asked.ray else LocalPool(job, _workers(asked))


def _workers(asked: Asked) -> int:
    return asked.workers or machine.cores()


def _today() -> date:
    return datetime.now(UTC).date()
