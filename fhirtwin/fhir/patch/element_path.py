"""The part of FHIRPath that says which elements of a resource are meant.

Steps to children, `[0]`, `first()`, `last()`, `tail()`, `single()`, `skip(1)`, `take(1)`, `where(...)`,
`extension('url')` and `ofType(Type)`; criteria with `=`, `!=`, `and`, `or`, `exists()`, `empty()` and `not()`. The
whole of FHIRPath makes values that stand nowhere in the resource, and what stands nowhere cannot be changed: anything
else is refused by name.

*Source*: http://hl7.org/fhirpath/N1/, http://hl7.org/fhir/R4/fhirpatch.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fhirtwin.errors import Incorrect
from fhirtwin.fhir.patch import path_steps
from fhirtwin.fhir.patch.elements import Element
from fhirtwin.fhir.patch.patching import Work
from fhirtwin.fhir.tables import PRIMITIVES, RESOURCE_TYPES, TYPES

MAX_LENGTH: Final = 1000
"""Most characters of a path."""

_MAX_NESTING: Final = 10

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<name>\$this|[A-Za-z_][A-Za-z0-9_]*|`[^`\\]+`)|(?P<text>'(?:[^'\\]|\\.)*')"
    r"|(?P<date>@[0-9T:+.Z\-]+)|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<sign>!=|[.,()\[\]=]))"
)
_WORDS: Final = frozenset({"and", "or", "true", "false"})


@dataclass(frozen=True, slots=True)
class Path:
    """A path that was understood.

    Attributes:
        steps: what leads from the resource to the elements meant.
        list_name: the name of the last step, when that is a plain step to children: such a path names a whole list.
    """

    text: str
    steps: tuple[path_steps.Step, ...]
    list_name: str = ""

    def elements(self, root: Element, work: Work) -> list[Element]:
        """The elements meant, in order."""
        return path_steps.follow(self.steps, [root], work)

    def owners(self, root: Element, work: Work) -> list[Element]:
        """The elements whose children the last step names."""
        return path_steps.follow(self.steps[:-1], [root], work)


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
    steps: list[path_steps.Step] = []
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

    def step(self, steps: list[path_steps.Step]) -> str:
        """Read a name or function after a dot; gives the name where it is a plain step to children."""
        if self.kind() != "name" or self.peek() in _WORDS:
            raise Incorrect("Expected the name of an element in this path.")
        name = self.take().strip("`")
        if self.peek() != "(":
            if name == "$this":
                raise Incorrect("`$this` may only begin a path inside where().")
            steps.append(path_steps.children(name))
            return name
        self.take("(")
        steps.append(self._function(name))
        self.take(")")
        return ""

    def index(self, steps: list[path_steps.Step]) -> None:
        """Read `[number]`."""
        self.take("[")
        steps.append(path_steps.at_index(self._number()))
        self.take("]")

    def _number(self) -> int:
        if self.kind() != "number" or not self.peek().isdigit() or len(self.peek()) > 9:
            raise Incorrect("Expected a whole number, from 0, in this path.")
        return int(self.take())

    def _function(self, name: str) -> path_steps.Step:
        match name:
            case "first":
                return lambda found, _: found[:1]
            case "last":
                return lambda found, _: found[-1:]
            case "tail":
                return lambda found, _: found[1:]
            case "single":
                return path_steps.single
            case "skip" | "take":
                return path_steps.part_of(name, self._number())
            case "where":
                criterion = self._nested()
                return lambda found, work: [one for one in found if path_steps.holds(criterion(one, work))]
            case "extension":
                return path_steps.extensions(self._text())
            case "ofType" | "as":
                return path_steps.of_type(self._type())
        raise Incorrect(
            "Paths of a patch may use first(), last(), tail(), single(), skip(), take(), where(), extension() and "
            "ofType(), and in where() exists(), empty() and not(); other functions are not done here."
        )

    def _text(self) -> str:
        if self.kind() != "text":
            raise Incorrect("extension() takes a URL in single quotes.")
        return path_steps.unquoted(self.take())

    def _type(self) -> str:
        name = self.take()
        if name in ("FHIR", "System") and self.peek() == ".":
            self.take()
            name = self.take()
        if name not in TYPES and name not in PRIMITIVES:
            raise Incorrect("ofType() takes a type of FHIR R4; upper and lower case matter.")
        return name

    # ---- criteria ------------------------------------------------------------------------------------------------

    def _nested(self) -> path_steps.Term:
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise Incorrect(f"A path may nest criteria at most {_MAX_NESTING} deep.")
        term = self._any_of()
        self._depth -= 1
        return term

    def _any_of(self) -> path_steps.Term:
        term = self._all_of()
        while self.peek() == "or":
            self.take()
            term = path_steps.either(term, self._all_of())
        return term

    def _all_of(self) -> path_steps.Term:
        term = self._comparison()
        while self.peek() == "and":
            self.take()
            term = path_steps.both(term, self._comparison())
        return term

    def _comparison(self) -> path_steps.Term:
        left = self._term()
        if self.peek() not in ("=", "!="):
            return left
        wanted = self.take() == "="
        right = self._term()
        return path_steps.compared(left, right, wanted)

    def _term(self) -> path_steps.Term:
        kind, token = self.kind(), self.peek()
        if token == "(":  # noqa: S105 - a bracket
            self.take()
            inner = self._nested()
            self.take(")")
            return self._tests(inner)
        if kind == "name" and token not in ("true", "false"):
            return self._path()
        self.take()
        return path_steps.literal(kind, token)

    def _path(self) -> path_steps.Term:
        """Read a path that begins at the element that a criterion is about."""
        steps: list[path_steps.Step] = []
        if self.peek() == "$this":
            self.take()
        elif self._is_test():
            return self._tests(lambda one, _: [one], begins=True)
        else:
            self.step(steps)
        while self.peek() == "[" or (self.peek() == "." and not self._is_test(ahead=1)):
            if self.peek() == "[":
                self.index(steps)
            else:
                self.take(".")
                self.step(steps)
        path = tuple(steps)
        return self._tests(lambda one, work: list(path_steps.follow(path, [one], work)))

    def _is_test(self, ahead: int = 0) -> bool:
        names = [token for _, token in self._tokens[self._at + ahead : self._at + ahead + 2]]
        return len(names) == 2 and names[0] in ("exists", "empty", "not") and names[1] == "("

    def _tests(self, term: path_steps.Term, *, begins: bool = False) -> path_steps.Term:
        """Read `.exists()`, `.empty()` and `.not()` behind a term; the first has no dot where it begins a path."""
        while begins or (self.peek() == "." and self._is_test(ahead=1)):
            if not begins:
                self.take(".")
            begins = False
            name = self.take()
            self.take("(")
            if name == "exists" and self.peek() != ")":
                term = path_steps.those(term, self._nested())
            term = path_steps.tested(name, term)
            self.take(")")
        return term
