"""Who is known to an engine: the one gateway whose secret it was started with, or all of a folder."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fhirtwin.engine.tenants import folder as tenants_folder
from fhirtwin.engine.tenants.tenant import Tenant
from fhirtwin.engine.tenants.usage import Usage
from fhirtwin.errors import FhirtwinError

_LOOK_EVERY_SECONDS: Final = 1.0

_log = logging.getLogger("fhirtwin.engine")


class Sole:
    """One gateway, without limits: whoever has the secret is it.

    Args:
        key: the secret.
    """

    shared = False

    def __init__(self, key: bytes) -> None:
        self._tenant = Tenant("", key)

    def known(self, _key_name: str) -> Tenant | None:
        """The one there is; if it is somebody else, the MAC is wrong."""
        return self._tenant

    @contextmanager
    def counted(self, _tenant: Tenant, _model: str, _size: int, _answers: int) -> Iterator[None]:
        """Nothing is counted."""
        yield


class Several:
    """The tenants of a folder, read again when it changed. Threads may share it; each process has its own.

    Args:
        folder: of `fhirtwin tenant add`.

    Raises:
        Incorrect: the folder is not usable; the text says what to do.
    """

    shared = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._seen = tenants_folder.fingerprint(folder) if folder.is_dir() else ()
        self._tenants = tenants_folder.read(folder)
        self._looked = time.monotonic()
        self._usage = Usage(folder / tenants_folder.USAGE)

    def known(self, key_name: str) -> Tenant | None:
        """The tenant of a secret, by the secret's name."""
        with self._lock:
            if time.monotonic() - self._looked >= _LOOK_EVERY_SECONDS:
                self._look()
                self._looked = time.monotonic()
            return self._tenants.get(key_name)

    @contextmanager
    def counted(self, tenant: Tenant, model: str, size: int, answers: int) -> Iterator[None]:
        """Count what the block does.

        Raises:
            QuotaUsedUp: it would be more than the tenant may have.
        """
        self._usage.take(tenant, model, size, answers)
        start = time.thread_time()
        try:
            yield
        finally:
            self._usage.settle(tenant, time.thread_time() - start)

    def _look(self) -> None:
        """Read the folder again if it changed; while it cannot be read nobody is let in.

        A file that goes while the folder is read (a new secret takes the place of the last, a tenant is removed) is no
        reason to keep everybody out: what cannot be read is read once more.
        """
        try:
            try:
                self._read()
            except (FhirtwinError, OSError):
                self._read()
        except (FhirtwinError, OSError) as error:
            self._tenants, self._seen = {}, ()
            _log.error("the folder of tenants cannot be read, so no gateway is let in: %s", error)

    def _read(self) -> None:
        seen = tenants_folder.fingerprint(self._folder)
        if seen != self._seen:
            self._tenants = tenants_folder.read(self._folder)
        self._seen = seen
