"""A folder of models: every version that was published, and which are served. Engines have one, and so have gateways.

    DIR/<id>/<version>/     a package, or its public half; a version is never changed
    DIR/<id>/served.json    versions that are served, in the order they were published; the last is the current one

An engine serves all of them, so that gateways go over to a new version one by one. A gateway asks the current one.
To publish an earlier version again is to roll back: what was published after it is served no more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct

from fhirtwin.errors import Incorrect
from fhirtwin.files import changing, write_file, write_folder
from fhirtwin.packages import package, strict_json
from fhirtwin.packages.forms.form import VERSION, Name, Version
from fhirtwin.packages.package import Package, public_half
from fhirtwin.packages.signing import Authors
from fhirtwin.predictors import registry

SERVED: Final = "served.json"
MOST_SERVED: Final = 64
"""Versions of all models that a folder serves at most: each takes 65 KB of every worker of an engine."""

_LONGEST: Final = 16_384


class _Served(Struct, frozen=True, forbid_unknown_fields=True):
    served: Annotated[tuple[Version, ...], Meta(max_length=MOST_SERVED)]


class _Named(Struct, frozen=True):
    name: Name


@dataclass(frozen=True, slots=True)
class Entry:
    """A version of a model in a folder.

    Attributes:
        served: whether it is, and `current`, whether it is the one for gateways that ask anew.
        wrong: why nobody can tell whether it is served, in words; then it is not, and `load` refuses it.
    """

    id: str
    version: str
    folder: Path
    served: bool
    current: bool
    wrong: str = ""


def entries(folder: Path) -> list[Entry]:
    """All versions of all models of a folder, in order; nothing of them is checked.

    A list of what is served that is not as it must be makes the versions of its own model wrong, and no other's.

    Raises:
        Incorrect: it is no folder, or more is served than may be.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise Incorrect(f"{folder} is not a folder; `fhirtwin model publish` makes it.")
    found: list[Entry] = []
    for model in sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith(".")):
        found += _entries_of(model)
    if sum(one.served for one in found) > MOST_SERVED:
        raise Incorrect(f"{folder} serves more than {MOST_SERVED} versions; withdraw some.")
    return found


def _entries_of(model: Path) -> list[Entry]:
    kept = sorted((one.name for one in model.iterdir() if _is_version(one)), key=_order)
    try:
        _check_name(model.name)
        served = _served(model)
        if missing := set(served) - set(kept):
            raise Incorrect(f"{model / SERVED} names version {min(missing)}, which is not there.")
    except Incorrect as error:
        return [Entry(model.name, one, model / one, False, False, str(error)) for one in kept or [""]]
    last = served[-1] if served else ""
    return [Entry(model.name, one, model / one, one in served, one == last) for one in kept]


def load(entry: Entry, authors: Authors) -> Package:
    """Read the package of an entry.

    Raises:
        Incorrect: it is not what a trusted author signed under that name and version, or the list of what is served of
            its model is not as it must be.
    """
    if entry.wrong:
        raise Incorrect(entry.wrong)
    found = package.read(entry.folder, authors)
    if (found.id, found.version) != (entry.id, entry.version):
        raise Incorrect(f"{entry.folder} holds model {found.id} {found.version}, which belongs elsewhere.")
    return found


def current(folder: Path, authors: Authors) -> tuple[Package, ...]:
    """The current version of every model that is served; none where the folder is not there.

    Raises:
        Incorrect: one is not what a trusted author signed; the text names it.
    """
    if not folder.exists():
        return ()
    return tuple(load(one, authors) for one in entries(folder) if one.current or one.wrong)


def publish(given: Package, folder: Path, *, with_weights: bool) -> None:
    """Put a package into a folder and serve it as the current version of its model.

    Args:
        given: read with the authors that are trusted.
        folder: of models; made when it is not there.
        with_weights: for an engine; without them for a gateway.

    Raises:
        Incorrect: the version is there with other content, is older than the current one, is another author's, has the
            name of a built-in predictor, or has no weights though an engine needs them.
    """
    if with_weights and not given.is_whole:
        raise Incorrect(f"Model {given.id} {given.version} has no weights here; an engine needs the whole package.")
    if given.id in {one.id for one in registry.all_predictors()}:
        raise Incorrect(f"{given.id} is a predictor of this program; its author must give the model another id.")
    model = folder / given.id
    with changing(folder):
        served = _served(model)
        if served:
            _refuse_other_author(given, model / served[-1])
            if _order(given.version) < _order(served[-1]):
                raise Incorrect(
                    f"Model {given.id} is at {served[-1]} there, which is newer than {given.version}; to roll back, "
                    f"`fhirtwin model publish {given.id} --version {given.version}`."
                )
        place = model / given.version
        if place.exists():
            if package.read(place, None).hash != given.hash:
                raise Incorrect(f"{place} is there with other content; give the changed model another version.")
        else:
            write_folder(place, given.files if with_weights else public_half(given.files))
        _serve(model, (*(one for one in served if one != given.version), given.version))


def roll_back(folder: Path, name: str, version: str, authors: Authors) -> tuple[str, ...]:
    """Make an earlier version the current one; what was published after it is served no more.

    Returns:
        The versions that are served no more.

    Raises:
        Incorrect: there is no such version, or it is not what a trusted author signed.
    """
    with changing(folder):
        kept = {one.version: one for one in entries(folder) if one.id == name}
        if version not in kept:
            there = ", ".join(kept) or "no version of it"
            raise Incorrect(f"{folder} has no version {version} of model {name}; there is {there}.")
        load(kept[version], authors)
        served = _served(folder / name)
        left = (
            served[: served.index(version)]
            if version in served
            else tuple(one for one in served if _order(one) < _order(version))
        )
        _serve(folder / name, (*left, version))
        return tuple(one for one in served if one not in {*left, version})


def withdraw(folder: Path, name: str) -> tuple[str, ...]:
    """Serve no version of a model any more; all are kept.

    Raises:
        Incorrect: none is served.
    """
    with changing(folder):
        _check_name(name)
        served = _served(folder / name)
        if not served:
            raise Incorrect(f"{folder} serves no model {name}.")
        _serve(folder / name, ())
        return served


def mark(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes whenever something else is served: names, times and numbers of the lists."""
    found = []
    for path in sorted(folder.glob(f"*/{SERVED}")):
        try:
            about = path.stat()
        except OSError:
            continue
        found.append((path.parent.name, about.st_mtime_ns, about.st_ino))
    return tuple(found)


def _serve(model: Path, versions: tuple[str, ...]) -> None:
    data = strict_json.write({"served": versions})
    strict_json.read(data, _Served, SERVED)
    write_file(model / SERVED, data)


def _served(model: Path) -> tuple[str, ...]:
    path = model / SERVED
    if not path.exists() and not path.is_symlink():
        return ()
    served = strict_json.of_file(path, _Served, _LONGEST).served
    if len(set(served)) != len(served):
        raise Incorrect(f"{path} names a version twice.")
    return served


def _refuse_other_author(given: Package, current: Path) -> None:
    if package.read(current, None).manifest.author != given.manifest.author:
        raise Incorrect(
            f"Model {given.id} is another author's there; if it changed hands, `fhirtwin model withdraw` it first."
        )


def _check_name(name: str) -> None:
    strict_json.read(strict_json.write({"name": name}), _Named, f"model {name}")


def _is_version(path: Path) -> bool:
    return path.is_dir() and re.search(VERSION, path.name) is not None


def _order(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in version.split(".")]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)
