"""Judges a resource by a profile: walks its values and the profile's elements together.

*Source*: http://hl7.org/fhir/R4/profiling.html, http://hl7.org/fhir/R4/validation.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from fhirtwin.errors import Issue, Unsupported
from fhirtwin.fhir import references
from fhirtwin.fhir.budget import Budget, TooMuch
from fhirtwin.fhir.profiles import constraints, slicing
from fhirtwin.fhir.profiles.elements import Element, Profile, Slicing, Type
from fhirtwin.fhir.profiles.items import Item, of_resource
from fhirtwin.fhir.profiles.known import R4, Known, base_constraints
from fhirtwin.fhir.tables import RESOURCE_TYPES, TYPES
from fhirtwin.fhir.terminology import value_sets

MAX_ISSUES: Final = 100
MAX_SECONDS: Final = 2.0
"""Processor time of one judgement; a write that is judged keeps others waiting."""
MAX_STEPS: Final = 200_000
"""Pairs of a value and an element that one judgement looks at."""
MAX_NESTED: Final = 40
"""Profiles that lead to one another."""
_ANY_RESOURCE: Final = frozenset({"Resource", "DomainResource"})
_NO_TYPE: Final = frozenset({"BackboneElement", "Element"})


def judge(
    resource: Mapping[str, Any],
    canonical: str,
    known: Known,
    *,
    place: str | None = None,
    container: Mapping[str, Any] | None = None,
    budget: Budget | None = None,
) -> list[Issue]:
    """Judge a resource that is valid R4 by a profile.

    Args:
        resource: as `fhirtwin.fhir.codec.decode` gives it.
        canonical: of the profile.
        known: the profiles, value sets and code systems at hand.
        place: of the resource for the expressions; None means its type.
        container: the Bundle, Parameters or resource that it is in, where its references may lead.
        budget: what the judgement may cost; None means `MAX_SECONDS` and `MAX_STEPS`.

    Returns:
        The issues: errors and warnings, and as `information` what could not be checked.
    """
    item = of_resource(resource, place or str(resource["resourceType"]))
    return judge_item(item, canonical, known, container or resource, budget)


def judge_item(
    item: Item, canonical: str, known: Known, container: Mapping[str, Any], budget: Budget | None = None
) -> list[Issue]:
    """Judge any value by a profile of its type; as `judge`."""
    judgement = _Judgement(known, container, budget or Budget(MAX_SECONDS, MAX_STEPS))
    try:
        issues = list(dict.fromkeys(judgement.profile(item, canonical)))
    except TooMuch:
        text = f"To judge this by the profile {canonical} takes longer than it may; it was not judged whole."
        return [Issue("too-costly", text, (item.place,))]
    if len(issues) > MAX_ISSUES:
        more = Issue("incomplete", "There are more problems than listed.", (item.place,), severity="information")
        return [*issues[:MAX_ISSUES], more]
    return issues


class _Judgement:
    """One run; `slicing.Judging` is what slices see of it."""

    def __init__(self, known: Known, container: Mapping[str, Any], budget: Budget) -> None:
        self.known = known
        self.budget = budget
        self._container = container
        self._resources: list[Mapping[str, Any]] = []
        self._under_way: set[tuple[str, str]] = set()

    # ---- profiles ----

    def profile(self, item: Item, canonical: str) -> list[Issue]:
        """Judge a value by a profile, and by what that is based on."""
        url = canonical.partition("|")[0]
        try:
            profile = self.known.profile(canonical)
        except Unsupported as error:
            return [_unchecked(item.place, str(error))]
        if profile is None:
            return self._base_type(item, url)
        if not slicing.is_of(item.kind, profile.type):
            return [Issue("value", f"Expected {profile.type}, which {url} is about.", (item.place,))]
        if (url, item.place) in self._under_way:
            return []
        if len(self._under_way) >= MAX_NESTED:
            raise TooMuch
        self._under_way.add((url, item.place))
        try:
            with self._in(item):
                issues = list(self._element(item, profile.root, profile))
            return [*issues, *self.profile(item, profile.base)] if profile.base else issues
        finally:
            self._under_way.discard((url, item.place))

    def _base_type(self, item: Item, url: str) -> list[Issue]:
        name = url.removeprefix(R4)
        if name not in TYPES:
            return [_unchecked(item.place, f"The profile {url} is not known here; it was not checked.")]
        if slicing.is_of(item.kind, name):
            return []
        return [Issue("value", f"Expected {name}.", (item.place,))]

    def conforms(self, item: Item, canonical: str) -> bool | None:
        """Tell whether a value conforms; None where its profile is not known."""
        issues = self.profile(item, canonical)
        if any(issue.severity == "error" for issue in issues):
            return False
        return None if any(issue.code == "not-supported" for issue in issues) else True

    def resolve(self, reference: Item) -> Item | None:
        """Find the target of a reference among contained resources and in the Bundle around."""
        text = reference.value.get("reference", "") if isinstance(reference.value, dict) else ""
        if not text:
            return None
        if text.startswith("#"):
            return self._contained(text[1:])
        return in_bundle(self._container, text)

    def _contained(self, id_: str) -> Item | None:
        for resource in (*reversed(self._resources), self._container):
            for number, one in enumerate(resource.get("contained", ())):
                if one.get("id") == id_:
                    return of_resource(one, f"{resource['resourceType']}.contained[{number}]")
        return None

    # ---- one value ----

    def _element(self, item: Item, element: Element, profile: Profile) -> Iterator[Issue]:
        self.budget.spend()
        for test in element.tests:
            if item.value is not None and not test.holds(item.value):
                yield Issue("value", f"{test.expected} {_by(profile)}", (item.place,))
        if element.types:
            yield from self._types(item, element.types, profile)
        if element.binding:
            yield from self._binding(item, element, profile)
        for constraint in element.constraints:
            if constraint.key not in base_constraints():
                yield from self._constraint(item, constraint, profile)
        if element.children:
            with self._in(item):
                for child in element.children.values():
                    yield from self._group(item, child, profile)

    @contextmanager
    def _in(self, item: Item) -> Iterator[None]:
        """Let a resource be `%resource` for what is in it: its constraints as an element are about what is around."""
        if item.kind not in RESOURCE_TYPES:
            yield
            return
        self._resources.append(item.value)
        try:
            yield
        finally:
            self._resources.pop()

    def _types(self, item: Item, types: tuple[Type, ...], profile: Profile) -> Iterator[Issue]:
        fitting = [type_ for type_ in types if _may_be(item.kind, type_.code)]
        if not fitting:
            named = " or ".join(type_.code for type_ in types)
            yield Issue("structure", f"Expected {named}. {_by(profile)}", (item.place,))
            return
        if all(type_.profiles for type_ in fitting):
            yield from self._one_of(item, [canonical for type_ in fitting for canonical in type_.profiles])
        if item.kind == "Reference" and all(type_.targets for type_ in fitting):
            yield from self._targets(item, [target for type_ in fitting for target in type_.targets], profile)

    def _one_of(self, item: Item, canonicals: list[str]) -> Iterator[Issue]:
        """Conform to one profile of several; what is wrong is told in full only where there is but one."""
        tried = [self.profile(item, canonical) for canonical in canonicals]
        best = min(tried, key=lambda issues: sum(issue.severity == "error" for issue in issues))
        if len(tried) == 1 or not any(issue.severity == "error" for issue in best):
            yield from best
            return
        yield Issue("value", f"Expected what conforms to {' or '.join(canonicals)}.", (item.place,))

    def _targets(self, item: Item, targets: list[str], profile: Profile) -> Iterator[Issue]:
        found = self.resolve(item)
        if found is not None:
            if not any(self._is_target(found, target) for target in targets):
                expected = " or ".join(target.removeprefix(R4) for target in targets)
                text = f"Expected a reference to what conforms to {expected}. {_by(profile)}"
                yield Issue("value", text, (f"{item.place}.reference",))
            return
        kind = references.parse(item.value.get("reference", "")).type or item.value.get("type", "")
        types = {self._type_of(target) for target in targets}
        if kind in RESOURCE_TYPES and "" not in types and not any(_may_be(kind, name) for name in types):
            expected = ", ".join(sorted(types))
            yield Issue("value", f"Expected a reference to {expected}. {_by(profile)}", (f"{item.place}.reference",))

    def _is_target(self, found: Item, target: str) -> bool:
        return self.conforms(found, target) is not False

    def _type_of(self, canonical: str) -> str:
        """The type that a profile is about; empty where that is not known."""
        name = canonical.partition("|")[0].removeprefix(R4)
        if name in TYPES:
            return name
        try:
            profile = self.known.profile(canonical)
        except Unsupported:
            return ""
        return profile.type if profile else ""

    def _binding(self, item: Item, element: Element, profile: Profile) -> Iterator[Issue]:
        strength, value_set = element.binding or ("", "")
        required = strength == "required"
        codes = list(slicing.codings(item))
        if not codes:
            if required and isinstance(item.value, dict) and not item.value.keys() <= {"id", "extension"}:
                yield Issue("code-invalid", f"Expected a code of {value_set}. {_by(profile)}", (item.place,))
            return
        answers = {value_sets.contains(value_set, system, code, self.known.resource) for system, code in codes}
        if True in answers:
            return
        if None in answers:
            if required:
                yield _unchecked(item.place, f"Whether the code is of {value_set} cannot be told here.")
            return
        severity = "error" if required else "warning"
        text = f"Expected a code of {value_set}. {_by(profile)}"
        yield Issue("code-invalid", text, (item.place,), severity=severity)

    def _constraint(self, item: Item, constraint: constraints.Constraint, profile: Profile) -> Iterator[Issue]:
        value = item.value if item.value is not None else item.beside
        resource = self._resources[-1] if self._resources else self._container
        seconds = self.budget.seconds
        answer = constraints.holds(constraint, value, item.kind, resource, self._container, seconds)
        self.budget.spend()
        if answer is None:
            yield _unchecked(item.place, f"The constraint {constraint.key} cannot be checked here. {_by(profile)}")
        elif not answer:
            severity = "error" if constraint.severity == "error" else "warning"
            yield Issue("invariant", f"{constraint.text} ({constraint.key})", (item.place,), severity=severity)

    # ---- the values of an element, and their slices ----

    def _group(self, owner: Item, element: Element, profile: Profile) -> Iterator[Issue]:
        items = owner.children(element.name)
        place = f"{owner.place}.{element.name.removesuffix('[x]')}"
        yield from _count(len(items), element, place, profile)
        for item in items:
            yield from self._element(item, element, profile)
        if element.slices and element.slicing is None:
            yield _unchecked(place, f"How slices are told apart is not said. {_by(profile)}")
        elif element.slicing and element.slicing.discriminators and element.slices:
            yield from self._slices(items, element.slices, element.slicing, place, profile)

    def _slices(
        self, items: list[Item], slices: list[Element], how: Slicing, place: str, profile: Profile
    ) -> Iterator[Issue]:
        members: dict[str, list[Item]] = {one.slice: [] for one in slices}
        undecided: set[str] = set()
        last, outside = -1, False
        for item in items:
            number = self._slice_of(item, slices, how, undecided)
            if number is None:
                outside = True
                if how.rules == "closed" and not undecided:
                    yield Issue("structure", f"Expected one of its slices only. {_by(profile)}", (item.place,))
                continue
            if outside and how.rules == "openAtEnd":
                yield Issue("structure", f"Expected what is in no slice at the end. {_by(profile)}", (item.place,))
            if how.ordered and number < last:
                yield Issue("structure", f"Expected slices in the profile's order. {_by(profile)}", (item.place,))
            last = max(last, number)
            members[slices[number].slice].append(item)
        for one in slices:
            if one.slice in undecided and not members[one.slice]:
                if one.low:
                    yield _unchecked(place, f"The slice {one.slice} cannot be told here. {_by(profile)}")
                continue
            yield from _count(len(members[one.slice]), one, place, profile)
            for item in members[one.slice]:
                yield from self._element(item, one, profile)
            if one.slices and one.slicing:
                yield from self._slices(members[one.slice], one.slices, one.slicing, place, profile)

    def _slice_of(self, item: Item, slices: Iterable[Element], how: Slicing, undecided: set[str]) -> int | None:
        for number, one in enumerate(slices):
            answer = slicing.matches(item, one, how.discriminators, self)
            if answer:
                return number
            if answer is None:
                undecided.add(one.slice)
        return None


def in_bundle(container: Mapping[str, Any], text: str) -> Item | None:
    """Find the resource that a reference means in a Bundle: http://hl7.org/fhir/R4/bundle.html#references."""
    if container.get("resourceType") != "Bundle":
        return None
    for number, entry in enumerate(container.get("entry", ())):
        url, resource = entry.get("fullUrl", ""), entry.get("resource")
        if resource is not None and (url == text or url.endswith(f"/{text}")):
            return of_resource(resource, f"Bundle.entry[{number}].resource")
    return None


def _may_be(kind: str, code: str) -> bool:
    """Whether a value of a type may stand where a profile names one; nested elements have no type of their own."""
    if code in _NO_TYPE or code.startswith("http://hl7.org/fhirpath/") or "." in kind:
        return True
    if code in _ANY_RESOURCE:
        return kind in RESOURCE_TYPES
    return slicing.is_of(kind, code)


def _count(there: int, element: Element, place: str, profile: Profile) -> Iterator[Issue]:
    named = f" of the slice {element.slice}" if element.slice else ""
    if there < element.low:
        yield Issue("required", f"Expected at least {element.low}{named}, found {there}. {_by(profile)}", (place,))
    elif element.high is not None and there > element.high:
        yield Issue("structure", f"Expected at most {element.high}{named}, found {there}. {_by(profile)}", (place,))


def _by(profile: Profile) -> str:
    return f"({profile.url})"


def _unchecked(place: str, text: str) -> Issue:
    return Issue("not-supported", text, (place,), severity="information")
