"""The work on one block, in a process of its own: read, seal, ask the engine, open, write rows."""

from __future__ import annotations

import gc
import hashlib
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from fhirtwin import machine
from fhirtwin.assess_cohort import CohortAssessor, Results
from fhirtwin.cohort import record, rows
from fhirtwin.cohort.job import HERE, Block, Done, Item, Job, Row
from fhirtwin.courier import Courier
from fhirtwin.errors import EngineUnavailable, FhirtwinError, Unprocessable
from fhirtwin.features import case, case_json
from fhirtwin.features.case import Case
from fhirtwin.fhir import codec, references
from fhirtwin.predictors import registry
from fhirtwin.predictors.model import Predictor
from fhirtwin.store import Reader, Store
from fhirtwin.twin.state import LOCAL, PatientKey

WAITS_SECONDS: Final = (1, 2, 4, 8)
"""Between questions to an engine that cannot be reached: one that died is started again within a few seconds."""


def begin() -> None:
    """What a process of this machine does first: it ends with its parent, and now if that has gone already."""
    machine.stop_with_parent()
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:
        os._exit(1)


def run(job: Job, block: Block) -> Done:
    """Work on a block.

    Returns:
        A row for each item; or the error that says why there is none of any.
    """
    try:
        worker = _worker(job)
        rows_ = tuple(worker.rows(block.items))
        return Done(block.number, rows_, asked=worker.asked)
    except FhirtwinError as error:
        return Done(block.number, failure=error)


def chosen(models: Iterable[str]) -> tuple[Predictor, ...]:
    """The predictors of these ids, in the order of the registry."""
    wanted = set(models)
    return tuple(one for one in registry.all_predictors() if one.id in wanted)


@dataclass(frozen=True, slots=True)
class _Read:
    """An item that is a patient, and what its row says of where it was found."""

    number: int
    case: Case
    place: dict[str, object]


_OBJECTS: Final = 200_000

_WHOSE: Final = (
    "it does not say which server's Patient this is, so no RiskAssessment can point at it; say it with --origin, which "
    f"takes a FHIR base, or `{HERE}` for the patients stored here"
)


class Worker:
    """Holds, from block to block, what is made once: the vault, the courier, the store."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._predictors = chosen(job.models)
        self._panel = registry.panel(registry.all_predictors())
        self._store = Store.open(job.settings) if job.stored else None
        self._assessor = (
            None if job.prepare else CohortAssessor(self._panel, Courier.of(job.settings).evaluate, job.settings)
        )
        self.asked = False
        """Whether the engine answered for the items of the last call."""

    def rows(self, items: Sequence[Item]) -> list[Row]:
        """A row for each item, in their order."""
        self.asked = False
        found = list(self._stored(items) if self._store else map(self._line, items))
        read = [one for one in found if isinstance(one, _Read)]
        made = iter(self._written(read))
        return [next(made) if isinstance(one, _Read) else one for one in found]

    def _line(self, item: Item) -> _Read | Row:
        try:
            if item.wrong:
                raise Unprocessable(item.wrong)
            found = self._case(item.data)
            if self._job.assessments and found.patient.origin == LOCAL and self._job.origin != HERE:
                raise Unprocessable(_WHOSE)
        except FhirtwinError as error:
            return Row(item.number, wrong=str(error))
        return _Read(item.number, found, {"line": item.number, "input": hashlib.sha256(item.data).hexdigest()})

    def _case(self, line: bytes) -> Case:
        job = self._job
        origin = LOCAL if job.origin == HERE else job.origin
        given = codec.decode(line, max_depth=job.settings.max_depth)
        if case_json.of_object(given):
            found = case_json.decode(given, self._predictors, origin)
            if found.as_of != job.as_of:
                raise Unprocessable(f"the vectors are prepared for another day than {job.as_of}, which this run is for")
            return found
        if given.get("resourceType") != "Bundle":
            raise Unprocessable(
                "neither a Bundle with the record of one patient nor prepared vectors; a resource by itself is loaded "
                "with `fhirtwin load`, then `--input store`"
            )
        return case.of(record.twin(given, origin), job.as_of, self._predictors, job.settings)

    def _stored(self, items: Sequence[Item]) -> Iterator[_Read | Row]:
        assert self._store is not None  # noqa: S101 - for the type checker; `rows` asks
        for item in items:
            with self._store.snapshot() as reader:
                yield self._of_store(reader, item)

    def _of_store(self, reader: Reader, item: Item) -> _Read | Row:
        id_ = item.data.decode()
        stored = reader.read("Patient", id_)
        if stored is None or stored.deleted:
            return Row(item.number, wrong=f"Patient/{id_} was deleted meanwhile")
        if references.replaced_by(codec.reread(stored.data)):
            return Row(item.number, wrong=f"Patient/{id_} was replaced by another, as Patient.link says")
        state = reader.twin(PatientKey(LOCAL, id_))
        if state is None:
            return Row(item.number, wrong=f"nothing is known of Patient/{id_}")
        found = case.of(state, self._job.as_of, self._predictors, self._job.settings)
        return _Read(item.number, found, {"twinVersion": state.version})

    def _written(self, read: Sequence[_Read]) -> Iterator[Row]:
        if self._assessor is None:
            for one in read:
                yield Row(one.number, rows.digest(one.case), case_json.encode(one.case) + b"\n")
            return
        self.asked = any(one.case.vectors for one in read)
        model, panel, settings = self._assessor.circuit.digest, self._panel.digest, self._job.settings
        results_of = self._assessed(self._assessor, [one.case for one in read])
        for one, results in zip(read, results_of, strict=True):
            row = rows.row(one.case, results, model, one.place)
            asked = rows.assessments(one.case, results, panel, settings) if self._job.assessments else b""
            yield Row(one.number, rows.digest(one.case), row, asked)

    def _assessed(self, assessor: CohortAssessor, cases: Sequence[Case]) -> list[Results]:
        for wait in WAITS_SECONDS:
            try:
                return assessor.assess(cases)
            except EngineUnavailable:  # sealed afresh each time, so that nothing is sent twice
                time.sleep(wait)
        return assessor.assess(cases)


@lru_cache(maxsize=1)
def _worker(job: Job) -> Worker:
    machine.close_memory()
    gc.freeze()
    gc.set_threshold(_OBJECTS)  # a block makes many objects and no cycles: looking for those costs a fifth of the time
    return Worker(job)
