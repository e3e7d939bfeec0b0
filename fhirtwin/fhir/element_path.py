"""The part of FHIRPath that says which elements of a resource are meant.

Steps to children, `[0]`, `first()`, `last()`, `tail()`, `single()`, `skip(1)`, `take(1)`, `where(...)`,
`extension('url')` and `ofType(Type)`; criteria with `=`, `!=`, `and`, `or`, `exists()`, `empty()` and `not()`. The
whole of FHIRPath makes values that stand nowhere in the resource, and what stands nowhere cannot be changed: anything
else is refused by name.

*Source*: http://hl7.org/fhirpath/N1/, http://hl7.org/fhir/R4/fhirpatch.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import dates
from fhirtwin.fhir.elements import Element, named
from fhirtwin.fhir.patching import DoesNotApply, Work
from fhirtwin.fhir.tables import PRIMITIVES, RESOURCE_TYPES, TYPES, lineage

MAX_LENGTH: Final = 1000
"""Most characters of a path."""

_MAX_NESTING: Final = 10

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<name>\$this|[A-Za-z_][A-Za-z0-9_]*|`[^`\\]+`)|(?P<text>'(?:[^'\\]|\\.)*')"
    r"|(?P<date>@[0-9T:+.Z\-]+)|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<sign>!=|[.,()\[\]=]))"
)
_WORDS: Final = frozenset({"and", "or", "true", "false"})
_ESCAPED: Final = re.compile(r"\\(.)|\"", re.DOTALL)

Items = list[Any]
"""Elements, or values that a criterion compares them with."""

Term = Callable[[Element, Work], Items]
Step = Callable[[list[Element], Work], list[Element]]


@dataclass(frozen=True, slots=True)
class Path:
    """A path that was understood.

    Attributes:
        steps: what leads from the resource to the elements meant.
        list_name: the name of the last step, when that is a plain step to children: such a path names a whole list.
    """

    text: str
    steps: tuple[Step, ...]
    list_name: str = ""

    def elements(self, root: Element, work: Work) -> list[Element]:
        """The elements meant, in order."""
        return _follow(self.steps, [root], work)

    def owners(self, root: Element, work: Work) -> list[Element]:
        """The elements whose children the last step names."""
        return _follow(self.steps[:-1], [root], work)


def parse(text: str, type_: str) -> Path:
    """Read a path.

    Args:
        text: the path; it may begin with the resource type, or with a child of the resource.
        type_: the type of the resource that it is for.

    Raises:
        Incorrect: it is none, or uses what is not offered.
    """
    if len(text) > MAX_LENGTH:
        raise Incorrect(f"A path may have at most {MAX_LENGTH} characters.")
    reader = _Reader(text)
    first = reader.peek()
    steps: list[Step] = []
    list_name = ""
    if first in (type_, "Resource", "DomainResource"):
        reader.take()
    elif first in RESOURCE_TYPES:
        raise Incorrect("The path begins with another resource type than the one that is patched.")
    else:
        list_name = reader.step(steps)
    while reader.peek():
        if reader.peek() == ".":
            reader.take()
            list_name = reader.step(steps)
        elif reader.peek() == "[":
            reader.index(steps)
            list_name = ""
        else:
            raise Incorrect("Expected a dot or an index in square brackets in this path.")
    return Path(text, tuple(steps), list_name)


def _follow(steps: tuple[Step, ...], found: list[Element], work: Work) -> list[Element]:
    for step in steps:
        found = step(found, work)
        work.spend(len(found) + 1)
    return found


class _Reader:
    """Reads a path token by token."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        self._depth = 0
        position = 0
        text = text.strip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None or found.lastgroup is None:
                raise Incorrect(
                    f"This path cannot be read from character {position} on; of operators it may use =, !=, and, or."
                )
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()

    def peek(self) -> str:
        """The next token; empty at the end."""
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def kind(self) -> str:
        """What the next token is."""
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def take(self, expected: str = "") -> str:
        """Take the next token.

        Raises:
            Incorrect: it is not the expected one, or there is none.
        """
        token = self.peek()
        if not token or (expected and token != expected):
            raise Incorrect(f"Expected {expected or 'more'} in this path.")
        self._at += 1
        return token

    def step(self, steps: list[Step]) -> str:
        """Read a name or function after a dot; gives the name where it is a plain step to children."""
        if self.kind() != "name" or self.peek() in _WORDS:
            raise Incorrect("Expected the name of an element in this path.")
        name = self.take().strip("`")
        if self.peek() != "(":
            if name == "$this":
                raise Incorrect("`$this` may only begin a path inside where().")
            steps.append(_children(name))
            return name
        self.take("(")
        steps.append(self._function(name))
        self.take(")")
        return ""

    def index(self, steps: list[Step]) -> None:
        """Read `[number]`."""
        self.take("[")
        steps.append(_at(self._number()))
        self.take("]")

    def _number(self) -> int:
        if self.kind() != "number" or not self.peek().isdigit() or len(self.peek()) > 9:
            raise Incorrect("Expected a whole number, from 0, in this path.")
        return int(self.take())

    def _function(self, name: str) -> Step:
        match name:
            case "first":
                return lambda found, _: found[:1]
            case "last":
                return lambda found, _: found[-1:]
            case "tail":
                return lambda found, _: found[1:]
            case "single":
                return _single
            case "skip" | "take":
                return _part(name, self._number())
            case "where":
                criterion = self._nested()
                return lambda found, work: [one for one in found if _holds(criterion(one, work))]
            case "extension":
                return _extension(self._text())
            case "ofType" | "as":
                return _of_type(self._type())
        raise Incorrect(
            "Paths of a patch may use first(), last(), tail(), single(), skip(), take(), where(), extension() and "
            "ofType(), and in where() exists(), empty() and not(); other functions are not done here."
        )

    def _text(self) -> str:
        if self.kind() != "text":
            raise Incorrect("extension() takes a URL in single quotes.")
        return _unquoted(self.take())

    def _type(self) -> str:
        name = self.take()
        if name in ("FHIR", "System") and self.peek() == ".":
            self.take()
            name = self.take()
        if name not in TYPES and name not in PRIMITIVES:
            raise Incorrect("ofType() takes a type of FHIR R4; upper and lower case matter.")
        return name

    # ---- criteria ------------------------------------------------------------------------------------------------

    def _nested(self) -> Term:
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise Incorrect(f"A path may nest criteria at most {_MAX_NESTING} deep.")
        term = self._any_of()
        self._depth -= 1
        return term

    def _any_of(self) -> Term:
        term = self._all_of()
        while self.peek() == "or":
            self.take()
            term = _either(term, self._all_of())
        return term

    def _all_of(self) -> Term:
        term = self._comparison()
        while self.peek() == "and":
            self.take()
            term = _both(term, self._comparison())
        return term

    def _comparison(self) -> Term:
        left = self._term()
        if self.peek() not in ("=", "!="):
            return left
        wanted = self.take() == "="
        right = self._term()
        return _compared(left, right, wanted)

    def _term(self) -> Term:
        kind, token = self.kind(), self.peek()
        if token == "(":  # noqa: S105 - a bracket
            self.take()
            inner = self._nested()
            self.take(")")
            return self._tests(inner)
        if kind == "name" and token not in ("true", "false"):
            return self._path()
        self.take()
        return _literal(kind, token)

    def _path(self) -> Term:
        """Read a path that begins at the element that a criterion is about."""
        steps: list[Step] = []
        if self.peek() == "$this":
            self.take()
        elif self._is_test():
            return self._tests(lambda one, _: [one])
        else:
            self.step(steps)
        while self.peek() == "[" or (self.peek() == "." and not self._is_test(ahead=1)):
            if self.peek() == "[":
                self.index(steps)
            else:
                self.take(".")
                self.step(steps)
        path = tuple(steps)
        return self._tests(lambda one, work: list(_follow(path, [one], work)))

    def _is_test(self, ahead: int = 0) -> bool:
        names = [token for _, token in self._tokens[self._at + ahead : self._at + ahead + 2]]
        return len(names) == 2 and names[0] in ("exists", "empty", "not") and names[1] == "("

    def _tests(self, term: Term) -> Term:
        """Read `.exists()`, `.empty()` and `.not()` behind a term."""
        while self._is_test() or (self.peek() == "." and self._is_test(ahead=1)):
            if self.peek() == ".":
                self.take()
            name = self.take()
            self.take("(")
            if name == "exists" and self.peek() != ")":
                term = _those(term, self._nested())
            term = _tested(name, term)
            self.take(")")
        return term


# ---- what the parts mean -------------------------------------------------------------------------------------------


def _children(name: str) -> Step:
    def step(found: list[Element], work: Work) -> list[Element]:
        if found and not any(name in named(one.kind) or _varies(one) for one in found):
            raise Incorrect("FHIR R4 has no such element here: a step of the path names none.")
        work.spend(len(found))
        return [child for one in found for child in one.all(name)]

    return step


def _varies(element: Element) -> bool:
    """Whether another element in its place might be of another type, and have other children."""
    definition = element.definition
    return definition is not None and (definition.choice or definition.kind == "Resource")


def _at(index: int) -> Step:
    return lambda found, _: found[index : index + 1]


def _part(name: str, count: int) -> Step:
    return lambda found, _: found[count:] if name == "skip" else found[:count]


def _single(found: list[Element], _: Work) -> list[Element]:
    if len(found) > 1:
        raise DoesNotApply("There are several where the path says single().")
    return found


def _extension(url: str) -> Step:
    def step(found: list[Element], work: Work) -> list[Element]:
        work.spend(len(found))
        return [child for one in found for child in one.all("extension") if child.children.get("url") == url]

    return step


def _of_type(name: str) -> Step:
    def is_of(element: Element) -> bool:
        kind = element.kind
        return kind == name or (kind in TYPES and name in lineage(kind))

    return lambda found, _: [one for one in found if is_of(one)]


def _unquoted(token: str) -> str:
    def as_json(found: re.Match[str]) -> str:
        return found[1] if found[1] in ("'", "`") else '\\"' if found[0] == '"' else found[0]

    try:
        return msgspec.json.decode(f'"{_ESCAPED.sub(as_json, token[1:-1])}"', type=str)
    except msgspec.DecodeError:
        raise Incorrect("A text of the path has an escape that is none.") from None


def _literal(kind: str, token: str) -> Term:
    value: Any
    match kind:
        case "text":
            value = _unquoted(token)
        case "number":
            value = Decimal(token)
        case "date":
            value = dates.parse(token[1:])
        case _ if token in ("true", "false"):
            value = token == "true"  # noqa: S105 - a word of FHIRPath
        case _:
            raise Incorrect("Expected an element or a value in a criterion of the path.")
    return lambda _one, _work: [value]


def _truth(items: Items) -> bool | None:
    """What a criterion says: FHIRPath has true, false and, where nothing is there, neither."""
    if len(items) != 1:
        return True if items else None
    value = items[0].value if isinstance(items[0], Element) else items[0]
    return value if isinstance(value, bool) else True


def _holds(items: Items) -> bool:
    return _truth(items) is True


def _said(truth: bool | None) -> Items:
    return [] if truth is None else [truth]


def _either(left: Term, right: Term) -> Term:
    def term(one: Element, work: Work) -> Items:
        truths = {_truth(left(one, work)), _truth(right(one, work))}
        return _said(True if True in truths else None if None in truths else False)

    return term


def _both(left: Term, right: Term) -> Term:
    def term(one: Element, work: Work) -> Items:
        truths = {_truth(left(one, work)), _truth(right(one, work))}
        return _said(False if False in truths else None if None in truths else True)

    return term


def _those(term: Term, criterion: Term) -> Term:
    def those(one: Element, work: Work) -> Items:
        return [item for item in term(one, work) if isinstance(item, Element) and _holds(criterion(item, work))]

    return those


def _tested(name: str, term: Term) -> Term:
    match name:
        case "exists":
            return lambda one, work: [bool(term(one, work))]
        case "empty":
            return lambda one, work: [not term(one, work)]
    return lambda one, work: [not truth for truth in _said(_truth(term(one, work)))]


def _compared(left: Term, right: Term, wanted: bool) -> Term:
    def term(one: Element, work: Work) -> Items:
        these, those = left(one, work), right(one, work)
        work.spend(len(these) + len(those))
        if not these or not those:
            return []
        same = len(these) == len(those) and all(map(_same, these, those))
        return [same is wanted]

    return term


def _same(one: Any, other: Any) -> bool:
    one, other = (item.value if isinstance(item, Element) else item for item in (one, other))
    if isinstance(one, dates.Interval) or isinstance(other, dates.Interval):
        return bool(_interval(one) == _interval(other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one is not None and bool(one == other)


def _interval(value: Any) -> Any:
    """A date as the time it stands for, so that offsets make no difference."""
    if not isinstance(value, str):
        return value
    try:
        return dates.parse(value)
    except Incorrect:
        return None
