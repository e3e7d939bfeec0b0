"""Packages of a hostile author are read: each ends in a package that is sane or in `Incorrect`, and soon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final

from fhirtwin.errors import Incorrect
from fhirtwin.packages import package
from fhirtwin.packages.package import Package
from tests.cost import cpu_seconds
from tests.packages.builders import AUTHORS

MOST_TIMES: Final = 20
"""What reading may cost, as a multiple of that of the sound package; 2.5 were seen of 7,000 damaged ones."""


def refuse_or_hold(
    sound: Mapping[str, bytes], others: Iterable[Mapping[str, bytes]], sane: Callable[[Package], object]
) -> None:
    """Hold that others are refused or sane, at little more cost than the sound package.

    Args:
        sound: the files of it.
        others: files that were made of it.
        sane: asserts what is true of every package that is read.
    """
    assert _is_read(sound, sane)
    most, told = MOST_TIMES * _least_cost(sound, sane), list[bool]()

    def note(files: Mapping[str, bytes]) -> None:
        told.append(_is_read(files, sane))

    for files in others:
        assert cpu_seconds(partial(note, files)) <= most or _least_cost(files, sane) <= most
    assert sum(told) > 5  # some changes are of no consequence, so not all is refused alike


def _is_read(files: Mapping[str, bytes], sane: Callable[[Package], object]) -> bool:
    try:
        found = package.of_files(files, AUTHORS)
    except Incorrect:
        return False
    sane(found)
    return True


def _least_cost(files: Mapping[str, bytes], sane: Callable[[Package], object]) -> float:
    return min(cpu_seconds(partial(_is_read, files, sane)) for _ in range(3))
