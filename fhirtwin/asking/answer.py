"""What comes of asking a model: what it says, and what who reads that must know."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Self


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a model says.

    Attributes:
        label: what it is.
        values: one, or one for each step.
        unit: of the values.
        rounded_to: what was rounded, and to what, in words.
        more: a category, or anything else that belongs to it.
    """

    name: str
    label: str
    values: tuple[Decimal, ...]
    unit: str
    rounded_to: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """An input as it was taken.

    Attributes:
        unit: that the number was taken in; empty for what has none.
    """

    name: str
    value: str
    unit: str

    @classmethod
    def of(cls, name: str, value: bool | float | str, unit: str) -> Self:
        """An input in words."""
        if isinstance(value, bool):
            return cls(name, "true" if value else "false", unit)
        return cls(name, value if isinstance(value, str) else repr(value).removesuffix(".0"), unit)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking.

    Attributes:
        profile: parameters that it was sealed under.
        notes: what who reads the numbers must know.
        taken: the inputs; none of a polygenic score, which has too many.
    """

    profile: str
    told: tuple[Told, ...]
    notes: tuple[str, ...]
    taken: tuple[Taken, ...] = ()
