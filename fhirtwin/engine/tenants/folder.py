"""The folder of tenants: for each a secret, `NAME.key`, and what it may have, `NAME.json`; and what it had, counted.

While a gateway changes its secret there are two, `NAME.key` and `NAME.next.key`, and both count.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fhirtwin import keyfile
from fhirtwin.ckks import wire
from fhirtwin.engine.tenants.tenant import Limits, Tenant, check_name, read_rules, written_rules
from fhirtwin.errors import Incorrect
from fhirtwin.files import write_file

USAGE: Final = "usage.sqlite"
_LONGEST_RULES: Final = 65_536


def read(folder: Path) -> dict[str, Tenant]:
    """Every tenant under the names of its secrets (`wire.key_name`).

    Raises:
        Incorrect: a file is missing or wrong, others can write to the folder, or two tenants share a secret.
    """
    check_folder(folder)
    known: dict[str, Tenant] = {}
    for rules in sorted(folder.glob("*.json")):
        name = check_name(rules.stem)
        limits, models = _rules(rules)
        for path in key_files(folder, name):
            key = bytes.fromhex(keyfile.read(path))
            if known.setdefault(wire.key_name(key), tenant := Tenant(name, key, limits, models)) is not tenant:
                raise Incorrect(f"{path} holds a secret that another file holds as well; each gateway needs its own.")
    return known


def check_folder(folder: Path) -> None:
    """Refuse a folder in which others could put tenants.

    Raises:
        Incorrect: they could, or there is no such folder.
    """
    try:
        about = folder.stat()
    except OSError:
        raise Incorrect(f"{folder} is not there; `fhirtwin tenant add NAME --tenants {folder}` makes it.") from None
    if not stat.S_ISDIR(about.st_mode):
        raise Incorrect(f"{folder} is no folder.")
    if about.st_uid not in (0, os.geteuid()) or stat.S_IMODE(about.st_mode) & 0o022:
        raise Incorrect(f"Others can put tenants into {folder}; make it yours and `chmod 700` it.")


def key_files(folder: Path, name: str) -> list[Path]:
    """The secrets of a tenant: the one in force and, while it changes, the next."""
    next_one = folder / f"{name}.next.key"
    return [folder / f"{name}.key", *([next_one] if next_one.exists() else [])]


def fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes whenever a tenant does."""
    return tuple(sorted(_states(folder)))


def add(folder: Path, name: str, limits: Limits, models: Iterable[str]) -> Path:
    """Make a tenant with a new secret.

    Returns:
        The file of its secret, to be copied to the gateway.

    Raises:
        Incorrect: there is one of that name, or something given cannot be.
    """
    check_name(name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_folder(folder)
    rules = folder / f"{name}.json"
    if rules.exists():
        raise Incorrect(f"There is a tenant {name} already; `fhirtwin tenant remove {name}` ends it.")
    text = json.dumps(written_rules(limits, frozenset(models)), indent=2)
    read_rules(json.loads(text), str(rules))
    key = folder / f"{name}.key"
    keyfile.make(key)
    write_file(rules, text.encode() + b"\n")  # whole or not at all: an engine may read it at any moment
    return key


def remove(folder: Path, name: str) -> None:
    """Let a tenant in no longer.

    Raises:
        Incorrect: there is none of that name.
    """
    rules = _existing(folder, name)
    rules.unlink()
    for path in key_files(folder, name):
        path.unlink(missing_ok=True)


def begin_rotation(folder: Path, name: str) -> Path:
    """Make the next secret of a tenant; it counts at once, beside the present one.

    Raises:
        Incorrect: there is no such tenant, or it has a next one already.
    """
    _existing(folder, name)
    path = folder / f"{name}.next.key"
    keyfile.make(path)
    return path


def end_rotation(folder: Path, name: str) -> None:
    """Let the next secret take the place of the present one.

    Raises:
        Incorrect: there is no such tenant, or it has no next one.
    """
    _existing(folder, name)
    following = folder / f"{name}.next.key"
    if not following.exists():
        raise Incorrect(
            f"No rotation of {name} was begun: `fhirtwin tenant rotate {name} --tenants {folder}` begins one, and ends "
            "with --finish when the gateway has the next secret."
        )
    keyfile.read(following)
    following.replace(folder / f"{name}.key")


def _existing(folder: Path, name: str) -> Path:
    rules = folder / f"{check_name(name)}.json"
    if not rules.exists():
        raise Incorrect(f"There is no tenant {name} in {folder}.")
    return rules


def _rules(path: Path) -> tuple[Limits, frozenset[str]]:
    try:
        with path.open("rb") as file:
            given = json.loads(file.read(_LONGEST_RULES))
    except (OSError, ValueError, RecursionError):
        raise Incorrect(f"{path} cannot be read as JSON.") from None
    return read_rules(given, str(path))


def _states(folder: Path) -> Iterable[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((".json", ".key")):
                about = entry.stat()
                yield entry.name, about.st_mtime_ns, about.st_ino
