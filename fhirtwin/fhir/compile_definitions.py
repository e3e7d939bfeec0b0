"""Compiles what `$validate` knows besides the table of R4: its profiles and extensions, and its code systems.

Run as `python -m fhirtwin.fhir.compile_definitions FOLDER`, where FOLDER holds `profiles-others.json.gz`,
`extension-definitions.json.gz`, `profiles-types.json.gz`, `profiles-resources.json.gz`, `valuesets.json.gz` and
`v3-codesystems.json.gz`. The results are committed; the same definitions always give the same bytes:

    profiles/r4.json  definitions      canonical -> {type, base, context, elements: what the differential says}
                      baseConstraints  the keys of the constraints of base types, judged by `fhirtwin.fhir.invariants`
    codes.json        systems          canonical -> {code: display}
                      valueSets        canonical -> {code system: codes, "*" for all of them, or "?"}

Codes are listed of HL7's own code systems, of UCUM and of language tags. Of any other system only its name is kept
("?"), which is enough to tell that a code of a third system is not in the value set. Texts for readers are left out.

*Source*: http://hl7.org/fhir/R4/downloads.html, FHIR 4.0.1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from fhirtwin.fhir.compile_tables import entries

PROFILES: Final = Path(__file__).parent / "profiles" / "r4.json"
CODES: Final = Path(__file__).parent / "terminology" / "codes.json"

_BASE: Final = ("profiles-types.json.gz", "profiles-resources.json.gz")
_DERIVED: Final = ("profiles-others.json.gz", "extension-definitions.json.gz")
_TERMINOLOGY: Final = ("valuesets.json.gz", "v3-codesystems.json.gz")
_JUDGED: Final = (
    "path", "sliceName", "min", "max", "slicing", "contentReference", "minValue", "maxValue", "maxLength",
    "fixed", "pattern",
)  # fmt: skip
"""Beginnings of the members of an ElementDefinition that a resource is judged by, besides those cut down below."""
_NAMED_BY_CODE: Final = frozenset({"http://unitsofmeasure.org", "urn:ietf:bcp:47"})
_OF_HL7: Final = ("http://hl7.org/fhir/", "http://terminology.hl7.org/")

_NOT_REQUIRED: Final = frozenset({"http://hl7.org/fhir/ValueSet/ucum-vitals-common"})
"""Units that `vitalsigns` requires of the value of any component, coded ones included, which nothing coded could meet.
HL7's own validator takes the binding as extensible too."""

Json = dict[str, Any]


def compile_profiles(folder: Path) -> str:
    """Compile the profiles and extensions of R4 into the text of `profiles/r4.json`."""
    constraints = {
        constraint["key"]
        for definition in _of(folder, _BASE, "StructureDefinition")
        if definition.get("derivation") != "constraint"
        for element in definition["snapshot"]["element"]
        for constraint in element.get("constraint", ())
    }
    definitions = {
        definition["url"]: _definition(definition, constraints)
        for definition in _of(folder, _DERIVED, "StructureDefinition")
    }
    return _text({"baseConstraints": {"all": " ".join(sorted(constraints))}, "definitions": definitions})


def _definition(definition: Json, constraints: set[str]) -> Json:
    row = {
        "type": definition["type"],
        "base": definition["baseDefinition"],
        "elements": [_element(element, constraints) for element in definition["differential"]["element"]],
    }
    if "context" in definition:
        row["context"] = [f"{context['type']} {context['expression']}" for context in definition["context"]]
    return row


def _element(element: Json, base_constraints: set[str]) -> Json:
    row = {name: value for name, value in element.items() if name.startswith(_JUDGED)}
    if "slicing" in row:
        row["slicing"] = {n: v for n, v in row["slicing"].items() if n in ("discriminator", "ordered", "rules")}
    if "type" in element:
        kept = ("code", "profile", "targetProfile")
        row["type"] = [{n: v for n, v in type_.items() if n in kept} for type_ in element["type"]]
    if element.get("binding", {}).get("strength") in ("required", "extensible") and "valueSet" in element["binding"]:
        row["binding"] = {name: element["binding"][name] for name in ("strength", "valueSet")}
        if row["binding"]["valueSet"].partition("|")[0] in _NOT_REQUIRED:
            row["binding"]["strength"] = "extensible"
    said = ("key", "severity", "human", "expression")
    constraints = [
        {name: constraint[name] for name in said if name in constraint}
        for constraint in element.get("constraint", ())
        if constraint["key"] not in base_constraints
    ]
    return {**row, "constraint": constraints} if constraints else row


def compile_codes(folder: Path) -> str:
    """Compile the code systems and value sets of R4 into the text of `codes.json`."""
    systems = {
        system["url"]: system
        for system in _of(folder, _TERMINOLOGY, "CodeSystem")
        if system["content"] == "complete" and system.get("concept") and system["url"].startswith(_OF_HL7)
    }
    value_sets = {}
    for value_set in _of(folder, _TERMINOLOGY, "ValueSet"):
        listed = _listed(value_set.get("compose"), systems)
        if listed:
            value_sets[value_set["url"]] = listed
    shown = {
        url: {concept["code"]: concept.get("display", "") for concept in _concepts(system["concept"])}
        for url, system in systems.items()
    }
    return _text({"systems": shown, "valueSets": value_sets})


def _listed(compose: Json | None, systems: Mapping[str, Json]) -> dict[str, str | list[str]] | None:
    """List the codes of a value set by system; None where it is made of other value sets."""
    if not compose or any("valueSet" in include for include in compose["include"]):
        return None
    listed: dict[str, str | list[str]] = {}
    for include in compose["include"]:
        url = include["system"]
        codes = "?" if "exclude" in compose else _included(include, systems.get(url))
        listed[url] = codes if url not in listed else _joined(listed[url], codes)
    return listed


def _included(include: Json, system: Json | None) -> str | list[str]:
    if system is None and include["system"] not in _NAMED_BY_CODE:
        return "?"
    if "concept" in include:
        return sorted(concept["code"] for concept in include["concept"])
    if system is None:
        return "?"
    return _filtered(include["filter"], system["concept"]) if "filter" in include else "*"


def _joined(one: str | list[str], other: str | list[str]) -> str | list[str]:
    if isinstance(one, str) or isinstance(other, str):
        return "*" if "*" in (one, other) else "?"
    return sorted({*one, *other})


def _filtered(filters: list[Json], concepts: list[Json]) -> str | list[str]:
    """List what is under the one concept that a filter names; other kinds of filter are not read."""
    wanted = filters[0]
    if len(filters) > 1 or wanted["property"] != "concept" or wanted["op"] not in ("is-a", "descendent-of"):
        return "?"
    for concept in _concepts(concepts):
        if concept["code"] == wanted["value"]:
            below = [each["code"] for each in _concepts(concept.get("concept", ()))]
            return sorted([*below, concept["code"]] if wanted["op"] == "is-a" else below)
    return "?"


def _concepts(concepts: Iterable[Json]) -> Iterator[Json]:
    for concept in concepts:
        yield concept
        yield from _concepts(concept.get("concept", ()))


def _of(folder: Path, names: Iterable[str], type_: str) -> Iterator[Json]:
    for name in names:
        yield from (resource for resource in entries(folder / name) if resource["resourceType"] == type_)


def _text(table: Mapping[str, Mapping[str, Any]]) -> str:
    """Write a table of tables with one row of an inner table a line, so that a difference can be read."""
    parts = []
    for name in sorted(table):
        rows = (
            f" {json.dumps(key)}: {json.dumps(row, sort_keys=True, separators=(',', ':'))}"
            for key, row in sorted(table[name].items())
        )
        parts.append(f"{json.dumps(name)}: {{\n" + ",\n".join(rows) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m fhirtwin.fhir.compile_definitions FOLDER")
    PROFILES.write_text(compile_profiles(Path(sys.argv[1])), encoding="ascii")
    CODES.write_text(compile_codes(Path(sys.argv[1])), encoding="ascii")
