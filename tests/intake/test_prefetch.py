from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.errors import FhirtwinError, Incorrect, Precondition, Unprocessable
from fhirtwin.intake.prefetch import Prefetched, Template, read
from fhirtwin.twin.state import LOCAL, PatientKey, Source
from tests.intake.builders import (
    EHR,
    PATIENT,
    TEMPLATES,
    appointment,
    bundle,
    condition,
    failed,
    observation,
    person,
    whole,
)


def given(prefetch: Any, patient: PatientKey = PATIENT, **options: Any) -> Prefetched:
    return read(prefetch, TEMPLATES, patient, **options)


def appointments(found: Any) -> Prefetched:
    return read(
        {"appointments": found}, {"appointments": Template("Appointment?patient={{context.patientId}}")}, PATIENT
    )


def refused(prefetch: Any, error: type[FhirtwinError], **options: Any) -> FhirtwinError:
    with pytest.raises(error) as caught:
        given(prefetch, **options)
    return caught.value


def places(error: FhirtwinError) -> list[str]:
    return [issue.expression[0] for issue in error.issues]


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in whole().items() if name != key}


def test_resources_come_with_their_origin_and_version() -> None:
    brought = given(whole(conditions=bundle(condition(meta={"versionId": "7"}))))
    assert [source for source, _ in brought.resources] == [
        Source(EHR, "Patient", "p1"),
        Source(EHR, "Condition", "c1", "7"),
        Source(EHR, "Observation", "o1"),
    ]


def test_only_a_query_for_all_of_a_type_obtains_a_list() -> None:
    assert given(whole()).lists == {"Condition"}
    assert given(whole(statements=bundle())).lists == {"Condition", "MedicationStatement"}


@pytest.mark.parametrize("key", ["patient", "conditions", "observations"])
def test_an_absent_key_is_412_by_name(key: str) -> None:
    assert places(refused(without(key), Precondition)) == [f"prefetch.{key}"]


@pytest.mark.parametrize("prefetch", [None, {}])
def test_no_prefetch_is_412_naming_all_that_is_required(prefetch: Any) -> None:
    assert places(refused(prefetch, Precondition)) == [
        "prefetch.patient",
        "prefetch.conditions",
        "prefetch.observations",
    ]


def test_the_reason_names_the_query_that_is_wanted() -> None:
    assert "Condition?patient={{context.patientId}}" in refused(without("conditions"), Precondition).issues[0].text


@pytest.mark.parametrize("nothing", [None, bundle()])
def test_null_and_an_empty_bundle_say_that_there_is_nothing(nothing: Any) -> None:
    brought = given(whole(conditions=nothing))
    assert brought.lists == {"Condition"}
    assert "Condition" not in [source.type for source, _ in brought.resources]


def test_a_patient_that_is_null_is_412() -> None:
    assert places(refused(whole(patient=None), Precondition)) == ["prefetch.patient"]


@pytest.mark.parametrize("value", [failed(), failed("information"), bundle(condition(), failed("fatal"))])
def test_a_failed_query_is_412_and_no_empty_list(value: Any) -> None:
    assert places(refused(whole(conditions=value), Precondition)) == ["prefetch.conditions"]


NEXT = [{"relation": "next", "url": f"{EHR}?page=2"}]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({}, "is absent"),
        ({"statements": failed()}, "is an OperationOutcome"),
        ({"statements": bundle(failed("fatal"))}, "holds an OperationOutcome with an error"),
        ({"statements": bundle(link=NEXT)}, "holds only the first page"),
        ({"statements": bundle(total=2)}, "holds fewer matches than its `total`"),
    ],
)
def test_what_is_not_required_and_was_not_obtained_is_named_with_why(sent: dict[str, Any], why: str) -> None:
    brought = given(whole(**sent))
    assert list(brought.left) == ["statements"]
    assert brought.left["statements"].startswith(why)
    assert "MedicationStatement" not in brought.lists
    assert [source.type for source, _ in brought.resources] == ["Patient", "Condition", "Observation"]


@pytest.mark.parametrize("nothing", [None, bundle()])
def test_what_is_not_required_and_said_to_be_nothing_is_not_left(nothing: Any) -> None:
    assert given(whole(statements=nothing)).left == {}


def test_half_a_list_that_is_not_required_is_not_used_and_still_must_be_the_patients() -> None:
    page = bundle(condition("c9"), link=NEXT)
    assert "c9" not in [source.id for source, _ in given(whole(statements=page)).resources]
    stranger = bundle(condition("c9", "Patient/p2"), link=NEXT)
    assert places(refused(whole(statements=stranger), Unprocessable)) == ["prefetch.statements.entry[0]"]


def test_a_warning_in_a_search_result_is_no_failure() -> None:
    brought = given(whole(conditions=bundle(condition(), failed("warning"))))
    assert brought.lists == {"Condition"}
    assert "OperationOutcome" not in [source.type for source, _ in brought.resources]


def test_a_first_page_is_412_and_says_so() -> None:
    error = refused(whole(conditions=bundle(link=NEXT)), Precondition)
    assert places(error) == ["prefetch.conditions"]
    assert "next" in error.issues[0].text


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (condition(),),
        (condition(), failed("warning")),
    ],
)
def test_fewer_matches_than_the_total_are_412_and_no_whole_list(entries: tuple[dict[str, Any], ...]) -> None:
    error = refused(whole(conditions=bundle(*entries, total=2)), Precondition)
    assert places(error) == ["prefetch.conditions"]
    assert "total" in error.issues[0].text


def test_a_total_counts_matches_and_not_what_comes_beside_them() -> None:
    beside = {"resource": {"resourceType": "Practitioner", "id": "a"}, "search": {"mode": "include"}}
    found = {"resource": condition(), "search": {"mode": "match"}}
    assert given(whole(conditions=bundle(entry=[found, beside], total=1))).lists == {"Condition"}
    refused(whole(conditions=bundle(entry=[found, beside], total=2)), Precondition)
    assert given(whole(conditions=bundle(total=0))).lists == {"Condition"}


COMPOSITION = {
    "resourceType": "Composition",
    "status": "final",
    "type": {"text": "summary"},
    "date": "2024-05-01",
    "author": [{"display": "x"}],
    "title": "Summary",
}
DOCUMENT = {
    "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"},
    "timestamp": "2024-05-01T10:00:00Z",
    "entry": [{"resource": COMPOSITION}],
}


@pytest.mark.parametrize(
    ("type_", "more"), [("history", {}), ("batch-response", {}), ("transaction", {}), ("document", DOCUMENT)]
)
def test_a_bundle_that_lists_nothing_is_400(type_: str, more: dict[str, Any]) -> None:
    assert places(refused(whole(conditions=bundle(type=type_, **more)), Incorrect)) == ["prefetch.conditions.type"]


def test_pages_gathered_in_a_collection_are_read() -> None:
    assert given(whole(conditions=bundle(condition(), type="collection"))) == given(whole())


def test_a_link_to_itself_is_no_page() -> None:
    assert given(whole(conditions=bundle(link=[{"relation": "self", "url": EHR}]))).lists == {"Condition"}


@pytest.mark.parametrize(
    ("stranger", "place"),
    [
        ({"conditions": bundle(condition(), condition("c2", "Patient/p2"))}, "prefetch.conditions.entry[1]"),
        (
            {"conditions": bundle(condition("c1", "https://other.example/fhir/Patient/p1"))},
            "prefetch.conditions.entry[0]",
        ),
        (
            {"conditions": bundle(condition("c1", "urn:uuid:0d2bd0b2-7b6e-4c4f-8b0e-5a3b3a1f7a10"))},
            "prefetch.conditions.entry[0]",
        ),
        (
            {"conditions": bundle(condition("c1", "#p") | {"contained": [person(id="p")]})},
            "prefetch.conditions.entry[0]",
        ),
        ({"conditions": bundle(condition("c1", "Group/p1"))}, "prefetch.conditions.entry[0]"),
        ({"observations": bundle(observation(subject=None))}, "prefetch.observations.entry[0]"),
        ({"patient": person(id="p2")}, "prefetch.patient"),
        ({"statements": bundle(person(id="p2"))}, "prefetch.statements.entry[0]"),
        ({"conditions": bundle(bundle(condition("c2", "Patient/p2")))}, "prefetch.conditions.entry[0]"),
        ({"conditions": bundle({"resourceType": "Parameters", "id": "p2"})}, "prefetch.conditions.entry[0]"),
    ],
)
def test_anything_not_shown_to_be_this_patients_refuses_the_call(stranger: dict[str, Any], place: str) -> None:
    error = refused(whole(**stranger), Unprocessable)
    assert places(error) == [place]
    told = str(error) + "".join(issue.text for issue in error.issues)
    assert not any(secret in told for secret in ("p2", "other.example", "urn:"))


def test_a_stranger_is_named_by_its_own_reference_and_not_by_whose_it_is() -> None:
    error = refused(whole(conditions=bundle(condition("c1", "Patient/p2"))), Unprocessable)
    assert [
        issue.text.startswith("The Condition/c1 at prefetch.conditions.entry[0] is not") for issue in error.issues
    ] == [True]
    error = refused(whole(patient=person(id="p2")), Unprocessable)
    assert [issue.text.startswith("The Patient at prefetch.patient is not") for issue in error.issues] == [True]


def test_a_resource_that_stands_twice_must_say_the_same() -> None:
    twice = bundle(condition(meta={"versionId": "1"}), condition())
    assert given(whole(conditions=twice)).lists == {"Condition"}
    contrary = bundle(condition(), condition(recordedDate="2020"))
    assert places(refused(whole(conditions=contrary), Unprocessable)) == ["prefetch.conditions.entry[1]"]
    also = bundle(observation(), person(gender="male"))
    assert places(refused(whole(observations=also), Unprocessable)) == ["prefetch.observations.entry[1]"]


@pytest.mark.parametrize("subject", ["Patient/p1", f"{EHR}/Patient/p1", "Patient/p1/_history/3"])
def test_a_reference_to_this_patient_may_be_relative_absolute_or_versioned(subject: str) -> None:
    assert len(given(whole(conditions=bundle(condition("c1", subject)))).resources) == 3


def test_our_own_base_counts_for_a_patient_of_ours_only() -> None:
    prefetch = whole(conditions=bundle(condition("c1", "https://twin.example/fhir/Patient/p1")))
    here = PatientKey(LOCAL, "p1")
    assert len(given(prefetch, here, bases={"https://twin.example/fhir"}).resources) == 3
    refused(prefetch, Unprocessable)


def test_resources_about_nobody_stand_apart() -> None:
    staff, medication = {"resourceType": "Practitioner", "id": "d1"}, {"resourceType": "Medication", "id": "m1"}
    found = given(whole(statements=bundle(medication, staff)))
    assert {source.type for source, _ in found.resources} == {"Patient", "Condition", "Observation"}
    assert found.others == (medication, staff)


def test_an_appointment_is_the_patients_by_its_participants() -> None:
    mine, anybodys = appointment("a1", "Practitioner/d1", f"{EHR}/Patient/p1"), appointment("a2", "Practitioner/d1")
    found = appointments(bundle(mine, anybodys))
    assert found.resources == ((Source(EHR, "Appointment", "a1", ""), mine),)
    assert found.others == (anybodys,)
    assert found.lists == {"Appointment"}


@pytest.mark.parametrize(
    "stranger",
    [
        appointment("a1", "Patient/p1", "Patient/p2"),
        {name: value for name, value in appointment("a1", "Patient/p1").items() if name != "id"},
        {
            "resourceType": "Group",
            "id": "g1",
            "type": "person",
            "actual": True,
            "member": [{"entity": {"reference": "Patient/p1"}}, {"entity": {"reference": "Patient/p2"}}],
        },
        {"resourceType": "Account", "id": "a1", "status": "active", "subject": [{"reference": "Patient/p2"}]},
    ],
)
def test_what_has_no_element_for_its_patient_may_name_no_other(stranger: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable) as caught:
        appointments(bundle(stranger))
    assert places(caught.value) == ["prefetch.appointments.entry[0]"]


def test_a_resource_without_id_is_refused_for_nothing_could_refer_to_it() -> None:
    bare = {name: value for name, value in condition().items() if name != "id"}
    assert places(refused(whole(conditions=bundle(bare)), Unprocessable)) == ["prefetch.conditions.entry[0]"]


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"observations": bundle(observation(status=7))}, "prefetch.observations.entry[0].resource.status"),
        (
            {"observations": bundle({"resourceType": "Observatoin"})},
            "prefetch.observations.entry[0].resource.resourceType",
        ),
        ({"conditions": person()}, "prefetch.conditions.resourceType"),
        ({"patient": "Patient/p1"}, "prefetch.patient"),
        ({"patient": person(gender="male", gnder="x")}, "prefetch.patient.gnder"),
    ],
)
def test_what_is_not_fhir_is_refused_by_place(wrong: dict[str, Any], place: str) -> None:
    assert place in places(refused(whole(**wrong), Incorrect))


def test_a_prefetch_must_be_an_object() -> None:
    refused([], Incorrect)


def test_keys_of_other_services_are_not_looked_at() -> None:
    assert given(whole(**{"somebody-elses": 5})) == given(whole())


@pytest.mark.parametrize(
    ("query", "type_", "search", "is_list"),
    [
        ("Patient/{{context.patientId}}", "Patient", False, False),
        ("Condition?patient={{context.patientId}}", "Condition", True, True),
        ("Condition?patient={{context.patientId}}&clinical-status=active", "Condition", True, False),
    ],
)
def test_a_template_tells_what_it_asks_for(query: str, type_: str, search: bool, is_list: bool) -> None:
    template = Template(query)
    assert (template.type, template.is_search, template.is_whole_list) == (type_, search, is_list)
