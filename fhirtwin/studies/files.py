"""Files that come from others and go to others: read up to a limit, written whole, never over another."""

from __future__ import annotations

import os
from pathlib import Path

from fhirtwin.errors import Incorrect
from fhirtwin.studies import round as rounds
from fhirtwin.studies import study as studies
from fhirtwin.studies.round import Round
from fhirtwin.studies.study import Study


def read(path: Path, longest: int) -> bytes:
    """What is in a file; one byte more than `longest` at most, so that what is too long is seen."""
    with path.open("rb") as file:
        return file.read(longest + 1)


def create(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a new file.

    Args:
        path: of the file.
        data: what is to be in it.
        mode: who may read it, before the umask.

    Raises:
        Incorrect: it exists.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except FileExistsError:
        raise Incorrect(f"{path} exists already; name another, or remove it.") from None


def study_in(path: Path) -> Study:
    """Read a study file."""
    return studies.read(read(path, studies.MOST_BYTES))


def round_in(path: Path | None, study: Study) -> Round:
    """Read the file of a round; the first round has none."""
    return rounds.read(read(path, rounds.MOST_BYTES), study) if path else rounds.first(study)
