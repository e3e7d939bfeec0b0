"""Golden cases of a lookup: keys and values of nobody, in all the room that a question leaves, at places by lot.

A question has room for several keys of each book, and a person mostly has one. The gateway knows its tables, so any key
is a case whose answer it knows. An engine can tell neither which places are whose nor that there are such.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.panel import Panel
from fhirtwin.errors import EngineAnswerWrong
from fhirtwin.pgx.circuits.book import REFUSED, Key
from fhirtwin.pgx.circuits.shelf import Shelf, Wanted

WRONG_BEYOND: Final = Decimal("0.0011")
"""How far a sum of a model beside the books shows that the engine computes wrongly: half of what the vault rounds to,
the profile's error, and its tolerance."""

Written = TypeVar("Written")
Float = NDArray[np.float64]
Opened = Mapping[str, Decimal]
Ask = Callable[[Float], Opened]
"""Have one round evaluated."""

_DRAW: Final = secrets.SystemRandom()


@dataclass(frozen=True, eq=False)
class Question(Generic[Written]):
    """A question with golden cases in all the room that it leaves. It is asked once.

    Attributes:
        shelf: on which it is looked up.
        wanted: what is to be looked up, as `Shelf.kept` gave it.
        beside: features of the models beside the books, of those that are asked.
        draw: gives random numbers that an engine cannot foresee.
    """

    shelf: Shelf[Written]
    wanted: Wanted
    beside: Mapping[str, Float]
    draw: Random = _DRAW

    def asked(self, ask: Ask) -> tuple[dict[tuple[str, Key], Written], dict[str, Decimal]]:
        """Ask all rounds.

        Returns:
            What is written, by book and key, and the sums of the round in which the models beside were asked.

        Raises:
            EngineAnswerWrong: a sum is no code, or the answer to a golden case is another.
        """
        filled = {book.name: self._filled(book.name, tuple(book.entries)) for book in self.shelf.books}
        round_of_person = self.draw.randrange(self.shelf.rounds)
        found: dict[tuple[str, Key], Written] = {}
        sums: dict[str, Decimal] = {}
        for number in range(self.shelf.rounds):
            given = self.beside if number == round_of_person else {}
            nobody = {name: self._nobody(panel) for name, panel in self.shelf.beside.items() if name not in given}
            opened = ask(self.shelf.values(number, filled, {**nobody, **given}))
            self._judge_sums(nobody, opened)
            self._add(found, self.shelf.read(number, filled, opened))
            sums = dict(opened) if number == round_of_person else sums
        self._judge(filled, found)
        return {(name, key): found[name, key] for name, keys in self.wanted.items() for key in keys}, sums

    def _filled(self, name: str, keys: tuple[Key, ...]) -> list[Key]:
        """Keys for all places of a book: those that are wanted, the rest by lot, and all in an order by lot."""
        wanted = list(self.wanted.get(name, ()))
        places = [*wanted, *self.draw.choices(keys, k=self.shelf.most(name) - len(wanted))]
        self.draw.shuffle(places)
        return places

    def _nobody(self, panel: Panel) -> Float:
        """Random values within the bounds of a model, one feature of each choice."""
        drawn = np.array([self.draw.random() for _ in panel.features])
        values: Float = panel.low + drawn * (panel.high - panel.low)
        for choice in panel.choices:
            kept = self.draw.choice(choice)
            values[[place for place in choice if place != kept]] = 0.0
        return values

    def _judge_sums(self, nobody: Mapping[str, Float], opened: Opened) -> None:
        for name, values in nobody.items():
            panel = self.shelf.beside[name]
            for row, right in zip(panel.rows, (panel.weights @ values).tolist(), strict=True):
                if abs(opened[f"{name}:{row}"] - Decimal(repr(right))) > WRONG_BEYOND:
                    raise EngineAnswerWrong(REFUSED)

    def _add(self, found: dict[tuple[str, Key], Written], told: Mapping[tuple[str, Key], Written]) -> None:
        """Take what one round told; a key that is at two places must be told the same."""
        for place, written in told.items():
            if found.setdefault(place, written) != written:
                raise EngineAnswerWrong(REFUSED)

    def _judge(self, filled: Wanted, found: Mapping[tuple[str, Key], Written]) -> None:
        for book in self.shelf.books:
            wanted = list(self.wanted.get(book.name, ()))
            places = list(filled[book.name])
            for key in wanted:
                places.remove(key)
            if any(found[book.name, key] != book.entries[key] for key in places):
                raise EngineAnswerWrong(REFUSED)
