"""Invariants of StructureDefinition and of the ElementDefinitions in it.

*Source*: http://hl7.org/fhir/R4/structuredefinition.html, http://hl7.org/fhir/R4/elementdefinition.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from fhirtwin.fhir.invariants.rules import (
    Make,
    Object,
    Rule,
    any_of,
    at_most_one_of,
    distinct,
    each,
    excludes,
    needs,
    only_if,
    there,
    where,
)

_NUMBER: Final = re.compile("[0-9]{1,10}")
_SLICE_NAME: Final = re.compile(r"[a-zA-Z0-9/\-_\[\]@]+")
_PATH_PART: Final = r"[^\s.,:;'\"/|?!@#$%&*()\[\]{}]{1,64}"
_PATH: Final = re.compile(rf"{_PATH_PART}(\.{_PATH_PART}(\[x\])?(:[^\s.]+)?)*")
_OF_HL7: Final = "http://hl7.org/fhir/StructureDefinition"
_HL7_TYPE: Final = re.compile(r"[a-zA-Z0-9.]+|http://hl7\.org/fhirpath/System\.[A-Z][A-Za-z]+")
_WITH_TARGET: Final = ("Reference", "canonical")


def _elements(definition: Object, view: str) -> list[dict[str, Any]]:
    elements: list[dict[str, Any]] = definition.get(view, {}).get("element", [])
    return elements


def _paths(definition: Object, view: str) -> list[str]:
    return [element["path"] for element in _elements(definition, view) if "path" in element]


def _all_elements(definition: Object) -> Iterator[dict[str, Any]]:
    yield from _elements(definition, "snapshot")
    yield from _elements(definition, "differential")


def _roots(definition: Object) -> Iterator[dict[str, Any]]:
    return (element for element in _all_elements(definition) if "." not in element.get("path", "."))


def _starts(definition: Object, view: str, name: str) -> bool:
    """Tell whether the first element of a view has the member."""
    return any(there(element, name) for element in _elements(definition, view)[:1])


# ---- StructureDefinition -------------------------------------------------------------------------------------------


def _paths_unique(definition: Object) -> bool:
    paths = (element.get("path") for element in _elements(definition, "snapshot"))
    return definition.get("derivation") == "constraint" or distinct(paths)


def _concrete_has_base(definition: Object) -> bool:
    return definition.get("abstract") is True or there(definition, "baseDefinition")


def _extension_has_context(definition: Object) -> bool:
    is_profile = definition.get("type") == "Extension" and definition.get("derivation") != "specialization"
    return not is_profile or "context" in definition


def _begins_with_type(definition: Object) -> bool:
    first = _elements(definition, "snapshot")[:1]
    return definition.get("kind") == "logical" or all(each.get("path") == definition.get("type") for each in first)


def _elements_have_ids(definition: Object) -> bool:
    return all("id" in element for element in _all_elements(definition))


def _snapshot_root_untyped(definition: Object) -> bool:
    return definition.get("kind") == "logical" or not _starts(definition, "snapshot", "type")


def _differential_root_untyped(definition: Object) -> bool:
    first = _elements(definition, "differential")[:1]
    rooted = all("." not in element.get("path", ".") for element in first)
    return definition.get("kind") == "logical" or not rooted or not _starts(definition, "differential", "type")


def _snapshot_ids_unique(definition: Object) -> bool:
    return distinct(element.get("id") for element in _elements(definition, "snapshot"))


def _differential_ids_unique(definition: Object) -> bool:
    return distinct(element.get("id") for element in _elements(definition, "differential"))


def _is_of_hl7(definition: Object) -> bool:
    return str(definition.get("url", "")).startswith(_OF_HL7)


def _types_of_hl7(definition: Object) -> bool:
    codes = (t.get("code", "a") for element in _all_elements(definition) for t in element.get("type", ()))
    return not _is_of_hl7(definition) or all(map(_HL7_TYPE.fullmatch, codes))


def _has_default(element: Object) -> bool:
    return any(name.lstrip("_").startswith("defaultValue") for name in element)


def _defaults_in_specializations(definition: Object) -> bool:
    differential = _elements(definition, "differential")
    return definition.get("derivation") == "specialization" or not any(map(_has_default, differential))


def _no_defaults_of_hl7(definition: Object) -> bool:
    return not _is_of_hl7(definition) or not any(map(_has_default, _all_elements(definition)))


def _roots_plain(definition: Object) -> bool:
    return not any(there(root, name) for root in _roots(definition) for name in ("label", "code", "requirements"))


def _roots_not_slices(definition: Object) -> bool:
    return not any(there(root, "sliceName") for root in _roots(definition))


def _snapshot_below_type(definition: Object) -> bool:
    paths = _paths(definition, "snapshot")
    named = definition.get("kind") == "logical" or paths[:1] in ([], [definition.get("type")])
    return named and all(path.startswith(f"{paths[0]}.") for path in paths[1:])


def _differential_below_type(definition: Object) -> bool:
    paths = _paths(definition, "differential")
    named = definition.get("kind") == "logical" or all(
        path.startswith(definition.get("type", "")) for path in paths[:1]
    )
    return named and all(path.startswith(f"{paths[0].partition('.')[0]}.") for path in paths[1:])


# ---- its parts -----------------------------------------------------------------------------------------------------


def _defined(element: Object, _: Object) -> bool:
    return all(there(element, name) for name in ("definition", "min", "max"))


def _based(element: Object, _: Object) -> bool:
    return "base" in element


def _binding_described(element: Object, _: Object) -> bool:
    binding = element.get("binding")
    return binding is None or there(binding, "valueSet") or there(binding, "description")


def _root_not_sliced(element: Object, _: Object) -> bool:
    return "slicing" not in element or "." in element.get("path", ".")


# ---- ElementDefinition ---------------------------------------------------------------------------------------------


def _min_below_max(element: Object) -> bool:
    most = element.get("max", "*")
    return "min" not in element or not _NUMBER.fullmatch(most) or bool(element["min"] <= int(most))


def _max_is_number(element: Object) -> bool:
    most = element.get("max", "*")
    return most == "*" or bool(_NUMBER.fullmatch(most))


def _one_type_for(name: str) -> Make:
    def holds(element: Object) -> bool:
        given = any(each.lstrip("_").startswith(name) for each in element)
        return not given or len(element.get("type", ())) <= 1

    return where(holds)


def _types_unique(element: Object) -> bool:
    return distinct(each.get("code") for each in element.get("type", ()))


def _constraints_unique(element: Object) -> bool:
    return distinct(each.get("key") for each in element.get("constraint", ()))


def _slice_named_well(element: Object) -> bool:
    return bool(_SLICE_NAME.fullmatch(element.get("sliceName", "a")))


def _modifier_reasoned(element: Object) -> bool:
    return element.get("isModifier") is not True or there(element, "isModifierReason")


def _path_well_formed(element: Object) -> bool:
    return bool(_PATH.fullmatch(element.get("path", "a")))


def _value_set_by_address(binding: Object) -> bool:
    return str(binding.get("valueSet", "http:")).startswith(("http:", "https:", "urn:"))


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "StructureDefinition": (
        Rule("sdf-1", "Paths of a snapshot come once unless it constrains.", where(_paths_unique)),
        Rule("sdf-4", "What is not abstract needs a baseDefinition.", where(_concrete_has_base)),
        Rule("sdf-5", "An extension needs its context.", where(_extension_has_context)),
        Rule("sdf-6", "A snapshot or a differential is needed.", any_of("snapshot", "differential")),
        Rule("sdf-8", "Elements of a snapshot stand under its type.", where(_snapshot_below_type)),
        Rule("sdf-8a", "Elements of a differential stand under its type.", where(_differential_below_type)),
        Rule("sdf-9", "A root element has no label, code or requirements.", where(_roots_plain)),
        Rule("sdf-11", "The first path of a snapshot is its type.", where(_begins_with_type)),
        Rule("sdf-14", "Each element needs an id.", where(_elements_have_ids)),
        Rule("sdf-15", "The first element of a snapshot has no type.", where(_snapshot_root_untyped)),
        Rule("sdf-15a", "The root element of a differential has no type.", where(_differential_root_untyped)),
        Rule("sdf-16", "An element's id comes once in a snapshot.", where(_snapshot_ids_unique)),
        Rule("sdf-17", "An element's id comes once in a differential.", where(_differential_ids_unique)),
        Rule("sdf-18", "Only an Extension has a contextInvariant.", only_if("contextInvariant", "type", "Extension")),
        Rule("sdf-19", "Definitions of HL7 use types of FHIR.", where(_types_of_hl7)),
        Rule("sdf-21", "Only specializations have default values.", where(_defaults_in_specializations)),
        Rule("sdf-22", "Definitions of HL7 have no default values.", where(_no_defaults_of_hl7)),
        Rule("sdf-23", "A root element has no sliceName.", where(_roots_not_slices)),
    ),
    "StructureDefinition.mapping": (Rule("sdf-2", "A name or a uri is needed.", any_of("name", "uri")),),
    "StructureDefinition.snapshot": (
        Rule("sdf-3", "Each element needs a definition, min and max.", each("element", _defined)),
        Rule("sdf-8b", "Each element needs its base.", each("element", _based)),
        Rule("sdf-10", "A binding needs a valueSet or a description.", each("element", _binding_described)),
    ),
    "StructureDefinition.differential": (
        Rule("sdf-20", "A root element has no slicing.", each("element", _root_not_sliced)),
    ),
    "ElementDefinition": (
        Rule("eld-2", "min must not be above max.", where(_min_below_max)),
        Rule("eld-3", "max must be a number or *.", where(_max_is_number)),
        Rule(
            "eld-5",
            "A contentReference excludes type, values, maxLength and binding.",
            excludes(
                "contentReference",
                "type",
                "defaultValue",
                "fixed",
                "pattern",
                "example",
                "minValue",
                "maxValue",
                "maxLength",
                "binding",
            ),
        ),
        Rule("eld-6", "A fixed value allows one type only.", _one_type_for("fixed")),
        Rule("eld-7", "A pattern allows one type only.", _one_type_for("pattern")),
        Rule("eld-8", "A pattern and a fixed value exclude each other.", at_most_one_of("pattern", "fixed")),
        Rule("eld-13", "A type comes once.", where(_types_unique)),
        Rule("eld-14", "A constraint's key comes once.", where(_constraints_unique)),
        Rule(
            "eld-15",
            "defaultValue and meaningWhenMissing exclude each other.",
            excludes("defaultValue", "meaningWhenMissing"),
        ),
        Rule("eld-16", "A sliceName is of letters, digits and / - _ [ ] @.", where(_slice_named_well)),
        Rule("eld-18", "A modifier needs its isModifierReason.", where(_modifier_reasoned)),
        Rule("eld-19", "A path is names joined by dots.", where(_path_well_formed)),
        Rule("eld-22", "sliceIsConstraining needs a sliceName.", needs("sliceIsConstraining", "sliceName")),
    ),
    "ElementDefinition.slicing": (
        Rule("eld-1", "A discriminator or a description is needed.", any_of("discriminator", "description")),
    ),
    "ElementDefinition.type": (
        Rule("eld-4", "Only references have an aggregation.", only_if("aggregation", "code", *_WITH_TARGET)),
        Rule("eld-17", "Only references have a targetProfile.", only_if("targetProfile", "code", *_WITH_TARGET)),
    ),
    "ElementDefinition.binding": (
        Rule("eld-12", "A valueSet begins with http:, https: or urn:.", where(_value_set_by_address)),
    ),
}
