"""Withdraws what an engine had computed that was found to answer wrongly: reports stored since its last right answer.

Each gets a new version, `entered-in-error` with a note, and a Provenance that says why; all of a patient in one unit of
work. It can be begun again wherever it was cut off: what is withdrawn does not stand, and is not withdrawn again.
"""

from __future__ import annotations

import logging
import threading
from itertools import groupby
from typing import Any, Final

from fhirtwin.errors import FhirtwinError
from fhirtwin.fhir import codec
from fhirtwin.interactions import reporting, withdrawing
from fhirtwin.interactions.context import Services
from fhirtwin.report import provenance
from fhirtwin.store import Reader, Writer
from fhirtwin.store.standing import Standing

_TYPE: Final = "RiskAssessment"

_log = logging.getLogger("fhirtwin.security")


class Doubting:
    """Withdraws in the background, one round at a time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._busy = threading.Lock()

    def begin(self) -> None:
        """Begin, unless it is under way. Nobody waits for it."""
        if not self._busy.acquire(blocking=False):
            return
        try:
            threading.Thread(target=self._run, name="withdrawing", daemon=True).start()
        except RuntimeError:
            self._busy.release()
            _log.error("reports that are doubted are not withdrawn yet: this machine starts no more threads")

    def _run(self) -> None:
        try:
            number = withdraw(self._services)
            _log.warning("reports withdrawn because the engine answered wrongly: %d", number)
        except FhirtwinError as error:
            _log.error("reports that are doubted could not all be withdrawn yet: %s", error)
        finally:
            self._busy.release()


def withdraw(services: Services) -> int:
    """Withdraw all that is doubted and stands; nothing when no engine is in quarantine.

    Returns:
        How many reports were withdrawn.

    Raises:
        Busy, InsufficientStorage, Unavailable: as the database has it; begin again.
    """
    with services.store.snapshot() as reader:
        standing = reader.standings.read()
        if standing.quarantined is None or standing.withdrawn:
            return 0
        doubted = reader.standings.stored_from(_TYPE, standing.doubted_from)
    number = 0
    for _, reports in groupby(doubted, key=lambda found: found[0]):
        with services.store.write() as write:
            if not _same(write, standing):
                return number
            number += sum(_withdraw(services, write, id_) for _, id_ in reports)
    with services.store.write() as write:
        if _same(write, standing):
            write.standings.settle(standing.doubted_from)
    return number


def tally(reader: Reader) -> tuple[int, int]:
    """How many of the reports that are doubted are withdrawn, and how many stand."""
    stored = reader.standings.stored_from(_TYPE, reader.standings.read().doubted_from)
    found = [_current(reader, id_) for _, id_ in stored]
    withdrawn = sum(1 for one in found if one and withdrawing.is_withdrawn(one, withdrawing.DOUBTED))
    return withdrawn, sum(1 for one in found if one and withdrawing.stands(one))


def _same(write: Writer, standing: Standing) -> bool:
    """Whether it is still the quarantine that was begun with: once it is lifted, what is stored is good again."""
    return write.standings.read().quarantined == standing.quarantined


def _withdraw(services: Services, write: Writer, id_: str) -> bool:
    resource = _current(write, id_)
    if resource is None or not withdrawing.stands(resource):
        return False
    kept = reporting.put(services, write, withdrawing.withdrawn(resource, withdrawing.DOUBTED))
    made_by = provenance.withdrawal(id_, version=kept.version, recorded=kept.last_updated, reason=withdrawing.DOUBTED)
    reporting.put(services, write, made_by)
    return True


def _current(reader: Reader, id_: str) -> dict[str, Any] | None:
    current = reader.read(_TYPE, id_)
    if current is None or current.deleted:
        return None
    resource: dict[str, Any] = codec.reread(current.data)
    return resource
