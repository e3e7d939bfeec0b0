from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.fhir.search import compile_parameters as compile_search
from fhirtwin.fhir.search import parameters as search_parameters
from fhirtwin.fhir.search.parameters import COMMON, PARAMETERS, Kind
from fhirtwin.fhir.tables import RESOURCE_TYPES

MAIDEN_NAME = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"
IS_SUBJECT = "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-isSubject"

_BY_KIND = {
    Kind.TOKEN: 670,
    Kind.REFERENCE: 519,
    Kind.STRING: 194,
    Kind.DATE: 139,
    Kind.COMPOSITE: 72,
    Kind.URI: 55,
    Kind.QUANTITY: 40,
    Kind.NUMBER: 6,
}


def own() -> list[search_parameters.SearchParameter]:
    """What types have beyond the parameters of every type."""
    return [one for row in PARAMETERS.values() for one in row.values() if one.name not in COMMON]


def values(type_: str, name: str, resource: dict[str, Any]) -> list[tuple[Any, int]]:
    return [(found.value, found.item) for found in PARAMETERS[type_][name].read(resource)]


def test_every_resource_type_has_its_parameters() -> None:
    assert set(PARAMETERS) == RESOURCE_TYPES
    assert len(PARAMETERS) == len(RESOURCE_TYPES)
    assert Counter(one.kind for one in own()) == _BY_KIND
    assert {"_id", "_lastUpdated", "_profile", "_security", "_source", "_tag"} == COMMON


def test_numbers_are_given_once() -> None:
    numbers = [one.number for row in PARAMETERS.values() for one in row.values()]
    assert len(numbers) == len(set(numbers))
    assert all(0 < number < 2**31 for number in numbers)


def test_the_official_definitions_give_the_committed_table(shared: Path) -> None:
    before = json.loads(compile_search.TABLE.read_text(encoding="ascii"))
    compiled = compile_search.compile_search(shared / "data/fhir/defs/r4", before)
    assert compiled == compile_search.TABLE.read_text(encoding="ascii")


def test_a_number_once_given_stays_when_parameters_come_and_go(shared: Path) -> None:
    before = json.loads(compile_search.TABLE.read_text(encoding="ascii"))
    del before["types"]["Patient"]["parameters"]["address"]
    compiled = json.loads(compile_search.compile_search(shared / "data/fhir/defs/r4", before))
    numbers = {name: int(line.split()[0]) for name, line in compiled["types"]["Patient"]["parameters"].items()}
    assert numbers.pop("address") == max(numbers.values()) + 1
    assert numbers["telecom"] == 39


def test_every_official_parameter_is_offered_or_refused_with_a_reason(shared: Path) -> None:
    with gzip.open(shared / "data/fhir/defs/r4/search-parameters.json.gz") as file:
        definitions = [entry["resource"] for entry in json.load(file)["entry"]]
    missing = {
        (base, definition["code"])
        for definition in definitions
        for base in definition["base"]
        if base in RESOURCE_TYPES
        and definition["code"] not in PARAMETERS[base]
        and not search_parameters.not_offered(base).get(definition["code"])
    }
    # R4 has no such parameters: the packaging of the definitions has added them.
    assert missing == {
        ("DetectedIssue", "status"),
        ("DeviceDefinition", "classification"),
        ("ServiceRequest", "order-detail"),
    }


def test_what_is_not_offered_is_counted() -> None:
    refused = Counter(name for type_ in RESOURCE_TYPES for name in search_parameters.not_offered(type_))
    everywhere = {"_content", "_filter", "_query", "_text"}
    assert {name for name, count in refused.items() if count == len(RESOURCE_TYPES)} == everywhere
    assert {name: count for name, count in refused.items() if name not in everywhere} == {
        "age": 1,
        "amino-acid-change": 1,
        "author": 2,
        "din": 1,
        "dna-variant": 1,
        "effective": 2,
        "end": 2,
        "gene-amino-acid-change": 1,
        "gene-dnavariant": 1,
        "keyword": 2,
        "near": 1,
        "phonetic": 6,
        "workflow": 2,
    }


def test_components_of_composites_are_parameters_of_the_same_type() -> None:
    for parameter in own():
        assert (parameter.kind is Kind.COMPOSITE) == bool(parameter.components)
        assert all(part.parameter.type == parameter.type for part in parameter.components)
        assert bool(parameter.branches) != bool(parameter.components)


def test_a_choice_is_read_by_its_members_that_fit_the_kind() -> None:
    assert values("Observation", "date", {"effectivePeriod": {"start": "2024"}}) == [({"start": "2024"}, 0)]
    assert values("Consent", "source-reference", {"sourceAttachment": {"title": "x"}}) == []
    assert values("Consent", "source-reference", {"sourceReference": {"reference": "a"}}) == [({"reference": "a"}, 0)]


def test_values_of_an_element_that_composites_are_of_know_its_index() -> None:
    resource = {"component": [{"code": {"text": "a"}}, {"code": {"text": "b"}}], "code": {"text": "c"}}
    assert values("Observation", "combo-code", resource) == [({"text": "c"}, 0), ({"text": "a"}, 1), ({"text": "b"}, 2)]


def test_a_value_that_a_composite_does_not_name_is_hidden_from_it() -> None:
    assert values("Observation", "value-string", {"valueCodeableConcept": {"text": "x"}}) == [("x", -1)]
    assert values("Observation", "value-string", {"valueString": "x"}) == [("x", 0)]


@pytest.mark.parametrize(
    ("type_", "name", "resource", "found"),
    [
        ("Patient", "email", {"telecom": [{"system": "email", "value": "a"}, {"system": "fax"}]}, 1),
        ("Bundle", "composition", {"entry": [{"resource": {"id": "a"}}, {"resource": {"id": "b"}}]}, 1),
        ("Library", "successor", {"relatedArtifact": [{"type": "successor", "resource": "u"}, {"type": "cites"}]}, 1),
        (
            "Patient",
            "mothersMaidenName",
            {"extension": [{"url": "u"}, {"url": MAIDEN_NAME, "valueString": "x"}]},
            1,
        ),
        ("QuestionnaireResponse", "item-subject", {"item": [{"answer": [{"valueReference": {}}]}]}, 0),
        (
            "QuestionnaireResponse",
            "item-subject",
            {"item": [{"extension": [{"url": IS_SUBJECT}], "answer": [{"valueReference": {}}]}]},
            1,
        ),
        ("Patient", "given", {"name": [{"given": ["a", None, "b"]}, {"family": "x"}]}, 2),
    ],
)
def test_conditions_of_an_expression_are_kept(type_: str, name: str, resource: dict[str, Any], found: int) -> None:
    assert len(values(type_, name, resource)) == found


def test_a_token_knows_whether_case_counts_and_a_system_is_implied() -> None:
    patient = PARAMETERS["Patient"]
    assert (patient["identifier"].exact_case, patient["identifier"].implied_system) == (True, False)
    assert (patient["gender"].exact_case, patient["gender"].implied_system) == (False, True)


def test_targets_are_those_that_the_definition_names() -> None:
    assert PARAMETERS["Patient"]["link"].targets == {"Patient", "RelatedPerson"}
    assert PARAMETERS["Observation"]["focus"].targets == frozenset()


def test_a_slip_of_the_definitions_does_not_swap_the_components_of_a_composite() -> None:
    parts = [part.parameter.name for part in PARAMETERS["DocumentReference"]["relationship"].components]
    assert parts == ["relation", "relatesto"]


def test_a_component_outside_the_element_of_the_others_is_marked() -> None:
    parts = PARAMETERS["MolecularSequence"]["chromosome-variant-coordinate"].components
    assert [(part.parameter.name, part.apart) for part in parts] == [
        ("chromosome", True),
        ("variant-start", False),
        ("variant-end", False),
    ]
