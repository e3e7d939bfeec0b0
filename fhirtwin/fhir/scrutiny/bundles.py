"""What the entries of a Bundle must be to one another.

*Source*: http://hl7.org/fhir/R4/bundle.html#bundle-unique, http://hl7.org/fhir/R4/bundle.html#references,
http://hl7.org/fhir/R4/documents.html#content, http://hl7.org/fhir/R4/messaging.html#bundle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhirtwin.errors import Issue
from fhirtwin.fhir import references
from fhirtwin.fhir.profiles.items import Item

_COMPOSED: Final = ("subject", "encounter", "author", "attester", "custodian", "event", "section")
"""Elements of a Composition whose targets a document has in it; `relatesTo` points at other documents."""

Json = Mapping[str, Any]


def judge(item: Item) -> Iterator[Issue]:
    """Judge a Bundle whose entries are each right by themselves."""
    entries = item.value.get("entry", ())
    for number, entry in enumerate(entries):
        place = f"{item.place}.entry[{number}]"
        if "fullUrl" in entry:
            yield from _full_url(entry, place)
        if item.value["type"] == "searchset":
            yield from _found(entry, place)
    if item.value["type"] in ("document", "message"):
        yield from _whole(entries, item.place)


def _full_url(entry: Json, place: str) -> Iterator[Issue]:
    url, resource = entry["fullUrl"], entry.get("resource", {})
    if ":" not in url:
        yield Issue("value", "Expected an absolute URL.", (f"{place}.fullUrl",))
        return
    found = references.parse(url)
    if (
        found.id
        and found.type
        and "id" in resource
        and (found.type, found.id)
        != (
            resource["resourceType"],
            resource["id"],
        )
    ):
        text = "Expected the fullUrl to end with the type and id of the resource."
        yield Issue("value", text, (f"{place}.fullUrl",))


def _found(entry: Json, place: str) -> Iterator[Issue]:
    resource = entry.get("resource")
    if resource is not None and resource["resourceType"] != "OperationOutcome" and "id" not in resource:
        yield Issue("required", "What a search found must have an id.", (f"{place}.resource",))


def _whole(entries: tuple[Json, ...] | list[Json], root: str) -> Iterator[Issue]:
    """A document holds what its Composition refers to, a message what is its focus."""
    urls: Counter[str] = Counter()
    for entry in entries:
        if "fullUrl" in entry:
            version = entry.get("resource", {}).get("meta", {}).get("versionId", "")
            urls.update((entry["fullUrl"], f"{entry['fullUrl']}/_history/{version}"))
    first = entries[0] if entries else {}
    resource = first.get("resource", {})
    names = {"Composition": _COMPOSED, "MessageHeader": ("focus",)}.get(resource.get("resourceType", ""), ())
    shown = {"resourceType": resource.get("resourceType"), **{n: resource[n] for n in names if n in resource}}
    for place, text in references.walk(shown):
        if text.startswith("#"):
            continue
        wanted = absolute(text, first.get("fullUrl", ""))
        there = urls[wanted]
        if there != 1:
            what = "is not in the Bundle" if not there else "is in the Bundle more than once"
            at = f"{root}.entry[0].resource.{place.partition('.')[2]}.reference"
            yield Issue("not-found" if not there else "value", f"What this refers to {what}, by its fullUrl.", (at,))


def absolute(text: str, full_url: str) -> str:
    """Make a relative reference absolute by the fullUrl of the entry that it is in.

    *Source*: http://hl7.org/fhir/R4/bundle.html#references.
    """
    found, base = references.parse(text), references.parse(full_url).base
    return f"{base}/{text}" if found.kind == "relative" and base else text
