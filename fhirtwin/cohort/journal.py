"""What of a run is on the disk: files that grow block by block, and a journal that says how far they are whole.

Rows go to `OUT.part`, and only when the last block is there does the file get its name: a file called `OUT` is whole. A
block counts once its line in the journal is on the disk; what files hold beyond that is cut off when a run is resumed.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from fhirtwin.cohort.job import Block, Item
from fhirtwin.errors import Incorrect

DIGEST_BYTES: Final = 16

Json = dict[str, Any]


class Journal:
    """The files of one run. Only one process may have them.

    Args:
        files: what is written, by name; the first is the output, beside which the journal lies.
        about: what the run is; one that is resumed must be the same.

    Attributes:
        last: the block that was done last, when this run goes on where another was cut off.
        seen: digests of the patients who were there.
        rows, refused: how many so far.

    Raises:
        Incorrect: the output is there already, another run writes it, or one that was cut off was another.
    """

    def __init__(self, files: Mapping[str, Path], about: Json) -> None:
        self._files = dict(files)
        self.last: Block | None = None
        self.seen: set[bytes] = set()
        self.rows = self.refused = 0
        output = next(iter(files.values()))
        self.path = beside(output, ".journal")
        self._parts: dict[str, BinaryIO] = {}
        self._counts = False
        try:
            self._journal = _appended(self.path)
        except FileNotFoundError:
            raise Incorrect(f"{output.parent} is not there; make the folder, or name another.") from None
        try:
            self._lock(output)
            self._begin(about)
        except BaseException:
            self._journal.close()
            raise
        self._parts = {name: _appended(beside(path, ".part")) for name, path in files.items()}

    def _begin(self, about: Json) -> None:
        found = list(_whole_lines(self.path))
        lines, whole = [line for line, _ in found], found[-1][1] if found else 0
        if lines and lines[-1].get("finished"):
            self._rename()
            lines, whole = [], 0
        if len(lines) == 1:  # it came to nothing, so it may as well have been another
            lines, whole = [], 0
        self._journal.truncate(whole)
        for path in self._files.values():
            if path.exists():
                if not lines:
                    self.path.unlink()
                raise Incorrect(f"{path} is there already; remove it, or name another file.")
        self._resume(lines, about)

    def _lock(self, output: Path) -> None:
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Incorrect(f"Another `fhirtwin cohort` is writing {output} now.") from None

    def _resume(self, lines: Sequence[Json], about: Json) -> None:
        ends = dict.fromkeys(self._files, 0)
        if lines and lines[0] != about:
            other = sorted(name for name in about if lines[0].get(name) != about[name])
            raise Incorrect(
                f"A run that was cut off is kept in {self.path}, and it was another: {', '.join(other)} differ. Run it "
                f"again as it was to go on; or remove {self.path} to begin anew."
            )
        for line in lines[1:]:
            ends = line["ends"]
            digests = base64.b64decode(line["patients"])
            self.seen.update(digests[at : at + DIGEST_BYTES] for at in range(0, len(digests), DIGEST_BYTES))
            self.rows, self.refused = line["rows"], line["refused"]
            self.last = Block(line["block"], line["end"], (Item(line["line"], b""),))
            self._counts = True
        self._cut(ends)
        if not lines:
            self._append(about)

    def _cut(self, ends: Mapping[str, int]) -> None:
        """Cut off what of the files no line of the journal vouches for."""
        for name, path in self._files.items():
            with _appended(beside(path, ".part")) as part:
                if part.tell() < ends[name]:
                    raise Incorrect(f"{part.name} is shorter than {self.path} says; remove both to begin anew.")
                part.truncate(ends[name])

    def add(self, block: Block, data: Mapping[str, bytes], patients: Sequence[bytes], refused: int) -> None:
        """Write what came of a block, and count it once the disk has it."""
        for name, part in self._parts.items():
            part.write(data[name])
            part.flush()
            os.fsync(part.fileno())
        self.seen.update(patients)
        self.rows += len(patients)
        self.refused += refused
        self._append(
            {
                "block": block.number,
                "end": block.end,
                "line": block.items[-1].number,
                "ends": {name: part.tell() for name, part in self._parts.items()},
                "rows": self.rows,
                "refused": self.refused,
                "patients": base64.b64encode(b"".join(patients)).decode(),
            }
        )
        self._counts = True

    def finish(self) -> None:
        """Give the files their names."""
        self._append({"finished": True})
        self._counts = True  # from here on the files have their names, though none of the input came to anything
        self._rename()
        self._close()
        self.path.unlink()

    def disown(self) -> Path:
        """Put what was written out of the way, since it is not to be believed; the next run begins anew.

        Returns:
            Where the rows are now.
        """
        moved = {name: beside(path, ".doubted") for name, path in self._files.items()}
        for name, path in self._files.items():
            beside(path, ".part").rename(moved[name])
        self._close()
        self.path.unlink()
        return next(iter(moved.values()))

    def close(self) -> None:
        """Leave everything for a run that goes on; nothing, when no block came to anything."""
        if not (self._counts or self._journal.closed):
            for path in self._files.values():
                beside(path, ".part").unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)
        self._close()

    def _close(self) -> None:
        for part in self._parts.values():
            part.close()
        self._journal.close()

    def _rename(self) -> None:
        for path in self._files.values():
            part = beside(path, ".part")
            if part.exists():
                part.rename(path)

    def _append(self, line: Json) -> None:
        self._journal.write(json.dumps(line, sort_keys=True).encode() + b"\n")
        self._journal.flush()
        os.fsync(self._journal.fileno())


def _appended(path: Path) -> BinaryIO:
    """Open a file to write at its end, with mode 0600: rows name patients, and reports of refusals their lines."""
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    file = os.fdopen(handle, "a+b")
    path.chmod(0o600)  # one that an earlier version left may have been open to others
    return file


def beside(path: Path, ending: str) -> Path:
    """A file beside another, with an ending more."""
    return path.with_name(path.name + ending)


def begun(output: Path) -> Json:
    """What a run that was cut off was about; empty when there is none."""
    path = beside(output, ".journal")
    return next((line for line, _ in _whole_lines(path)), {}) if path.exists() else {}


def _whole_lines(path: Path) -> Iterator[tuple[Json, int]]:
    """Lines that were written to their ends, and where those are; the last one may not be whole."""
    end = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            end += len(line)
            try:
                yield json.loads(line), end
            except ValueError:
                return
