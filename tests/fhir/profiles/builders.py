"""Profiles in a few lines, and what is known besides R4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhirtwin.errors import Issue
from fhirtwin.fhir import profiles
from fhirtwin.fhir.profiles import Profile

Json = dict[str, Any]
URL = "http://example.org/StructureDefinition"
_WHOLE = {"min": 0, "max": "*", "definition": "x", "base": {"path": "x", "min": 0, "max": "*"}}


def profile(
    *elements: Json, name: str = "p", type_: str = "Observation", snapshot: bool = True, base: str = ""
) -> Json:
    made = {
        "resourceType": "StructureDefinition",
        "url": f"{URL}/{name}",
        "name": name,
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": type_,
        "baseDefinition": base or f"http://hl7.org/fhir/StructureDefinition/{type_}",
        "derivation": "constraint",
    }
    rows = [{"path": type_}, *elements]
    if not snapshot:
        return {**made, "differential": {"element": rows}}
    whole = [{**_WHOLE, "id": str(number), **row} for number, row in enumerate(rows)]
    return {**made, "snapshot": {"element": whole}}


def sliced(path: str, *discriminators: tuple[str, str], rules: str = "open", ordered: bool = False) -> Json:
    told_by = [{"type": kind, "path": at} for kind, at in discriminators]
    return {"path": path, "slicing": {"discriminator": told_by, "rules": rules, "ordered": ordered}}


class Loaded:
    """R4 and the given resources."""

    def __init__(self, *resources: Json) -> None:
        self._resources = resources

    def profile(self, canonical: str) -> Profile | None:
        definition = self.resource("StructureDefinition", canonical)
        return profiles.compile_profile(definition) if definition else profiles.core(canonical)

    def resource(self, type_: str, canonical: str) -> Mapping[str, Any] | None:
        url = canonical.partition("|")[0]
        return next((r for r in self._resources if r["resourceType"] == type_ and r["url"] == url), None)


def judged(resource: Json, *known: Json, url: str | None = None) -> list[Issue]:
    """Judge by the first of the definitions given."""
    return profiles.judge(resource, url or known[0]["url"], Loaded(*known))


def told(issues: list[Issue]) -> set[tuple[str, str, str]]:
    return {(issue.severity, issue.code, issue.expression[0]) for issue in issues}
