"""The published models that an engine serves beside its panel, looked at again when something else is published."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fhirtwin.errors import Incorrect
from fhirtwin.packages import package, published, signing
from fhirtwin.packages.kind import Served
from fhirtwin.packages.published import Entry
from fhirtwin.packages.signing import Authors

MOST_MEMORY_BYTES: Final = 128 * 2**20
"""What all that is served may take of one worker, encoded; a later model that does not fit is left out."""

_log = logging.getLogger("fhirtwin.engine")


@dataclass(frozen=True, slots=True)
class Offer:
    """A part of a model that is served.

    Attributes:
        model: hash of the model, by which it is opened to tenants.
        part: what is evaluated.
        author: public key of who signed it.
        read_from: the manifest that was read, by its place, time and number on the disk.
    """

    model: str
    part: Served
    author: str
    read_from: tuple[object, ...]


@dataclass
class Models:
    """A folder of models, of authors that are trusted. Threads may share it.

    Attributes:
        folder: of models, as `fhirtwin model publish` fills it.
        authors: file of the authors that are trusted.
    """

    folder: Path
    authors: Path
    _offers: Mapping[str, Offer] = field(default_factory=dict)
    _mark: object = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def require(self) -> int:
        """Check everything that is served, and say how many versions that is.

        Raises:
            Incorrect: something is not what a trusted author signed, or could not be evaluated safely; the text names
                it.
        """
        trusted = signing.read_authors(self.authors)
        if not trusted:
            raise Incorrect(
                f"{self.authors} trusts no author, so no model could be served; see `fhirtwin model trust`."
            )
        served = self._entries()
        room = MOST_MEMORY_BYTES
        for one in served:
            room -= sum(part.memory_bytes for part in published.load(one, trusted).served())
            if room < 0:
                raise Incorrect(f"{self.folder}: there is no room for model {one.id} {one.version}; withdraw some.")
        return len(served)

    def offers(self) -> Mapping[str, Offer]:
        """All parts of models that are served now, by their digests; the same object until something changes.

        What is not as it must be is left out, and the log names it: nobody is given a number by it.
        """
        # Whoever comes while another reads a large model is given what was served before, and does not wait.
        if self._turn.acquire(blocking=self._mark is None):
            try:
                self._look()
            finally:
                self._turn.release()
        return self._offers

    def _look(self) -> None:
        mark = (published.mark(self.folder), _time_of(self.authors))
        if mark == self._mark:
            return
        try:
            trusted = signing.read_authors(self.authors)
            served = self._entries()
        except Incorrect as error:
            _log.error("no published model is served: %s", error)
            self._offers, self._mark = {}, mark
            return
        self._offers, self._mark = _offered(served, trusted, self._offers), mark

    def _entries(self) -> list[Entry]:
        """What is to be served, whether or not it can be."""
        return [one for one in published.entries(self.folder) if one.served or one.wrong]


def _offered(served: Sequence[Entry], trusted: Authors, known: Mapping[str, Offer]) -> dict[str, Offer]:
    """What entries offer; what was read before is kept, with all that hangs on it."""
    offers: dict[str, Offer] = {}
    room = MOST_MEMORY_BYTES
    for entry in served:
        try:
            parts = _read(entry, trusted, known)
            if (needed := sum(offer.part.memory_bytes for offer in parts)) > room:
                raise Incorrect("there is no room for it beside the others; withdraw some.")
        except Incorrect as error:
            _log.error("model %s %s is not served: %s", entry.id, entry.version, error)
            continue
        room -= needed
        offers.update({offer.part.digest: offer for offer in parts})
    return offers


def _read(entry: Entry, trusted: Authors, known: Mapping[str, Offer]) -> list[Offer]:
    """The parts of an entry: a large model takes a second to read, so it is not read again without a reason."""
    manifest = entry.folder / package.MANIFEST
    read_from = (manifest, *_time_of(manifest))
    kept = [one for one in known.values() if one.read_from == read_from and one.author in trusted]
    if kept and not entry.wrong:
        return kept
    found = published.load(entry, trusted)
    return [Offer(found.hash, part, found.manifest.author, read_from) for part in found.served()]


def _time_of(path: Path) -> tuple[int, int]:
    try:
        about = path.stat()
    except OSError:
        return 0, 0
    return about.st_mtime_ns, about.st_ino
