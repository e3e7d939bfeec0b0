"""What an author can sign who does not use our packing: files with one member changed, or with what is not to be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from random import Random
from typing import Any, Final

from fhirtwin.packages import package
from fhirtwin.packages.package import Package
from tests.packages.builders import AUTHORS, resigned

_TEXTS: Final = (
    "",
    "a",
    "\x00",
    "\u202e",
    "1.0",
    "deceased",
    "sex",
    "age",
    "egfr",
    "../..",
    "https://x",
    "logistic",
    "survival",
)
_NUMBERS: Final = (0, -1, 1, 2**63, -(2**200), 1e-320, 1e308, -0.0, 0.5, 9e8, -9e8)
_ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, [], {}, [[]], {"female": 1, "male": "x"}),
    *_TEXTS,
    *_NUMBERS,
)
_MEMBERS: Final = ("power", "log", "less", "equals", "at_most", "constant", "inputs", "categories")


def changed(files: Mapping[str, bytes], name: str, change: Callable[[Any], object]) -> dict[str, bytes]:
    """The files with one of JSON after a change, signed as if it were meant so."""
    content = json.loads(files[name])
    change(content)
    return resigned(dict(files) | {name: json.dumps(content).encode()})


def read(files: Mapping[str, bytes], **changed: bytes) -> Package:
    """The package with some files changed, their ending left out, and signed as if it were meant so."""
    named = {next(name for name in files if name.partition(".")[0] == stem): data for stem, data in changed.items()}
    return package.of_files(resigned(dict(files) | named), AUTHORS)


def damaged(files: Mapping[str, bytes], rounds: int, seed: int) -> Iterator[dict[str, bytes]]:
    """Files some bytes of which were changed, and signed as if it were meant so."""
    random = Random(seed)  # noqa: S311
    names = [name for name in files if not name.startswith("manifest")]
    for _ in range(rounds):
        name = random.choice(names)
        data = bytearray(files[name])
        for _ in range(random.randint(1, 5)):
            at = random.randrange(len(data))
            data[at : at + random.randint(0, 2)] = random.randbytes(random.randint(0, 3))
        yield resigned(dict(files) | {name: bytes(data)})


def mutated(
    packages: Sequence[Mapping[str, bytes]], names: Sequence[str], rounds: int, seed: int
) -> Iterator[dict[str, bytes]]:
    """Packages in turn, one to three members of one file changed, added or left out, signed as if it were meant so."""
    random = Random(seed)  # noqa: S311
    for turn in range(rounds):
        files, name = packages[turn % len(packages)], random.choice(names)
        data = json.dumps(_mutated(json.loads(files[name]), random)).encode()
        yield resigned(dict(files) | {name: data})


def _mutated(made: Any, random: Random) -> Any:
    for _ in range(random.randint(1, 3)):
        if not (places := _places(made)):
            break
        *way, last = random.choice(places)
        inner = made
        for step in way:
            inner = inner[step]
        what = random.random()
        if what < 0.6:
            inner[last] = deepcopy(random.choice(_ODD))
        elif what < 0.75 and isinstance(inner, dict):
            inner[random.choice(_MEMBERS)] = deepcopy(random.choice(_ODD))
        elif what < 0.9:
            del inner[last]
        elif isinstance(inner, list):
            inner.append(deepcopy(inner[last]))
    return made


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            found += _places(part, (*path, key))
    return found
