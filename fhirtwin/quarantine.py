"""Keeps an engine that answered wrongly from being asked again, whichever process of the gateway found it out.

It stands in the database, so it holds after a restart, and an administrator lifts it (`fhirtwin quarantine lift`). What
tells a right answer from a wrong one is the vault's affair.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from typing import Final

from fhirtwin.errors import EngineAnswerWrong, EngineQuarantined, FhirtwinError, Incorrect
from fhirtwin.packages import published, signing
from fhirtwin.packages.kind import Predictive
from fhirtwin.packages.package import Package
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.store.standing import Standings

NOTED_EVERY_MICROSECONDS: Final = 1_000_000
"""How far what the database knows of right answers may lag behind."""

_log = logging.getLogger("fhirtwin.security")

_TEXT: Final = (
    "The engine is in quarantine, for a wrong answer or by an administrator: it is asked no more until an "
    "administrator has found the cause and run `fhirtwin quarantine lift`. Nothing was calculated."
)


def microseconds() -> int:
    """Now, in microseconds since 1970, UTC."""
    return time.time_ns() // 1000


@dataclass(slots=True)
class _Unnoted:
    """Right answers that the store does not know of yet, and when it was told last."""

    number: int = 0
    told: int = 0


def is_asked(model: Predictive, settings: Settings) -> bool:
    """Whether a gateway asks a model about patients: one that needs keys which last is asked where they are kept."""
    return settings.circuit_keys == "kept" or not model.needs_lasting_keys


def watched(packages: Iterable[Package], settings: Settings) -> list[str]:
    """Hashes of the models that a gateway asks golden cases about: since those were right, their reports are."""
    models = ((one.hash, one.model) for one in packages)
    return [
        hash_
        for hash_, model in models
        if isinstance(model, Predictive) and not model.is_probed and is_asked(model, settings)
    ]


def of_gateway(settings: Settings, store: Store) -> Quarantine:
    """The quarantine of the gateway of these settings, for whoever asks its engine beside it.

    Args:
        settings: the gateway's. Where its models cannot be read it does not start, and asks none.
        store: the gateway's.
    """
    try:
        packages = published.current(settings.models_path, signing.read_authors(settings.authors_path))
    except (Incorrect, OSError) as error:
        _log.warning("published models cannot be read, so none of them is doubted: %s", error)
        packages = ()
    return Quarantine(store, golden=watched(packages, settings))


class Quarantine:
    """The gate before the engine. Threads may share it; processes share it through the store.

    Args:
        store: where it stands.
        clock: gives microseconds since 1970.
        golden: hashes of the models that are asked golden cases here; others are known when they are first asked.
    """

    def __init__(self, store: Store, clock: Callable[[], int] = microseconds, golden: Iterable[str] = ()) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._right, self._wrong = _Unnoted(), 0
        """Answers that the store does not know of yet."""
        self._golden: dict[str, _Unnoted] = {}
        """Answers to golden cases, of the models that are watched."""
        self._models = frozenset(golden)
        self._closed = False
        """Whether a wrong answer came of which the store does not know yet."""
        self.when_found: Callable[[], object] = lambda: None
        """Called when somebody asks, or finds out, that reports are doubted and not withdrawn yet."""

    @contextmanager
    def probed(self) -> Iterator[None]:
        """Ask the engine in the block, and judge the answer by a probe that comes with it.

        Raises:
            EngineQuarantined: it must not be asked, or its answer was wrong.
        """
        with self.asked():
            yield
        self._count(self._right, lambda noted, number, now: noted.count(right=number, wrong=0, moment=now))

    @contextmanager
    def judged(self, what: str) -> Iterator[None]:
        """Ask the engine a golden case in the block, and judge its answer there.

        Args:
            what: whose golden case it is: the hash of a model.

        Raises:
            EngineQuarantined: it must not be asked, or its answer was wrong.
        """
        with self.asked(what):
            yield
        if (unnoted := self._golden.get(what)) is not None:
            self._count(unnoted, lambda noted, number, now: noted.count_golden(what, right=number, moment=now))

    @contextmanager
    def asked(self, what: str = "") -> Iterator[None]:
        """Ask the engine in the block, without a probe: a wrong answer counts, one that seems right says nothing.

        Args:
            what: the hash of the model, when it is one that is asked golden cases as well. Should the engine be found
                out, its results are doubted since the last of those that was answered rightly.

        Raises:
            EngineQuarantined: it must not be asked, or its answer was wrong.
        """
        self.require()
        if what and what not in self._golden:
            self._watch(what)
        try:
            yield
        except EngineAnswerWrong:
            self.found_wrong(what)
            raise EngineQuarantined(_TEXT) from None

    def found_wrong(self, what: str = "") -> bool:
        """Let nobody ask the engine any more: an answer of it was wrong.

        Args:
            what: the hash of the model it was about, when it is one that is asked golden cases.

        Returns:
            Whether it is written down, so that other processes know.
        """
        with self._lock:
            self._wrong += 1
            self._closed = True
            if what:
                self._golden.setdefault(what, _Unnoted())
        _log.error("the engine gave a wrong answer and is in quarantine")
        self._close()
        return not self._closed

    def require(self) -> None:
        """Return when the engine may be asked.

        Raises:
            EngineQuarantined: it may not.
        """
        if self._closed:
            self._close()
            raise EngineQuarantined(_TEXT)
        with self._store.snapshot() as reader:
            standing = reader.standings.read()
        if standing.quarantined is not None:
            if not standing.withdrawn:
                self.when_found()
            raise EngineQuarantined(_TEXT)

    def remind(self) -> None:
        """At the start of a process: see to what another one left undone."""
        with self._store.snapshot() as reader:
            left = not reader.standings.read().withdrawn
        if left:
            self.when_found()

    def _close(self) -> None:
        """Write it down; while that fails this process asks the engine no more all the same, and tries again.

        In a context of its own: it must be written although the caller gave up waiting.
        """
        try:
            Context().run(self._write)
        except FhirtwinError as error:
            _log.error("the quarantine of the engine could not be written yet: %s", error)
        else:
            self.when_found()

    def _write(self) -> None:
        with self._lock:
            right, wrong = self._right.number, self._wrong
        with self._store.write() as writer:
            standings = writer.standings
            last_right = standings.read().last_right
            if last_right is not None:
                golden = (standings.last_golden(what) for what in self._models.union(tuple(self._golden)))
                last_right = min([last_right, *(one for one in golden if one is not None)])
            standings.count(right=right, wrong=wrong, moment=self._clock())
            standings.quarantine(self._clock(), last_right)
        with self._lock:
            self._right.number -= right
            self._wrong -= wrong
            self._closed = self._wrong > 0

    def _count(self, unnoted: _Unnoted, note: Callable[[Standings, int, int], None]) -> None:
        """Count a right answer, and note such from time to time; what cannot be noted now is noted later.

        Args:
            unnoted: those that are not noted yet.
            note: is told how many there are, and when they were right.
        """
        now = self._clock()
        with self._lock:
            unnoted.number += 1
            if 0 <= now - unnoted.told < NOTED_EVERY_MICROSECONDS:
                return
            number, unnoted.number, unnoted.told = unnoted.number, 0, now
        try:
            with self._store.note_standing() as standings:
                note(standings, number, now)
        except FhirtwinError:
            with self._lock:
                unnoted.number += number

    def _watch(self, what: str) -> None:
        """Begin to count for a model; what cannot be written now is written at its next call."""
        try:
            with self._store.note_standing() as standings:
                standings.watch(what, self._clock())
        except FhirtwinError:
            return
        with self._lock:
            self._golden.setdefault(what, _Unnoted())
