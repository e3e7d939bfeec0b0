"""Invariants of the conformance, terminology and quality resources and of Questionnaire.

*Source*: http://hl7.org/fhir/R4/resourcelist.html, the Foundation and Specialized sections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhirtwin.fhir.invariants.rules import (
    Object,
    Rule,
    any_of,
    at_most_one_of,
    distinct,
    needed_if,
    needs,
    none_if,
    only_if,
    there,
    where,
)

_POSITIVE: Final = re.compile(r"\*|0*[1-9][0-9]*")
_WITH_OPTIONS: Final = (
    "choice",
    "open-choice",
    "decimal",
    "integer",
    "date",
    "dateTime",
    "time",
    "string",
    "quantity",
)
"""Item types that may list answers, by the published expression; its wording says less."""
_WITH_LENGTH: Final = ("boolean", "decimal", "integer", "string", "text", "url", "open-choice")


def _below(value: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """List what stands under `name`, and under the same name in that, at every depth."""
    for inner in value.get(name, ()):
        yield inner
        yield from _below(inner, name)


def _search_names_unique(resource: Object) -> bool:
    return distinct(parameter.get("name") for parameter in resource.get("searchParam", ()))


def _types_unique(rest: Object) -> bool:
    return distinct(resource.get("type") for resource in rest.get("resource", ()))


def _documents_unique(statement: Object) -> bool:
    return distinct((document.get("profile"), document.get("mode")) for document in statement.get("document", ()))


def _endpoints_of_instance(statement: Object) -> bool:
    return statement.get("kind") == "instance" or not any("endpoint" in each for each in statement.get("messaging", ()))


def _codes_unique(system: Object) -> bool:
    return distinct(concept.get("code") for concept in _below(system, "concept"))


def _inexact_is_explained(target: Object) -> bool:
    return there(target, "comment") or target.get("equivalence") not in ("narrower", "inexact")


def _groupings_known(definition: Object) -> bool:
    known = {grouping.get("id") for grouping in definition.get("grouping", ())}
    return all(each.get("groupingId") in known | {None} for each in definition.get("resource", ()))


def _versions_known(guide: Object) -> bool:
    known = set(guide.get("fhirVersion", ()))
    resources = guide.get("definition", {}).get("resource", ())
    return all(known.issuperset(resource.get("fhirVersion", ())) for resource in resources)


def _whole_or_components(measure: Object) -> bool:
    return all(
        any(there(stratifier, name) for name in ("code", "description", "criteria")) != ("component" in stratifier)
        for group in measure.get("group", ())
        for stratifier in group.get("stratifier", ())
    )


def _stratum_whole_or_components(report: Object) -> bool:
    return all(
        ("value" in stratum) != ("component" in stratum)
        for group in report.get("group", ())
        for stratifier in group.get("stratifier", ())
        for stratum in stratifier.get("stratum", ())
    )


def _max_positive(focus: Object) -> bool:
    return bool(_POSITIVE.fullmatch(focus.get("max", "*")))


def _root_without_uuid(system: Object) -> bool:
    return system.get("kind") != "root" or all(each.get("type") != "uuid" for each in system.get("uniqueId", ()))


def _one_preferred(system: Object) -> bool:
    return distinct(each.get("type") for each in system.get("uniqueId", ()) if each.get("preferred") is True)


def _links_unique(questionnaire: Object) -> bool:
    return distinct(item.get("linkId") for item in _below(questionnaire, "item"))


def _several_conditions_joined(item: Object) -> bool:
    # By its wording and the definition of enableBehavior; the published expression begins at three by mistake.
    return len(item.get("enableWhen", ())) < 2 or there(item, "enableBehavior")


def _one_initial(item: Object) -> bool:
    return item.get("repeats") is True or len(item.get("initial", ())) <= 1


def _exists_is_boolean(condition: Object) -> bool:
    return condition.get("operator") != "exists" or there(condition, "answerBoolean")


def _versions_coded(system: Object) -> bool:
    versions = system.get("version", ())
    return len(versions) <= 1 or all(there(version, "code") for version in versions)


def _code_or_abstract(contains: Object) -> bool:
    return there(contains, "code") or contains.get("abstract") is True


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "CapabilityStatement": (
        Rule("cpb-1", "A rest, messaging or document is needed.", any_of("rest", "messaging", "document")),
        Rule(
            "cpb-2",
            "A description, software or implementation is needed.",
            any_of("description", "software", "implementation"),
        ),
        Rule("cpb-3", "Only an instance has a messaging endpoint.", where(_endpoints_of_instance)),
        Rule("cpb-7", "A document comes once for each profile and mode.", where(_documents_unique)),
        Rule("cpb-14", "An instance needs its implementation.", needed_if("implementation", "kind", "instance")),
        Rule("cpb-15", "A capability has no implementation.", none_if("implementation", "kind", "capability")),
        Rule("cpb-15", "A capability needs its software.", needed_if("software", "kind", "capability")),
        Rule("cpb-16", "Requirements have no implementation.", none_if("implementation", "kind", "requirements")),
        Rule("cpb-16", "Requirements have no software.", none_if("software", "kind", "requirements")),
    ),
    "CapabilityStatement.rest": (Rule("cpb-9", "A resource type comes once.", where(_types_unique)),),
    "CapabilityStatement.rest.resource": (
        Rule("cpb-12", "A search parameter's name comes once.", where(_search_names_unique)),
    ),
    "CodeSystem": (Rule("csd-1", "A code comes once.", where(_codes_unique)),),
    "ConceptMap.group.element.target": (
        Rule("cmd-1", "What is narrower or inexact needs a comment.", where(_inexact_is_explained)),
    ),
    "ConceptMap.group.unmapped": (
        Rule("cmd-2", "A fixed mapping needs its code.", needed_if("code", "mode", "fixed")),
        Rule("cmd-3", "Another map needs its url.", needed_if("url", "mode", "other-map")),
    ),
    "ImplementationGuide": (Rule("ig-2", "A resource is for FHIR versions of its guide.", where(_versions_known)),),
    "ImplementationGuide.definition": (Rule("ig-1", "A groupingId names a grouping here.", where(_groupings_known)),),
    "Measure": (
        Rule("mea-1", "A stratifier is described itself or by components, not both.", where(_whole_or_components)),
    ),
    "MeasureReport": (
        Rule("mrp-1", "A report of data collection has no groups.", none_if("group", "type", "data-collection")),
        Rule("mrp-2", "A stratum has a value or components, not both.", where(_stratum_whole_or_components)),
    ),
    "MessageDefinition.focus": (Rule("md-1", "max must be * or a positive number.", where(_max_positive)),),
    "NamingSystem": (
        Rule("nsd-1", "A root has no uuid.", where(_root_without_uuid)),
        Rule("nsd-2", "One identifier of each type is preferred.", where(_one_preferred)),
    ),
    "OperationDefinition.parameter": (
        Rule("opd-1", "A type or parts are needed.", any_of("type", "part")),
        Rule("opd-2", "Only a string has a searchType.", only_if("searchType", "type", "string")),
        Rule(
            "opd-3",
            "Only a Reference or canonical has a targetProfile.",
            only_if("targetProfile", "type", "Reference", "canonical"),
        ),
    ),
    "Questionnaire": (Rule("que-2", "A linkId comes once.", where(_links_unique)),),
    "Questionnaire.item": (
        Rule("que-1", "A group must have items.", needed_if("item", "type", "group")),
        Rule("que-1", "A display has no items.", none_if("item", "type", "display")),
        Rule("que-3", "A display has no code.", none_if("code", "type", "display")),
        Rule(
            "que-4",
            "answerOption and answerValueSet exclude each other.",
            at_most_one_of("answerOption", "answerValueSet"),
        ),
        Rule("que-5", "Items of this type have no answerValueSet.", only_if("answerValueSet", "type", *_WITH_OPTIONS)),
        Rule("que-5", "Items of this type have no answerOption.", only_if("answerOption", "type", *_WITH_OPTIONS)),
        Rule("que-6", "A display is never required.", none_if("required", "type", "display")),
        Rule("que-6", "A display never repeats.", none_if("repeats", "type", "display")),
        Rule("que-8", "A group or display has no initial value.", none_if("initial", "type", "group", "display")),
        Rule("que-9", "A display is never readOnly.", none_if("readOnly", "type", "display")),
        Rule("que-10", "Only simple questions have a maxLength.", only_if("maxLength", "type", *_WITH_LENGTH)),
        Rule("que-11", "answerOption and initial exclude each other.", at_most_one_of("answerOption", "initial")),
        Rule("que-12", "Several enableWhen need an enableBehavior.", where(_several_conditions_joined)),
        Rule("que-13", "Only what repeats has several initial values.", where(_one_initial)),
    ),
    "Questionnaire.item.enableWhen": (
        Rule("que-7", "The operator exists asks for a boolean.", where(_exists_is_boolean)),
    ),
    "SearchParameter": (
        Rule("spd-1", "An xpath needs its xpathUsage.", needs("xpath", "xpathUsage")),
        Rule("spd-2", "Only a reference has chains.", only_if("chain", "type", "reference")),
    ),
    "StructureMap.group.rule.target": (
        Rule("smp-1", "An element needs a context.", needs("element", "context")),
        Rule("smp-2", "A context needs its contextType.", needs("context", "contextType")),
    ),
    "TerminologyCapabilities": (
        Rule(
            "tcp-2",
            "A description, software or implementation is needed.",
            any_of("description", "software", "implementation"),
        ),
        Rule("tcp-3", "An instance needs its implementation.", needed_if("implementation", "kind", "instance")),
        Rule("tcp-4", "A capability has no implementation.", none_if("implementation", "kind", "capability")),
        Rule("tcp-4", "A capability needs its software.", needed_if("software", "kind", "capability")),
        Rule("tcp-5", "Requirements have no implementation.", none_if("implementation", "kind", "requirements")),
        Rule("tcp-5", "Requirements have no software.", none_if("software", "kind", "requirements")),
    ),
    "TerminologyCapabilities.codeSystem": (
        Rule("tcp-1", "Of several versions each needs its code.", where(_versions_coded)),
    ),
    "ValueSet.compose.include": (
        Rule("vsd-1", "A valueSet or a system is needed.", any_of("valueSet", "system")),
        Rule("vsd-2", "Concepts need a system.", needs("concept", "system")),
        Rule("vsd-2", "Filters need a system.", needs("filter", "system")),
        Rule("vsd-3", "Concepts and filters exclude each other.", at_most_one_of("concept", "filter")),
    ),
    "ValueSet.expansion.contains": (
        Rule("vsd-6", "A code or a display is needed.", any_of("code", "display")),
        Rule("vsd-9", "A code is needed unless it is abstract.", where(_code_or_abstract)),
        Rule("vsd-10", "A code needs a system.", needs("code", "system")),
    ),
}
