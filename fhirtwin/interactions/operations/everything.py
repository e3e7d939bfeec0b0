"""$everything: `GET` or `POST [base]/Patient/[id]/$everything`: a patient's record, and what it refers to.

*Source*: http://hl7.org/fhir/R4/operation-patient-everything.html, http://hl7.org/fhir/R4/compartmentdefinition-patient.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from fhirtwin.access import permit
from fhirtwin.access.visibility import view
from fhirtwin.errors import Incorrect, TooLarge
from fhirtwin.fhir import care_dates, codec, dates, references
from fhirtwin.fhir.search.results import PAGE
from fhirtwin.fhir.tables import RESOURCE_TYPES
from fhirtwin.interactions import read
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter
from fhirtwin.store import Numbered, Reader

MOST_REFERRED: Final = 5000
"""Most resources that the records of one page may refer to."""

_STRING: Final = rb'("[^"\\]*(?:\\.[^"\\]*)*")'
_REFERENCE: Final = re.compile(rb'"(reference|url)"[ \t\r\n]*:[ \t\r\n]*' + _STRING)
_PLACE: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the parameters ask for.

    Attributes:
        types: resource types; empty means all.
        since: an instant as versions have it; empty means ever.
        start: of the care, aware.
        end: of the care, aware, exclusive.
        dated: whether start or end was given.
        count: most records of the compartment on a page.
        after: number of the last resource of the page before.
        ceiling: number of the newest resource when the first page was made; None on the first page.
    """

    types: frozenset[str]
    since: str
    start: datetime
    end: datetime
    dated: bool
    count: int
    after: int
    ceiling: int | None

    def shows(self, numbered: Numbered) -> bool:
        """Whether a resource is among what is asked for."""
        stored = numbered.stored
        if (self.types and stored.type not in self.types) or stored.last_updated < self.since:
            return False
        return not self.dated or care_dates.within(_decoded(stored.data), self.start, self.end)


@dataclass(frozen=True, slots=True)
class _Page:
    """One page: records of the compartment, what they refer to, and where the next page begins, if there is one."""

    records: tuple[Numbered, ...]
    referred: tuple[Numbered, ...]
    next_after: int | None


def everything(call: Call) -> Answer:
    """Give all that lies in a patient's compartment, and what that refers to and is nobody's.

    Resources of another patient are not given, even where this patient's refer to them. The `next` link of a page goes
    on behind its last record and looks no further than what was stored when the first page was made, so writers do not
    shift pages. What records refer to comes with them; a Practitioner may come on several pages.

    Args:
        call: `start` and `end` (of the care), `_since` (of storing), `_type`, `_count`.

    Raises:
        NotFound, Gone: no such Patient.
        Incorrect: a parameter is wrong.
        TooLarge: the records of a page refer to more than `MOST_REFERRED` resources.
    """
    permit(call.caller, "read", "Patient")
    wanted = _wanted(call)
    with call.services.store.snapshot() as reader:
        read.current(reader, call.caller, "Patient", call.id)
        ceiling = reader.newest() if wanted.ceiling is None else wanted.ceiling
        page = _page(call, reader, wanted, ceiling)
    return Answer(200, codec.encode(_bundle(call, wanted, page, ceiling)))


def _wanted(call: Call) -> _Wanted:
    types = frozenset(name for text in call.every("_type") for name in text.split(","))
    if unknown := types - RESOURCE_TYPES:
        raise Incorrect(f"`_type` names {len(unknown)} that are no resource types of R4 (upper and lower case matter).")
    start, end, since = call.one("start"), call.one("end"), call.one("_since")
    count = call.one("_count")
    if count is not None and count < 1:
        raise Incorrect("`_count` must be 1 or more.")
    most = call.services.settings.max_count
    after, ceiling = _position(call.one(PAGE))
    return _Wanted(
        types=types,
        since=dates.instant(dates.parse(since).start) if since else "",
        start=dates.parse(start).start if start else datetime.min.replace(tzinfo=UTC),
        end=dates.parse(end).end if end else datetime.max.replace(tzinfo=UTC),
        dated=bool(start or end),
        count=min(count or most, most),
        after=after,
        ceiling=ceiling,
    )


def _position(text: str | None) -> tuple[int, int | None]:
    if text is None:
        return 0, None
    found = _PLACE.fullmatch(text)
    if found is None:
        raise Incorrect(f"`{PAGE}` is made by this server: follow the link `next` as it is.")
    return int(found[1]), int(found[2])


def _page(call: Call, reader: Reader, wanted: _Wanted, ceiling: int) -> _Page:
    """The next page that has anything on it.

    What is asked for may be far apart, so where nothing was found the next look is at more records at once.
    """
    sight = view(call.caller)
    after: int | None = wanted.after
    window = wanted.count
    while after is not None:
        found = reader.compartment(call.id, after, ceiling, window + 1)
        after = found[window - 1].number if len(found) > window else None
        records = reader.only_seen(found[:window], sight)
        shown = [one for one in records if wanted.shows(one)]
        if len(shown) > wanted.count:
            shown = shown[: wanted.count]
            after = shown[-1].number
            records = tuple(one for one in records if one.number <= after)
        referred = reader.only_seen(_referred(reader, records, call.services.base_url, wanted, ceiling), sight)
        page = _Page(tuple(shown), tuple(one for one in referred if wanted.shows(one)), after)
        if page.records or page.referred:
            return page
        window = min(4 * window, call.services.settings.max_count)
    return _Page((), (), None)


def _referred(
    reader: Reader, records: Iterable[Numbered], base_url: str, wanted: _Wanted, ceiling: int
) -> tuple[Numbered, ...]:
    """What records refer to and lies in no patient's compartment: Practitioners, Medications, Locations, ..."""
    stated = {pair for record in records for pair in _stated(record.stored.data)}
    targets = {target for name, text in stated if (target := _target(name, text, base_url))}
    asked = {(type_, id_) for type_, id_ in targets if type_ != "Patient" and type_ in (wanted.types or RESOURCE_TYPES)}
    if len(asked) > MOST_REFERRED:
        raise TooLarge(f"The records of this page refer to more than {MOST_REFERRED} others; ask for a lower `_count`.")
    return reader.nobodys(asked, ceiling)


def _stated(data: bytes) -> list[tuple[bytes, bytes]]:
    """Name and JSON text of every reference and URL in a resource.

    Read from the bytes, which is many times quicker than from the parsed resource. Names of members may be written
    with escapes; such a resource is written anew first.
    """
    return _REFERENCE.findall(codec.encode(_decoded(data)) if b"\\u" in data else data)


def _target(name: bytes, text: bytes, base_url: str) -> tuple[str, str] | None:
    """Type and id of a resource of this server that a reference points at; of URLs, those of Binaries count."""
    found = references.parse(msgspec.json.decode(text, type=str))
    is_ours = found.id and found.type and found.base in ("", base_url)
    return (found.type, found.id) if is_ours and (name == b"reference" or found.type == "Binary") else None


def _decoded(data: bytes) -> dict[str, Any]:
    return codec.reread(data)


def _bundle(call: Call, wanted: _Wanted, page: _Page, ceiling: int) -> dict[str, Any]:
    base_url = call.services.base_url
    address = f"{base_url}/Patient/{call.id}/$everything"
    given = [(name, str(value)) for name, values in call.given.items() if name != PAGE for value in values]
    asked = [*call.form, *given]
    here = [(PAGE, f"{wanted.after}-{ceiling}")] if wanted.ceiling is not None else []
    links = [{"relation": "self", "url": _url(address, [*asked, *here])}]
    if page.next_after is not None:
        links.append({"relation": "next", "url": _url(address, [*asked, (PAGE, f"{page.next_after}-{ceiling}")])})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "link": links}
    if page.next_after is None and wanted.ceiling is None:
        bundle["total"] = len(page.records)
    entries = [
        *_entries(page.records, "match", base_url),
        *_entries(page.referred, "include", base_url),
    ]
    return {**bundle, "entry": entries} if entries else bundle


def _entries(found: Iterable[Numbered], mode: str, base_url: str) -> Iterator[dict[str, Any]]:
    for one in found:
        yield {
            "fullUrl": f"{base_url}/{one.stored.type}/{one.stored.id}",
            "resource": msgspec.Raw(one.stored.data),
            "search": {"mode": mode},
        }


def _url(address: str, parameters: list[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(parameters)}" if parameters else address


OPERATION: Final = Operation(
    name="everything",
    definition="http://hl7.org/fhir/OperationDefinition/Patient-everything",
    types=frozenset({"Patient"}),
    levels=frozenset({Level.INSTANCE}),
    run=everything,
    parameters=(
        Parameter("start", "date"),
        Parameter("end", "date"),
        Parameter("_since", "instant"),
        Parameter("_type", "code", many=True),
        Parameter("_count", "integer"),
        Parameter(PAGE, "string"),
    ),
)
