"""What the fullUrls of a transaction stand for, and what becomes of links that name them.

*Source*: http://hl7.org/fhir/R4/http.html#trules, http://hl7.org/fhir/R4/bundle.html#references.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from fhirtwin.fhir import references
from fhirtwin.interactions import search_type
from fhirtwin.interactions.bundle_entries import STORES, Entry


@dataclass(frozen=True, slots=True)
class Target:
    """The resource that an entry stores.

    Attributes:
        number: the entry's position.
    """

    number: int
    type: str
    id: str

    @property
    def path(self) -> str:
        """How others refer to it."""
        return f"{self.type}/{self.id}"


class Targets:
    """The entries of one transaction, by their fullUrls."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._settled: dict[str, Target] = {}
        self._open = {entry.full_url for entry in entries if entry.full_url and entry.method in STORES}

    def settle(self, entry: Entry, id_: str) -> None:
        """Say under which id an entry is stored."""
        if entry.full_url:
            self._open.discard(entry.full_url)
            self._settled[entry.full_url] = Target(entry.number, entry.type, id_)

    def find(self, text: str, entry: Entry) -> Target | None:
        """The entry that a link of `entry` names, if any.

        A relative one is understood relative to the server that its own entry comes from.
        """
        found = self._settled.get(text)
        if found or not self._settled:
            return found
        link = references.parse(text)
        if link.kind != "relative":
            return None
        base = references.parse(entry.full_url).base
        return self._settled.get(f"{base}/{link.type}/{link.id}") if base else None

    def in_criteria(self, text: str, place: str) -> str | None:
        """Put what fullUrls stand for into a condition, where they are values of it.

        Args:
            text: search parameters as in a URL.
            place: where they stand, for the text of an error.

        Returns:
            The condition; None as long as an entry that it names is not settled.

        Raises:
            Incorrect: it is no condition.
        """
        if not self._settled and not self._open:
            return text
        pairs, named = [], False
        for name, value in search_type.query_pairs(text, place):
            parts = value.split(",")
            if not self._open.isdisjoint(parts):
                return None
            named = named or not self._settled.keys().isdisjoint(parts)
            pairs.append((name, ",".join(self._settled[one].path if one in self._settled else one for one in parts)))
        return urlencode(pairs) if named else text
