from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise

import pytest

from fhirtwin.store import Store, index
from fhirtwin.store.reading import said_empty
from fhirtwin.twin.state import LOCAL, Fact, Mapped, PatientKey, Source, StoredVersion, Unused

P, Q = PatientKey(LOCAL, "p"), PatientKey("http://ehr.test/fhir", "p")
NOW = "2026-01-01T00:00:00Z"


def source(id_: str = "o", version: int = 1) -> Source:
    return Source(LOCAL, "Observation", id_, str(version))


def fact(value: str = "180", **where: object) -> Fact:
    return Fact("total-cholesterol", Decimal(value), (source(**where),), unit="mg/dL", time="2024-01-01")  # type: ignore[arg-type]


def tell(
    store: Store, patient: PatientKey | None, *facts: Fact, unused: tuple[Unused, ...] = (), **where: object
) -> None:
    with store.write() as write:
        write.replace_facts(source(**where), patient, Mapped(facts, unused))  # type: ignore[arg-type]


def keep(store: Store, type_: str, data: bytes = b"{}", patient: PatientKey = P, deleted: bool = False) -> None:
    with store.write() as write:
        current = write.read(type_, "x")
        version = current.version + 1 if current else 1
        write.put(StoredVersion(type_, "x", version, NOW, data, deleted), index.Rows(), patient)
        write.replace_facts(Source(LOCAL, type_, "x", str(version)), patient, Mapped())


def version(store: Store, patient: PatientKey = P) -> int:
    state = store.twin(patient)
    assert state is not None
    return state.version


def test_there_is_no_twin_of_a_patient_of_whom_nothing_is_stored(store: Store) -> None:
    assert store.twin(P) is None


def test_facts_come_back_as_they_were(store: Store) -> None:
    unused = Unused(source(), "a comparator")
    tell(store, P, fact("180.0"), unused=(unused,))
    state = store.twin(P)
    assert state is not None
    assert (state.facts, state.unused, state.reference) == ((fact("180.0"),), (unused,), "Patient/p")
    assert str(state.facts[0].value) == "180.0"


def test_the_same_id_of_another_server_is_another_patient(store: Store) -> None:
    tell(store, Q, fact())
    assert store.twin(P) is None
    state = store.twin(Q)
    assert state is not None
    assert state.reference == "http://ehr.test/fhir/Patient/p"


def test_the_version_grows_when_a_fact_appears_changes_or_vanishes_and_only_then(store: Store) -> None:
    seen = []
    for number, facts in enumerate(
        ((fact(),), (fact(version=2),), (fact("181", version=3),), (fact("181", version=4),), ()), 1
    ):
        tell(store, P, *facts, version=number)
        seen.append(version(store))
    assert [later - earlier for earlier, later in pairwise(seen)] == [0, 1, 0, 1]


def test_an_unchanged_fact_points_at_the_newest_version_of_its_source(store: Store) -> None:
    tell(store, P, fact())
    tell(store, P, fact(version=2), version=2)
    state = store.twin(P)
    assert state is not None
    assert [one.sources[0].version for one in state.facts] == ["2"]


def test_a_source_that_is_about_another_patient_now_changes_both_twins(store: Store) -> None:
    tell(store, P, fact())
    tell(store, Q, fact(id_="other"), id_="other")
    before = version(store), version(store, Q)
    tell(store, Q, fact(version=2), version=2)
    assert (version(store), version(store, Q)) == (before[0] + 1, before[1] + 1)
    state = store.twin(P)
    assert state is not None
    assert state.facts == ()


def test_a_source_that_is_about_nobody_now_takes_its_facts_away(store: Store) -> None:
    tell(store, P, fact())
    tell(store, None, version=2)
    state = store.twin(P)
    assert state is not None
    assert state.facts == ()


@pytest.mark.parametrize("type_", ["Condition", "Procedure", "MedicationRequest", "MedicationStatement"])
def test_a_list_was_obtained_when_a_member_of_it_is_stored(store: Store, type_: str) -> None:
    keep(store, "Observation")
    keep(store, type_)
    state = store.twin(P)
    assert state is not None
    assert state.lists == {type_}
    keep(store, type_, deleted=True)
    state = store.twin(P)
    assert state is not None
    assert state.lists == set()


def list_(code: str, reason: str | None, status: str = "current") -> dict:
    made: dict = {"status": status, "code": {"coding": [{"system": "http://loinc.org", "code": code}]}}
    if reason:
        system = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
        made["emptyReason"] = {"coding": [{"system": system, "code": reason}]}
    return made


@pytest.mark.parametrize(
    ("resource", "types"),
    [
        (list_("11450-4", "nilknown"), {"Condition"}),
        (list_("10160-0", "nilknown"), {"MedicationStatement"}),
        (list_("11450-4", "notasked"), set()),
        (list_("11450-4", "unavailable"), set()),
        (list_("11450-4", None), set()),
        (list_("11450-4", "nilknown", "retired"), set()),
        (list_("48765-2", "nilknown"), set()),
        ({"status": "current", "emptyReason": {"text": "nilknown"}}, set()),
    ],
)
def test_an_empty_list_counts_when_it_says_that_there_is_nothing(resource: dict, types: set[str]) -> None:
    assert said_empty(resource) == types


def test_a_stored_empty_list_counts_for_its_patient(store: Store) -> None:
    keep(store, "List", json.dumps(list_("11450-4", "nilknown")).encode())
    state = store.twin(P)
    assert state is not None
    assert state.lists == {"Condition"}
