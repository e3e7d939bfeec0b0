"""Tells quickly that an object is right. When it does not, `fhirtwin.fhir.validator` judges, and says what is wrong.

Objects of a record look alike. For each set of members that is met again and again a function of its own is written,
in which what the members must be stands in one expression: of a Coding, that its three members are text without control
characters and two of them without spaces. What is rarer is left to the checks that the validator has anyway, and so is
whatever does not look right at once: a function says yes only where those would find nothing.

Nothing that comes from outside becomes part of a function's text. It names members by their numbers, and there are at
most so many functions for each type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from fhirtwin.fhir.bindings import FORMS, codes_of
from fhirtwin.fhir.primitives import LONGEST_TEXT, SPACED, SPACELESS, Check
from fhirtwin.fhir.shapes import Shape
from fhirtwin.fhir.tables import Member

Right = Callable[[Any], bool]

_OFTEN: Final = 8
"""How often a set of members is met before it gets a function; writing one takes as long as judging hundreds."""
_MOST: Final = 48
"""Functions of one type."""
_MOST_COUNTED: Final = 256
"""Sets of members whose meetings are counted, before all are forgotten."""


class Quick:
    """Tells of objects of one type whether they are right.

    Args:
        shape: what they must look like.
        check: of the validator: says of one whether it is right, in every case.
        others: by type; asked for only when a function is written, so it may still be growing.
        resource: tells of a resource inside of an object whether it is right, for the value and the object.
    """

    def __init__(
        self,
        shape: Shape,
        check: Check,
        others: Mapping[str, Quick],
        resource: Callable[[Any, Mapping[str, Any]], bool],
    ) -> None:
        self._shape, self._check, self._others, self._resource = shape, check, others, resource
        self._met: dict[tuple[str, ...], int] = {}
        self.functions: dict[tuple[str, ...], Right] = {}

    def right(self, value: dict[str, Any]) -> bool:
        """Whether an object is right."""
        return (self.functions.get(tuple(value)) or self.unmet)(value)

    def every(self, values: list[Any]) -> bool:
        """Whether all items of an array are objects that are right."""
        functions, unmet = self.functions, self.unmet
        for value in values:
            if type(value) is not dict or not (functions.get(tuple(value)) or unmet)(value):
                return False
        return True

    def unmet(self, value: dict[str, Any]) -> bool:
        """Whether an object is right whose set of members has no function yet, and may be about to get one."""
        names = tuple(value)
        met = self._met.get(names, 0) + 1
        if names and met >= _OFTEN and len(self.functions) < _MOST and self._shape.allows(names):
            self.functions[names] = self._written(names)
            return self.functions[names](value)
        if names not in self._met and len(self._met) >= _MOST_COUNTED:
            self._met.clear()
        self._met[names] = met
        return self._check(value, {}) is None

    def _written(self, names: tuple[str, ...]) -> Right:
        plan = self._shape.plan(names)
        terms = _Terms(self._others, self._resource)
        conditions = [
            terms.of(f"m{number}", self._shape.member(name), check)
            for number, (name, check) in enumerate(zip(names, plan.checks, strict=True))
        ]
        conditions += [f"{terms.named(holds)}(value) is True" for holds, _ in plan.rules]
        members = "".join(f"m{number}, " for number in range(len(names)))
        source = f"def right(value):\n    {members}= value.values()\n    return {' and '.join(conditions)}\n"
        exec(source, terms.names)  # noqa: S102 - the text is made of numbers and of the words in this file
        right: Right = terms.names["right"]
        return right


class _Terms:
    """What the conditions of one function are made of.

    Attributes:
        names: what they refer to.
    """

    def __init__(self, others: Mapping[str, Quick], resource: Callable[[Any, Mapping[str, Any]], bool]) -> None:
        self._others, self._resource = others, resource
        self.names: dict[str, Any] = {"Decimal": Decimal}

    def named(self, thing: Any) -> str:
        """A name for something."""
        name = f"x{len(self.names)}"
        self.names[name] = thing
        return name

    def of(self, value: str, member: Member | None, check: Check) -> str:
        """The condition that the value of a member is right, whose check this is."""
        judged = f"{self.named(check)}({value}, value) is None"
        quick = self._at_once(value, member) if member else ""
        return f"({quick} or {judged})" if quick else judged

    def _at_once(self, value: str, member: Member) -> str:
        """What nearly all that is right fulfils, and nothing else; empty where it takes a closer look."""
        if member.kind == "Resource" and not member.many:
            return f"{self.named(self._resource)}({value}, value)"
        if member.kind in self._others:
            return self._object(value, member)
        if member.many or member.bound in FORMS:
            return ""
        if member.bound:
            return f"type({value}) is str and {value} in {self.named(codes_of(member.bound))}"
        text = f"type({value}) is str and 0 < len({value}) <= {LONGEST_TEXT} and {value}.isprintable()"
        if member.kind in SPACED:
            return text + (f" and {value}[0] != '#'" if member.element == "reference" else "")
        if member.kind in SPACELESS:
            return f"{text} and ' ' not in {value}"
        return {
            "boolean": f"{value} is True or {value} is False",
            "decimal": f"type({value}) is Decimal or type({value}) is int",
        }.get(member.kind, "")

    def _object(self, value: str, member: Member) -> str:
        other = self._others[member.kind]
        if member.bound or (member.many and member.targets):
            return ""
        if member.many:
            return f"type({value}) is list and {value} and {self.named(other.every)}({value})"
        functions, unmet = self.named(other.functions), self.named(other.unmet)
        right = f"type({value}) is dict and ({functions}.get(tuple({value})) or {unmet})({value})"
        if not member.targets:
            return right
        # The type of what a relative reference points at stands before the slash.
        target = f"{value}.get('reference', '').partition('/')[0] in {self.named(member.targets)}"
        return f"{right} and {target} and 'type' not in {value}"
