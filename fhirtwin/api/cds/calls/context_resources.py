"""Judges what a context holds of FHIR: each resource by the rules of R4, a Bundle only by what it holds.

A Bundle of a context is a container and nothing more: the hooks' own examples have no `type`, and clients send search
results as they got them. Neither changes what is ordered. That it is a part only does, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.api.cds.hooks import Field, Kind
from fhirtwin.errors import Incorrect, Issue
from fhirtwin.fhir import validator
from fhirtwin.intake import belonging
from fhirtwin.intake.belonging import Placed

_LISTING: Final = ("collection", "searchset")
_OF_SEARCH: Final = ("total", "link")


@dataclass(frozen=True, slots=True)
class Judged:
    """What one member of a context holds.

    Attributes:
        placed: resources that are valid.
        issues: what is wrong with the others.
        hopeless: whether a list as a whole is wrong, so that nothing of it can be set aside.
    """

    placed: tuple[Placed, ...]
    issues: tuple[Issue, ...]
    hopeless: bool


def judge(value: Any, field: Field) -> Judged:
    """Judge a member that is, or holds, resources.

    Args:
        value: of the right kind: an object, or for an array of resources a list of objects.
        field: what the table of hooks says of it.
    """
    place = f"context.{field.name}"
    if field.kind is Kind.BUNDLE:
        return _bundle(value, place)
    if field.kind is Kind.RESOURCE:
        issues = tuple(validator.validate(value, type=field.type or None, prefix=place))
        return Judged(() if issues else (Placed(place, value),), issues, False)
    placed = [Placed(f"{place}[{number}]", item) for number, item in enumerate(value)]
    found = [(each, validator.validate(each.resource, type=field.type or None, prefix=each.place)) for each in placed]
    right = tuple(each for each, wrong in found if not wrong)
    return Judged(right, tuple(issue for _, wrong in found for issue in wrong), False)


def _bundle(value: Mapping[str, Any], place: str) -> Judged:
    bare = _without_search(value)
    issues = [*validator.validate(bare, type="Bundle", prefix=place), *_wrong_container(value, place)]
    if not issues:
        return Judged(tuple(belonging.entries(bare, place)), (), False)
    wrong = {_entry_of(issue, place) for issue in issues}
    if None in wrong:
        return Judged((), tuple(issues), True)
    right = {**bare, "entry": [{} if number in wrong else each for number, each in enumerate(bare["entry"])]}
    return Judged(tuple(belonging.entries(right, place)), tuple(issues), False)


def _without_search(value: Mapping[str, Any]) -> dict[str, Any]:
    """A Bundle without what only a search would say, and of a type."""
    bare = {"type": _LISTING[0], **{name: item for name, item in value.items() if name not in _OF_SEARCH}}
    if isinstance(bare.get("entry"), list):
        bare["entry"] = [
            {name: item for name, item in each.items() if name != "search"} if isinstance(each, dict) else each
            for each in bare["entry"]
        ]
    return bare


def _wrong_container(value: Mapping[str, Any], place: str) -> Iterator[Issue]:
    if value.get("type", _LISTING[0]) not in _LISTING:
        yield Issue(Incorrect.code, f"Send a Bundle of type {_LISTING[0]}.", (f"{place}.type",))
    links = value.get("link", [])
    if not isinstance(links, list) or any(
        not isinstance(each, dict) or each.get("relation") == "next" for each in links
    ):
        yield Issue("incomplete", "Only a page was sent; send all pages in one Bundle.", (f"{place}.link",))
    total, entries = value.get("total", 0), value.get("entry", [])
    if type(total) is not int or (isinstance(entries, list) and total > len(entries)):
        yield Issue("incomplete", "There are fewer entries than `total` says; send all.", (f"{place}.total",))


def _entry_of(issue: Issue, place: str) -> int | None:
    """The number of the entry that an issue is about; None when it is about the whole Bundle."""
    found = re.match(rf"{re.escape(place)}\.entry\[([0-9]+)\]", issue.expression[0] if issue.expression else "")
    return int(found[1]) if found else None
