from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.fhir.scrutiny import scrutinise
from tests.fhir.profiles.builders import URL, Json, Loaded, profile, sliced
from tests.parts import observation, patient

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
PATIENT = patient(text=TEXT)
CORE = "http://hl7.org/fhir/StructureDefinition"


def found(resource: Json, *known: Json, **more: Any) -> list[tuple[str, str]]:
    issues = scrutinise({"text": TEXT, **resource}, Loaded(*known), **more)
    return [(issue.severity, issue.expression[0]) for issue in issues]


def bundle(type_: str, *entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": type_, "entry": list(entries)}


def judged(made: Json, **more: Any) -> list[tuple[str, str]]:
    return [(issue.severity, issue.expression[0]) for issue in scrutinise(made, Loaded(), **more)]


def test_what_is_right_has_no_issue() -> None:
    assert found(PATIENT) == []


def test_a_resource_without_narrative_is_unwise_and_one_contained_is_not() -> None:
    assert judged(patient()) == [("warning", "Patient")]
    assert judged(patient(text=TEXT, contained=[patient(id="a")])) == []


def test_claimed_profiles_are_judged_also_within() -> None:
    named = profile({"path": "Patient.name", "min": 1}, type_="Patient")
    claiming = PATIENT | {"meta": {"profile": [named["url"]]}}
    assert found(claiming, named) == [("error", "Patient.name")]
    issues = scrutinise(bundle("collection", {"resource": claiming}), Loaded(named))
    assert [issue.expression for issue in issues] == [("Bundle.entry[0].resource.name",)]
    assert found(claiming) == [("information", "Patient.meta.profile")]


def test_a_vital_sign_conforms_to_its_profile_without_claiming_it() -> None:
    assert ("error", "Observation.category") in found(observation("Patient/p", "29463-7"))
    assert found(observation("Patient/p", "2093-3")) == []


@pytest.mark.parametrize(
    ("extension", "severity"),
    [
        ({"url": f"{CORE}/patient-birthPlace", "valueAddress": {"city": "x"}}, None),
        ({"url": f"{CORE}/patient-birthPlace", "valueString": "x"}, "error"),
        ({"url": f"{CORE}/patient-birthTime", "valueDateTime": "1960-05-04T10:00:00Z"}, "error"),
        ({"url": f"{CORE}/patient-birthPlace|4.0.1", "valueAddress": {"city": "x"}}, "error"),
        ({"url": f"{URL}/nowhere", "valueString": "x"}, "information"),
        ({"url": "nowhere", "valueString": "x"}, "error"),
        ({"url": f"{URL}/nowhere", "extension": [{"url": "part", "valueString": "x"}]}, "information"),
    ],
)
def test_extensions_are_judged_by_their_definitions(extension: Json, severity: str | None) -> None:
    assert {told for told, _ in found(PATIENT | {"extension": [extension]})} == ({severity} if severity else set())


def test_an_extension_stands_where_its_definition_says() -> None:
    birth = {"extension": [{"url": f"{CORE}/patient-birthTime", "valueDateTime": "1960-05-04T10:00:00Z"}]}
    assert found(PATIENT | {"_birthDate": birth}) == []
    inside = bundle("collection", {"resource": PATIENT | {"_birthDate": birth}})
    assert judged(inside) == []


@pytest.mark.parametrize("severity", ["information", "warning", "error"])
def test_how_severe_an_unknown_extension_is_can_be_set(severity: str) -> None:
    unknown = PATIENT | {"extension": [{"url": f"{URL}/nowhere", "valueString": "x"}]}
    assert found(unknown, unknown_extensions=severity) == [(severity, "Patient.extension[0]")]


def test_an_unknown_modifier_is_at_least_a_warning() -> None:
    unknown = PATIENT | {"modifierExtension": [{"url": f"{URL}/nowhere", "valueBoolean": True}]}
    assert found(unknown) == [("warning", "Patient.modifierExtension[0]")]


@pytest.mark.parametrize(
    ("coding", "severity"),
    [
        ({"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M", "display": "married"}, None),
        ({"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "XX"}, "error"),
        (
            {"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M", "display": "Single"},
            "error",
        ),
        ({"system": "http://hl7.org/fhir/ValueSet/marital-status", "code": "M"}, "error"),
        ({"system": "marital", "code": "M"}, "error"),
        ({"code": "M"}, "warning"),
        ({"system": "http://example.org/anything", "code": "M", "display": "whatever"}, None),
    ],
)
def test_codes_of_systems_that_are_known_whole(coding: Json, severity: str | None) -> None:
    issues = found(PATIENT | {"maritalStatus": {"coding": [coding]}})
    assert {told for told, _ in issues} == ({severity} if severity else set())


def test_displays_in_other_languages_are_not_compared() -> None:
    coding = {"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M", "display": "verheiratet"}
    assert found(PATIENT | {"language": "de-AT", "maritalStatus": {"coding": [coding]}}) == []


@pytest.mark.parametrize(("target", "count"), [("#a", 0), ("#here", 0), ("#nowhere", 1), ("http://x#y", 0), ("#", 0)])
def test_links_in_a_narrative_lead_somewhere(target: str, count: int) -> None:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p id="here">x</p><a href="{target}">x</a></div>'
    made = PATIENT | {"text": {"status": "generated", "div": div}, "contact": [{"id": "a", "gender": "female"}]}
    assert len(found(made)) == count


def test_full_urls() -> None:
    right = {"fullUrl": "http://x/fhir/Patient/1", "resource": PATIENT | {"id": "1"}}
    assert judged(bundle("collection", right)) == []
    for url in ("Patient/1", "http://x/fhir/Patient/2", "http://x/fhir/Group/1"):
        assert judged(bundle("collection", right | {"fullUrl": url})) == [("error", "Bundle.entry[0].fullUrl")]
    assert judged(bundle("collection", right | {"fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"})) == []


def test_what_a_search_found_has_an_id() -> None:
    assert judged(bundle("searchset", {"resource": PATIENT})) == [("error", "Bundle.entry[0].resource")]
    outcome = {
        "resourceType": "OperationOutcome",
        "text": TEXT,
        "issue": [{"severity": "information", "code": "informational"}],
    }
    assert judged(bundle("searchset", {"resource": outcome})) == []


def document(reference: str, *entries: Json) -> Json:
    composition = {
        "resourceType": "Composition",
        "text": TEXT,
        "status": "final",
        "type": {"text": "x"},
        "date": "2024-01-01",
        "author": [{"reference": reference}],
        "title": "x",
    }
    return bundle("document", {"fullUrl": "http://x/fhir/Composition/c", "resource": composition}, *entries)


def test_a_document_holds_what_its_composition_refers_to() -> None:
    author = {"fullUrl": "http://x/fhir/Patient/1", "resource": PATIENT | {"id": "1", "meta": {"versionId": "3"}}}
    wrong = [("error", "Bundle.entry[0].resource.author[0].reference")]
    for reference in ("Patient/1", "http://x/fhir/Patient/1", "Patient/1/_history/3"):
        assert judged(document(reference, author)) == []
    for reference in ("Patient/2", "http://y/fhir/Patient/1", "Patient/1/_history/2"):
        assert judged(document(reference, author)) == wrong
    assert judged(document("Patient/1", author, author)) == wrong


def test_discriminators_of_a_profile_lead_to_elements() -> None:
    for path, count in (("code.coding", 0), ("type", 1), ("value.ofType(Quantity).nonsense", 0), ("$this", 0)):
        wanted = profile(sliced("Observation.component", ("value", path))) | {"text": TEXT}
        issues = scrutinise(wanted, Loaded())
        assert [issue.severity for issue in issues] == ["error"] * count


def test_answers_are_judged_with_their_place() -> None:
    url = "http://example.org/Questionnaire/q"
    asked = {
        "resourceType": "Questionnaire",
        "url": url,
        "status": "active",
        "item": [{"linkId": "1", "type": "integer"}],
    }
    given = {"linkId": "1", "answer": [{"valueString": "x"}]}
    response = {
        "resourceType": "QuestionnaireResponse",
        "text": TEXT,
        "questionnaire": url,
        "status": "completed",
        "item": [given],
    }
    issues = scrutinise(bundle("collection", {"resource": response}), Loaded(asked))
    assert [issue.expression for issue in issues] == [("Bundle.entry[0].resource.item[0].answer[0].value",)]
    value_set = response | {"questionnaire": "http://hl7.org/fhir/ValueSet/item-type"}
    assert ("error", "QuestionnaireResponse.questionnaire") in found(value_set)


def test_ids_of_elements_have_no_spaces() -> None:
    named = PATIENT | {"name": [{"id": "a b", "text": "x"}], "_birthDate": {"id": "a\tb"}, "_gender": {"id": "a-b"}}
    assert sorted(found(named)) == [("error", "Patient.birthDate.id"), ("error", "Patient.name[0].id")]


def test_elements_do_not_share_an_id() -> None:
    alone = PATIENT | {"name": [{"id": "a", "text": "x"}]}
    twice = alone | {"_birthDate": {"id": "a"}}
    assert found(alone) == [] and found(twice) == [("error", "Patient.birthDate.id")]
    assert judged(bundle("collection", {"resource": alone}, {"resource": alone})) == []
    both = profile(type_="Patient") | {"differential": {"element": [{"id": "0", "path": "Patient"}]}}
    assert "error" not in [severity for severity, _ in judged(both)]


def test_contained_resources_do_not_share_an_id() -> None:
    within = [{"resourceType": "Organization", "id": id_, "name": "x"} for id_ in ("a", "b", "a")]
    holding = PATIENT | {"contained": within}
    assert found(holding) == [("error", "Patient.contained[2].id")]
    assert [place for _, place in judged(bundle("collection", {"resource": holding}))] == [
        "Bundle.entry[0].resource.contained[2].id"
    ]


def test_at_most_so_many_issues_are_told_errors_first() -> None:
    unknown = [{"url": f"{URL}/{number}", "valueString": "x"} for number in range(300)]
    made = PATIENT | {"extension": unknown, "maritalStatus": {"coding": [{"system": "marital"}]}}
    issues = scrutinise(made, Loaded())
    assert len(issues) == 201
    assert (issues[0].severity, issues[-1].code) == ("error", "incomplete")
