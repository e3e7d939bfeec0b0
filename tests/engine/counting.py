"""Counts what is done to ciphertexts, on both sides, and how many products follow one upon another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.levelled import LevelledRing

_OF_RINGS = (
    *("make_keys", "encode", "encrypt", "encrypt_alone", "encrypt_again", "load", "multiply", "product"),
    *("add", "add_plain", "add_rotated", "save", "decrypt"),
)
_OF_LEVELLED = ("copy", "rescale", "go_down", "square")
_DEEPER = ("multiply", "product", "square")


@dataclass
class Counted:
    """Operations by their names since `clear`, and the depth of the deepest ciphertext that was saved."""

    operations: Counter[str] = field(default_factory=Counter)
    depth: int = 0
    _depths: dict[int, tuple[object, int]] = field(default_factory=dict)

    def clear(self) -> None:
        self.operations.clear()
        self._depths.clear()
        self.depth = 0

    @property
    def encryptions(self) -> int:
        return sum(self.operations[name] for name in ("encrypt", "encrypt_alone", "encrypt_again"))

    @property
    def products(self) -> int:
        return self.operations["multiply"] + self.operations["product"]

    def note(self, name: str, given: tuple[object, ...], made: object) -> None:
        self.operations[name] += 1
        reached = max((self._depths.get(id(one), (one, 0))[1] for one in given), default=0) + (name in _DEEPER)
        of = made if name in {"product", "copy"} else given[0] if given else None
        self._depths[id(of)] = of, reached  # kept, so that no other object is given its number
        if name == "save":
            self.depth = max(self.depth, reached)


def counting(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Count from now on."""
    counted = Counted()
    for of, names in ((Ring, _OF_RINGS), (LevelledRing, _OF_LEVELLED)):
        for name in names:
            _count(monkeypatch, of, name, counted)
    return counted


def _count(monkeypatch: pytest.MonkeyPatch, of: type[Ring], name: str, counted: Counted) -> None:
    real = getattr(of, name)

    def call(ring: Ring, *given: object, **named: object) -> object:
        made = real(ring, *given, **named)
        counted.note(name, given, made)
        return made

    monkeypatch.setattr(of, name, call)
