"""Compiles the official FHIR R4 definitions into the one small table that this package reads at run time.

Run as `python -m fhirtwin.fhir.compile_tables FOLDER`, where FOLDER holds `profiles-resources.json.gz`,
`profiles-types.json.gz`, `valuesets.json.gz`, `v3-codesystems.json.gz`, `search-parameters.json.gz` and
`compartmentdefinition-patient.json.gz`. The result, `r4.json`, is committed; the same definitions always give the same
bytes.

The form of the table (one element a line, so that a difference can be read):

    primitives  name -> {json, regex?, min?, max?, maxLength?}
    resources   the concrete resource types
    types       type or path of a nested element -> {is: base, has: {element: "min..max type|type"}}, elements in the
                order of the definition, which is their order in XML
    patients    resource type -> the element that says which patient it is about
    valueSets   name -> {code system: "code code ..."}, of the required bindings that can be listed

An element that a type takes over unchanged from its base is not repeated. `Reference(Group,Patient)` names allowed
targets, a bare `Reference` allows any. `code(name)` and `CodeableConcept(name)` take a code of that value set or one of
the form known by that name (`mimetypes`, `currencies`). A type with a dot is the path of a nested element, so a
`contentReference` needs no form of its own. Choice elements keep their `[x]`.

*Source*: http://hl7.org/fhir/R4/downloads.html, FHIR 4.0.1.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).with_name("r4.json")

_CANONICAL: Final = "http://hl7.org/fhir/StructureDefinition/"
_NOT_R4: Final = frozenset({"SubscriptionStatus"})
"""Types of later releases that some packagings of the R4 definitions carry."""
_RETYPED: Final = {"Bundle.entry.response.outcome": "Resource"}
"""Elements that some packagings type otherwise than R4 (http://hl7.org/fhir/R4/bundle-definitions.html)."""
_INTEGERS: Final = {"integer": -(2**31), "positiveInt": 1, "unsignedInt": 0}
"""Whole-number primitives and their least value; the greatest is 2^31-1 for all three.
*Source*: http://hl7.org/fhir/R4/datatypes.html#primitive."""
_JSON_KINDS: Final = {"boolean": "boolean", "decimal": "decimal"} | dict.fromkeys(_INTEGERS, "integer")
_FORMS: Final = frozenset({"currencies", "mimetypes"})
"""Value sets that R4 takes from elsewhere and nobody can list for good; what their codes look like is known."""
_ALSO_OTHER_CODES: Final = frozenset({"CapabilityStatement.format"})
"""Elements that take more than the value set they are bound to: its own definition says "mime types, or xml or json"
(http://hl7.org/fhir/R4/capabilitystatement-definitions.html#CapabilityStatement.format)."""
_ABOUT: Final = ("patient", "subject", "beneficiary", "individual")
"""Search parameters of the patient compartment that say whom a resource is about, the strongest first. The others
(performer, recorder, recipient, ...) say who took part."""


def compile_table(folder: Path) -> str:
    """Compile the definitions in `folder` into the text of the table.

    Args:
        folder: holds the gzipped files named at the top of this module.

    Returns:
        JSON with sorted keys, but for those of `has`, and a newline at the end.

    Raises:
        FileNotFoundError: a definition file is missing.
    """
    definitions = [
        resource
        for name in ("profiles-types.json.gz", "profiles-resources.json.gz")
        for resource in entries(folder / name)
        if resource["resourceType"] == "StructureDefinition" and resource["name"] not in _NOT_R4
    ]
    codes = _value_sets(folder, definitions)
    types = _types((d for d in definitions if d["kind"] in ("complex-type", "resource")), codes.keys() | _FORMS)
    table = {
        "fhirVersion": "4.0.1",
        "primitives": {d["name"]: _primitive(d) for d in definitions if d["kind"] == "primitive-type"},
        "resources": sorted(d["name"] for d in definitions if d["kind"] == "resource" and not d["abstract"]),
        "types": types,
        "patients": _patients(folder, types),
        "valueSets": codes,
    }
    return json.dumps(_sorted(table), indent=1, ensure_ascii=True) + "\n"


def _sorted(value: Any) -> Any:
    """Sort by name what has no order of its own; elements have one."""
    if not isinstance(value, dict):
        return value
    return {name: value[name] if name == "has" else _sorted(value[name]) for name in sorted(value)}


def entries(path: Path) -> Iterator[dict[str, Any]]:
    """Give the resources of a gzipped Bundle, or the one resource that a gzipped file is."""
    with gzip.open(path) as file:
        content = json.load(file)
    yield from (entry["resource"] for entry in content["entry"]) if content["resourceType"] == "Bundle" else (content,)


def _primitive(definition: dict[str, Any]) -> dict[str, Any]:
    name = definition["name"]
    value = next(e for e in definition["snapshot"]["element"] if e["path"] == f"{name}.value")
    row: dict[str, Any] = {"json": _JSON_KINDS.get(name, "string")}
    for extension in value["type"][0].get("extension", ()):
        if extension["url"] == _CANONICAL + "regex":
            row["regex"] = extension["valueString"]
    if "maxLength" in value:
        row["maxLength"] = value["maxLength"]
    if name in _INTEGERS:
        row |= {"min": _INTEGERS[name], "max": 2**31 - 1}
    return row


def _value_sets(folder: Path, definitions: Iterable[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """List the codes of each value set that a required binding names, by code system, as far as they can be listed."""
    published = {
        resource["url"]: resource
        for name in ("valuesets.json.gz", "v3-codesystems.json.gz")
        for resource in entries(folder / name)
        if resource["resourceType"] in ("ValueSet", "CodeSystem")
    }
    elements = (e for d in definitions if d.get("derivation") != "constraint" for e in d["snapshot"]["element"])
    urls = {element["binding"].get("valueSet", "") for element in elements if _is_required(element)}
    found: dict[str, dict[str, str]] = {}
    for url in sorted(urls):
        value_set = published.get(url.partition("|")[0])
        systems = _expand(value_set, published) if value_set else None
        if systems and found.setdefault(_value_set_name(url), systems) != systems:
            raise ValueError(f"Two value sets are called {_value_set_name(url)}; the table needs another name for one.")
    return found


def _is_required(element: dict[str, Any]) -> bool:
    return bool(element.get("binding", {}).get("strength") == "required" and element["path"] not in _ALSO_OTHER_CODES)


def _value_set_name(url: str) -> str:
    return url.partition("|")[0].rpartition("/")[2]


def _expand(value_set: dict[str, Any], published: dict[str, dict[str, Any]]) -> dict[str, str] | None:
    """List the codes of a value set by system; None where a system is not here whole or is narrowed by a filter."""
    compose = value_set["compose"]
    systems: dict[str, set[str]] = {}
    for include in compose["include"]:
        system = published.get(include.get("system", ""), {"content": "not-present"})
        listed = "concept" in include or system["content"] == "complete"
        if not listed or "filter" in include or "valueSet" in include or "exclude" in compose:
            return None
        concepts = include.get("concept") or system.get("concept", ())
        systems.setdefault(include["system"], set()).update(_codes(concepts))
    return {system: " ".join(sorted(codes)) for system, codes in systems.items()}


def _codes(concepts: Iterable[dict[str, Any]]) -> Iterator[str]:
    for concept in concepts:
        if " " in concept["code"]:
            raise ValueError(f"The code {concept['code']} has a space, which separates codes in the table.")
        yield concept["code"]
        yield from _codes(concept.get("concept", ()))


def _types(definitions: Iterable[dict[str, Any]], value_sets: Set[str]) -> dict[str, dict[str, Any]]:
    full: dict[str, dict[str, str]] = {}
    bases: dict[str, str] = {}
    for definition in definitions:
        if definition.get("derivation") != "constraint":
            _read_elements(definition, full, bases, value_sets)
    types: dict[str, dict[str, Any]] = {}
    for name, has in full.items():
        inherited = _inherited(name, full, bases)
        own = {element: spec for element, spec in has.items() if inherited.get(element) != spec}
        types[name] = {"is": bases[name], "has": own}
    # The one datatype profile that elements of R4 name: sqty-1, "the comparator is not used on a SimpleQuantity".
    types["SimpleQuantity"] = {"is": "Quantity", "has": {"comparator": "0..0 code"}}
    return types


def _inherited(name: str, full: dict[str, dict[str, str]], bases: dict[str, str]) -> dict[str, str]:
    base = bases.get(name)
    return _inherited(base, full, bases) | full[base] if base else {}


def _read_elements(
    definition: dict[str, Any], full: dict[str, dict[str, str]], bases: dict[str, str], value_sets: Set[str]
) -> None:
    root, *elements = definition["snapshot"]["element"]
    full[root["path"]] = {}
    bases[root["path"]] = definition.get("baseDefinition", "").removeprefix(_CANONICAL)
    for element in elements:
        path = element["path"]
        parent, _, name = path.rpartition(".")
        codes = [t["code"] for t in element.get("type", ())]
        nested = codes in (["BackboneElement"], ["Element"])
        if nested:
            full[path], bases[path] = {}, codes[0]
        kind = path if nested else "|".join(_kinds(element, value_sets))
        full[parent][name] = f"{element['min']}..{element['max']} {kind}"


def _kinds(element: dict[str, Any], value_sets: Set[str]) -> Iterator[str]:
    path = element["path"]
    bound = _value_set_name(element["binding"].get("valueSet", "")) if _is_required(element) else ""
    if path in _RETYPED:
        yield _RETYPED[path]
    elif "contentReference" in element:
        yield element["contentReference"].rpartition("#")[2]
    elif element.get("base", {}).get("path") == "Resource.id":
        yield "id"  # R4 publishes it as a string, and defines it as an id: http://hl7.org/fhir/R4/resource.html#id
    elif bound in value_sets:
        yield from (f"{_kind(t)}({bound})" for t in element["type"])
    else:
        yield from (_kind(t) for t in element["type"])


def _kind(declared: dict[str, Any]) -> str:
    code: str = declared["code"]
    for extension in declared.get("extension", ()):
        if extension["url"] == _CANONICAL + "structuredefinition-fhir-type":
            code = extension["valueUrl"]
    if code == "Reference":
        targets = sorted(t.removeprefix(_CANONICAL) for t in declared.get("targetProfile", ()))
        return f"Reference({','.join(targets)})" if targets and "Resource" not in targets else code
    if declared.get("profile") == [_CANONICAL + "SimpleQuantity"]:
        return "SimpleQuantity"
    return code


def _patients(folder: Path, types: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Find for each type the element that says whom it is about.

    The patient compartment decides where it names one single element. R4 leaves out types whose `patient` or `subject`
    may be a Patient all the same (Device, GuidanceResponse, ...); for those that element is taken.
    """
    paths = _search_paths(folder)
    (compartment,) = entries(folder / "compartmentdefinition-patient.json.gz")
    named = {r["code"]: r.get("param", ()) for r in compartment["resource"]}
    patients = {}
    for name, row in types.items():
        compartment_paths = (paths.get((name, code), "") for code in _ABOUT if code in named.get(name, ()))
        for path in (*compartment_paths, "patient", "subject"):
            if path and _is_one_patient(row["has"].get(path, "")):
                patients[name] = path
                break
    return patients


def _search_paths(folder: Path) -> dict[tuple[str, str], str]:
    """Map (type, search code) to the element, where the expression is one element directly under the type."""
    found = {}
    for parameter in entries(folder / "search-parameters.json.gz"):
        for part in parameter.get("expression", "").split("|"):
            direct = re.fullmatch(r"(\w+)\.(\w+)(\.where\(resolve\(\) is Patient\))?", part.strip())
            if direct:
                found[direct[1], parameter["code"]] = direct[2]
    return found


def _is_one_patient(spec: str) -> bool:
    return bool(re.fullmatch(r"[01]\.\.1 Reference(\(.*\bPatient\b.*\))?", spec))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m fhirtwin.fhir.compile_tables FOLDER")
    TABLE.write_text(compile_table(Path(sys.argv[1])), encoding="ascii")
