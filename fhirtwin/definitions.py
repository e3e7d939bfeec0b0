"""Which profiles and value sets a gateway knows: R4's own, this project's, and those stored on the server.

Where two have the same URL, R4's own come first and this project's second: nobody changes what these mean by storing
something.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from fhirtwin import shipped
from fhirtwin.errors import Issue
from fhirtwin.fhir import codec, profiles
from fhirtwin.fhir.budget import Budget
from fhirtwin.fhir.profiles import Profile
from fhirtwin.fhir.profiles.judging import MAX_SECONDS, MAX_STEPS
from fhirtwin.store import Reader
from fhirtwin.twin.state import StoredVersion


class Definitions:
    """What one transaction sees; satisfies `fhirtwin.fhir.profiles.Known`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._resources: dict[tuple[str, str], Mapping[str, Any] | None] = {}
        self._profiles: dict[str, Profile | None] = {}

    def profile(self, canonical: str) -> Profile | None:
        """Give a compiled profile or extension; None where it is not known.

        Raises:
            Unsupported: a stored one cannot be used; the text says why.
        """
        known = profiles.core(canonical) or _own_profile(canonical)
        if known is not None:
            return known
        if canonical not in self._profiles:
            stored = self._reader.canonical("StructureDefinition", canonical)
            self._profiles[canonical] = _compiled(stored) if stored else None
        return self._profiles[canonical]

    def resource(self, type_: str, canonical: str) -> Mapping[str, Any] | None:
        """Give a ValueSet, CodeSystem or other definition of this project or of the store; None where there is none."""
        own = _own(type_).get(canonical.partition("|")[0])
        if own is not None:
            return own
        if (type_, canonical) not in self._resources:
            stored = self._reader.canonical(type_, canonical)
            found = codec.reread(stored.data) if stored else None
            self._resources[type_, canonical] = found
        return self._resources[type_, canonical]


MAX_UNIT_SECONDS: Final = 10.0
"""Processor time of one unit of work after which it judges no more claims: other writers wait for it meanwhile."""


def unit_budget() -> Budget:
    """What the claims of all resources of one unit of work, which begins now, may cost together."""
    return Budget(MAX_UNIT_SECONDS, MAX_STEPS)


def shipped_version(type_: str, id_: str) -> StoredVersion | None:
    """A definition of this project as a resource that can be read at its id; None where there is none."""
    found = _own_by_id(type_).get(id_)
    if found is None:
        return None
    updated = f"{found['date']}T00:00:00.000Z"
    whole = {**found, "meta": {"versionId": "1", "lastUpdated": updated}}
    return StoredVersion(type_, id_, 1, updated, codec.encode(whole))


def broken_claims(resource: Mapping[str, Any], reader: Reader, unit: Budget | None = None) -> list[Issue]:
    """Judge a valid resource by the profiles that its `meta.profile` claims, as far as they are known.

    Args:
        resource: as it would be stored.
        reader: the open transaction.
        unit: of whose time this takes its part, where the unit of work stores more than this resource.

    Returns:
        The errors; that it would take too long is one. A profile that is not known, or cannot be used, says nothing
        here; `$validate` tells of it.
    """
    seconds = min(MAX_SECONDS, unit.seconds) if unit else MAX_SECONDS
    known, budget = Definitions(reader), Budget(seconds, MAX_STEPS)
    return [
        issue
        for canonical in resource.get("meta", {}).get("profile", ())
        for issue in profiles.judge(resource, canonical, known, budget=budget)
        if issue.severity == "error"
    ]


def _compiled(stored: StoredVersion) -> Profile:
    key = (stored.id, stored.version, stored.last_updated, len(stored.data))
    if key not in _profiles:
        if len(_profiles) >= _MOST_PROFILES:
            _profiles.clear()
        _profiles[key] = profiles.compile_profile(codec.reread(stored.data))
    return _profiles[key]


_profiles: dict[tuple[str, int, str, int], Profile] = {}
"""Compiled stored profiles by version."""
_MOST_PROFILES: Final = 256


@cache
def _own(type_: str) -> Mapping[str, Mapping[str, Any]]:
    files = sorted(shipped.folder("profiles").glob(f"{type_}-*.json"))
    return {one["url"]: one for one in (codec.decode(file.read_bytes()) for file in files)}


@cache
def _own_by_id(type_: str) -> Mapping[str, Mapping[str, Any]]:
    return {one["id"]: one for one in _own(type_).values()}


def _own_profile(canonical: str) -> Profile | None:
    url, _, version = canonical.partition("|")
    profile = _own_profiles().get(url)
    return profile if profile and version in ("", profile.version) else None


@cache
def _own_profiles() -> Mapping[str, Profile]:
    return {url: profiles.compile_profile(one) for url, one in _own("StructureDefinition").items()}
