"""Many books in one circuit, several times over, so that one ciphertext looks several keys up in each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.panel import Panel, joined
from fhirtwin.errors import EngineAnswerWrong, Unprocessable
from fhirtwin.pgx.circuits.book import REFUSED, Book, Key

Written = TypeVar("Written")
Wanted = Mapping[str, Sequence[Key]]
"""Keys to be looked up, by the name of their book."""


@dataclass(frozen=True, eq=False)
class Shelf(Generic[Written]):
    """What is evaluated on one ciphertext.

    Attributes:
        books: tables.
        copies: how many keys of each book one ciphertext has room for.
        rounds: how many ciphertexts a question always takes, however little it asks.
        others: how many keys of a book where it is another number than `copies`.
        beside: other linear models that lie in the same ciphertext, by name.
    """

    books: tuple[Book[Written], ...]
    copies: int
    rounds: int
    others: Mapping[str, int] = field(default_factory=dict)
    beside: Mapping[str, Panel] = field(default_factory=dict)

    def most(self, name: str) -> int:
        """How many keys of a book one question may look up."""
        return self._copies(name) * self.rounds

    @cached_property
    def panel(self) -> Panel:
        """The circuit of all of it."""
        return joined(self._parts)

    @cached_property
    def _parts(self) -> Mapping[str, Panel]:
        books = {f"{copy}:{book.name}": book.panel for book in self.books for copy in range(self._copies(book.name))}
        return {**books, **self.beside}

    def _copies(self, name: str) -> int:
        return self.others.get(name, self.copies)

    def kept(self, wanted: Wanted) -> Wanted:
        """Keep of what is wanted the keys that are in a book, each once.

        Raises:
            Unprocessable: more of one book than one question has room for.
        """
        kept = {
            name: list(dict.fromkeys(key for key in keys if key in self._by_name[name].places))
            for name, keys in wanted.items()
            if name in self._by_name
        }
        for name, keys in kept.items():
            if len(keys) > self.most(name):
                raise Unprocessable(
                    f"More than {self.most(name)} values of {name} fit equally well, which is more than a sealed "
                    "question has room for; look it up in the plain tables."
                )
        return kept

    def values(
        self, number: int, wanted: Wanted, beside: Mapping[str, NDArray[np.float64]] | None = None
    ) -> NDArray[np.float64]:
        """Make the vector of one round: one hot slot for each key, all else 0.

        Args:
            number: of the round, from 0.
            wanted: everything that is to be looked up, in all rounds, in the order of the places of each book.
            beside: features of the models beside the books, of this round.
        """
        found = np.zeros(len(self.panel.features))
        for name, keys in wanted.items():
            for copy, key in enumerate(self._turn(number, name, keys)):
                found[self._starts[f"{copy}:{name}"] + self._by_name[name].places[key]] = 1.0
        for name, given in (beside or {}).items():
            found[self._starts[name] : self._starts[name] + given.size] = given
        return found

    def read(self, number: int, wanted: Wanted, opened: Mapping[str, Decimal]) -> dict[tuple[str, Key], Written]:
        """Tell what is written at each key of one round, by book and key.

        Raises:
            EngineAnswerWrong: a sum is no code, or one where nothing was looked up, or a key has two answers.
        """
        found: dict[tuple[str, Key], Written] = {}
        for book in self.books:
            keys = self._turn(number, book.name, wanted.get(book.name, ()))
            for copy in range(self._copies(book.name)):
                here = copy < len(keys)
                written = book.read(opened[f"{copy}:{book.name}:{book.panel.rows[0]}"], asked=here)
                if here and written is not None and found.setdefault((book.name, keys[copy]), written) != written:
                    raise EngineAnswerWrong(REFUSED)
        return found

    def _turn(self, number: int, name: str, keys: Sequence[Key]) -> Sequence[Key]:
        copies = self._copies(name)
        return keys[number * copies : (number + 1) * copies]

    @cached_property
    def _by_name(self) -> Mapping[str, Book[Written]]:
        return {book.name: book for book in self.books}

    @cached_property
    def _starts(self) -> Mapping[str, int]:
        """Where the features of each part begin."""
        starts = np.cumsum([0, *(len(panel.features) for panel in self._parts.values())]).tolist()
        return dict(zip(self._parts, starts, strict=False))
