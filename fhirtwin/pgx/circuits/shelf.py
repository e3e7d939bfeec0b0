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
from fhirtwin.errors import Unprocessable
from fhirtwin.pgx.circuits.book import Book, Key

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
        beside: other linear models that lie in the same ciphertext, by name.
    """

    books: tuple[Book[Written], ...]
    copies: int
    rounds: int
    beside: Mapping[str, Panel] = field(default_factory=dict)

    @property
    def most(self) -> int:
        """How many keys of each book one question may look up."""
        return self.copies * self.rounds

    @cached_property
    def panel(self) -> Panel:
        """The circuit of all of it."""
        copies = {f"{copy}:{book.name}": book.panel for copy in range(self.copies) for book in self.books}
        return joined({**copies, **self.beside})

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
            if len(keys) > self.most:
                raise Unprocessable(
                    f"More than {self.most} values of {name} fit equally well, which is more than a sealed question "
                    "has room for; look it up in the plain tables."
                )
        return kept

    def values(
        self, number: int, wanted: Wanted, beside: Mapping[str, NDArray[np.float64]] | None = None
    ) -> NDArray[np.float64]:
        """Make the vector of one round: one hot slot for each key, all else 0.

        Args:
            number: of the round, from 0.
            wanted: everything that is to be looked up, in all rounds, as `kept` gave it.
            beside: features of the models beside the books, of the first round.
        """
        found = np.zeros(len(self.panel.features))
        for name, keys in wanted.items():
            for copy, key in enumerate(self._turn(number, keys)):
                found[self._starts[f"{copy}:{name}"] + self._by_name[name].places[key]] = 1.0
        for name, given in (beside or {}).items() if number == 0 else ():
            found[self._starts[name] : self._starts[name] + given.size] = given
        return found

    def read(self, number: int, wanted: Wanted, opened: Mapping[str, Decimal]) -> dict[tuple[str, Key], Written]:
        """Tell what is written at each key of one round, by book and key.

        Raises:
            EngineAnswerRefused: a sum is no code, or one where nothing was looked up.
        """
        found = {}
        for book in self.books:
            keys = self._turn(number, wanted.get(book.name, ()))
            for copy in range(self.copies):
                here = copy < len(keys)
                written = book.read(opened[f"{copy}:{book.name}:{book.panel.rows[0]}"], asked=here)
                if here and written is not None:
                    found[book.name, keys[copy]] = written
        return found

    def _turn(self, number: int, keys: Sequence[Key]) -> Sequence[Key]:
        return keys[number * self.copies : (number + 1) * self.copies]

    @cached_property
    def _by_name(self) -> Mapping[str, Book[Written]]:
        return {book.name: book for book in self.books}

    @cached_property
    def _starts(self) -> Mapping[str, int]:
        """Where the features of each part begin."""
        sizes = {f"{copy}:{book.name}": len(book.entries) for copy in range(self.copies) for book in self.books}
        sizes |= {name: len(panel.features) for name, panel in self.beside.items()}
        starts = np.cumsum([0, *sizes.values()]).tolist()
        return dict(zip(sizes, starts, strict=False))
