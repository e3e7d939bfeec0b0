"""$lastn: `GET` or `POST [base]/Observation/$lastn`: the newest observations of each kind.

*Source*: http://hl7.org/fhir/R4/operation-observation-lastn.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from fhirtwin.errors import Incorrect, TooLarge
from fhirtwin.fhir import codec, dates
from fhirtwin.interactions import search_type
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter

MOST_OBSERVATIONS: Final = 20_000
"""Most observations that are looked at for one answer."""

_SUBJECTS: Final = frozenset({"patient", "subject"})
_KINDS: Final = frozenset({"category", "code", "code-value-concept", "combo-code", "component-code"})
_OURS: Final = frozenset(
    {"_count", "_sort", "_summary", "_elements", "_total", "_include", "_revinclude", "_contained", "_explain"}
)
"""Parameters about the form of a search's result, which is not what is given here."""

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


class _Coding(msgspec.Struct):
    system: str = ""
    code: str = ""


class _Concept(msgspec.Struct):
    coding: list[_Coding] = []
    text: str = ""


class _Observation(msgspec.Struct):
    code: _Concept
    effective_date_time: str = msgspec.field(default="", name="effectiveDateTime")
    effective_instant: str = msgspec.field(default="", name="effectiveInstant")
    effective_period: dict[str, Any] = msgspec.field(default={}, name="effectivePeriod")
    effective_timing: dict[str, Any] = msgspec.field(default={}, name="effectiveTiming")


class _Search(msgspec.Struct):
    mode: str = "match"


class _Entry(msgspec.Struct):
    resource: msgspec.Raw
    full_url: str = msgspec.field(default="", name="fullUrl")
    search: _Search = msgspec.field(default_factory=_Search)


class _Link(msgspec.Struct):
    relation: str
    url: str


class _Found(msgspec.Struct):
    link: list[_Link]
    entry: list[_Entry] = []


Kind = tuple[str, str]
"""System and code of a coding; or an empty system and the text of a concept that has none."""


def lastn(call: Call) -> Answer:
    """Give the newest observations of each code, newest first.

    Observations are of one kind when they share a coding (system and code), also by way of a third one that has the
    codings of both; without codings the text counts, every letter of it. Where the last of a kind has the same time as
    others, those are given too. One without a time is older than all others.

    Args:
        call: `max` of each kind (1 when absent), and search parameters of Observation: `patient` or `subject`, and
            `category` (without a value: any) or a code.

    Raises:
        Incorrect: no subject; neither category nor code.
        Unsupported: a parameter that searches do not offer.
        TooLarge: more than `MOST_OBSERVATIONS` fit.
    """
    asked = [(name, str(value)) for name, values in call.given.items() if name != "max" for value in values]
    _check(asked)
    found = list(_observations(call, [(name, value) for name, value in asked if (name, value) != ("category", "")]))
    read = [msgspec.json.decode(entry.resource, type=_Observation) for entry in found]
    times = [_time(observation) for observation in read]
    shown = sorted(_newest(_kinds(read), times, call.one("max") or 1), key=times.__getitem__, reverse=True)
    address = f"{call.services.base_url}/Observation/$lastn"
    most = [("max", str(call.one("max")))] if call.one("max") else []
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(shown),
        "link": [{"relation": "self", "url": f"{address}?{urlencode([*call.form, *most, *asked])}"}],
    }
    if shown:
        bundle["entry"] = [
            {"fullUrl": found[n].full_url, "resource": found[n].resource, "search": {"mode": "match"}} for n in shown
        ]
    return Answer(200, codec.encode(bundle))


def _check(asked: Iterable[tuple[str, str]]) -> None:
    names = {name.partition(":")[0] for name, _ in asked}
    if not names & _SUBJECTS:
        raise Incorrect("$lastn needs whom it is about: `patient` or `subject`.")
    if not names & _KINDS:
        raise Incorrect("$lastn needs `category` or `code`; `category=` without a value means any.")
    if form := names & _OURS:
        raise Incorrect(f"$lastn has an order and a size of its own; leave out {', '.join(sorted(form))}.")


def _observations(call: Call, asked: list[tuple[str, str]]) -> Iterator[_Entry]:
    """All that a search finds, through all of its pages, within one moment of the store."""
    page = [*asked, ("_count", str(call.services.settings.max_count))]
    number = 0
    with call.services.store.snapshot() as reader:
        while page:
            data = search_type.within(call.services, call.caller, reader, "Observation", page)
            found = msgspec.json.decode(data, type=_Found)
            number += len(found.entry)
            if number > MOST_OBSERVATIONS:
                raise TooLarge(f"More than {MOST_OBSERVATIONS} observations fit; ask for fewer by `code` or `date`.")
            yield from (entry for entry in found.entry if entry.search.mode == "match")
            following = [link.url for link in found.link if link.relation == "next"]
            page = parse_qsl(urlsplit(following[0]).query, keep_blank_values=True) if following else []


def _kinds(observations: Iterable[_Observation]) -> list[int]:
    """The number of the kind that each observation is of.

    Codings that stand in one concept are of one kind, and so are those that are of one kind with a third.
    """
    parents: list[int] = []
    known: dict[Kind, int] = {}

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    first = []
    for observation in observations:
        number = len(parents)
        parents.append(number)
        for kind in _codings(observation.code, number):
            parents[root(known.setdefault(kind, number))] = root(number)
        first.append(number)
    return [root(number) for number in first]


def _codings(concept: _Concept, number: int) -> list[Kind]:
    codings = [(coding.system, coding.code) for coding in concept.coding if coding.code]
    if codings:
        return codings
    # A space is in no URI, so a text is no coding; what has neither code nor text is a kind of its own.
    return [(" text", concept.text)] if concept.text else [(" none", str(number))]


def _newest(kinds: list[int], times: list[datetime], most: int) -> Iterator[int]:
    """Positions of the newest of each kind, ties with the last one included."""
    by_kind: dict[int, list[int]] = {}
    for position, kind in enumerate(kinds):
        by_kind.setdefault(kind, []).append(position)
    for positions in by_kind.values():
        positions.sort(key=times.__getitem__, reverse=True)
        last = times[positions[min(most, len(positions)) - 1]]
        yield from (position for position in positions if times[position] >= last)


def _time(observation: _Observation) -> datetime:
    """When it was observed: the end of a period, which goes on when it has none; the last event of a Timing."""
    text = observation.effective_date_time or observation.effective_instant
    if text:
        return dates.parse(text).start
    if period := observation.effective_period:
        return dates.parse(period["end"]).start if "end" in period else _LATEST if "start" in period else _NEVER
    events = [dates.parse(event).start for event in observation.effective_timing.get("event", ()) if event]
    return max(events, default=_NEVER)


OPERATION: Final = Operation(
    name="lastn",
    definition="http://hl7.org/fhir/OperationDefinition/Observation-lastn",
    types=frozenset({"Observation"}),
    levels=frozenset({Level.TYPE}),
    run=lastn,
    parameters=(Parameter("max", "positiveInt"),),
    searches=True,
)
