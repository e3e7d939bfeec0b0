"""Search parameters as text become a `Query`. Nothing is guessed: what is not understood is refused by name.

R4 lets a server ignore what it does not know; the caller then gets everybody's data and believes it was filtered. Who
wants that all the same says so (`Prefer: handling=lenient`) and is told what was ignored.

*Source*: http://hl7.org/fhir/R4/search.html (modifiers 3.1.1.5.5, chains 3.1.1.5.3 and 3.1.1.5.4).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Final

from fhirtwin.errors import Incorrect, TooLarge, Unsupported
from fhirtwin.fhir.search import results as search_results
from fhirtwin.fhir.search import values as search_values
from fhirtwin.fhir.search.listed_codes import ValueSets
from fhirtwin.fhir.search.parameters import PARAMETERS, Kind, SearchParameter, not_offered
from fhirtwin.fhir.search.query import Chain, Condition, Criterion, Listed, Query, ReverseChain, Wanted
from fhirtwin.fhir.search.results import PAGE
from fhirtwin.fhir.search.values import CodesValue, CompositeValue, ReferenceValue, UriValue, Value, split, unescape
from fhirtwin.fhir.tables import RESOURCE_TYPES

MAX_CONDITIONS: Final = 30
"""Most parameters of one search."""

MAX_BRANCHES: Final = 150
"""Most resource types that the links of one search may lead to, all taken together."""

MAX_VALUES: Final = 1_000
"""Most values of one search, those of all its parameters, types and value sets taken together."""

_COMPOSITE_COSTS: Final = 10
"""How many plain values one of a composite counts for: it takes a look of its own."""

MODIFIERS: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.NUMBER: frozenset(),
    Kind.DATE: frozenset(),
    Kind.QUANTITY: frozenset(),
    Kind.COMPOSITE: frozenset(),
    Kind.STRING: frozenset({"exact", "contains"}),
    Kind.TOKEN: frozenset({"not", "text", "in", "not-in", "of-type"}),
    Kind.REFERENCE: frozenset({"identifier"}),
    Kind.URI: frozenset({"above", "below"}),
}
"""What is offered beside `:missing` and, for references, a resource type."""

_COLUMNS: Final = frozenset({"_id", "_lastUpdated"})
"""Parameters that every resource has a value of."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one search may ask: the settings of the same names."""

    default_count: int = 50
    max_count: int = 1000
    max_includes: int = 1000
    max_chain_depth: int = 3
    max_or_values: int = 100


@dataclass(slots=True)
class Grammar:
    """Reads the parameters of one search.

    Attributes:
        base_url: this server's base: references below it are its own.
        limits: how much may be asked.
        lenient: whether parameters that are not offered are passed over and told, rather than refused.
        value_sets: knows what is in a value set, for `:in` and `:not-in`.
        now: the present, for the prefix `ap`; None: the clock.
    """

    base_url: str
    limits: Limits = field(default_factory=Limits)
    lenient: bool = False
    value_sets: ValueSets = lambda _url: None
    now: datetime | None = None
    _links: int = 0
    """Resource types that chains have led to so far."""
    _values: int = 0
    """Values that were read so far."""

    def parse(self, types: tuple[str, ...], parameters: Iterable[tuple[str, str]]) -> Query:
        """Read the parameters of a search of these types.

        Args:
            types: resource types that are searched; at least one.
            parameters: decoded names and values, in the order sent.

        Raises:
            Unsupported: a parameter, a modifier or a chain that is not offered.
            Incorrect: a value that cannot be read; the text names the parameter.
            TooLarge: more than one of the limits; the text names it.
        """
        results = search_results.Results(types, self.limits.default_count, self.limits.max_count)
        criteria: dict[str, list[Criterion]] = {type_: [] for type_ in types}
        understood: list[tuple[str, str]] = []
        ignored: list[str] = []
        for name, text in parameters:
            try:
                if not results.read(name, text):
                    # All types or none: what one of them has not narrows no other.
                    read = [self._criterion(type_, name, text, 0) for type_ in types]
                    for type_, criterion in zip(types, read, strict=True):
                        criteria[type_].append(criterion)
            except Unsupported as refusal:
                if not self.lenient:
                    raise
                ignored.append(str(refusal))
                continue
            if name != PAGE:
                understood.append((name, text))
        if len(understood) > MAX_CONDITIONS:
            raise TooLarge(f"A search may have at most {MAX_CONDITIONS} parameters.")
        return Query(
            wanted=tuple(Wanted(type_, tuple(criteria[type_])) for type_ in types),
            max_includes=self.limits.max_includes,
            understood=tuple(understood),
            ignored=tuple(ignored),
            **results.members(),
        )

    def _criterion(self, type_: str, sent: str, text: str, depth: int) -> Criterion:
        """Read one parameter: `name`, `name:modifier`, `name.chain`, `_has:Type:reference:name` or `_list`."""
        if sent.startswith("_has:"):
            return self._reverse_chain(type_, sent, text, depth)
        head, dot, rest = sent.partition(".")
        name, colon, modifier = head.partition(":")
        if name == "_list":
            return self._listed(type_, sent, text)
        parameter = _offered(type_, name)
        if dot:
            return self._chain(parameter, modifier, rest, text, depth)
        if colon and not _fits(parameter, modifier):
            raise Unsupported(f"Modifier `:{_shown(modifier)}` is not offered for `{name}` of {type_}.")
        return self._condition(parameter, modifier, text)

    def _chain(self, parameter: SearchParameter, modifier: str, rest: str, text: str, depth: int) -> Chain:
        if parameter.kind is not Kind.REFERENCE:
            raise Unsupported(f"`{parameter.name}` of {parameter.type} is no reference: it cannot be chained.")
        targets = parameter.targets or RESOURCE_TYPES
        if modifier:
            if modifier not in targets:
                raise Unsupported(f"`{parameter.name}` of {parameter.type} does not refer to `{_shown(modifier)}`.")
            targets = frozenset({modifier})
        self._deeper(depth)
        wanted: list[Wanted] = []
        refusal: Unsupported | None = None
        for target in sorted(targets):
            try:
                wanted.append(Wanted(target, (self._criterion(target, rest, text, depth + 1),)))
            except Unsupported as error:  # a type of target that does not have the parameter has no match either
                refusal = error
        if not wanted:
            raise refusal or Unsupported(f"`{parameter.name}` of {parameter.type} refers to no resource.")
        self._count_links(len(wanted))
        return Chain(parameter, tuple(wanted))

    def _reverse_chain(self, type_: str, sent: str, text: str, depth: int) -> ReverseChain:
        parts = sent.split(":", 3)
        if len(parts) != 4 or not parts[3]:
            raise Incorrect("`_has` takes the form `_has:Type:reference:parameter`.")
        _, owner, name, rest = parts
        if owner not in RESOURCE_TYPES:
            raise Unsupported(f"`_has` names `{_shown(owner)}`, which is no resource type.")
        parameter = _offered(owner, name)
        if parameter.kind is not Kind.REFERENCE or (parameter.targets and type_ not in parameter.targets):
            raise Unsupported(f"`{name}` of {owner} does not refer to {type_}.")
        self._deeper(depth)
        self._count_links(1)
        return ReverseChain(parameter, Wanted(owner, (self._criterion(owner, rest, text, depth + 1),)))

    def _deeper(self, depth: int) -> None:
        if depth >= self.limits.max_chain_depth:
            raise TooLarge(
                f"A chain may lead over at most {self.limits.max_chain_depth} references (FHIRTWIN_MAX_CHAIN_DEPTH)."
            )

    def _count_links(self, more: int) -> None:
        self._links += more
        if self._links > MAX_BRANCHES:
            raise TooLarge(
                f"The chains of a search may lead to at most {MAX_BRANCHES} resource types, all taken together; "
                "name the type after the reference, as in subject:Patient.name."
            )

    def _listed(self, type_: str, sent: str, text: str) -> Listed:
        ids = []
        for part in self._parts("_list", text):
            if sent != "_list" or part.startswith("$"):
                raise Unsupported("`_list` takes ids of stored Lists; functional lists are not offered.")
            ids.append(search_values.reference("_list", unescape(part), "List", self.base_url).id)
        return Listed(_offered("List", "item"), tuple(ids))

    def _condition(self, parameter: SearchParameter, modifier: str, text: str) -> Condition:
        parts = self._parts(parameter.name, text)
        if modifier in ("in", "not-in"):
            return Condition(parameter, modifier, tuple(v for part in parts for v in self._codes(parameter, part)))
        return Condition(parameter, modifier, tuple(self._value(parameter, modifier, part) for part in parts))

    def _parts(self, name: str, text: str) -> list[str]:
        parts = list(split(text, ","))
        if len(parts) > self.limits.max_or_values:
            raise TooLarge(f"`{name}` may have at most {self.limits.max_or_values} values (FHIRTWIN_MAX_OR_VALUES).")
        if not all(part.strip() for part in parts):
            raise Incorrect(f"`{name}` has an empty value; leave the parameter out to search for anything.")
        if any(len(part) > search_values.MAX_TEXT for part in parts):
            raise TooLarge(f"`{name}` has a value of more than {search_values.MAX_TEXT} characters.")
        if "\x00" in text:
            raise Incorrect(f"`{name}` holds the character U+0000, which no FHIR value has.")
        parts = list(dict.fromkeys(parts))
        self._count_values(len(parts))
        return parts

    def _count_values(self, more: int) -> None:
        self._values += more
        if self._values > MAX_VALUES:
            raise TooLarge(
                f"A search may have at most {MAX_VALUES} values, those of all its parameters, types and value sets "
                "taken together: name fewer values or fewer types."
            )

    def _codes(self, parameter: SearchParameter, text: str) -> Iterable[Value]:
        found = self.value_sets(unescape(text))
        if found is None:
            raise Unsupported(
                f"`{parameter.name}` names a value set whose codes cannot be listed here; store a ValueSet of that "
                "url that names its codes one by one."
            )
        self._count_values(sum(map(len, found.values())))
        return [CodesValue(system, codes) for system, codes in sorted(found.items())]

    def _value(self, parameter: SearchParameter, modifier: str, text: str) -> Value:
        name = parameter.name
        match modifier:
            case "missing":
                return search_values.presence(name, text)
            case "of-type":
                return search_values.typed(name, text)
            case "text":
                return search_values.string(name, unescape(text), modifier)
            case "identifier":
                return search_values.token(name, text)
        match parameter.kind:
            case Kind.TOKEN:
                return search_values.token(name, text)
            case Kind.STRING:
                return search_values.string(name, unescape(text), modifier)
            case Kind.DATE:
                return search_values.date(name, text, self.now)
            case Kind.NUMBER:
                return search_values.number(name, unescape(text).strip())
            case Kind.QUANTITY:
                return search_values.quantity(name, text)
            case Kind.URI:
                return search_values.uri(unescape(text), versioned=parameter.canonical)
            case Kind.REFERENCE:
                return self._reference(parameter, modifier, unescape(text))
            case _:
                return self._composite(parameter, text)

    def _reference(self, parameter: SearchParameter, modifier: str, text: str) -> ReferenceValue | UriValue:
        is_url = re.match(r"[a-z][a-z0-9+.\-]*:", text) is not None
        if is_url and not modifier and (parameter.canonical or not search_values.is_restful(text)):
            return search_values.uri(text, versioned=parameter.canonical)
        return search_values.reference(parameter.name, text, modifier, self.base_url)

    def _composite(self, parameter: SearchParameter, text: str) -> CompositeValue:
        parts = list(split(text, "$"))
        if len(parts) != len(parameter.components) or not all(parts):
            named = "$".join(component.parameter.name for component in parameter.components)
            raise Incorrect(f"`{parameter.name}` takes values for {named}, with `$` between them.")
        self._count_values(_COMPOSITE_COSTS)
        return CompositeValue(
            tuple(
                self._value(component.parameter, "", part)
                for component, part in zip(parameter.components, parts, strict=True)
            )
        )


def _offered(type_: str, name: str) -> SearchParameter:
    found = PARAMETERS[type_].get(name)
    if found is not None:
        return found
    if reason := not_offered(type_).get(name):
        raise Unsupported(f"`{name}` of {type_} is not offered. {reason}")
    raise Unsupported(
        f"Search parameter `{_shown(name)}` is not offered for {type_}; offered are: {_all_offered(type_)}."
    )


@cache
def _all_offered(type_: str) -> str:
    return ", ".join(sorted(PARAMETERS[type_]))


def _fits(parameter: SearchParameter, modifier: str) -> bool:
    if modifier == "missing":
        return parameter.name not in _COLUMNS
    if parameter.kind is Kind.REFERENCE and modifier in RESOURCE_TYPES:
        return not parameter.targets or modifier in parameter.targets
    if parameter.name == "_id":
        return modifier == "not"
    return modifier in MODIFIERS[parameter.kind]


def _shown(name: str) -> str:
    """A parameter's name, cut to what a sane one may contain: the text of an error carries no data."""
    return re.sub(r"[^A-Za-z0-9_.:\-]", "?", name)[:64]
