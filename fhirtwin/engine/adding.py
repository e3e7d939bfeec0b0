"""Adds up contributions of sites that it cannot open, and holds no key.

Who runs it decides what the coordinator gets to see: one total a round, of at least as many sites as the study says.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Sequence
from pathlib import Path

from fhirtwin.ckks.circuits.circuit import split
from fhirtwin.ckks.context import Ciphertext, Ring
from fhirtwin.ckks.profiles import SUMS
from fhirtwin.errors import Conflict, Incorrect
from fhirtwin.studies import wire
from fhirtwin.studies.files import create, read, round_in, study_in
from fhirtwin.studies.round import Round
from fhirtwin.studies.study import Study
from fhirtwin.studies.wire import Contribution, Total


class Adder:
    """The total of one round, so far."""

    def __init__(self, study: Study, current: Round) -> None:
        self._study = study
        self._round = current
        self._ring = Ring(SUMS)
        self._places: set[int] = set()
        self._sums: list[Ciphertext] = []

    def add(self, data: bytes) -> str:
        """Add one contribution and return the name of its site.

        Raises:
            Incorrect: it is not one of this round, or of a site that was added before; the total is as it was.
        """
        one = wire.read_contribution(data, self._study, self._round)
        name = self._study.plan.sites[one.place]
        if one.place in self._places:
            raise Incorrect(f"the site {name} was added already, and counts once")
        loaded = self._loaded(one)
        if not self._sums:
            self._sums = loaded
        else:
            for total, part in zip(self._sums, loaded, strict=True):
                self._ring.add(total, part)
        self._places.add(one.place)
        return name

    def total(self) -> Total:
        """The total of all that were added.

        Raises:
            Incorrect: they are too few.
        """
        wire.enough(len(self._places), self._study)
        return Total(tuple(sorted(self._places)), b"".join(map(self._ring.save, self._sums)))

    def _loaded(self, one: Contribution) -> list[Ciphertext]:
        parts = split(one.sealed, SUMS.ciphertext_bytes, self._study.layout.ciphertexts)
        return [self._ring.load(part, SUMS.input_scale) for part in parts]


def add_files(study_file: Path, round_file: Path | None, contributions: Sequence[Path], out: Path) -> list[str]:
    """Add the contributions of files up, write the total, and return the names of the sites in it.

    What total was made of a round is noted beside the study file: two of them would differ by one site's part.

    Raises:
        Incorrect: a file is not a contribution to this round, or a site has two; the text names the file.
        Conflict: another total of this round was made before.
    """
    study = study_in(study_file)
    current = round_in(round_file, study)
    adder = Adder(study, current)
    names = []
    for path in contributions:
        try:
            names.append(adder.add(read(path, wire.contribution_length(study))))
        except Incorrect as error:
            raise Incorrect(f"{path} is not added, and no total is made: {error}") from None
    data = wire.write_total(adder.total(), current)
    _note(study_file.with_name(study_file.name + ".totals"), current, data)
    create(out, data)
    return names


def _note(path: Path, current: Round, data: bytes) -> None:
    """Note which total is made. One that is made again of the same files is the same."""
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        lines = [line.split() for line in file]
        mine = [current.binding.hex(), hashlib.sha256(data).hexdigest()]
        made = [line for line in lines if line[:1] == mine[:1]]
        if made and mine not in made:
            raise Conflict(
                f"Another total of this round was made before ({path} notes it), and two of them would show what one "
                "site has that the other total had not. Use the one that was made."
            )
        if not made:
            file.write(" ".join(mine) + "\n")
