"""The published models that an engine serves beside its panel, looked at again when something else is published."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fhirtwin.ckks.panel import Panel
from fhirtwin.errors import Incorrect
from fhirtwin.packages import published, signing
from fhirtwin.packages.published import Entry

LOOKED_AT_EVERY_SECONDS: Final = 0.5
"""How long a change of the folder may take to be seen."""

_log = logging.getLogger("fhirtwin.engine")


@dataclass
class Models:
    """A folder of models, of authors that are trusted. Threads may share it.

    Attributes:
        folder: of models, as `fhirtwin model publish` fills it.
        authors: file of the authors that are trusted.
    """

    folder: Path
    authors: Path
    _panels: Mapping[str, Panel] = field(default_factory=dict)
    _mark: object = None
    _next: float = 0.0
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
        served = [one for one in published.entries(self.folder) if one.served]
        for one in served:
            published.load(one, trusted).panel()
        return len(served)

    def panels(self) -> Mapping[str, Panel]:
        """The panels that are served now, by the hashes of their models.

        What is not as it must be is left out, and the log names it: nobody is given a number by it.
        """
        now = time.monotonic()
        if now >= self._next:
            with self._turn:
                if now >= self._next:
                    self._look()
                    self._next = time.monotonic() + LOOKED_AT_EVERY_SECONDS
        return self._panels

    def _look(self) -> None:
        mark = (published.mark(self.folder), _time_of(self.authors))
        if mark == self._mark:
            return
        self._mark = mark
        try:
            trusted = signing.read_authors(self.authors)
            served = [one for one in published.entries(self.folder) if one.served]
        except Incorrect as error:
            _log.error("no published model is served: %s", error)
            self._panels = {}
            return
        known = self._panels
        read = [found for one in served if (found := _panel(one, trusted)) is not None]
        self._panels = {panel.digest: known.get(panel.digest, panel) for panel in read}


def _panel(entry: Entry, trusted: signing.Authors) -> Panel | None:
    try:
        return published.load(entry, trusted).panel()
    except Incorrect as error:
        _log.error("model %s %s is not served: %s", entry.id, entry.version, error)
        return None


def _time_of(path: Path) -> tuple[int, int]:
    try:
        about = path.stat()
    except OSError:
        return 0, 0
    return about.st_mtime_ns, about.st_ino
