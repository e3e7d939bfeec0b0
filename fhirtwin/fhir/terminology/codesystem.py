"""A CodeSystem as a table of concepts: their place in the hierarchy, their properties, and filters over both.

*Source*: http://hl7.org/fhir/R4/codesystem.html, filters http://hl7.org/fhir/R4/valueset-filter-operator.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import re2

from fhirtwin.errors import Incorrect, Unprocessable

Json = Mapping[str, Any]

MAX_PATTERN: Final = 200
"""Most characters of a regular expression. It is matched in time that is linear in the text, whatever it says."""

_MEMORY: Final = 1 << 20
_HIERARCHY: Final = ("parent", "subsumedBy")


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept.

    Attributes:
        json: as it stands in the CodeSystem, with its children.
        parents: codes right above it.
        properties: values by property, as text.
    """

    code: str
    json: Json
    parents: frozenset[str]
    properties: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def display(self) -> str:
        """The preferred name; empty where there is none."""
        return str(self.json.get("display", ""))

    @property
    def inactive(self) -> bool:
        """Whether it is not for use any more.

        *Source*: http://hl7.org/fhir/R4/codesystem.html#status: `inactive`, and `status` where that is used.
        """
        return "true" in self.properties.get("inactive", ()) or bool(
            self.properties.get("status", frozenset()) & {"retired", "inactive"}
        )

    @property
    def abstract(self) -> bool:
        """Whether it only groups others."""
        return bool(
            {"true"}
            & (self.properties.get("notSelectable", frozenset()) | self.properties.get("abstract", frozenset()))
        )


class CodeSystem:
    """The concepts of one CodeSystem resource, which must be whole.

    Args:
        resource: structurally valid.

    Raises:
        Unprocessable: it holds a part of its codes only, or none.
    """

    def __init__(self, resource: Json) -> None:
        self.resource = resource
        self.url = str(resource.get("url", ""))
        self.version = str(resource.get("version", ""))
        if resource["content"] != "complete":
            raise Unprocessable(
                f"The CodeSystem {self.url} is here with content `{resource['content']}`, not `complete`: what it "
                "holds would be taken for all."
            )
        self.case_sensitive = bool(resource.get("caseSensitive", True))
        self._declared = {one["code"] for one in resource.get("filter", ())}
        self.concepts: dict[str, Concept] = {}
        for concept in _concepts(resource):
            self.concepts.setdefault(concept.code, concept)
        self._by_case = {} if self.case_sensitive else {code.casefold(): code for code in self.concepts}
        self._children: dict[str, list[str]] = {}
        for concept in self.concepts.values():
            for parent in concept.parents:
                self._children.setdefault(parent, []).append(concept.code)

    def find(self, code: str) -> Concept | None:
        """The concept of a code; case counts as the CodeSystem says."""
        return self.concepts.get(code) or self.concepts.get(self._by_case.get(code.casefold(), ""))

    def children(self, code: str) -> tuple[str, ...]:
        """Codes right under a code."""
        return tuple(self._children.get(code, ()))

    def below(self, code: str) -> frozenset[str]:
        """All codes under a code, itself left out unless it lies in a circle."""
        return _reached(code, self.children)

    def above(self, code: str) -> frozenset[str]:
        """All codes that a code lies under."""
        return _reached(code, lambda one: self.concepts[one].parents if one in self.concepts else ())

    def fits(self, filter_: Json) -> Callable[[Concept], bool]:
        """Make the check of one filter of a value set.

        Args:
            filter_: `ValueSet.compose.include.filter`: property, op, value.

        Raises:
            Unprocessable: a property that this code system does not have, or a code that is not there.
            Incorrect: a value that the operator cannot work with.
        """
        name, value = filter_["property"], filter_["value"]
        match filter_["op"]:
            case "is-a":
                root = self._root(name, value)
                return _among(self.below(root) | {root})
            case "descendent-of":
                return _among(self.below(self._root(name, value)))
            case "is-not-a":
                root = self._root(name, value)
                kept = self.concepts.keys() - self.below(root) - {root}
                return _among(frozenset(kept))
            case "generalizes":
                root = self._root(name, value)
                return _among(self.above(root) | {root})
        return self._by_value(filter_["op"], name, value)

    def _by_value(self, op: str, name: str, value: str) -> Callable[[Concept], bool]:
        read = self._reader(name)
        match op:
            case "=":
                return lambda concept: value in read(concept)
            case "in":
                wanted = frozenset(value.split(","))
                return lambda concept: bool(wanted & read(concept))
            case "not-in":
                unwanted = frozenset(value.split(","))
                return lambda concept: not unwanted & read(concept)
            case "exists" if value in ("true", "false"):
                return lambda concept: bool(read(concept)) == (value == "true")
            case "regex":
                pattern = _pattern(value)
                return lambda concept: any(pattern.fullmatch(text) for text in read(concept))
        raise Incorrect("A filter of a value set has an operator with a value that it cannot work with.")

    def _root(self, name: str, value: str) -> str:
        concept = self.find(value)
        if name not in ("concept", "code") or concept is None:
            raise Unprocessable(f"A filter asks for a place in the hierarchy of {self.url} that is not there.")
        return concept.code

    def _reader(self, name: str) -> Callable[[Concept], frozenset[str]]:
        if name in ("code", "concept"):
            return lambda concept: frozenset({concept.code})
        if name == "display":
            return lambda concept: frozenset({concept.display} - {""})
        known = {one["code"] for one in self.resource.get("property", ())} | self._declared
        if name not in known and not any(name in one.properties for one in self.concepts.values()):
            raise Unprocessable(f"A filter asks for a property that {self.url} does not define.")
        return lambda concept: concept.properties.get(name, frozenset())


def _among(codes: frozenset[str]) -> Callable[[Concept], bool]:
    return lambda concept: concept.code in codes


def _reached(start: str, following: Callable[[str], Iterable[str]]) -> frozenset[str]:
    seen: set[str] = set()
    unseen = list(following(start))
    while unseen:
        one = unseen.pop()
        if one not in seen:
            seen.add(one)
            unseen += following(one)
    return frozenset(seen)


def _concepts(resource: Json) -> Iterator[Concept]:
    """All concepts, those above before those below; a loop, since nesting may be deep."""
    unseen: list[tuple[Json, tuple[str, ...]]] = [(one, ()) for one in reversed(resource.get("concept", ()))]
    below: dict[str, set[str]] = {}
    found: list[tuple[Json, set[str], dict[str, frozenset[str]]]] = []
    while unseen:
        json, parents = unseen.pop()
        properties = _properties(json)
        above = {*parents, *(code for name in _HIERARCHY for code in properties.get(name, ()))}
        for code in properties.get("child", ()):
            below.setdefault(code, set()).add(json["code"])
        found.append((json, above, properties))
        unseen += [(child, (json["code"],)) for child in reversed(json.get("concept", ()))]
    for json, above, properties in found:
        yield Concept(json["code"], json, frozenset(above | below.get(json["code"], set())), properties)


def _properties(concept: Json) -> dict[str, frozenset[str]]:
    values: dict[str, set[str]] = {}
    for one in concept.get("property", ()):
        value: Any = next((value for name, value in one.items() if name.startswith("value")), "")
        if isinstance(value, dict):  # a Coding
            value = value.get("code", "")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        values.setdefault(one["code"], set()).add(text)
    return {name: frozenset(texts) for name, texts in values.items()}


def _pattern(text: str) -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    try:
        if len(text) > MAX_PATTERN:
            raise re2.error("too long")
        return re2.compile(text, options)
    except re2.error:
        raise Incorrect(f"A filter's regular expression is none, or has more than {MAX_PATTERN} characters.") from None
