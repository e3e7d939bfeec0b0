"""The patients of the store, as a page lists them: who may be seen by whom is settled by the interactions asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from fhirtwin.access import Caller
from fhirtwin.fhir import codec
from fhirtwin.fhir.search.results import PAGE
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.read import read
from fhirtwin.interactions.search_type import search_type

ON_A_PAGE: Final = 20


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as a line of a list, or the head of a page."""

    id: str
    name: str
    birth_date: str
    sex: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of patients.

    Attributes:
        total: how many there are on all pages.
        following: the token of the next page; empty on the last.
    """

    people: tuple[Person, ...]
    total: int
    following: str


def listed(parts: Services, caller: Caller, name: str, page: str) -> Listed:
    """A page of the patients whose name begins with the words of `name`; of all when it is empty.

    Args:
        parts: the parts.
        caller: who looks.
        name: what was typed.
        page: `following` of the page before; empty for the first.
    """
    # A comma would be an "or", and a backslash begins an escape: neither is meant by who types a name.
    words = name.replace("\\", " ").replace(",", " ").replace("$", " ").replace("|", " ").split()[:5]
    asked = [("name", word) for word in words] + [("_sort", "family"), ("_count", str(ON_A_PAGE))]
    asked += [(PAGE, page)] if page else []
    bundle = codec.reread(search_type(parts, caller, "Patient", asked).body)
    found = [entry["resource"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]
    return Listed(tuple(person(one) for one in found), int(bundle.get("total", len(found))), _following(bundle))


def one(parts: Services, caller: Caller, id_: str) -> Person:
    """One patient.

    Raises:
        NotFound: there is none, for this caller.
    """
    return person(codec.reread(read(parts, caller, "Patient", id_).body))


def person(patient: Mapping[str, Any]) -> Person:
    """What a line tells of a Patient."""
    return Person(
        id=str(patient.get("id", "")),
        name=_name(patient) or "without a name",
        birth_date=str(patient.get("birthDate", "not known")),
        sex=str(patient.get("gender", "not known")),
    )


def _name(patient: Mapping[str, Any]) -> str:
    names = patient.get("name", [])
    chosen = next((name for use in ("official", "usual") for name in names if name.get("use") == use), None)
    name: Mapping[str, Any] = chosen or next(iter(names), {})
    return str(name.get("text") or " ".join([*name.get("given", ()), name.get("family", "")]).strip())


def _following(bundle: Mapping[str, Any]) -> str:
    links = {link["relation"]: link["url"] for link in bundle.get("link", ())}
    return str(parse_qs(urlsplit(links.get("next", "")).query).get(PAGE, [""])[0])
