"""A lookup as a linear form: a slot for each key, of which one is hot; its weight is the code of what is written there.

Codes are whole numbers from 1, multiplied by a step that no noise of the sealed road comes near. What comes back 0 was
not looked up. What comes back between two codes is no answer and refused, never brought to the nearest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final, Generic, TypeVar

import numpy as np

from fhirtwin.ckks.panel import Panel
from fhirtwin.errors import EngineAnswerWrong

CODE_STEP: Final = Decimal(1) / 32
"""Between two codes. An opened sum is off by at most 0.0006, a fiftieth of it: the error of the parameter profile and
half of what the vault rounds to."""

MARGIN: Final = Decimal("0.1")
"""How far from a whole code, in steps of codes, an answer may be; five times what it can be."""

REFUSED: Final = (
    "The answer of the engine to a lookup is no code of the table and was thrown away; nothing was told from it."
)

Written = TypeVar("Written")
Key = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Book(Generic[Written]):
    """A table that is looked up by a key.

    Attributes:
        name: short, unique among those that lie in one circuit.
        entries: what is written at each key. It must be the same text whenever it is printed (`repr`).
    """

    name: str
    entries: Mapping[Key, Written]

    @cached_property
    def codes(self) -> Mapping[Written, int]:
        """What can be written, with its code, in the order of the entries."""
        return {written: code for code, written in enumerate(dict.fromkeys(self.entries.values()), 1)}

    @cached_property
    def panel(self) -> Panel:
        """The circuit: a feature for each key, one row.

        Its name tells what the codes mean, so that a side where they mean something else has another digest.
        """
        count = len(self.entries)
        meaning = hashlib.sha256("\x00".join(map(repr, self.codes)).encode()).hexdigest()
        codes = [float(self.codes[written] * CODE_STEP) for written in self.entries.values()]
        return Panel(
            features=tuple(" + ".join(map(repr, key)) for key in self.entries),
            low=np.zeros(count),
            high=np.ones(count),
            rows=(meaning,),
            weights=np.array([codes]),
            choices=(tuple(range(count)),),
        )

    @cached_property
    def places(self) -> Mapping[Key, int]:
        """The slot of each key."""
        return {key: place for place, key in enumerate(self.entries)}

    def read(self, opened: Decimal, *, asked: bool) -> Written | None:
        """Tell what is written where it was looked up, by the sum that came back.

        Args:
            opened: as the vault rounded it.
            asked: whether a key of this book was looked up.

        Raises:
            EngineAnswerWrong: it is no code, or one although nothing was looked up, or none although something was.
        """
        code = opened / CODE_STEP
        nearest = int(code.to_integral_value())
        if abs(code - nearest) > MARGIN or not (1 <= nearest <= len(self.codes) if asked else nearest == 0):
            raise EngineAnswerWrong(REFUSED)
        return self._written[nearest] if asked else None

    @cached_property
    def _written(self) -> Mapping[int, Written]:
        return {code: written for written, code in self.codes.items()}
