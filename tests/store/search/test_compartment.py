from __future__ import annotations

import pytest
from sqlalchemy.dialects import sqlite

from fhirtwin.errors import Conflict
from fhirtwin.store import Store, index
from fhirtwin.store.search import compartment
from fhirtwin.twin.state import LOCAL, PatientKey, StoredVersion

NOW = "2026-01-01T00:00:00Z"


def version(type_: str, id_: str, number: int = 1, data: bytes = b"{}") -> StoredVersion:
    return StoredVersion(type_, id_, number, NOW, data)


def test_a_compartment_is_looked_for_by_value_and_nothing_is_gone_through_whole(store: Store) -> None:
    wanted = {"wanted_patient": "p", "wanted_after": 0, "wanted_ceiling": 9, "wanted_count": 9}
    compiled = compartment.MEMBERS.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    values = compiled.construct_params(wanted)
    with store._reading.begin() as connection:
        asked = (f"EXPLAIN QUERY PLAN {compiled}", tuple(values[name] for name in compiled.positiontup or ()))
        plan = [row.detail for row in connection.exec_driver_sql(*asked)]
    assert any("ix_resource_patient" in step for step in plan)
    assert any("search_reference" in step and "parameter=" in step and "target_id=" in step for step in plan)
    assert not [step for step in plan if step.startswith("SCAN") and "search_reference" in step]


def test_another_patients_and_anothers_servers_resources_are_in_no_ones_way(store: Store) -> None:
    with store.write() as write:
        for type_, id_, patient in (
            ("Observation", "a", PatientKey(LOCAL, "p")),
            ("Observation", "b", PatientKey("http://ehr.test/fhir", "p")),
            ("Observation", "c", PatientKey(LOCAL, "q")),
            ("Practitioner", "d", None),
        ):
            write.put(version(type_, id_), index.Rows(), patient)
    with store.snapshot() as reader:
        assert [one.stored.id for one in reader.compartment("p", 0, reader.newest(), 9)] == ["a"]
        asked = [("Observation", "b"), ("Observation", "c"), ("Practitioner", "d"), ("Observation", "d")]
        assert [one.stored.id for one in reader.nobodys(asked, reader.newest())] == ["d"]
        assert reader.nobodys(asked, 3) == ()


def test_more_ids_than_one_statement_takes_are_asked_for_in_parts(store: Store) -> None:
    with store.write() as write:
        for number in (1, 2):
            write.put(version("Practitioner", f"x{number:04}"), index.Rows(), None)
    with store.snapshot() as reader:
        asked = [("Practitioner", f"x{number:04}") for number in (*range(2, 1200), 1)]
        assert [one.stored.id for one in reader.nobodys(asked, 9)] == ["x0001", "x0002"]


def test_only_the_current_version_can_be_labelled(store: Store) -> None:
    for number in (1, 2):
        with store.write() as write:
            write.put(version("Patient", "p", number), index.Rows(), None)
    with store.write() as write:
        write.amend(version("Patient", "p", 2, b'{"a":1}'), index.Rows())
    assert store.vread("Patient", "p", 1) == version("Patient", "p", 1)
    assert store.read("Patient", "p") == version("Patient", "p", 2, b'{"a":1}')
    with pytest.raises(Conflict), store.write() as write:
        write.amend(version("Patient", "p", 1, b'{"a":2}'), index.Rows())
    with pytest.raises(Conflict), store.write() as write:
        write.amend(version("Patient", "q", 1, b'{"a":2}'), index.Rows())
