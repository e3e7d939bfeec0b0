"""What an object of one type of R4 must look like, worked out once for each set of members that is met.

Objects of a record look alike: hundreds of Codings have the same three members. Which checks those want, what is
missing and which invariants can still fail is the same for all, so it is a plan, kept by the members' names in order.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from fhirtwin.fhir import invariants
from fhirtwin.fhir.invariants.rules import ByNames, Holds, Where
from fhirtwin.fhir.primitives import MAX_ISSUES, Check, Finding, Findings
from fhirtwin.fhir.tables import Member, lineage

EMPTY: Final[Finding] = ("", "invariant", "An element must have a value or children besides its id (ele-1).")
_MOST_PLANS: Final = 64
"""Plans kept of a type, before all are forgotten: nobody fills the memory with orders of members."""

_NAME: Final = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")

Rules = tuple[tuple[Holds, Finding], ...]


class Plan(NamedTuple):
    """How to judge objects that have the same members in the same order.

    Attributes:
        checks: of each member.
        places: of each, for findings.
        wrong: what can be said against the members that are there.
        rules: invariants that such an object can break.
    """

    checks: tuple[Check, ...]
    places: tuple[str, ...]
    wrong: tuple[Finding, ...]
    rules: Rules


class Shape:
    """What an object of one type must look like: filled once, asked for plans.

    Args:
        kind: the type, or the path of a nested element.
    """

    def __init__(self, kind: str) -> None:
        self._rules = invariants.of(kind)
        self._is_element = lineage(kind)[0] == "Element" and kind != "Element"
        self._members: dict[str, tuple[Check, str]] = {}
        self._of_table: dict[str, Member] = {}
        self._choices: dict[str, str] = {}
        self._required: dict[str, set[str]] = {}
        self.plans: dict[tuple[str, ...], Plan] = {}

    def add(self, name: str, member: Member, value: Check, beside: Check | None) -> None:
        """Admit a member, and `_name` where it is primitive."""
        names = [name]
        self._members[name] = value, member.element
        self._of_table[name] = member
        if beside is not None:
            names.append(f"_{name}")
            self._members[f"_{name}"] = beside, member.element
        if member.choice:
            self._choices.update(dict.fromkeys(names, member.element))
        if member.low:
            self._required.setdefault(member.element, set()).update(names)

    def add_free(self, name: str, check: Check) -> None:
        """Admit a member that is no element."""
        self._members[name] = check, name

    def member(self, name: str) -> Member | None:
        """What the table says of a member; None for what is no element, and for the `_name` of a primitive."""
        return self._of_table.get(name)

    def allows(self, names: tuple[str, ...]) -> bool:
        """Whether an object may have exactly these members."""
        return self._members.keys() >= set(names) and not self.plan(names).wrong

    def plan(self, names: tuple[str, ...]) -> Plan:
        """Work out how to judge objects with these members, and keep it in `plans`."""
        plan = self._made(names[: len(self._members) + MAX_ISSUES + 1])  # further ones would not be told
        if self._members.keys() >= set(names):
            if len(self.plans) >= _MOST_PLANS:
                self.plans.clear()
            self.plans[names] = plan
        return plan

    def _made(self, names: tuple[str, ...]) -> Plan:
        members = [self._members.get(name) or _unknown(name) for name in names]
        checks, places = tuple(one for one, _ in members), tuple(place for _, place in members)
        wrong = [*self._missing(names), *self._ambiguous(names)]
        # An Element on its own stands only beside a primitive, which is its value.
        if self._is_element and names == ("id",):
            wrong.append(EMPTY)
        return Plan(checks, places, tuple(wrong), self._breakable(names))

    def _missing(self, given: tuple[str, ...]) -> list[Finding]:
        return [
            (element, "required", "This element is required.")
            for element, names in self._required.items()
            if names.isdisjoint(given)
        ]

    def _ambiguous(self, given: tuple[str, ...]) -> list[Finding]:
        there: dict[str, set[str]] = {}
        for name in given:
            if name in self._choices:
                there.setdefault(self._choices[name], set()).add(name.removeprefix("_"))
        return [
            (element, "structure", f"Only one of {', '.join(sorted(names))} may be given.")
            for element, names in there.items()
            if len(names) > 1
        ]

    def _breakable(self, given: tuple[str, ...]) -> Rules:
        """The invariants that are not settled by which members are there."""
        return tuple((holds, finding) for holds, finding in self._rules if not _is_settled(holds, given))


def _is_settled(holds: Holds, given: tuple[str, ...]) -> bool:
    match holds:
        case ByNames():
            return holds.judge(given)
        case Where():
            return holds.names.isdisjoint(given)
    return False


def _unknown(name: str) -> tuple[Check, str]:
    return (_no_element, name) if _NAME.fullmatch(name) else (_no_name, "")


def _no_element(*_: object) -> Findings:
    return [("", "structure", "FHIR R4 has no such element here.")]


def _no_name(*_: object) -> Findings:
    return [("", "structure", "A member's name here is not the name of an element of FHIR R4.")]
