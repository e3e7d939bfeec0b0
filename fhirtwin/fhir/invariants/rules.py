"""What invariants are made of: a row, and the few shapes that most of them have.

Shapes speak of elements, as R4 does. For a type they become member names once: a choice is there by any of its members,
a primitive also by its extensions (`_birthDate`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import dates
from fhirtwin.fhir.tables import members

Object = Mapping[str, Any]
Holds = Callable[[Object], bool | str]
"""Answers True where an invariant holds, else False, or the place in the object that breaks it."""
Make = Callable[[str], Holds]

UCUM: Final = "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True)
class ByNames:
    """A predicate that asks only which members are there: objects that have the same members share its verdict."""

    judge: Callable[[Iterable[str]], bool]

    def __call__(self, value: Object) -> bool:
        """Judge one object."""
        return self.judge(value)


@dataclass(frozen=True, slots=True)
class Where:
    """A predicate that holds of every object in which none of some members is there.

    Attributes:
        names: of the members.
        holds: judges an object in which one of them is.
    """

    names: frozenset[str]
    holds: Holds

    def __call__(self, value: Object) -> bool | str:
        """Judge one object."""
        return self.names.isdisjoint(value) or self.holds(value)


class Rule(NamedTuple):
    """One invariant.

    Attributes:
        key: as R4 names it.
        text: what must be, in a sentence.
        make: gives the predicate for a type.
    """

    key: str
    text: str
    make: Make


def member_names(kind: str, *elements: str) -> frozenset[str]:
    """Name the members by which any of the elements of a type can be there.

    Raises:
        ValueError: the type has no such element.
    """
    known = members(kind)
    for element in elements:
        if all(member.element != element for member in known.values()):
            raise ValueError(f"{kind} has no element {element}; mend the invariant that names it.")
    names = [name for name, member in known.items() if member.element in elements]
    return frozenset(names) | {f"_{name}" for name in names}


def there(value: Object, name: str) -> bool:
    """Tell whether an element that is no choice is there, if only by its extensions."""
    return name in value or f"_{name}" in value


def where(holds: Holds) -> Make:
    """Take a predicate as it is."""
    return lambda _: holds


def each(name: str, holds: Callable[[Any, Object], bool]) -> Make:
    """Ask of each item of an array, and say which is the first of which it does not hold.

    Args:
        name: of the array.
        holds: gets the item and the object that the array is in.
    """

    def judge(value: Object) -> bool | str:
        for number, item in enumerate(value.get(name, ())):
            if not holds(item, value):
                return f"{name}[{number}]"
        return True

    return where(Where(frozenset({name}), judge))


def any_of(*elements: str) -> Make:
    """At least one of the elements is there."""

    def make(kind: str) -> Holds:
        names = member_names(kind, *elements)
        return ByNames(lambda there_are: not names.isdisjoint(there_are))

    return make


def needs(element: str, *others: str) -> Make:
    """Where the element is there, at least one of the others is."""

    def make(kind: str) -> Holds:
        first, then = member_names(kind, element), member_names(kind, *others)
        return ByNames(lambda there_are: first.isdisjoint(there_are) or not then.isdisjoint(there_are))

    return make


def excludes(element: str, *others: str) -> Make:
    """Where the element is there, none of the others is."""

    def make(kind: str) -> Holds:
        first, then = member_names(kind, element), member_names(kind, *others)
        return ByNames(lambda there_are: first.isdisjoint(there_are) or then.isdisjoint(there_are))

    return make


def one_of(*elements: str) -> Make:
    """Exactly one of the elements is there."""
    return _count(elements, lambda there_are: there_are == 1)


def at_most_one_of(*elements: str) -> Make:
    """No two of the elements are there."""
    return _count(elements, lambda there_are: there_are <= 1)


def all_or_none(*elements: str) -> Make:
    """Either all of the elements are there or none."""
    return _count(elements, lambda there_are: there_are in (0, len(elements)))


def only_if(element: str, name: str, *allowed: Any) -> Make:
    """The element is there only where the member `name` has one of the values."""

    def make(kind: str) -> Holds:
        names, values = member_names(kind, element), frozenset(allowed)
        return Where(names, lambda value: value.get(name) in values)

    return make


def needed_if(element: str, name: str, *values: Any) -> Make:
    """Where the member `name` has one of the values, the element is there."""

    def make(kind: str) -> Holds:
        names, ruling = member_names(kind, element), frozenset(values)
        return Where(frozenset({name}), lambda value: value[name] not in ruling or not names.isdisjoint(value))

    return make


def none_if(element: str, name: str, *values: Any) -> Make:
    """Where the member `name` has one of the values, the element is not there."""

    def make(kind: str) -> Holds:
        names, ruling = member_names(kind, element), frozenset(values)
        return Where(names, lambda value: value.get(name) not in ruling)

    return make


def _count(elements: Iterable[str], right: Callable[[int], bool]) -> Make:
    def make(kind: str) -> Holds:
        sets = [member_names(kind, element) for element in elements]
        return ByNames(lambda there_are: right(sum(not names.isdisjoint(there_are) for names in sets)))

    return make


def distinct(values: Iterable[Any]) -> bool:
    """Tell whether no value comes twice; what is absent (None) does not count."""
    there_are = [value for value in values if value is not None]
    return len(set(there_are)) == len(there_are)


def in_order(first: Any, last: Any) -> bool:
    """Tell whether a date is not surely later than another; of dates as coarse as to overlap, either may be first.

    Args:
        first: text of a date, dateTime or instant, or None where it is not known.
        last: likewise.
    """
    if first is None or last is None:
        return True
    if first[19:] == last[19:] and len(first) == len(last) and first <= last:
        return True  # of one form and zone, text order is time order
    try:
        return dates.parse(first).start < dates.parse(last).end
    except Incorrect:
        return True  # within a day of the end of the calendar, where their order cannot be computed


def has_coding(concept: Any, system: str, *codes: str) -> bool:
    """Tell whether a CodeableConcept has a coding of the system with one of the codes."""
    codings = concept.get("coding", ()) if concept else ()
    return any(coding.get("system") == system and coding.get("code") in codes for coding in codings)
