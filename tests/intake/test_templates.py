from __future__ import annotations

from datetime import date

import pytest

from fhirtwin.intake.templates import Template, faults

TOKENS = frozenset({"patientId", "userId", "encounterId"})
DAY = date(2026, 3, 1)


def wrong(query: str) -> list[str]:
    return list(faults(Template(query), TOKENS, {"userId"}))


@pytest.mark.parametrize(
    "query",
    [
        "Patient/{{context.patientId}}",
        "Encounter/{{context.encounterId}}",
        "{{context.userId}}",
        "Practitioner/{{userPractitionerId}}",
        "PractitionerRole/{{userPractitionerRoleId}}",
        "Patient/{{userPatientId}}",
        "RelatedPerson/{{userRelatedPersonId}}",
        "Patient/example",
        "Condition?patient={{context.patientId}}",
        "Condition?patient={{context.patientId}}&_count=10&_sort=-recorded-date",
        "Observation?patient={{context.patientId}}&code=http://loinc.org|4548-4,2339-0",
        "Observation?patient={{context.patientId}}&code:in=http://hl7.org/fhir/ValueSet/observation-vitalsignresult",
        "Observation?patient={{context.patientId}}&date=gt2024-01-01&date=le2025-01",
        "Observation?patient={{context.patientId}}&date=ge{{today() - 90 days}}",
        "Observation?patient={{context.patientId}}&date=lt{{today()}}",
        "MedicationRequest?patient={{context.patientId}}&_lastUpdated=ge2024-01-01",
    ],
)
@pytest.mark.conforms("cds-hooks_2.0@55", "cds-hooks_2.0@56", "cds-hooks_2.0@59")
def test_a_read_or_search_that_clients_support_is_right(query: str) -> None:
    assert wrong(query) == []


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("Patent/{{context.patientId}}", "resource type"),
        ("patient/{{context.patientId}}", "resource type"),
        ("", "resource type"),
        ("https://ehr.example/Patient/1", "resource type"),
        ("{{context.patientId}}", "resource type"),
        ("{{context.userId}}/{{context.patientId}}", "resource type"),
        ("Patient/{{context.selections}}", "no single value"),
        ("Patient/{{context.draftOrders}}", "no single value"),
        ("Patient/{{context.a.b}}", "does not define"),
        ("Patient/{{patientId}}", "does not define"),
        ("Patient/{{Context.patientId}}", "does not define"),
        ("Patient/{{}}", "does not define"),
        ("Patient/{{today() - 90}}", "does not define"),
        ("Patient/{{%patient.id}}", "does not define"),
        ("Patient/{context.patientId}", "braces"),
        ("Patient/{{context.patientId}", "braces"),
        ("Patient/{{context.patientId}}/$everything", "no FHIR read"),
        ("Patient", "no FHIR read"),
        ("Patient/", "no FHIR read"),
        ("Patient?name=x y", "read or search"),
        ("Patient?", "read or search"),
        ("Condition?patient={{context.patientId}}#x", "read or search"),
        ("Condition?patient=", "no value"),
        ("Condition?colour=red", "R4 does not define"),
        ("Condition?patient:Patient={{context.patientId}}", "recommends"),
        ("Condition?patient.name=x", "R4 does not define"),
        ("Condition?code:below=x", "recommends"),
        ("Condition?code:not=x", "recommends"),
        ("Patient?name=x", "recommends"),
        ("Observation?value-quantity=gt5", "recommends"),
        ("Observation?date=sa2024-01-01", "recommends"),
        ("Observation?date=ne2024-01-01", "recommends"),
        ("Observation?date=yesterday", "recommends"),
        ("MedicationRequest?patient={{context.patientId}}&_include=MedicationRequest:medication", "R4 does not define"),
        ("Condition?_has:Observation:patient:code=x", "R4 does not define"),
        ("Condition?code=" + "x" * 600, "longer"),
    ],
)
@pytest.mark.conforms("cds-hooks_2.0@57")
def test_what_clients_need_not_support_is_refused_in_words(query: str, says: str) -> None:
    assert any(says in each for each in wrong(query)), wrong(query)


def test_without_today_a_query_asks_for_more_and_never_for_less() -> None:
    dated = Template("Observation?patient={{context.patientId}}&date=ge{{today() - 90 days}}&_count=5")
    assert dated.for_2_0() == "Observation?patient={{context.patientId}}&_count=5"
    assert Template("Patient/{{context.patientId}}").for_2_0() == "Patient/{{context.patientId}}"
    assert not dated.is_whole_list


@pytest.mark.parametrize(
    ("token", "day"),
    [
        ("{{today()}}", "2026-03-01"),
        ("{{today() - 1 day}}", "2026-02-28"),
        ("{{today() - 90 days}}", "2025-12-01"),
        ("{{today() + 30 days}}", "2026-03-31"),
    ],
)
def test_days_are_counted_from_today(token: str, day: str) -> None:
    assert Template(f"Observation?date=ge{token}").resolve({}, DAY) == f"Observation?date=ge{day}"


@pytest.mark.parametrize(
    "value", ["", "a b", "a&b=c", "../x", "a?b", "x" * 65, "a/b?c", "..", "Patient/..", "a\n", "{{context.x}}"]
)
def test_what_is_no_id_goes_into_no_address(value: str) -> None:
    with pytest.raises(LookupError, match=r"context\.patientId"):
        Template("Patient/{{context.patientId}}").resolve({"context.patientId": value}, DAY)


def test_a_template_may_be_for_some_hooks_only() -> None:
    assert Template("Patient/1").serves("x")
    assert Template("Patient/1", hooks=("a",)).serves("a") and not Template("Patient/1", hooks=("a",)).serves("b")
