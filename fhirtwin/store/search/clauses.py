"""Pieces of SQL that know their shape: statements of one shape are built once, and then only bound.

Building a statement costs several times what running it does. A `Clause` says, before anything is built, what SQL it
would become (`key`) and which values that needs (`bound`); two clauses with equal keys build equal SQL. So a search
looks its statement up by the keys of its clauses, and builds only what is new.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import BindParameter, ColumnElement, FromClause, and_, bindparam, false, not_, or_, true

MAX_STATEMENTS: Final = 500
"""Shapes of statements that are remembered; the least recently used goes first."""


class Binds:
    """Gives the placeholders of a statement, one after the other: `v0`, `v1`, ..."""

    def __init__(self) -> None:
        self._numbers: Iterator[int] = count()

    def one(self) -> BindParameter[Any]:
        """A placeholder of one value."""
        return bindparam(f"v{next(self._numbers)}")

    def many(self) -> BindParameter[Any]:
        """A placeholder of a list, to stand behind IN."""
        return bindparam(f"v{next(self._numbers)}", expanding=True)


Build = Callable[[FromClause, Binds], ColumnElement[bool]]
"""From the resource that a clause is about (`resource` or an alias of it) and placeholders to SQL."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition on a resource.

    Attributes:
        key: tells what SQL this becomes, the values aside.
        bound: the values, in the order in which `build` takes placeholders.
        build: makes the SQL.
    """

    key: Hashable
    bound: tuple[Any, ...]
    build: Build


ALWAYS: Final = Clause("always", (), lambda _owner, _binds: true())
NEVER: Final = Clause("never", (), lambda _owner, _binds: false())


def every(clauses: Iterable[Clause]) -> Clause:
    """All must hold."""
    return _joined("and", tuple(clauses), lambda built: and_(true(), *built))


def some(clauses: Iterable[Clause]) -> Clause:
    """One must hold."""
    return _joined("or", tuple(clauses), lambda built: or_(false(), *built))


def opposite(clause: Clause) -> Clause:
    """It must not hold."""
    return _joined("not", (clause,), lambda built: not_(built[0]))


def _joined(name: str, parts: tuple[Clause, ...], join: Callable[[Sequence[Any]], ColumnElement[bool]]) -> Clause:
    return Clause(
        (name, *(part.key for part in parts)),
        tuple(value for part in parts for value in part.bound),
        lambda owner, binds: join([part.build(owner, binds) for part in parts]),
    )


def named(bound: Iterable[Any]) -> dict[str, Any]:
    """Values under the names that `Binds` gives to their placeholders."""
    return {f"v{number}": value for number, value in enumerate(bound)}


T = TypeVar("T")


class Remembered(Generic[T]):
    """What was made for the most recently used keys; safe to share between threads."""

    def __init__(self, most: int = MAX_STATEMENTS) -> None:
        self._made: OrderedDict[Hashable, T] = OrderedDict()
        self._most = most
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for the key, made now if need be."""
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = make()
        with self._lock:
            self._made[key] = made
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return made
