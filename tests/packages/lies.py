"""What an author can sign who does not use our packing: files with one member changed, or with what is not to be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fhirtwin.packages import package
from fhirtwin.packages.package import Package
from tests.packages.builders import AUTHORS, resigned


def public_half(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return package.public_half(files)


def read(files: Mapping[str, bytes], **changed: bytes) -> Package:
    """The package with some files changed, their ending left out, and signed as if it were meant so."""
    named = {next(name for name in files if name.partition(".")[0] == stem): data for stem, data in changed.items()}
    return package.of_files(resigned(dict(files) | named), AUTHORS)


def with_public(files: Mapping[str, bytes], change: Callable[[Any], object]) -> bytes:
    """`public.json` after a change."""
    return _changed(files["public.json"], change)


def with_golden(files: Mapping[str, bytes], change: Callable[[Any], object]) -> bytes:
    """`golden.json` after a change."""
    return _changed(files["golden.json"], change)


def damaged(files: Mapping[str, bytes], rounds: int, seed: int) -> Iterator[dict[str, bytes]]:
    """Files some bytes of which were changed, and signed as if it were meant so."""
    from random import Random

    random = Random(seed)  # noqa: S311
    names = [name for name in files if not name.startswith("manifest")]
    for _ in range(rounds):
        name = random.choice(names)
        data = bytearray(files[name])
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(data))
            data[at : at + random.randint(0, 2)] = random.randbytes(random.randint(0, 3))
        yield resigned(dict(files) | {name: bytes(data)})


def _changed(data: bytes, change: Callable[[Any], object]) -> bytes:
    content = json.loads(data)
    change(content)
    return json.dumps(content).encode()
