"""history: `GET [base]/[type]/[id]/_history`, `GET [base]/[type]/_history`, `GET [base]/_history`.

*Source*: http://hl7.org/fhir/R4/http.html#history, http://hl7.org/fhir/R4/bundle.html#history.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from fhirtwin.access import Caller, permit
from fhirtwin.access.visibility import bounded, one_by_one
from fhirtwin.errors import Forbidden, Incorrect, NotFound, Unsupported
from fhirtwin.fhir import codec, dates
from fhirtwin.fhir.search.results import PAGE, page_size
from fhirtwin.interactions.context import Answer, Services, etag, require_type
from fhirtwin.store import Change, Past, Position

_PAGE: Final = re.compile(
    r"(?P<time>[0-9T:.\-]{19,26}Z)_(?P<type>[A-Za-z]{1,64})_(?P<id>[A-Za-z0-9\-.]{1,64})_(?P<version>[0-9]{1,9})"
    r"_(?P<total>[0-9]{1,18})"
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the parameters ask for.

    Attributes:
        total: how many versions there were when the first page was made; None on the first page.
        understood: the parameters that the links repeat.
    """

    past: Past
    count: int
    total: int | None
    understood: tuple[tuple[str, str], ...]


def history(
    services: Services,
    caller: Caller,
    type_: str,
    id_: str,
    parameters: Iterable[tuple[str, str]] = (),
    *,
    form: Iterable[tuple[str, str]] = (),
) -> Answer:
    """Give one page of the versions of a resource, a type or everything, newest first, deletions included.

    A page's `next` link goes on behind its last version: what others store meanwhile is newer and shifts nothing.

    Args:
        services: the parts.
        caller: who asks.
        type_: resource type; empty for all.
        id_: logical id; empty for all of the type.
        parameters: `_count` and `_since`, decoded.
        form: the parameters about the form of the answer (`_format`, `_pretty`), which the links repeat.

    Raises:
        NotFound: no such type, or no such resource ever.
        Forbidden: the caller may not see everything, and asks for more than one resource's history.
        Unsupported: another parameter.
        Incorrect: a value that cannot be read.
    """
    permit(caller, "history-instance" if id_ else "history-type" if type_ else "history-system", type_)
    if type_:
        require_type(type_)
    if not id_ and bounded(caller):
        raise Forbidden("You may see a part of the resources: ask for the history of one of them.")
    asked = _read(services, Past(type_, id_), parameters)
    asked = replace(asked, understood=(*form, *asked.understood))
    with services.store.snapshot() as reader:
        if id_ and (reader.read(type_, id_) is None or not reader.shows(type_, id_, one_by_one(caller))):
            raise NotFound(f"There never was a {type_} with this id.")
        total = reader.count_changes(asked.past) if asked.total is None else asked.total
        found = reader.changes(asked.past, asked.count + 1) if asked.count else ()
    return Answer(200, codec.encode(_bundle(services, asked, found, total)))


def _read(services: Services, past: Past, parameters: Iterable[tuple[str, str]]) -> _Asked:
    count, total = services.settings.default_count, None
    understood: dict[str, str] = {}
    for name, text in parameters:
        if name in understood:
            raise Incorrect(f"`{name}` may be given once.")
        understood[name] = text
        match name:
            case "_count":
                count = page_size(text, services.settings.max_count)
            case "_since":
                past = replace(past, since=_instant(text))
            case str() if name == PAGE:
                position, total = _position(text)
                past = replace(past, after=position)
            case _:
                raise Unsupported("A history takes `_count` and `_since`; other parameters are not done here.")
    repeated = tuple((name, text) for name, text in understood.items() if name != PAGE)
    return _Asked(past, count, total, repeated)


def _instant(text: str) -> str:
    """The beginning of a date, in the form in which versions keep their time.

    Raises:
        Incorrect: it is no date.
    """
    try:
        start = dates.parse(text).start
    except Incorrect:
        raise Incorrect("`_since` takes an instant: YYYY-MM-DDThh:mm:ssZ; escape a plus sign as %2B.") from None
    return dates.instant(start)


def _position(text: str) -> tuple[Position, int]:
    found = _PAGE.fullmatch(text)
    if found is None:
        raise Incorrect(f"`{PAGE}` is made by this server: follow the links of a history as they are.")
    return Position(found["time"], found["type"], found["id"], int(found["version"])), int(found["total"])


def _bundle(services: Services, asked: _Asked, found: tuple[Change, ...], total: int) -> dict[str, Any]:
    shown = found[: asked.count]
    past = asked.past
    address = "/".join(part for part in (services.base_url, past.type, past.id, "_history") if part)
    here = [(PAGE, _token(past.after, total))] if past.after else []
    links = [{"relation": "self", "url": _url(address, [*asked.understood, *here])}]
    if len(found) > len(shown):
        last = shown[-1].stored
        position = Position(last.last_updated, last.type, last.id, last.version)
        links.append({"relation": "next", "url": _url(address, [*asked.understood, (PAGE, _token(position, total))])})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "history", "total": total, "link": links}
    if shown:  # an empty array is no FHIR
        bundle["entry"] = [_entry(services, change) for change in shown]
    return bundle


def _entry(services: Services, change: Change) -> dict[str, Any]:
    stored = change.stored
    path = f"{stored.type}/{stored.id}"
    if stored.deleted:
        method, url, status = "DELETE", path, "204 No Content"
    elif stored.version == 1:
        method, url, status = "POST", stored.type, "201 Created"
    else:
        method, url, status = "PUT", path, "201 Created" if change.created else "200 OK"
    entry: dict[str, Any] = {"fullUrl": f"{services.base_url}/{path}"}
    if not stored.deleted:
        entry["resource"] = msgspec.Raw(stored.data)
    entry["request"] = {"method": method, "url": url}
    entry["response"] = {"status": status, "etag": etag(stored.version), "lastModified": stored.last_updated}
    return entry


def _token(position: Position, total: int) -> str:
    return f"{position.last_updated}_{position.type}_{position.id}_{position.version}_{total}"


def _url(address: str, parameters: list[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(parameters)}" if parameters else address
